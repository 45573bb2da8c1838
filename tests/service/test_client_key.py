"""The key goes to the API's own host, and to nobody and nowhere else."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from layerlift import errors
from layerlift.service.answers import Destination
from layerlift.service.connection import is_loopback
from layerlift.twin import Fault

from .wire import BALANCE, KEY, File, Waiting, Waits, certificate, client, finished, reply, server, told, uploaded


def authorization(calls: list[Any]) -> list[str | None]:
    return [call.headers.get("Authorization") for call in calls]


def test_every_api_call_has_the_key_and_no_storage_call_has_it(make_twin: Callable[..., Any], picture: bytes) -> None:
    twin = make_twin()
    service = client(twin)
    task, state = finished(service, picture)
    service.download(str(state.result_url))
    service.balance()
    list(service.history())
    list(service.prices())
    service.delete(task.task_id)
    storage = [call for call in twin.requests if call.storage]
    api = [call for call in twin.requests if not call.storage]
    assert {call.step for call in storage} == {"upload", "download"}
    assert set(authorization(api)) == {f"Bearer {twin.key}"}
    for call in storage:
        assert twin.key not in repr(call)


def test_a_redirect_to_another_host_goes_without_the_key(make_twin: Callable[..., Any]) -> None:
    twin = make_twin(faults=(Fault("balance", "redirect"),))
    with pytest.raises(errors.AuthError):  # what the other host says of a call without a key
        client(twin).balance()
    first, second = twin.calls("balance")
    assert second.headers["Host"].startswith("localhost:")
    assert authorization([first, second]) == [f"Bearer {twin.key}", None]


def test_a_redirect_to_another_port_goes_without_the_key(make_twin: Callable[..., Any]) -> None:
    with server(reply(b'{"results": []}')) as other:
        twin = make_twin(faults=(Fault("balance", "redirect", location=other.url + "/x"),))
        assert client(twin).balance() == 0
    assert authorization(other.seen) == [None]


def test_a_redirect_within_the_host_keeps_the_key(make_twin: Callable[..., Any]) -> None:
    twin = make_twin(faults=(Fault("balance", "redirect", location=BALANCE),))
    assert client(twin).balance() == 1000


def test_the_key_does_not_come_back_after_a_redirect_away_and_home(make_twin: Callable[..., Any]) -> None:
    twin = make_twin()
    with server(reply(b"", status=307, Location=twin.url + BALANCE)) as away:
        twin.inject(Fault("price", "redirect", location=away.url))
        with pytest.raises(errors.AuthError):
            list(client(twin).prices())
    assert authorization(twin.calls("balance")) == [None]


def test_an_address_that_two_parsers_read_as_two_hosts_gets_no_key(make_twin: Callable[..., Any]) -> None:
    with server(reply(b'{"results": []}')) as other:
        twin = make_twin()
        tricky = f"{other.url.replace('127.0.0.1', 'localhost')}\\@{twin.url.removeprefix('http://')}{BALANCE}"
        twin.inject(Fault("balance", "redirect", location=tricky))
        client(twin).balance()
    assert authorization(other.seen) == [None]


def test_a_circle_of_redirects_ends(make_twin: Callable[..., Any]) -> None:
    twin = make_twin(faults=(Fault("balance", "redirect", times=99, location=BALANCE),))
    with pytest.raises(errors.ServiceError):
        client(twin).balance()
    assert len(twin.requests) <= 5


@pytest.mark.parametrize("step", ["declare", "run", "delete", "upload"])
def test_what_is_sent_is_not_sent_again_to_where_a_redirect_leads(
    make_twin: Callable[..., Any], picture: bytes, step: str
) -> None:
    twin = make_twin(faults=(Fault(step, "redirect", times=99),))
    service = client(twin)
    with pytest.raises(errors.LayerliftError):
        task, _ = finished(service, picture)
        service.delete(task.task_id)
    assert {call.headers["Host"].split(":")[0] for call in twin.requests} == {"127.0.0.1"}


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A certificate of this computer that the client trusts."""
    path = certificate(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(path))
    return path


def test_a_netrc_file_adds_no_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trusted: Path) -> None:
    (tmp_path / ".netrc").write_text(
        "machine 127.0.0.1 login me password from-netrc\ndefault login me password from-netrc\n"
    )
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("NETRC", raising=False)
    with server(reply(b"\x89PNG", kind="image/png"), trusted) as storage:
        home = reply(b"", status=307, Location=storage.url)
        with server(home, trusted) as api:
            service = Waiting(api.url, KEY, sleep=Waits())
            service.upload(Destination("f", "PUT", storage.url + "/upload", {}), b"data")
            service.download(storage.url + "/result")
            with pytest.raises(errors.LayerliftError):
                service.balance()
    assert len(storage.seen) >= 3
    assert set(authorization(storage.seen)) == {None}
    assert set(authorization(api.seen)) == {f"Bearer {KEY}"}


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy"])
def test_what_stays_on_this_computer_goes_through_no_proxy(
    make_twin: Callable[..., Any], picture: bytes, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with server(reply(b"seen", status=502)) as proxy:
        monkeypatch.setenv(name, proxy.url)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        service = client(make_twin())
        _, state = finished(service, picture)
        service.download(str(state.result_url))
    assert proxy.seen == []


def test_a_proxy_of_the_environment_gets_a_tunnel_and_not_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    with server(reply(b"no", status=403)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        with pytest.raises(errors.NetworkError) as caught:
            Waiting("https://api.example", KEY, sleep=Waits()).balance()
    assert {seen.method for seen in proxy.seen} == {"CONNECT"}
    assert KEY not in repr(proxy.seen) + told(caught.value)


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:9", "http://[", "://"])
def test_a_proxy_that_cannot_be_used_is_named_as_the_cause(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(errors.NetworkError) as caught:
        Waiting("https://api.example", KEY, sleep=Waits()).balance()
    assert "proxy" in caught.value.message


FAULTS = ("reset_before", "reset_after", "truncated", "hang", "html", "not_the_form", "400", "401", "429", "500")


@pytest.mark.parametrize("step", ["declare", "upload", "run", "poll", "download", "balance", "delete"])
@pytest.mark.parametrize("kind", [*FAULTS, "expired"])
def test_neither_key_nor_signed_address_is_in_an_error_or_behind_it(
    make_twin: Callable[..., Any], picture: bytes, step: str, kind: str
) -> None:
    if kind == "expired" and step in ("declare", "balance"):
        kind = "403"
    if kind == "not_the_form" and step in ("upload", "download"):
        kind = "404"
    if (step, kind) == ("upload", "truncated"):
        kind = "503"
    twin = make_twin(faults=(Fault(step, kind, times=99),), rate=(10**6, 300.0))
    service = client(twin, timeouts=(5.0, 0.1))
    with pytest.raises(errors.LayerliftError) as caught:
        service.balance()
        file_id = uploaded(service, picture)
        task = service.run(file_id)
        state = service.poll(task.task_id)
        while state.status == "running":
            state = service.poll(task.task_id)
        service.download(str(state.result_url))
        service.delete(task.task_id)
    text = told(caught.value) + "".join(traceback.format_exception(caught.value))
    assert caught.value.code in text
    for secret in (twin.key, "X-Amz", "Bearer"):
        assert secret not in text


def test_a_refused_connection_tells_neither_key_nor_signed_address(make_twin: Callable[..., Any]) -> None:
    twin = make_twin()
    twin.close()
    service = client(twin)
    for call in (service.balance, lambda: service.download(f"{twin.storage_url}/result/x?X-Amz-Signature=s")):
        with pytest.raises(errors.NetworkError) as caught:
            call()
        assert caught.value.code == "unreachable"
        for secret in (twin.key, "X-Amz", "Bearer"):
            assert secret not in told(caught.value)


def test_neither_key_nor_signed_address_shows_in_a_repr(make_twin: Callable[..., Any], picture: bytes) -> None:
    twin = make_twin()
    service = client(twin)
    [destination] = service.declare([File(picture)])
    _, state = finished(service, picture)
    text = f"{service!r} {destination!r} {state!r} {service!s}"
    for secret in (twin.key, "X-Amz", "/upload/", "/result/"):
        assert secret not in text


PLAIN = [
    "http://api.example",
    "HTTP://api.example",
    "http://127.0.0.1.example",
    "http://localhost.example",
    "http://2130706433",
]


@pytest.mark.parametrize("url", PLAIN)
def test_plain_http_is_refused_except_to_this_computer(url: str) -> None:
    with pytest.raises(errors.SetupError) as caught:
        Waiting(url, KEY)
    assert caught.value.code == "insecure_url"
    assert not is_loopback(url)


@pytest.mark.parametrize(
    "url", ["http://localhost:8080", "http://127.0.0.1", "http://127.9.9.9:1", "http://[::1]:80", "https://api.example"]
)
def test_https_and_plain_http_to_this_computer_are_taken(url: str) -> None:
    Waiting(url, KEY).close()


BAD = [
    "",
    "api.example",
    "ftp://api.example",
    "https://",
    "http://[::1",
    "https://a:port",
    "https:///x",
    "//a",
    "https://a b",
    "file:///etc/passwd",
    "https://a:99999",
    "https://*",
    "https://\u00df\u0000",
]


@pytest.mark.parametrize("url", BAD)
def test_an_address_that_is_none_is_refused_in_clear_words(url: str) -> None:
    with pytest.raises(errors.SetupError) as caught:
        Waiting(url, KEY)
    assert caught.value.code == "bad_url"
    assert "YOUCAM_API_URL" in caught.value.action
    assert not is_loopback(url)


def test_an_api_that_is_reached_by_https_can_name_no_plain_address(trusted: Path, twin: Any) -> None:
    data = {
        "files": [
            {"file_id": "f", "requests": [{"method": "PUT", "url": twin.storage_url + "/upload/x", "headers": {}}]}
        ],
        "task_status": "success",
        "results": {"url": twin.storage_url + "/result/x"},
    }
    with server(reply(json.dumps({"status": 200, "data": data}).encode()), trusted) as api:
        service = Waiting(api.url, KEY, sleep=Waits())
        [destination] = service.declare([File(b"x")])
        for call in (
            lambda: service.upload(destination, b"x"),
            lambda: service.download(str(service.poll("t").result_url)),
        ):
            with pytest.raises(errors.ServiceError) as caught:
                call()
            assert caught.value.code == "bad_address"
    assert twin.requests == []


def test_a_redirect_from_https_to_plain_http_is_refused(trusted: Path, twin: Any) -> None:
    downgrade = reply(b"", status=302, Location=twin.url + BALANCE)
    with server(downgrade, trusted) as api, pytest.raises(errors.ServiceError) as caught:
        Waiting(api.url, KEY, sleep=Waits()).balance()
    assert caught.value.code == "bad_address"
    assert twin.requests == []


@pytest.mark.parametrize("location", ["http://[", "https://[::1", "ftp://x/", "gopher:x", "http://a:b/"])
def test_a_redirect_to_no_address_is_an_error(location: str) -> None:
    astray = reply(b"", status=302, Location=location)
    with server(astray) as api, pytest.raises(errors.ServiceError) as caught:
        Waiting(api.url, KEY, sleep=Waits()).balance()
    assert caught.value.code == "bad_address"


def test_a_certificate_that_nobody_vouches_for_ends_the_call_before_anything_is_sent(tmp_path: Path) -> None:
    with server(reply(b"{}"), certificate(tmp_path)) as api:
        service = Waiting(api.url, KEY, sleep=Waits())
        for call in (service.balance, lambda: service.run("some-file"), lambda: service.poll("t")):
            with pytest.raises(errors.NetworkError) as caught:
                call()
            assert caught.value.code == "tls"
            assert KEY not in told(caught.value)
    assert api.seen == []


def test_a_certificate_for_another_host_is_refused(tmp_path: Path, trusted: Path) -> None:
    with server(reply(b"{}"), trusted) as api, pytest.raises(errors.NetworkError) as caught:
        Waiting(api.url.replace("127.0.0.1", "127.0.0.2"), KEY, sleep=Waits()).balance()
    assert caught.value.code in ("tls", "unreachable")
    assert api.seen == []


def test_a_missing_file_of_certificates_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/no/such/file.pem")
    with pytest.raises(errors.NetworkError) as caught:
        Waiting("https://127.0.0.1:9", KEY, sleep=Waits()).balance()
    assert "certificates" in caught.value.message
