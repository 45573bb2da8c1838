"""What is tried again, and what never is: the call that costs, once its bytes may have arrived."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from layerlift import errors
from layerlift.service.service import ATTEMPTS
from layerlift.twin import Fault, Options, Twin

from .wire import KEY, File, Waiting, Waits, certificate, client, finished, reply, server, uploaded

PASSING = ("reset_before", "reset_after", "truncated", "hang", "html", "429", "500", "502", "503", "504")
IMPATIENT = (5.0, 0.3)


@pytest.fixture
def step(make_twin: Callable[..., Any], picture: bytes) -> Callable[..., tuple[Any, Callable[[], object], Waits]]:
    """A twin, one call of the client that meets a fault, and the pauses that the client made."""

    def make(name: str, kind: str, **more: Any) -> tuple[Any, Callable[[], object], Waits]:
        twin, waits = make_twin(rate=(10**6, 300.0)), Waits()
        service = client(twin, sleep=waits, timeouts=IMPATIENT)
        [destination] = service.declare([File(picture)])
        calls: dict[str, Callable[[], object]] = {
            "declare": lambda: service.declare([File(picture)]),
            "upload": lambda: service.upload(destination, picture),
            "balance": service.balance,
            "history": lambda: list(service.history()),
            "price": lambda: list(service.prices()),
        }
        if name in ("run", "download", "delete"):
            service.upload(destination, picture)
            calls["run"] = lambda: service.run(destination.file_id)
        if name in ("download", "delete"):
            task, state = finished(service, picture)
            calls["download"] = lambda: service.download(str(state.result_url))
            calls["delete"] = lambda: service.delete(task.task_id)
        waits.seconds.clear()
        twin.inject(Fault(name, kind, **more))
        return twin, calls[name], waits

    return make


def times(twin: Any, name: str) -> int:
    return len(twin.calls(name))


@pytest.mark.parametrize("name", ["declare", "upload", "download", "balance", "history", "price"])
@pytest.mark.parametrize("kind", PASSING)
def test_a_call_that_costs_nothing_is_repeated_after_a_failure_in_passing(
    step: Callable[..., Any], name: str, kind: str
) -> None:
    if (name, kind) == ("upload", "truncated"):
        kind = "reset_after"  # an upload's answer has no body that could be cut
    twin, call, waits = step(name, kind)
    before = times(twin, name)
    call()
    assert times(twin, name) == before + 2
    assert len(waits.seconds) == 1


@pytest.mark.parametrize("kind", ["reset_before", "html", "429", "500", "503"])
def test_delete_is_repeated_after_a_failure_in_passing(step: Callable[..., Any], kind: str) -> None:
    twin, call, _ = step("delete", kind)
    call()
    assert times(twin, "delete") == 2


@pytest.mark.parametrize("name", ["declare", "delete", "balance", "history", "price"])
@pytest.mark.parametrize("status", ["400", "401", "403"])
def test_a_refusal_is_final(step: Callable[..., Any], name: str, status: str) -> None:
    twin, call, waits = step(name, status, code="InvalidParameters", times=9)
    before = times(twin, name)
    with pytest.raises(errors.ServiceError):
        call()
    assert (times(twin, name), waits.seconds) == (before + 1, [])


@pytest.mark.parametrize(("name", "code"), [("upload", "upload_refused"), ("download", "result_expired")])
def test_an_address_that_has_expired_is_not_asked_again(step: Callable[..., Any], name: str, code: str) -> None:
    twin, call, waits = step(name, "expired")
    with pytest.raises(errors.ServiceError) as caught:
        call()
    assert (caught.value.code, caught.value.status) == (code, 403)
    assert caught.value.request_id
    assert (times(twin, name), waits.seconds) == (1, [])


AMBIGUOUS = ("reset_before", "reset_after", "hang", "truncated", "wrong_length", "html", "not_the_form", "500", "503")
NOT_PROVEN = ("redirect", "400", "403", "408", "409", "499", "504")
"""Answers that no code of the service's own makes a refusal."""


@pytest.mark.parametrize("kind", [*AMBIGUOUS, *NOT_PROVEN])
def test_a_run_that_may_have_started_is_never_repeated(step: Callable[..., Any], kind: str) -> None:
    twin, call, waits = step("run", kind, times=9)
    with pytest.raises(errors.MayBeCharged) as caught:
        call()
    assert caught.value.code == "may_be_charged"
    assert "unit history" in caught.value.action
    assert (times(twin, "run"), waits.seconds) == (1, [])


@pytest.mark.parametrize(
    ("kind", "code"),
    [("500", "TaskTimeout"), ("500", "unknown_internal_error"), ("500", "SomethingNew"), ("400", "SomethingNew"),
     ("408", "BadRequest")],
)  # fmt: skip
def test_a_run_that_failed_with_a_code_that_proves_nothing_is_not_repeated(
    step: Callable[..., Any], kind: str, code: str
) -> None:
    twin, call, _ = step("run", kind, code=code, times=9)
    with pytest.raises(errors.MayBeCharged) as caught:
        call()
    assert caught.value.request_id
    assert times(twin, "run") == 1


def test_a_run_that_the_limit_has_refused_is_repeated(step: Callable[..., Any]) -> None:
    twin, call, waits = step("run", "429", times=2)
    call()
    assert (times(twin, "run"), len(waits.seconds)) == (3, 2)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("CreditInsufficiency", errors.TopUpError),
        ("InvalidApiKey", errors.AuthError),
        ("BadRequest", errors.ServiceError),
    ],
)
def test_a_run_that_was_refused_is_neither_repeated_nor_charged(
    step: Callable[..., Any], code: str, kind: type[errors.LayerliftError]
) -> None:
    twin, call, _ = step("run", "400", code=code, times=9)
    with pytest.raises(kind):
        call()
    assert (times(twin, "run"), twin.charged) == (1, 0)


def test_a_run_is_repeated_where_no_connection_was_made() -> None:
    """Nobody listens at first, so nothing can have been sent; the service comes up during the pause."""
    with ExitStack() as stack:
        reserved = stack.enter_context(socket.socket())
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
        twins: list[Twin] = []

        def sleep(seconds: float) -> None:
            if not twins:
                reserved.close()
                twins.append(stack.enter_context(Twin(Options(), port=port)))

        service = Waiting(f"http://127.0.0.1:{port}", KEY, sleep=sleep)
        with pytest.raises(errors.AuthError):  # the service's own word: the call has arrived
            service.run("some-file")
        assert [call.step for call in twins[0].requests] == ["run"]


def test_a_run_that_never_connects_is_unreachable_and_not_charged() -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        waits = Waits()
        with pytest.raises(errors.NetworkError) as caught:
            Waiting(f"http://127.0.0.1:{reserved.getsockname()[1]}", KEY, sleep=waits).run("some-file")
    assert caught.value.code == "unreachable"
    assert len(waits.seconds) == ATTEMPTS - 1


@pytest.mark.parametrize("last_bytes", [b"", b"nothing that TLS knows" * 10])
def test_a_run_whose_tls_connection_breaks_after_it_was_sent_may_be_charged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last_bytes: bytes
) -> None:
    pem = certificate(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(pem))

    def answer(request: Any) -> None:
        request.close_connection = True
        with socket.socket(fileno=request.connection.detach()) as plain:
            plain.sendall(last_bytes)

    with server(answer, pem) as api:
        with pytest.raises(errors.MayBeCharged):
            Waiting(api.url, KEY, sleep=Waits()).run("some-file")
        assert [seen.path for seen in api.seen] == ["/s2s/v2.0/task/sod"]


def test_a_run_goes_over_a_connection_of_its_own() -> None:
    """A kept connection that the far side has just closed would make every run ambiguous."""
    body = b'{"status": 200, "results": [], "data": {"task_id": "t"}}'
    with server(reply(body)) as api:
        service = Waiting(api.url, KEY)
        service.balance()
        service.balance()
        service.run("some-file")
        first, second, run = (seen.connection for seen in api.seen)
    assert first == second != run


def test_polls_are_never_repeated_by_the_client(make_twin: Callable[..., Any], picture: bytes) -> None:
    """When to poll again is the polling law's affair."""
    twin, waits = make_twin(), Waits()
    service = client(twin, sleep=waits)
    task = service.run(uploaded(service, picture))
    twin.inject(Fault("poll", "500", times=9))
    with pytest.raises(errors.ServiceError):
        service.poll(task.task_id)
    assert (len(twin.calls("poll")), waits.seconds) == (1, [])


def test_an_answer_of_a_proxy_is_told_apart_from_the_services() -> None:
    page = reply(b"<html>Log in</html>", kind="text/html")
    with server(page) as proxy, pytest.raises(errors.NetworkError) as caught:
        Waiting(proxy.url, KEY, sleep=Waits()).balance()
    assert caught.value.code == "proxy_answer"
    assert "proxy" in caught.value.message
