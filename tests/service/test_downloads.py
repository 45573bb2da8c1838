"""Downloads of large files over real HTTP: what goes on where it was, and what is refused."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from layerlift import errors
from layerlift.service.downloads import download

from .proxy import Proxy
from .release import PAGE, Release, release
from .wire import certificate, reply, server

DATA = random.Random(1).randbytes(300_000)


@pytest.fixture
def site() -> Iterator[Release]:
    with release(a=DATA) as found:
        yield found


@pytest.fixture
def part(tmp_path: Path) -> Path:
    return tmp_path / "part"


def get(site: Release, part: Path, tell: Callable[[int], None] = lambda count: None, size: int = len(DATA)) -> None:
    download(f"{site.url}/a.onnx", part, size, tell)


def code_of(site: Release, part: Path, size: int = len(DATA)) -> str:
    with pytest.raises(errors.LayerliftError) as caught:
        get(site, part, size=size)
    assert "127.0.0.1" in caught.value.message
    return caught.value.code


def test_a_file_comes_whole_and_tells_how_far_it_is(site: Release, part: Path) -> None:
    told: list[int] = []
    get(site, part, told.append)
    assert (part.read_bytes(), told[-1], told == sorted(told), len(told) > 3) == (DATA, len(DATA), True, True)
    assert site.ranges == [None]


def test_what_is_there_is_not_fetched_again(site: Release, part: Path) -> None:
    part.write_bytes(DATA[:100_000])
    get(site, part)
    assert (part.read_bytes(), site.ranges) == (DATA, ["bytes=100000-"])


def test_nothing_is_asked_for_where_all_is_there(site: Release, part: Path) -> None:
    part.write_bytes(DATA)
    get(site, part)
    assert site.ranges == []


def test_a_connection_that_breaks_is_made_anew_where_it_was(site: Release, part: Path) -> None:
    site.breaks = [100_000, 50_000]
    get(site, part)
    assert (part.read_bytes(), site.ranges) == (DATA, [None, "bytes=100000-", "bytes=150000-"])


def test_a_connection_that_brings_nothing_more_is_told_and_what_came_is_kept(site: Release, part: Path) -> None:
    site.breaks = [100_000, 0]
    assert code_of(site, part) == "download_failed"
    assert part.read_bytes() == DATA[:100_000]
    get(site, part)
    assert part.read_bytes() == DATA


def test_a_download_that_is_stopped_goes_on_later(site: Release, part: Path) -> None:
    def stop(count: int) -> None:
        if count > 150_000:
            raise errors.make("cancelled")

    with pytest.raises(errors.Cancelled):
        get(site, part, stop)
    have = part.stat().st_size
    assert (150_000 < have < len(DATA), part.read_bytes()) == (True, DATA[:have])
    get(site, part)
    assert (part.read_bytes(), site.ranges[-1]) == (DATA, f"bytes={have}-")


def test_a_server_that_knows_no_ranges_sends_all_from_the_start(site: Release, part: Path) -> None:
    part.write_bytes(b"x" * 100)
    site.override = reply(DATA, "application/octet-stream")
    get(site, part)
    assert part.read_bytes() == DATA


def unsized(body: bytes, status: int = 200, **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    """An answer that does not tell its length."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        reply(body, "text/plain", status, Content_Length="", Connection="close", **headers)(request)
        request.close_connection = True

    return answer


@pytest.mark.parametrize("body", [b"please log in", b"", DATA[:-1][::-1] + b"12"], ids=len)
def test_what_is_there_outlives_an_answer_of_something_else(site: Release, part: Path, body: bytes) -> None:
    part.write_bytes(DATA[:200_000])
    site.override = unsized(body)
    assert code_of(site, part) in ("download_failed", "download_wrong")
    assert [path.name for path in part.parent.iterdir()] == [part.name]
    site.override = None
    get(site, part)
    assert (part.read_bytes(), site.ranges) == (DATA, ["bytes=200000-"] * 2)


def test_all_from_the_start_takes_the_place_of_the_part_once_it_is_longer(site: Release, part: Path) -> None:
    part.write_bytes(b"x" * 100)
    site.override = unsized(DATA[:1000])

    def stop(count: int) -> None:
        site.override = None

    get(site, part, stop)
    assert (part.read_bytes(), site.ranges) == (DATA, ["bytes=100-", "bytes=1000-"])


def test_an_answer_that_is_too_long_leaves_what_was_there(site: Release, part: Path) -> None:
    part.write_bytes(DATA[:100])
    site.override = unsized(DATA[100:] + b"more", 206, Content_Range="bytes 100-299999/300000")
    assert code_of(site, part) == "download_wrong"
    assert part.read_bytes() == DATA[:100]


@pytest.mark.parametrize(
    "wrong", ["bytes 0-299999/300000", "bytes 100-299998/300000", "bytes 100-299999/300001", "bytes 100-299999/*", ""]
)
def test_an_answer_of_another_part_than_was_asked_for_is_not_taken(site: Release, part: Path, wrong: str) -> None:
    part.write_bytes(DATA[:100])
    other = reply(DATA[100:], "application/octet-stream", 206, Content_Range=wrong)

    def answer(request: object) -> None:
        site.override = None
        other(request)  # type: ignore[arg-type]

    site.override = answer
    get(site, part)
    assert (part.read_bytes(), site.ranges) == (DATA, ["bytes=100-", None])


def test_a_part_that_is_longer_than_the_file_is_fetched_anew(site: Release, part: Path) -> None:
    part.write_bytes(DATA + b"more")
    get(site, part)
    assert part.read_bytes() == DATA


@pytest.mark.parametrize(
    ("body", "kind", "status", "expected"),
    [
        (PAGE, "text/html; charset=utf-8", 200, "download_wrong"),
        (PAGE, "text/html", 403, "download_failed"),
        (b"", "application/octet-stream", 200, "download_wrong"),
        (DATA + b"1", "application/octet-stream", 200, "download_wrong"),
        (DATA[:-1], "application/octet-stream", 200, "download_wrong"),
        (b"no", "text/plain", 404, "download_failed"),
        (b"no", "text/plain", 500, "download_failed"),
        (DATA, "application/octet-stream", 206, "download_failed"),
    ],
)
def test_what_is_not_the_file_is_told_and_nothing_of_it_stays(
    site: Release, part: Path, body: bytes, kind: str, status: int, expected: str
) -> None:
    site.override = reply(body, kind, status)
    assert code_of(site, part) == expected
    assert not part.exists()


def test_five_gigabytes_are_not_even_begun(site: Release, part: Path) -> None:
    site.override = reply(b"", "application/octet-stream", Content_Length=str(5 * 10**9))
    assert code_of(site, part) == "download_wrong"
    assert not part.exists()


def test_a_body_without_end_is_left_where_it_is_longer_than_the_file(site: Release, part: Path) -> None:
    def endless(request: object) -> None:
        reply(b"", "application/octet-stream", Content_Length="", Connection="close")(request)  # type: ignore[arg-type]
        request.close_connection = True  # type: ignore[attr-defined]
        while True:
            request.wfile.write(bytes(65536))  # type: ignore[attr-defined]

    site.override = endless
    assert code_of(site, part) == "download_wrong"
    assert part.stat().st_size <= len(DATA)
    assert site.server.client_gone.wait(60)


def test_a_redirect_is_followed(site: Release, part: Path) -> None:
    with server(reply(b"", status=302, Location=f"{site.url}/a.onnx")) as door:
        download(f"{door.url}/latest", part, len(DATA), lambda count: None)
    assert part.read_bytes() == DATA


def test_a_host_that_is_not_reached_is_named(part: Path) -> None:
    with pytest.raises(errors.NetworkError, match=r"127\.0\.0\.1 can't be reached"):
        download("http://127.0.0.1:9/a.onnx", part, 5, lambda count: None)


def test_a_certificate_that_nobody_knows_is_not_accepted(tmp_path: Path, part: Path) -> None:
    said = r"the certificate of 127\.0\.0\.1 was not accepted"
    with server(reply(DATA), certificate(tmp_path)) as other, pytest.raises(errors.NetworkError, match=said):
        download(f"{other.url}/a.onnx", part, len(DATA), lambda count: None)
    assert not part.exists()


@pytest.mark.parametrize("url", ["http://example.org/a", "ftp://example.org/a", "example.org", "http://[", ""])
def test_an_address_that_is_not_safe_or_none_is_refused(part: Path, url: str) -> None:
    with pytest.raises(errors.SetupError) as caught:
        download(url, part, 5, lambda count: None)
    assert caught.value.code == "bad_download_url"


def test_a_file_that_can_not_be_written_is_an_error_of_the_disk(site: Release, tmp_path: Path) -> None:
    with pytest.raises(OSError):
        get(site, tmp_path / "no folder" / "part")


def test_no_key_goes_to_a_release_address(site: Release, part: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YOUCAM_API_KEY", "sk-0123456789-very-secret")
    get(site, part)
    assert "Authorization" not in site.server.seen[0].headers


def test_the_way_goes_through_the_proxy_of_the_environment(
    proxy: Proxy, part: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, proxy.environ[name])
    with pytest.raises(errors.NetworkError):
        download("https://service.example/a.onnx", part, 5, lambda count: None)
    assert proxy.seen
