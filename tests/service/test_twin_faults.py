"""The faults of the offline service happen as they are asked for: where, how often, and with or without an effect."""

from __future__ import annotations

import http.client
import io
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import pytest
import requests
from layerlift.twin import Fault
from PIL import Image

API_STEPS = ("declare", "run", "poll", "delete", "balance", "history", "price")
STEPS = (*API_STEPS, "upload", "download")


def stepper(client: Any, data: bytes) -> dict[str, Callable[[], requests.Response]]:
    """Each step once, on a chain whose other steps are behind it."""
    declared = client.declare(data)
    client.upload(declared, data)
    file = declared.json()["data"]["files"][0]["file_id"]
    task = client.run(file).json()["data"]["task_id"]
    url = client.ended(task).json()["data"]["results"]["url"]
    return {
        "declare": lambda: client.declare(data),
        "upload": lambda: client.upload(declared, data),
        "run": lambda: client.run(file),
        "poll": lambda: client.poll(task),
        "download": lambda: requests.get(url, timeout=10, allow_redirects=False),
        "delete": lambda: client.delete(task),
        "balance": client.balance,
        "history": client.history,
        "price": client.price,
    }


@pytest.fixture
def faulty(make_twin: Any, raw: Any, picture: bytes) -> Callable[..., Any]:
    """A twin with a finished task, and one step on it that meets a fault at its next call."""

    def make(step: str, kind: str, **more: Any) -> Any:
        twin = make_twin(rate=(10**6, 300.0))
        call = stepper(raw(twin), picture)[step]
        twin.inject(Fault(step, kind, **more))
        return twin, call

    return make


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("kind", ["reset_before", "reset_after"])
def test_a_reset_is_a_reset_and_the_next_request_passes(faulty: Any, step: str, kind: str) -> None:
    _, call = faulty(step, kind)
    with pytest.raises(requests.ConnectionError) as caught:
        call()
    assert "reset" in str(caught.value).lower()
    again = 400 if (step, kind) == ("delete", "reset_after") else 200
    assert call().status_code == again


@pytest.mark.parametrize(("kind", "charged"), [("reset_before", 1), ("reset_after", 2)])
def test_a_reset_run_is_charged_only_where_it_was_acted_on(
    make_twin: Any, raw: Any, picture: bytes, kind: str, charged: int, clock: Any
) -> None:
    twin = make_twin(
        clocks={"clock": clock}, rate=(10**6, 300.0), faults=(Fault("run", kind),), polling_interval_ms=1000
    )
    client = raw(twin)
    file = client.uploaded(picture)
    with pytest.raises(requests.ConnectionError):
        client.run(file)
    client.ended(client.run(file).json()["data"]["task_id"])
    clock.move(2)
    assert twin.charged == charged


@pytest.mark.parametrize("step", STEPS)
def test_a_hanging_answer_comes_late(faulty: Any, step: str) -> None:
    _, call = faulty(step, "hang", seconds=0.2)
    start = time.monotonic()
    assert call().status_code == 200
    assert time.monotonic() - start >= 0.2


def test_a_hanging_answer_can_be_let_go(faulty: Any) -> None:
    until = threading.Event()
    _, call = faulty("balance", "hang", seconds=600, until=until)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(call)
        assert not wait([answer], 0.1).done
        until.set()
        assert answer.result().status_code == 200


def test_a_hanging_answer_does_not_keep_the_twin_from_closing(make_twin: Any) -> None:
    twin = make_twin(faults=(Fault("balance", "hang", seconds=600),))
    wire = http.client.HTTPConnection(twin.url.removeprefix("http://"), timeout=30)
    wire.request("GET", "/s2s/v1.0/client/credit", headers={"Authorization": f"Bearer {twin.key}"})
    twin.close()
    with pytest.raises((http.client.HTTPException, OSError)):
        wire.getresponse()


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
def test_a_status_comes_with_its_code_or_without(faulty: Any, step: str, status: int) -> None:
    _, call = faulty(step, str(status), code="SomeCode")
    answer = call()
    assert answer.status_code == status
    assert "SomeCode" in answer.text
    assert answer.headers["x-request-id"]
    _, call = faulty(step, str(status))
    answer = call()
    assert answer.status_code == status
    assert "SomeCode" not in answer.text
    if step in API_STEPS:
        assert answer.json().keys() == {"status", "error"}
    assert call().status_code == 200


@pytest.mark.parametrize("step", STEPS)
def test_a_page_in_place_of_an_answer(faulty: Any, step: str) -> None:
    _, call = faulty(step, "html")
    answer = call()
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert call().headers.get("Content-Type") != "text/html; charset=utf-8"


@pytest.mark.parametrize("step", API_STEPS)
def test_json_that_is_not_the_form(faulty: Any, step: str) -> None:
    _, call = faulty(step, "not_the_form")
    assert call().json() == ["unexpected"]


@pytest.mark.parametrize("step", (*API_STEPS, "download"))
def test_a_body_that_ends_early(faulty: Any, step: str) -> None:
    _, call = faulty(step, "truncated")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        call()


def test_a_length_that_is_too_short(faulty: Any) -> None:
    _, call = faulty("download", "wrong_length")
    cut = call().content
    assert call().content[: len(cut)] == cut
    assert len(call().content) == len(cut) + 7


@pytest.mark.parametrize("step", STEPS)
def test_a_redirect_leads_to_another_name_of_the_host(faulty: Any, step: str) -> None:
    _, call = faulty(step, "redirect")
    answer = call()
    assert answer.status_code == 307
    assert answer.headers["Location"].startswith("http://localhost:")


def test_a_redirect_leads_where_it_is_told_to(faulty: Any) -> None:
    _, call = faulty("balance", "redirect", location="http://127.0.0.1:9/there")
    assert call().headers["Location"] == "http://127.0.0.1:9/there"


@pytest.mark.parametrize(
    ("step", "status"), [("run", 404), ("poll", 400), ("delete", 400), ("upload", 403), ("download", 403)]
)
def test_what_has_expired_stays_expired(faulty: Any, step: str, status: int) -> None:
    _, call = faulty(step, "expired")
    assert call().status_code == status
    assert call().status_code == status


def test_an_expired_download_has_a_fresh_address(make_twin: Any, raw: Any, picture: bytes) -> None:
    client = raw(make_twin(faults=(Fault("download", "expired"),)))
    task = client.started(picture)
    addresses = [client.ended(task).json()["data"]["results"]["url"] for _ in range(2)]
    assert [requests.get(url, timeout=10).status_code for url in addresses] == [403, 200]


@pytest.mark.parametrize("code", ["error_inference", "exceed_nsfw_retry_limits", "[DLQ] Max retries exhausted"])
def test_an_engine_fails_by_any_code_and_costs_nothing(make_twin: Any, raw: Any, picture: bytes, code: str) -> None:
    twin = make_twin(faults=(Fault("run", "engine", code=code),))
    client = raw(twin)
    assert client.ended(client.started(picture)).json()["data"]["error"] == code
    assert twin.charged == 0
    assert client.result(picture).status_code == 200


def test_results_that_are_none(make_twin: Any, raw: Any, picture: bytes) -> None:
    kinds = ("bad_picture", "bomb", "other_size", "no_alpha")
    faults = tuple(Fault("download", kind, after=number) for number, kind in enumerate(kinds))
    client = raw(make_twin(faults=faults))
    url = client.ended(client.started(picture)).json()["data"]["results"]["url"]
    bad, bomb, other, flat, good = (requests.get(url, timeout=10).content for _ in range(5))
    with pytest.raises(OSError):
        Image.open(io.BytesIO(bad)).load()
    assert bomb[12:16] == b"IHDR"
    assert int.from_bytes(bomb[16:20], "big") == int.from_bytes(bomb[20:24], "big") == 60000
    with pytest.raises(Image.DecompressionBombError):
        Image.open(io.BytesIO(bomb))
    assert Image.open(io.BytesIO(other)).size == (65, 48)
    assert Image.open(io.BytesIO(flat)).mode == "RGB"
    assert (Image.open(io.BytesIO(good)).size, Image.open(io.BytesIO(good)).mode) == ((64, 48), "RGBA")


def test_a_spoilt_result_counts_as_no_delivery(make_twin: Any, raw: Any, picture: bytes) -> None:
    twin = make_twin(faults=(Fault("download", "no_alpha"), Fault("download", "html", after=1)))
    client = raw(twin)
    url = client.ended(client.started(picture)).json()["data"]["results"]["url"]
    for _ in range(3):
        assert requests.get(url, timeout=10).status_code == 200
    assert [call.fault for call in twin.calls("download")] == ["no_alpha", "html", ""]
    assert twin.delivered == 1


def test_a_fault_waits_lasts_and_passes(make_twin: Any, raw: Any) -> None:
    client = raw(make_twin(faults=(Fault("balance", "500", times=2, after=1), Fault("balance", "503", after=3))))
    assert [client.balance().status_code for _ in range(6)] == [200, 500, 500, 503, 200, 200]


def test_a_reset_leaves_no_half_open_connection(make_twin: Any) -> None:
    twin = make_twin(faults=(Fault("balance", "reset_before"),))
    host, port = twin.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as wire:
        wire.sendall(b"GET /s2s/v1.0/client/credit HTTP/1.1\r\nHost: a\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            wire.recv(1)
