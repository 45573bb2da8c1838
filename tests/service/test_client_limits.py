"""Nothing that is sent back can hurt: every answer is bounded in time, in size and in kind."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
import zlib
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest
from helpers.waiting import wait_for
from layerlift import errors
from layerlift.service import connection, service
from layerlift.service.answers import Destination
from layerlift.service.deadline import Deadline
from layerlift.service.service import ATTEMPTS, MAX_RESULT_BYTES, Service
from layerlift.store.threads import fulfil
from layerlift.twin import Fault

from .wire import KEY, File, Waiting, Waits, client, finished, reply, server, uploaded

STEPS = ("declare", "upload", "run", "poll", "download", "delete", "balance", "history", "price")
CALLS: dict[str, Callable[[Service, str], object]] = {
    "declare": lambda service, url: service.declare([File(b"x")]),
    "upload": lambda service, url: service.upload(Destination("f", "PUT", url, {}), b"x"),
    "run": lambda service, url: service.run("f"),
    "poll": lambda service, url: service.poll("t"),
    "download": lambda service, url: service.download(url),
    "delete": lambda service, url: service.delete("t"),
    "balance": lambda service, url: service.balance(),
    "history": lambda service, url: list(service.history()),
    "price": lambda service, url: list(service.prices()),
}


class FromTheConnectionOn(Deadline):
    """A limit whose time begins once there is a connection: on a busy machine that alone may take longer than a test
    gives to an exchange."""

    def __init__(self, seconds: float) -> None:
        super().__init__(threading.TIMEOUT_MAX)
        self._seconds = seconds

    def watch(self, connected: socket.socket) -> None:
        self._timer.cancel()
        self._timer = threading.Timer(self._seconds, self._pass)
        self._timer.daemon = True
        self._timer.start()
        super().watch(connected)


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "Deadline", FromTheConnectionOn)


@pytest.mark.parametrize("step", STEPS)
def test_no_call_waits_for_an_answer_for_ever(make_twin: Callable[..., Any], picture: bytes, step: str) -> None:
    """In real time: how long an answer is waited for."""
    twin = make_twin()
    setup = client(twin)
    task, state = finished(setup, picture)
    calls: dict[str, Callable[[Service], object]] = {
        "upload": lambda service: service.upload(setup.declare([File(picture)])[0], picture),
        "poll": lambda service: service.poll(task.task_id),
        "delete": lambda service: service.delete(task.task_id),
        "download": lambda service: service.download(str(state.result_url)),
    }
    twin.inject(Fault(step, "hang", times=99, seconds=600))
    service = client(twin, timeouts=(5.0, 0.05))
    with pytest.raises(errors.LayerliftError) as caught:
        calls[step](service) if step in calls else CALLS[step](service, "")
    assert caught.value.code == ("may_be_charged" if step == "run" else "timeout")


@pytest.mark.parametrize("step", STEPS)
def test_no_call_waits_for_a_connection_for_ever(step: str) -> None:
    """A server whose queue is full takes no more connections, and does not refuse them either."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(3)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(("127.0.0.1", port))
        url = f"http://127.0.0.1:{port}"
        with pytest.raises(errors.NetworkError) as caught:
            CALLS[step](Waiting(url, KEY, sleep=Waits(), timeouts=(0.05, 600.0)), url)
        for each in waiting:
            each.close()
    assert caught.value.code == "unreachable"


def test_an_upload_that_nobody_reads_ends(make_twin: Callable[..., Any]) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(8)
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        with pytest.raises(errors.NetworkError):
            Waiting(url, KEY, sleep=Waits(), timeouts=(0.2, 0.2)).upload(
                Destination("f", "PUT", url, {}), bytes(30_000_000)
            )


def chunked(
    chunk: bytes, kind: str, pause: Callable[[], None] = lambda: None, location: str = ""
) -> Callable[[Any], None]:
    """Answers with chunks until the client goes away."""

    def answer(request: Any) -> None:
        request.send_response(302 if location else 200)
        request.send_header("Content-Type", kind)
        if location:
            request.send_header("Location", location)
        request.send_header("Transfer-Encoding", "chunked")
        request.end_headers()
        while True:
            request.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            pause()

    return answer


@pytest.mark.parametrize(
    ("step", "code"), [("balance", "bad_answer"), ("poll", "bad_answer"), ("run", "may_be_charged")]
)
def test_an_answer_without_an_end_is_cut_off(step: str, code: str) -> None:
    with server(chunked(b" " * 65536, "application/json")) as api:
        with pytest.raises(errors.LayerliftError) as caught:
            CALLS[step](Waiting(api.url, KEY, sleep=Waits()), "")
        assert api.client_gone.wait(20)
    assert caught.value.code == code


def test_a_result_without_an_end_is_cut_off() -> None:
    with server(chunked(b"\x89" * 1_000_000, "image/png")) as storage:
        with pytest.raises(errors.ServiceError) as caught:
            Waiting(storage.url, KEY, sleep=Waits()).download(storage.url)
        assert storage.client_gone.wait(20)
    assert caught.value.code == "result_too_large"


def test_a_redirect_without_an_end_is_not_read(twin: Any) -> None:
    with server(chunked(b" " * 65536, "text/html", location=twin.url + "/nowhere")) as api:
        with pytest.raises(errors.ServiceError):
            Waiting(api.url, KEY, sleep=Waits()).balance()
        assert api.client_gone.wait(20)
    assert [call.path for call in twin.requests] == ["/nowhere"]


@pytest.mark.parametrize("step", ["balance", "poll", "run"])
def test_an_answer_that_drips_without_an_end_is_given_up(step: str) -> None:
    with server(chunked(b" ", "application/json", lambda: time.sleep(0.01))) as api:
        with pytest.raises(errors.LayerliftError) as caught:
            CALLS[step](Waiting(api.url, KEY, sleep=Waits(), total=0.2), "")
        assert api.client_gone.wait(20)
    assert caught.value.code == ("may_be_charged" if step == "run" else "timeout")


def dripping(request: Any) -> None:
    """Answers with headers that never end, a byte at a time."""
    request.wfile.write(b"HTTP/1.1 200 OK\r\nX-Drip: ")
    while True:
        request.wfile.write(b"x")
        time.sleep(0.01)


@pytest.mark.parametrize("step", STEPS)
def test_headers_that_drip_without_an_end_are_given_up(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "RESULT_BYTES", 0)
    with server(dripping) as far:
        with pytest.raises(errors.LayerliftError) as caught:
            CALLS[step](Waiting(far.url, KEY, sleep=Waits(), total=0.2), far.url)
        assert far.client_gone.wait(20)
        # A busy server may read a call after its client has given up.
        attempts = 1 if step in ("run", "poll") else 2 if step == "history" else ATTEMPTS
        wait_for(lambda: len(far.seen) == attempts)
    assert caught.value.code == ("may_be_charged" if step == "run" else "timeout")


def test_a_result_that_drips_without_an_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "RESULT_BYTES", 0)
    with server(chunked(b"x", "image/png", lambda: time.sleep(0.01))) as storage:
        with pytest.raises(errors.NetworkError) as caught:
            Waiting(storage.url, KEY, sleep=Waits(), total=0.2).download(storage.url)
        assert storage.client_gone.wait(20)
    assert caught.value.code == "timeout"


def test_an_answer_whose_end_is_the_connections_is_not_taken_for_whole_where_it_was_given_up() -> None:
    def answer(request: Any) -> None:
        request.wfile.write(b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n")
        request.wfile.write(b'{"status":200,"results":[]}')
        while True:
            request.wfile.write(b" ")
            time.sleep(0.01)

    with server(answer) as api, pytest.raises(errors.NetworkError) as caught:
        Waiting(api.url, KEY, sleep=Waits(), total=0.2).balance()
    assert caught.value.code == "timeout"


def test_an_upload_that_is_read_too_slowly_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "SLOWEST", 10**9)
    with socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.bind(("127.0.0.1", 0))
        slow.listen(8)

        def sip() -> None:
            with contextlib.suppress(OSError):
                while True:
                    reader = slow.accept()[0]
                    while reader.recv(1000):
                        time.sleep(0.001)

        threading.Thread(target=sip, daemon=True).start()
        url = f"http://127.0.0.1:{slow.getsockname()[1]}"
        begin = time.monotonic()
        with pytest.raises(errors.NetworkError) as caught:
            Waiting(url, KEY, sleep=Waits(), total=0.2).upload(Destination("f", "PUT", url, {}), bytes(8_000_000))
        assert caught.value.code == "timeout" and time.monotonic() - begin < 20


def test_a_handshake_that_drips_is_given_up() -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(8)

        def drip() -> None:
            with contextlib.suppress(OSError):
                talker = deaf.accept()[0]
                talker.sendall(b"\x16\x03\x03\x40\x00")
                while True:
                    talker.sendall(b"\x00")
                    time.sleep(0.01)

        threading.Thread(target=drip, daemon=True).start()
        url = f"https://127.0.0.1:{deaf.getsockname()[1]}"
        with pytest.raises(errors.NetworkError) as caught:
            Waiting(url, KEY, sleep=Waits(), total=0.2).poll("t")
    assert caught.value.code == "timeout"


def test_an_exchange_that_is_given_up_takes_no_other_along(make_twin: Callable[..., Any]) -> None:
    twin = make_twin(rate=(10**6, 1.0), faults=(Fault("balance", "hang", seconds=600.0),))
    both = client(twin, total=1.0)
    held: Future[float] = Future()
    threading.Thread(target=lambda: fulfil(held, both.balance), daemon=True).start()
    wait_for(lambda: len(twin.calls("balance")) == 1)
    while not held.done():
        assert list(both.prices())
    assert held.result() == 1000.0


def test_the_time_that_large_data_is_given_grows_with_it() -> None:
    with server(lambda request: (time.sleep(0.3), reply(b"")(request))[1]) as storage:
        sender = Waiting(storage.url, KEY, sleep=Waits(), total=0.1)
        sender.upload(Destination("f", "PUT", storage.url, {}), bytes(10 * connection.SLOWEST))
        with pytest.raises(errors.NetworkError):
            sender.upload(Destination("f", "PUT", storage.url, {}), b"x")


@pytest.mark.parametrize(("step", "code"), [("balance", "bad_answer"), ("download", "result_too_large")])
def test_a_length_above_the_limit_is_refused_before_a_byte_is_read(step: str, code: str) -> None:
    answer = reply(b"", kind="image/png", Content_Length=str(10**15))
    with server(answer) as far, pytest.raises(errors.ServiceError) as caught:
        CALLS[step](Waiting(far.url, KEY, sleep=Waits()), far.url)
    assert caught.value.code == code


def bomb(size: int, layers: int = 1) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    data = b"".join(packer.compress(bytes(1_000_000)) for _ in range(size // 1_000_000)) + packer.flush()
    for _ in range(layers - 1):
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        data = packer.compress(data) + packer.flush()
    return data


@pytest.mark.parametrize(("step", "code"), [("balance", "bad_answer"), ("download", "result_too_large")])
@pytest.mark.parametrize("layers", [1, 2])
def test_an_answer_that_unpacks_to_more_than_the_limit_is_cut_off(step: str, code: str, layers: int) -> None:
    data = bomb(2 * MAX_RESULT_BYTES, layers)
    answer = reply(data, kind="image/png", Content_Encoding=", ".join(["gzip"] * layers))
    with server(answer) as far, pytest.raises(errors.ServiceError) as caught:
        CALLS[step](Waiting(far.url, KEY, sleep=Waits()), far.url)
    assert caught.value.code == code


def test_a_packed_answer_that_is_broken_is_a_broken_connection() -> None:
    answer = reply(b"no gzip at all", Content_Encoding="gzip")
    with server(answer) as api, pytest.raises(errors.NetworkError) as caught:
        Waiting(api.url, KEY, sleep=Waits()).balance()
    assert caught.value.code == "network"


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("text/html; charset=utf-8", "proxy_answer"),
        ("image/jpeg", "result_not_picture"),
        ("application/xml", "result_not_picture"),
    ],
)
def test_a_result_of_another_kind_is_refused(kind: str, code: str) -> None:
    with server(reply(b"x", kind=kind)) as storage, pytest.raises(errors.LayerliftError) as caught:
        Waiting(storage.url, KEY, sleep=Waits()).download(storage.url)
    assert caught.value.code == code


@pytest.mark.parametrize("kind", ["image/png", "IMAGE/PNG", "application/octet-stream", "binary/octet-stream", ""])
def test_a_result_of_the_kinds_that_storage_sends_is_taken(kind: str) -> None:
    with server(reply(b"data", kind=kind)) as storage:
        assert Waiting(storage.url, KEY).download(storage.url) == b"data"


def test_a_page_in_place_of_the_storage_is_no_upload(make_twin: Callable[..., Any], picture: bytes) -> None:
    twin = make_twin(faults=(Fault("upload", "html"),))
    uploaded(client(twin), picture)
    assert list(twin.uploads.values()) == [picture]


def test_a_download_that_ends_early_is_fetched_again_whole(make_twin: Callable[..., Any], picture: bytes) -> None:
    twin = make_twin(faults=(Fault("download", "truncated"),))
    service = client(twin)
    url = str(finished(service, picture)[1].result_url)
    assert service.download(url) == service.download(url)
    assert len(twin.calls("download")) == 3


def test_uploads_and_downloads_tell_how_far_they_are(make_twin: Callable[..., Any], make_picture: Any) -> None:
    twin = make_twin()
    service = client(twin)
    data = make_picture(1500, 1500, kind="PNG") + bytes(1_000_000)
    sent: list[float] = []
    fetched: list[float] = []
    [destination] = service.declare([File(data)])
    service.upload(destination, data, sent.append)
    assert twin.uploads[destination.file_id] == data
    with server(reply(bytes(1_000_000), kind="image/png")) as storage:
        service.download(storage.url, fetched.append)
    for fractions in (sent, fetched):
        assert len(fractions) > 4
        assert fractions == sorted(fractions)
        assert 0 < fractions[0] < 0.5
        assert fractions[-1] == 1.0


def test_fewer_destinations_than_files_are_refused() -> None:
    with server(reply(json.dumps({"data": {"files": []}}).encode())) as api, pytest.raises(
        errors.ServiceError
    ) as caught:
        Waiting(api.url, KEY).declare([File(b"x")])
    assert caught.value.code == "bad_answer"


@pytest.mark.parametrize("header", [{"X": "a\r\nY: b"}, {"X": "\u20ac"}, {"X\n": "a"}])
def test_upload_headers_that_cannot_be_sent_are_refused(twin: Any, header: dict[str, str]) -> None:
    with pytest.raises(errors.ServiceError) as caught:
        client(twin).upload(Destination("f", "PUT", twin.storage_url + "/upload/x", header), b"x")
    assert caught.value.code == "bad_answer"
    assert twin.requests == []
