"""What the client's tests hold it against beside the twin: a server that answers anything, certificates, its errors."""

from __future__ import annotations

import datetime
import functools
import ipaddress
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from layerlift.service import polling
from layerlift.service.answers import Task, TaskState
from layerlift.service.service import Service
from layerlift.twin import Twin

BALANCE = "/s2s/v1.0/client/credit"
KEY = "sk-only-for-the-api"


@dataclass(frozen=True)
class File:
    """What is declared of an upload."""

    data: bytes
    content_type: str = "image/jpg"


class Waits:
    """Stands in for sleeping: notes the seconds, and waits none of them."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


class Waiting(Service):
    """A client whose calls all wait by one `sleep`, which the test hands in, unless they bring one of their own."""

    def __init__(self, url: str, key: str, *, sleep: Callable[[float], None] = time.sleep, **more: Any) -> None:
        super().__init__(url, key, **more)
        self._sleep = sleep
        self._hand_in()

    def of(self, *task: Any) -> Waiting:
        other = super().of(*task)
        assert isinstance(other, Waiting)
        other._hand_in()
        return other

    def _hand_in(self) -> None:
        for name in ("declare", "upload", "run", "download", "delete", "balance", "history", "prices"):
            setattr(self, name, functools.partial(getattr(type(self), name), self, sleep=self._sleep))


def client(twin: Twin, **more: Any) -> Waiting:
    """A client of the twin that does not wait between its tries."""
    return Waiting(twin.url, twin.key, **{"sleep": Waits(), **more})


def uploaded(service: Service, data: bytes) -> str:
    """Declares and uploads; the file's id."""
    destination = service.declare([File(data)])[0]
    service.upload(destination, data)
    return destination.file_id


def finished(service: Service, data: bytes) -> tuple[Task, TaskState]:
    """The chain up to the end of the task."""
    task = service.run(uploaded(service, data))
    return task, polling.wait(service, task)


Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass(frozen=True)
class Seen:
    """A request that a `Server` got; `connection` is the client's port."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int


class Server:
    """An HTTP server on loopback that answers each request by `answer`; with a certificate it speaks TLS."""

    def __init__(self, answer: Answer, certificate: Path | None = None) -> None:
        self.seen: list[Seen] = []
        seen = self.seen

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                seen.append(Seen(self.command, self.path, dict(self.headers), body, self.client_address[1]))
                try:
                    answer(self)
                except OSError:
                    self.close_connection = True
                    gone.set()  # the client went away

            do_GET = do_POST = do_PUT = do_CONNECT = _answer

            def log_message(self, format: str, *args: Any) -> None:
                """Requests are noted, not written."""

        self.client_gone = gone = threading.Event()
        self._server = _Quiet(("127.0.0.1", 0), Handler)
        scheme = "http"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
            scheme = "https"
        self.port = int(self._server.server_address[1])
        self.url = f"{scheme}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A broken connection is what the tests ask for."""


@contextmanager
def server(answer: Answer, certificate: Path | None = None) -> Iterator[Server]:
    """A `Server` that ends with the block."""
    running = Server(answer, certificate)
    try:
        yield running
    finally:
        running.close()


def reply(body: bytes, kind: str = "application/json", status: int = 200, **headers: str) -> Answer:
    """Answers with one body."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        for name, value in {"Content-Length": str(len(body)), "Content-Type": kind, **named}.items():
            if value:
                request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body)

    return answer


def certificate(folder: Path) -> Path:
    """A file with a key and a self-signed certificate for localhost and 127.0.0.1, fresh from now."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


def told(error: BaseException | None) -> str:
    """All that an error and the errors behind it tell, their attributes among it."""
    if error is None:
        return ""
    own = " ".join([str(error), repr(error), repr(error.args), repr(vars(error))])
    return " ".join([own, told(error.__cause__), told(error.__context__)])
