"""The offline service refuses what the service refuses, and charges as it charges."""

from __future__ import annotations

import http.client
import io
import socket
import subprocess
import sys
import xml.etree.ElementTree as ET
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from helpers.waiting import PATIENCE
from layerlift.twin import EngineError, Fault, Options, Twin, listener
from PIL import Image, PngImagePlugin

STILL = (10**6, 300.0)


def code(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("error_code", "")


def xml_code(answer: requests.Response) -> tuple[int, str]:
    assert answer.headers["Content-Type"].startswith("application/xml")
    return answer.status_code, ET.fromstring(answer.content).findtext("Code") or ""


# the chain


def test_a_picture_goes_the_whole_way_to_its_exact_cut_out(twin: Twin, raw: Any, make_picture: Any) -> None:
    answer = raw(twin).result(make_picture(dark=51))
    cut_out = Image.open(io.BytesIO(answer.content))
    assert (cut_out.format, cut_out.mode, cut_out.size) == ("PNG", "RGBA", (64, 48))
    assert answer.headers["Content-Type"] == "image/png"
    alpha = cut_out.getchannel("A")
    assert alpha.crop((0, 0, 32, 48)).getextrema() == (204, 204)
    assert alpha.crop((32, 0, 64, 48)).getextrema() == (0, 0)


def test_a_png_upload_is_taken_too(twin: Twin, raw: Any, make_picture: Any) -> None:
    assert raw(twin).result(make_picture(kind="PNG"), "image/png").status_code == 200


def test_jpeg_is_called_image_jpg_or_image_jpeg(twin: Twin, raw: Any, picture: bytes) -> None:
    assert raw(twin).result(picture, "image/jpeg").status_code == 200


def test_several_files_are_declared_in_one_call(twin: Twin, raw: Any) -> None:
    files = [{"content_type": "image/png", "file_name": f"{n}.png", "file_size": n} for n in range(1, 6)]
    answer = raw(twin).api("POST", "/s2s/v2.0/file/sod", json={"files": files}).json()["data"]["files"]
    assert [file["file_name"] for file in answer] == [f"{n}.png" for n in range(1, 6)]
    assert len({file["file_id"] for file in answer}) == len({file["requests"][0]["url"] for file in answer}) == 5


def test_the_task_runs_until_its_time_has_come(make_twin: Any, clock: Any, raw: Any, picture: bytes) -> None:
    client = raw(make_twin(clocks={"clock": clock}, run_seconds=3, rate=STILL))
    task = client.started(picture)
    clock.move(2.9)
    assert client.poll(task).json()["data"] == {"task_status": "running"}
    clock.move(0.1)
    assert client.ended(task).json()["data"]["task_status"] == "success"


def test_every_answer_has_a_request_id_of_its_own(twin: Twin, raw: Any, picture: bytes) -> None:
    client = raw(twin)
    declared = client.declare(picture)
    answers = [
        declared,
        client.upload(declared, picture),
        client.poll("nothing"),
        client.balance(),
        raw(twin, "wrong").balance(),
        client.api("GET", "/nowhere"),
        requests.get(twin.storage_url + "/result/nothing", timeout=10),
    ]
    assert len({answer.headers["x-request-id"] for answer in answers}) == len(answers)


def test_a_connection_stays_open_over_many_requests(twin: Twin, raw: Any) -> None:
    client = raw(twin)
    for _ in range(5):
        client.balance()
    pools = client._session.get_adapter(twin.url).poolmanager.pools
    assert [pools[key].num_connections for key in pools.keys()] == [1]  # noqa: SIM118 - no mapping


def test_a_closed_twin_answers_on_no_open_connection(raw: Any) -> None:
    with Twin() as twin:
        client = raw(twin)
        assert client.balance().status_code == 200
    with pytest.raises(requests.ConnectionError):
        client.balance()


# the key


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Bearer wrong", "Basic {key}", "{key}", "Bearer {key}x"])
def test_a_request_without_the_key_is_refused(twin: Twin, header: str) -> None:
    headers = {"Authorization": header.format(key=twin.key)} if header else {}
    answer = requests.get(twin.url + "/s2s/v1.0/client/credit", headers=headers, timeout=10)
    assert code(answer) == (401, "InvalidApiKey")


def test_keys_are_random(make_twin: Any) -> None:
    assert make_twin().key != make_twin().key


def test_the_storage_refuses_a_request_that_carries_the_key(twin: Twin, raw: Any, picture: bytes) -> None:
    client = raw(twin)
    answer = client.upload(client.declare(picture), picture, Authorization=f"Bearer {twin.key}")
    assert xml_code(answer) == (400, "InvalidArgument")
    assert "Authorization" in twin.requests[-1].headers
    assert twin.requests[-1].storage


# declare


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"files": []},
        {"files": {}},
        {"files": ["a.jpg"]},
        {"files": [{}]},
        {"files": [{"content_type": "image/webp", "file_name": "a", "file_size": 1}]},
        {"files": [{"content_type": "image/jpg", "file_name": "", "file_size": 1}]},
        {"files": [{"content_type": "image/jpg", "file_name": "a", "file_size": 0}]},
        {"files": [{"content_type": "image/jpg", "file_name": "a", "file_size": "1"}]},
        {"files": [{"content_type": "image/jpg", "file_name": "a", "file_size": True}]},
        {"files": [{"content_type": "image/jpg", "file_name": "a"}]},
    ],
    ids=str,
)
def test_a_file_is_declared_in_full(twin: Twin, raw: Any, body: Any) -> None:
    assert code(raw(twin).api("POST", "/s2s/v2.0/file/sod", json=body)) == (400, "InvalidParameters")


@pytest.mark.parametrize(
    "more",
    [
        {"data": b'{"files": []}'},
        {"data": {"files": "a"}},
        {"json": ["files"]},
        {"data": b"{", "headers": {"Content-Type": "application/json"}},
        {"data": b"\xff", "headers": {"Content-Type": "application/json"}},
    ],
    ids=str,
)
def test_bodies_are_json_objects(twin: Twin, more: Any) -> None:
    headers = {"Authorization": f"Bearer {twin.key}", **more.pop("headers", {})}
    answer = requests.post(twin.url + "/s2s/v2.0/file/sod", headers=headers, timeout=10, **more)
    assert code(answer) == (400, "BadRequest")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/s2s/v2.0/file/sod", 405),
        ("POST", "/s2s/v2.0/file/cloth", 404),
        ("POST", "/s2s/v2.0/file", 404),
        ("POST", "/s2s/v2.0/file/sod/", 404),
        ("PUT", "/s2s/v2.0/task/sod", 405),
        ("GET", "/s2s/v2.0/task/sod/a/b", 404),
        ("GET", "/s2s/v2.0/credit/balance", 404),
    ],
)
def test_other_paths_and_methods_are_refused(twin: Twin, raw: Any, method: str, path: str, status: int) -> None:
    answer = raw(twin).api(method, path)
    assert (answer.status_code, answer.json()["status"]) == (status, status)


# upload


def test_an_upload_of_another_type_is_refused(twin: Twin, raw: Any, picture: bytes) -> None:
    client = raw(twin)
    declared = client.declare(picture)
    for content_type in ("image/jpeg", "image/png", "application/octet-stream", "image/jpg; charset=utf-8"):
        answer = client.upload(declared, picture, **{"Content-Type": content_type})
        assert xml_code(answer) == (403, "SignatureDoesNotMatch")
    assert client.upload(declared, picture).status_code == 200


def test_an_upload_without_a_type_is_refused(twin: Twin, raw: Any, picture: bytes) -> None:
    url = raw(twin).declare(picture).json()["data"]["files"][0]["requests"][0]["url"]
    assert xml_code(requests.put(url, data=picture, timeout=10)) == (403, "SignatureDoesNotMatch")


@pytest.mark.parametrize("change", [b"x", b""])
def test_an_upload_of_another_length_is_refused(twin: Twin, raw: Any, picture: bytes, change: bytes) -> None:
    client = raw(twin)
    answer = client.upload(client.declare(picture), picture + change if change else picture[:-1])
    assert xml_code(answer) == (403, "SignatureDoesNotMatch")
    assert not twin.uploads


def test_an_upload_in_chunks_without_a_length_is_refused(twin: Twin, raw: Any, picture: bytes) -> None:
    request = raw(twin).declare(picture).json()["data"]["files"][0]["requests"][0]
    answer = requests.put(request["url"], data=iter([picture]), headers={"Content-Type": "image/jpg"}, timeout=10)
    assert xml_code(answer) == (403, "SignatureDoesNotMatch")


def test_an_upload_address_takes_nothing_but_the_signed_request(twin: Twin, raw: Any, picture: bytes) -> None:
    url = raw(twin).declare(picture).json()["data"]["files"][0]["requests"][0]["url"]
    headers = {"Content-Type": "image/jpg"}
    path, query = url.split("?")
    for method, address in [
        ("POST", url),
        ("GET", url),
        ("PUT", path),
        ("PUT", url + "x"),
        ("PUT", f"{path}x?{query}"),
    ]:
        answer = requests.request(method, address, data=picture, headers=headers, timeout=10)
        assert xml_code(answer) == (403, "SignatureDoesNotMatch")


def test_an_upload_address_expires(make_twin: Any, clock: Any, raw: Any, picture: bytes) -> None:
    client = raw(make_twin(clocks={"clock": clock}, upload_seconds=60))
    declared = client.declare(picture)
    clock.move(60)
    assert xml_code(client.upload(declared, picture)) == (403, "AccessDenied")


def test_a_body_beyond_all_bounds_is_not_read(twin: Twin) -> None:
    wire = http.client.HTTPConnection(twin.storage_url.removeprefix("http://"), timeout=10)
    wire.putrequest("PUT", "/upload/x")
    wire.putheader("Content-Length", str(10**12))
    wire.endheaders()
    assert wire.getresponse().status == 413
    wire.close()


# run


def test_a_file_that_was_never_uploaded_is_not_found(twin: Twin, raw: Any, picture: bytes) -> None:
    client = raw(twin)
    file = client.declare(picture).json()["data"]["files"][0]["file_id"]
    assert code(client.run(file)) == (404, "")
    assert code(client.run("nothing")) == (404, "")


def test_running_a_file_that_was_never_uploaded_may_be_an_internal_error(
    make_twin: Any, raw: Any, picture: bytes
) -> None:
    client = raw(make_twin(forms=["missing_file_500"]))
    file = client.declare(picture).json()["data"]["files"][0]["file_id"]
    assert code(client.run(file)) == (500, "unknown_internal_error")


@pytest.mark.parametrize("body", [{}, {"src_file_id": ""}, {"src_file_id": 5}, {"src_file_url": "http://127.0.0.1"}])
def test_run_needs_a_file(twin: Twin, raw: Any, body: Any) -> None:
    assert code(raw(twin).api("POST", "/s2s/v2.0/task/sod", json=body)) == (400, "InvalidParameters")


def test_a_second_run_of_a_file_is_a_second_task_and_costs_again(twin: Twin, raw: Any, picture: bytes) -> None:
    client = raw(twin)
    file = client.uploaded(picture)
    tasks = [client.run(file).json()["data"]["task_id"] for _ in range(2)]
    assert len(set(tasks)) == 2
    for task in tasks:
        client.ended(task)
    assert twin.charged == 2
    assert [charge.task_id for charge in twin.ledger] == tasks


def test_an_empty_account_runs_nothing(make_twin: Any, raw: Any, picture: bytes) -> None:
    twin = make_twin(units=1)
    client = raw(twin)
    file = client.uploaded(picture)
    client.ended(client.run(file).json()["data"]["task_id"])
    assert code(client.run(file)) == (400, "CreditInsufficiency")
    assert twin.charged == 1


def test_units_of_running_tasks_are_spoken_for(make_twin: Any, raw: Any, picture: bytes) -> None:
    client = raw(make_twin(units=1, run_seconds=600))
    file = client.uploaded(picture)
    assert client.run(file).status_code == 200
    assert code(client.run(file)) == (400, "CreditInsufficiency")


def test_files_and_tasks_expire(make_twin: Any, clock: Any, raw: Any, picture: bytes) -> None:
    client = raw(make_twin(clocks={"clock": clock}, file_seconds=100, rate=STILL))
    file = client.uploaded(picture)
    task = client.run(file).json()["data"]["task_id"]
    client.ended(task)
    clock.move(100)
    assert code(client.run(file)) == (404, "")
    assert code(client.poll(task)) == (400, "InvalidTaskId")


# what the engine refuses: HTTP 200, never charged


def engine_code(client: Any, data: bytes, content_type: str = "image/jpg") -> str:
    answer = client.ended(client.started(data, content_type))
    assert (answer.status_code, answer.json()["data"]["task_status"]) == (200, "error")
    return str(answer.json()["data"]["error"])


def test_a_picture_above_ten_megabytes_is_refused(twin: Twin, raw: Any, picture: bytes) -> None:
    assert engine_code(raw(twin), picture + bytes(10_000_001 - len(picture))) == "exceed_max_filesize"
    assert raw(twin).result(picture + bytes(10_000_000 - len(picture))).status_code == 200
    assert twin.charged == 1


@pytest.mark.parametrize("size", [(4097, 8), (8, 4097), (4097, 4097)])
def test_a_picture_above_4096_pixels_is_refused(twin: Twin, raw: Any, make_picture: Any, size: Any) -> None:
    assert engine_code(raw(twin), make_picture(*size)) == "error_exceed_max_image_size"
    assert twin.charged == 0


def test_a_picture_of_4096_pixels_is_taken(twin: Twin, raw: Any, make_picture: Any) -> None:
    assert Image.open(io.BytesIO(raw(twin).result(make_picture(4096, 16)).content)).size == (4096, 16)


@pytest.mark.parametrize("kind", ["WEBP", "TIFF", "GIF", "nothing", "text", "cut"])
def test_what_is_neither_jpg_nor_png_is_refused(twin: Twin, raw: Any, make_picture: Any, kind: str) -> None:
    other = {"nothing": b"\0", "text": b"no picture at all", "cut": make_picture(kind="PNG")[:60]}
    assert engine_code(raw(twin), other.get(kind) or make_picture(kind=kind)) == "error_decode_image"
    assert twin.charged == 0


def test_a_picture_that_claims_a_million_pixels_a_side_is_refused(twin: Twin, raw: Any) -> None:
    header = b"\x89PNG\r\n\x1a\n" + b"".join(
        [b"\0\0\0\rIHDR\0\x0f\x42\x40\0\x0f\x42\x40\x08\x02\0\0\0", b"\xff\xff\xff\xff"]
    )
    chunk = io.BytesIO()
    PngImagePlugin.putchunk(chunk, b"IHDR", header[16:29])
    data = header[:8] + chunk.getvalue() + b"\0\0\0\0IDAT"
    assert engine_code(raw(twin), data, "image/png") == "error_exceed_max_image_size"


def test_a_picture_without_a_subject_is_refused(twin: Twin, raw: Any, make_picture: Any) -> None:
    assert engine_code(raw(twin), make_picture(dark=255)) == "error_no_subject"
    assert twin.charged == 0


def test_an_engine_that_breaks_is_a_failed_inference(make_twin: Any, raw: Any, picture: bytes) -> None:
    def broken(data: bytes) -> bytes:
        raise ZeroDivisionError("no weights")

    twin = make_twin(engine=broken)
    assert engine_code(raw(twin), picture) == "error_inference"
    assert twin.charged == 0


def test_an_engine_s_own_code_reaches_the_client(make_twin: Any, raw: Any, picture: bytes) -> None:
    def picky(data: bytes) -> bytes:
        raise EngineError("error_never_heard_of")

    assert engine_code(raw(make_twin(engine=picky)), picture) == "error_never_heard_of"


# what is not the service's


def test_options_refuse_unknown_forms_and_faults() -> None:
    with pytest.raises(ValueError, match="unknown form nonsense"):
        Options(forms=frozenset({"nonsense"}))
    for wrong in [("nowhere", "hang"), ("poll", "nonsense"), ("poll", "200"), ("poll", "bomb"), ("run", "engine")]:
        with pytest.raises(ValueError, match=r"unknown|fault"):
            Fault(*wrong)


def test_a_twin_without_its_server_says_what_is_missing() -> None:
    source = "import sys; sys.modules['werkzeug'] = None; from layerlift.twin import Twin; Twin()"
    outcome = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True)
    assert "The offline engine is not installed" in outcome.stderr
    assert "install.py" in outcome.stderr


def test_importing_the_package_needs_neither_the_server_nor_the_model_s_runtime() -> None:
    heavy = "{'werkzeug', 'onnxruntime', 'numpy', 'requests'}"
    source = f"import sys, layerlift.twin; sys.exit(bool({heavy} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", source]).returncode == 0


def test_more_connections_than_it_takes_are_refused_and_the_others_served(
    twin: Twin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "MAX_CONNECTIONS", 4)
    where = urlsplit(twin.url)
    with ExitStack() as stack:
        held = [stack.enter_context(socket.create_connection((where.hostname, where.port))) for _ in range(4)]
        one = held[0]
        one.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
        assert one.recv(9) == b"HTTP/1.1 "
        more = stack.enter_context(socket.create_connection((where.hostname, where.port)))
        more.settimeout(PATIENCE)
        assert more.recv(1) == b""
        one.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
        assert one.recv(1)
