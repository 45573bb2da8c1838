"""Requests in the shapes of other public clients pass the whole chain, in plain answers and in the oddest ones.

Each shape is what an HTTP library puts on the wire for a client of this API: its own headers, its way to send a body,
and habits of the clients written with it (a JSON type on every request, more fields than needed, lower-case escapes).
"""

from __future__ import annotations

import http.client
import json
import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
import requests
from layerlift.twin import Twin

ODD_FORMS = ("headers_list", "number_length", "base64_ids", "results_list_data", "status_field", "error_none")
POLL_WAIT = 0.01


@dataclass(frozen=True)
class Shape:
    """How a client writes its requests.

    Attributes:
        name: the library.
        headers: on every request to the API, besides the key.
        json_type: Content-Type of JSON bodies.
        type_on_get: whether requests without a body carry that type too.
        bearer: what stands before the key.
        key_header: name of the header that carries it.
        chunked: JSON bodies without a length.
        close: a connection for each request.
        lower: header names, and escapes in ids, in lower case.
        ascii: JSON with escapes beyond ASCII.
        compact: JSON without blanks.
        more: fields that the service does not ask for.
        absolute: the request line holds the whole address.
        version: of HTTP, 10 or 11.
        length_on_upload: whether the upload's length is set by the client itself, from the answer.
    """

    name: str
    headers: tuple[tuple[str, str], ...] = ()
    json_type: str = "application/json"
    type_on_get: bool = False
    bearer: str = "Bearer "
    key_header: str = "Authorization"
    chunked: bool = False
    close: bool = False
    lower: bool = False
    ascii: bool = True
    compact: bool = False
    more: tuple[tuple[str, Any], ...] = ()
    absolute: bool = False
    version: int = 11
    length_on_upload: bool = True


ANY = ("Accept", "*/*")
AXIOS = (("Accept", "application/json, text/plain, */*"), ("Accept-Encoding", "gzip, compress, deflate, br"))
UTF8 = "application/json; charset=utf-8"
SHAPES = (
    Shape("python requests", (ANY, ("Accept-Encoding", "gzip, deflate"), ("User-Agent", "python-requests/2.34"))),
    Shape("python requests, one header table for all calls", (("Accept", "application/json"),), type_on_get=True),
    Shape("python urllib", (("User-Agent", "Python-urllib/3.12"), ("Connection", "close")), close=True),
    Shape("httpx", (ANY, ("User-Agent", "python-httpx/0.28"), ("Connection", "keep-alive")), compact=True),
    Shape("aiohttp", (ANY, ("User-Agent", "Python/3.12 aiohttp/3.12")), type_on_get=True),
    Shape("curl", (("User-Agent", "curl/8.5.0"), ANY), close=True, compact=True),
    Shape("curl, expecting 100", (("User-Agent", "curl/7.88"), ANY, ("Expect", "100-continue")), close=True),
    Shape("wget", (("User-Agent", "Wget/1.21"), ANY, ("Accept-Encoding", "identity"), ("Connection", "Keep-Alive"))),
    Shape("httpie", (("Accept", "application/json, */*;q=0.5"), ("User-Agent", "HTTPie/3.2")), ascii=False),
    Shape(
        "node fetch",
        (ANY, ("accept-language", "*"), ("sec-fetch-mode", "cors"), ("user-agent", "node")),
        lower=True,
        compact=True,
        ascii=False,
        length_on_upload=False,
    ),
    Shape("node fetch, no cache", (ANY, ("cache-control", "no-cache"), ("pragma", "no-cache")), type_on_get=True),
    Shape("deno", (ANY, ("accept-language", "*"), ("user-agent", "Deno/2.1")), lower=True, compact=True),
    Shape("axios", (*AXIOS, ("User-Agent", "axios/1.7")), compact=True, length_on_upload=False),
    Shape("axios, older", (*AXIOS, ("User-Agent", "axios/0.27")), json_type="application/json;charset=UTF-8"),
    Shape("axios, all headers on all calls", AXIOS, type_on_get=True, compact=True),
    Shape("node https, own length", (), close=True, compact=True),
    Shape("got", (("accept", "application/json"), ("user-agent", "got")), lower=True, compact=True),
    Shape("browser", (ANY, ("Origin", "https://app.example"), ("Referer", "https://app.example/"), ("DNT", "1"))),
    Shape("go net/http", (("User-Agent", "Go-http-client/1.1"), ("Accept-Encoding", "gzip")), compact=True),
    Shape("go, a body of unknown length", (("User-Agent", "Go-http-client/1.1"),), chunked=True, compact=True),
    Shape("okhttp", (("Connection", "Keep-Alive"), ("User-Agent", "okhttp/4.12")), json_type=UTF8, compact=True),
    Shape(
        "java http client",
        (("Connection", "Upgrade, HTTP2-Settings"), ("HTTP2-Settings", "AAMAAABkAAQBAAAA"), ("Upgrade", "h2c")),
        compact=True,
    ),
    Shape("spring", (("Accept", "application/json, application/*+json"),), json_type="application/json;charset=UTF-8"),
    Shape("ktor", (("Accept", "application/json"), ("Accept-Charset", "UTF-8"), ("User-Agent", "ktor-client"))),
    Shape("dotnet", (), json_type=UTF8, chunked=True, compact=True),
    Shape("dotnet framework", (("Expect", "100-continue"), ("Connection", "Keep-Alive")), json_type=UTF8),
    Shape("php curl", (("Accept", "application/json"),), close=True, compact=True),
    Shape("guzzle", (("User-Agent", "GuzzleHttp/7"),), compact=True, more=(("version", "1.0"),)),
    Shape("php streams", (("Connection", "close"),), close=True, version=10),
    Shape(
        "ruby net/http",
        (("Accept-Encoding", "gzip;q=1.0,deflate;q=0.6,identity;q=0.3"), ANY, ("User-Agent", "Ruby")),
        close=True,
    ),
    Shape("faraday", (("User-Agent", "Faraday v2"), ANY), type_on_get=True, compact=True),
    Shape("perl lwp", (("TE", "deflate,gzip;q=0.3"), ("Connection", "TE, close")), close=True),
    Shape("reqwest", (ANY,), lower=True, compact=True),
    Shape("dart http", (("user-agent", "Dart/3.5 (dart:io)"), ("accept-encoding", "gzip")), json_type=UTF8, lower=True),
    Shape("url session", (ANY, ("Accept-Language", "en-GB,en;q=0.9"), ("User-Agent", "App/1 CFNetwork/1490"))),
    Shape("powershell", (("User-Agent", "Mozilla/5.0 (Windows NT; en-GB) PowerShell/7.4"),), json_type=UTF8),
    Shape("postman", (ANY, ("Postman-Token", "0000"), ("Cache-Control", "no-cache")), ascii=False, more=(("a", None),)),
    Shape("edge worker", (("cf-ray", "0"), ("x-forwarded-for", "192.0.2.1"), ("x-forwarded-proto", "https"))),
    Shape("a scheme in lower case", bearer="bearer "),
    Shape("a scheme in capitals", bearer="BEARER "),
    Shape("blanks around the key", bearer="Bearer   "),
    Shape("a header name in capitals", key_header="AUTHORIZATION"),
    Shape(
        "fields of other features",
        more=(("request_id", 0), ("payload", {"actions": [{"id": 0}]}), ("output_ext", "png")),
    ),
    Shape("a type with a profile", json_type='application/json; charset="utf-8"; profile=x'),
    Shape("the address in the request line", absolute=True),
)


class Client:
    """Drives the chain in one shape, over http.client."""

    def __init__(self, twin: Twin, shape: Shape) -> None:
        self._twin = twin
        self._shape = shape
        self._open: dict[str, http.client.HTTPConnection] = {}

    def send(self, method: str, url: str, headers: list[tuple[str, str]], body: bytes, chunked: bool) -> Any:
        """One request; its status and its body."""
        shape = self._shape
        parts = urlsplit(url)
        wire = self._open.get(parts.netloc) or http.client.HTTPConnection(parts.netloc, timeout=10)
        if shape.version == 10:
            wire._http_vsn, wire._http_vsn_str = 10, "HTTP/1.0"
        self._open[parts.netloc] = wire
        target = url if shape.absolute else url.removeprefix(f"http://{parts.netloc}")
        wire.putrequest(method, target, skip_accept_encoding=True)
        for name, value in headers:
            wire.putheader(name.lower() if shape.lower else name, value)
        wire.endheaders(iter([body[:7], body[7:]]) if chunked else body, encode_chunked=chunked)
        answer = wire.getresponse()
        data = answer.read()
        assert answer.getheader("x-request-id")
        if shape.close:
            wire.close()
            del self._open[parts.netloc]
        return answer.status, data

    def api(self, method: str, path: str, fields: dict[str, Any] | None = None) -> Any:
        shape = self._shape
        headers = [*shape.headers, (shape.key_header, shape.bearer + self._twin.key)]
        body = b""
        if fields is not None:
            separators = (",", ":") if shape.compact else None
            text = json.dumps({**fields, **dict(shape.more)}, ensure_ascii=shape.ascii, separators=separators)
            body = text.encode()
            headers.append(("Transfer-Encoding", "chunked") if shape.chunked else ("Content-Length", str(len(body))))
        if fields is not None or shape.type_on_get:
            headers.append(("Content-Type", shape.json_type))
        status, data = self.send(method, self._twin.url + path, headers, body, shape.chunked and fields is not None)
        assert status == 200, data
        return json.loads(data)

    def upload(self, request: Any, data: bytes) -> None:
        headers = request["headers"]
        if isinstance(headers, list):
            headers = {entry["name"]: entry["value"] for entry in headers}
        if not self._shape.length_on_upload:
            headers = {"Content-Type": headers["Content-Type"], "Content-Length": len(data)}
        status, answer = self.send(
            request["method"], request["url"], [(name, str(value)) for name, value in headers.items()], data, False
        )
        assert status == 200, answer

    def quoted(self, id_: str) -> str:
        text = quote(id_, safe="")
        return re.sub("%..", lambda match: match[0].lower(), text) if self._shape.lower else text

    def chain(self, data: bytes) -> bytes:
        """Declare, upload, run, poll, download, balance, history, delete; the cut-out."""
        file = {"content_type": "image/jpg", "file_name": "ein Bild, größer.jpg", "file_size": len(data)}
        declared = self.api("POST", "/s2s/v2.0/file/sod", {"files": [file]})["data"]["files"][0]
        self.upload(declared["requests"][0], data)
        task = self.api("POST", "/s2s/v2.0/task/sod", {"src_file_id": declared["file_id"]})["data"]["task_id"]
        while True:
            state = self.api("GET", f"/s2s/v2.0/task/sod/{self.quoted(task)}")["data"]
            if state.get("task_status", state.get("status")) != "running":
                break
            time.sleep(POLL_WAIT)
        results = state["results"]
        url = results[0]["data"][0]["url"] if isinstance(results, list) else results["url"]
        status, cut_out = self.send("GET", url, [], b"", False)
        assert status == 200, cut_out
        assert self.api("GET", "/s2s/v1.0/client/credit")["results"][0]["amount"] == 999
        history = self.api("GET", "/s2s/v1.0/client/credit/history?page_size=20&starting_token=")["result"]["history"]
        assert [entry["target_id"] for entry in history] == [task]
        self.api("POST", "/s2s/v2.0/task/delete", {"task_id": task})
        return bytes(cut_out)

    def close(self) -> None:
        for wire in self._open.values():
            wire.close()


@pytest.mark.parametrize("forms", [(), ODD_FORMS], ids=["plain", "odd"])
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_a_client_of_this_shape_gets_its_cut_out(make_twin: Any, picture: bytes, shape: Shape, forms: Any) -> None:
    twin = make_twin(forms=forms, rate=(10**6, 300.0))
    client = Client(twin, shape)
    assert client.chain(picture).startswith(b"\x89PNG\r\n\x1a\n")
    client.close()
    assert list(twin.uploads.values()) == [picture]
    assert (twin.charged, twin.delivered, twin.late_polls) == (1, 1, 0)
    assert {call.status for call in twin.requests} == {200}


def test_there_are_shapes_enough() -> None:
    assert len({shape.name for shape in SHAPES}) >= 40


def test_a_client_that_waits_for_100_is_told_to_go_on(twin: Twin) -> None:
    body = b'{"files":[{"content_type":"image/png","file_name":"a.png","file_size":5}]}'
    parts = urlsplit(twin.url)
    head = (
        f"POST /s2s/v2.0/file/sod HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {twin.key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n"
    )
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10) as wire:
        wire.sendall(head.encode())
        assert wire.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        wire.sendall(body)
        assert wire.recv(100).startswith(b"HTTP/1.1 200 ")


def test_a_body_in_many_pieces_is_one_body(twin: Twin, picture: bytes, raw: Any) -> None:
    request = raw(twin).declare(picture).json()["data"]["files"][0]["requests"][0]
    parts = urlsplit(request["url"])
    head = (
        f"PUT {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
        f"Content-Type: image/jpg\r\nContent-Length: {len(picture)}\r\n\r\n"
    )
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10) as wire:
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start in range(0, len(head), 50):
            wire.sendall(head[start : start + 50].encode())
        for start in range(0, len(picture), 97):
            wire.sendall(picture[start : start + 97])
        assert wire.recv(100).startswith(b"HTTP/1.1 200 ")
    assert list(twin.uploads.values()) == [picture]


def test_many_clients_work_side_by_side(make_twin: Any, picture: bytes, raw: Any) -> None:
    twin = make_twin(rate=(10**6, 300.0))
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda number: raw(twin).result(picture).content, range(16)))
    assert len(set(results)) == 1
    assert (twin.charged, twin.delivered) == (16, 16)


def test_a_session_of_requests_follows_the_answers_as_they_stand(twin: Twin, picture: bytes) -> None:
    session = requests.Session()
    api = {"Authorization": f"Bearer {twin.key}"}
    file = {"content_type": "image/jpeg", "file_name": "a.jpeg", "file_size": len(picture)}
    declared = session.post(f"{twin.url}/s2s/v2.0/file/sod", json={"files": [file]}, headers=api, timeout=10).json()
    request = declared["data"]["files"][0]["requests"][0]
    answer = session.request(request["method"], request["url"], headers=request["headers"], data=picture, timeout=10)
    assert answer.status_code == 200
