"""The offline service as real HTTP on loopback, pictures with a known cut-out, requests without a client."""

from __future__ import annotations

import io
import logging
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests
from layerlift.twin import Options, Twin
from PIL import Image

from .command import Terminal, key_of
from .proxy import Proxy
from .worker_host import Host

# Tests that run in the background would pass it on that Ctrl+C is ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def make_twin() -> Iterator[Callable[..., Twin]]:
    """Starts twins with the given fields of `Options` (and the clocks of `Twin`); they end with the test. They take
    more than five requests in a second, unless a test is about that."""
    with ExitStack() as stack:

        def make(clocks: dict[str, Any] | None = None, **options: Any) -> Twin:
            if "forms" in options:
                options["forms"] = frozenset(options["forms"])
            return stack.enter_context(Twin(Options(**{"per_second": 10**6, **options}), **(clocks or {})))

        yield make


@pytest.fixture
def twin(make_twin: Callable[..., Twin]) -> Twin:
    """A twin with the defaults of the live service."""
    return make_twin()


@pytest.fixture
def make_picture() -> Callable[..., bytes]:
    """Encodes a gray picture: the left half dark (opaque in the cut-out), the right half white (transparent)."""

    def make(width: int = 64, height: int = 48, kind: str = "JPEG", dark: int = 0) -> bytes:
        image = Image.new("RGB", (width, height), "white")
        image.paste((dark, dark, dark), (0, 0, width // 2, height))
        stream = io.BytesIO()
        image.save(stream, kind, **({"quality": 95} if kind == "JPEG" else {}))
        return stream.getvalue()

    return make


@pytest.fixture
def picture(make_picture: Callable[..., bytes]) -> bytes:
    """A small JPEG with a subject."""
    return make_picture()


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    """To be handed to `make_twin` as ``clocks={"clock": clock, "wall": clock}``."""
    return Clock()


class Raw:
    """The protocol's requests, one a method, with nothing checked and nothing repeated."""

    def __init__(self, twin: Twin, key: str = "") -> None:
        self._url = twin.url
        self._session = requests.Session()
        self._session.trust_env = False
        self._headers = {"Authorization": f"Bearer {key or twin.key}"}

    def api(self, method: str, path: str, **more: Any) -> requests.Response:
        return self._session.request(
            method, self._url + path, headers=self._headers, timeout=10, allow_redirects=False, **more
        )

    def declare(self, data: bytes, content_type: str = "image/jpg", slug: str = "sod") -> requests.Response:
        file = {"content_type": content_type, "file_name": "a.jpg", "file_size": len(data)}
        return self.api("POST", f"/s2s/v2.0/file/{slug}".rstrip("/"), json={"files": [file]})

    def upload(self, declared: requests.Response, data: bytes, **headers: str) -> requests.Response:
        request = declared.json()["data"]["files"][0]["requests"][0]
        sent = {"Content-Type": request["headers"]["Content-Type"], **headers}
        return requests.put(request["url"], data=data, headers=sent, timeout=10, allow_redirects=False)

    def run(self, file_id: str, slug: str = "sod", **fields: Any) -> requests.Response:
        return self.api("POST", f"/s2s/v2.0/task/{slug}", json={"src_file_id": file_id, **fields})

    def poll(self, task_id: str, slug: str = "sod") -> requests.Response:
        return self.api("GET", f"/s2s/v2.0/task/{slug}/{quote(task_id, safe='')}")

    def delete(self, task_id: str) -> requests.Response:
        return self.api("POST", "/s2s/v2.0/task/delete", json={"task_id": task_id})

    def balance(self) -> requests.Response:
        return self.api("GET", "/s2s/v1.0/client/credit")

    def history(self, **query: Any) -> requests.Response:
        return self.api("GET", "/s2s/v1.0/client/credit/history", params=query)

    def price(self, **query: Any) -> requests.Response:
        return self.api("GET", "/s2s/v2.0/credit/feature-cost", params=query)

    def templates(self, slug: str = "bg-replace", **query: Any) -> requests.Response:
        return self.api("GET", f"/s2s/v2.0/task/template/{slug}", params=query)

    def uploaded(self, data: bytes, content_type: str = "image/jpg", slug: str = "sod") -> str:
        """Declares and uploads; the file's id."""
        declared = self.declare(data, content_type, slug)
        assert self.upload(declared, data).status_code == 200
        return str(declared.json()["data"]["files"][0]["file_id"])

    def started(self, data: bytes, content_type: str = "image/jpg") -> str:
        """Declares, uploads and runs; the task's id."""
        return str(self.run(self.uploaded(data, content_type)).json()["data"]["task_id"])

    def ended(self, task_id: str, slug: str = "sod") -> requests.Response:
        """Polls until the task is no longer running; the last answer."""
        pause = 0.01
        while True:
            answer = self.poll(task_id, slug)
            data = answer.json().get("data", {})
            if data.get("task_status", data.get("status")) != "running":
                return answer
            time.sleep(pause)
            pause = min(pause * 1.3, 0.2)

    def result(self, data: bytes, content_type: str = "image/jpg") -> requests.Response:
        """The whole chain; the answer to the download."""
        return requests.get(self.ended(self.started(data, content_type)).json()["data"]["results"]["url"], timeout=10)


@pytest.fixture
def raw() -> Callable[..., Raw]:
    """Makes `Raw` for a twin, with the right key or another."""
    return Raw


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """A user without a key, whose home has a difficult name, and who need not wait for the service's limits."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("YOUCAM_", "LAYERLIFT_"))}
    return {**kept, "LAYERLIFT_HOME": str(tmp_path / "häuslich wohnen"), "LAYERLIFT_RATE": "10000/1"}


@pytest.fixture
def start(environ: dict[str, str]) -> Iterator[Callable[..., Host]]:
    """Starts workers, with a twin's key or other changes to the environment."""
    with ExitStack() as stack:

        def begin(twin: Twin | None = None, *command: str, options: Any = None, **changes: str) -> Host:
            account = {"YOUCAM_API_URL": twin.url, "YOUCAM_API_KEY": twin.key} if twin else {}
            host = Host({**environ, **account, **changes}, *command, **(options or {}))
            stack.callback(host.close)
            return host

        yield begin


@pytest.fixture
def account(environ: dict[str, str], twin: Twin) -> dict[str, str]:
    """The same user with a key for the twin."""
    return {**environ, **key_of(twin)}


@pytest.fixture
def own_log() -> Iterator[None]:
    """What a command in this process logs to ends with the test."""
    logger = logging.getLogger("layerlift")
    before = list(logger.handlers), logger.level, logger.propagate
    yield
    for handler in [handler for handler in logger.handlers if handler not in before[0]]:
        logger.removeHandler(handler)
        handler.close()
    logger.setLevel(before[1])
    logger.propagate = before[2]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "Fotos für später"
    folder.mkdir()
    return folder


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    proxy = Proxy()
    yield proxy
    proxy.close()


@pytest.fixture
def terminal() -> Iterator[Callable[..., Terminal]]:
    with ExitStack() as stack:

        def open_one(environ: dict[str, str], *arguments: Any) -> Terminal:
            terminal = Terminal(environ, *arguments)
            stack.callback(terminal.close)
            return terminal

        yield open_one
