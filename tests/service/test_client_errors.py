"""What the service refuses becomes the error that tells the user what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from layerlift import errors
from layerlift.service.service import ATTEMPTS, BACKOFF_SECONDS, RATE_ATTEMPTS, RATE_BACKOFF_SECONDS
from layerlift.twin import Fault

from .wire import BALANCE, KEY, Waiting, Waits, client, finished, reply, server

REQUEST_CODES = (
    (400, "InvalidParameters", errors.ServiceError),
    (400, "BadRequest", errors.ServiceError),
    (400, "CreditInsufficiency", errors.TopUpError),
    (400, "InvalidTaskId", errors.ServiceError),
    (400, "InvalidStyleGroup", errors.ServiceError),
    (400, "InvalidStyle", errors.ServiceError),
    (400, "OperationNotSupport", errors.ServiceError),
    (400, "OperationInvalid", errors.ServiceError),
    (401, "InvalidApiKey", errors.AuthError),
    (401, "InactiveApiKey", errors.AuthError),
    (401, "ExpiredApiKey", errors.AuthError),
    (401, "InvalidAccessToken", errors.AuthError),
    (500, "TaskTimeout", errors.ServiceError),
    (500, "unknown_internal_error", errors.ServiceError),
)


def failure(twin: Any) -> errors.LayerliftError:
    with pytest.raises(errors.LayerliftError) as caught:
        client(twin).balance()
    return caught.value


@pytest.fixture
def refusing(make_twin: Callable[..., Any]) -> Callable[..., Any]:
    """A twin that answers every question for the balance by one status and code; its request ids are known."""

    def make(status: int, code: str = "") -> Any:
        fault = Fault("balance", str(status), times=100, code=code)
        return make_twin({"entropy": lambda count: b"\x07" * count}, faults=(fault,))

    return make


@pytest.mark.parametrize(("status", "code", "kind"), REQUEST_CODES)
def test_every_request_code_becomes_its_entry_of_the_table(
    refusing: Callable[..., Any], status: int, code: str, kind: type[errors.LayerliftError]
) -> None:
    error, entry = failure(refusing(status, code)), errors.TABLE[code]
    assert type(error) is kind
    assert (error.code, error.advice, error.retry) == (code, entry.advice, entry.retry)
    assert error.message.startswith(entry.message[:-1])
    assert (error.status, error.request_id) == (status, "07" * 16)
    assert "07" * 16 in str(error)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.ServiceError),
        (401, errors.AuthError),
        (404, errors.ServiceError),
        (429, errors.RateLimited),
        (500, errors.ServiceError),
    ],
)
def test_a_code_that_no_list_knows_is_shown_and_its_status_says_what_to_do(
    refusing: Callable[..., Any], status: int, kind: type[errors.LayerliftError]
) -> None:
    error = failure(refusing(status, "SomethingNew"))
    assert type(error) is kind
    assert "SomethingNew" in error.message
    assert error.action
    assert error.retry == (status in (429, 500))


@pytest.mark.parametrize(
    ("status", "code"), [(401, "unauthorized"), (404, "not_found"), (429, "rate_limited"), (503, "server_error")]
)
def test_a_status_without_a_code_has_an_entry_of_its_own(refusing: Callable[..., Any], status: int, code: str) -> None:
    error = failure(refusing(status))
    assert (error.code, error.status, error.request_id) == (code, status, "07" * 16)


@pytest.mark.parametrize("code", ["cancelled", "may_be_charged", "deadline", "consent_needed"])
def test_the_service_cannot_say_what_this_side_alone_knows(refusing: Callable[..., Any], code: str) -> None:
    error = failure(refusing(400, code))
    assert type(error) is errors.ServiceError
    assert code in error.message


def test_an_empty_account_is_an_error_that_asks_to_buy_units(make_twin: Callable[..., Any], picture: bytes) -> None:
    with pytest.raises(errors.TopUpError) as caught:
        finished(client(make_twin(units=0.0)), picture)
    assert caught.value.code == "CreditInsufficiency"


def test_a_wrong_key_is_an_error_that_asks_for_another_key_and_is_not_tried_again(twin: Any) -> None:
    waits = Waits()
    with pytest.raises(errors.AuthError) as caught:
        Waiting(twin.url, "sk-wrong", sleep=waits).balance()
    assert "layerlift key set" in caught.value.action
    assert (len(twin.requests), waits.seconds) == (1, [])


@pytest.mark.parametrize("key", ["sk with space", "sk-ключ", "sk\n", "sk\r\nX-Header: 1"])
def test_a_key_that_no_header_can_hold_is_refused_before_anything_is_sent(key: str) -> None:
    with pytest.raises(errors.AuthError):
        Waiting("https://api.example", key)


def test_no_key_at_all_is_an_error_that_asks_for_one() -> None:
    with pytest.raises(errors.SetupError) as caught:
        Waiting("https://api.example", "")
    assert caught.value.code == "key_missing"


def test_a_refusal_inside_an_answer_of_200_is_a_refusal() -> None:
    body = b'{"status": 401, "error": "no", "error_code": "ExpiredApiKey"}'
    with server(reply(body, x_request_id="r-1")) as api, pytest.raises(errors.AuthError) as caught:
        Waiting(api.url, KEY).balance()
    assert (caught.value.code, caught.value.status, caught.value.request_id) == ("ExpiredApiKey", 401, "r-1")


def test_an_answer_of_unknown_form_is_an_error_with_its_request_id() -> None:
    with server(reply(b'{"results": 5}', x_request_id="r-2")) as api, pytest.raises(errors.ServiceError) as caught:
        Waiting(api.url, KEY).balance()
    assert (caught.value.code, caught.value.status, caught.value.request_id) == ("bad_answer", 200, "r-2")


def test_the_services_words_are_shown_as_one_short_line() -> None:
    body = b'{"error": "red \\u001b[31m\\n\\ud800' + b"x" * 5000 + b'", "error_code": "BadRequest"}'
    with server(reply(body, status=400)) as api, pytest.raises(errors.ServiceError) as caught:
        Waiting(api.url, KEY).balance()
    assert caught.value.message.isprintable()
    assert "red" in caught.value.message
    assert len(caught.value.message) < 300


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b"", b"null", b"\xff\xfe", b'"text"', b'{"results":[{"amount":NaN}]}']
)
def test_an_answer_that_is_no_proper_json_is_an_error(body: bytes) -> None:
    with server(reply(body)) as api, pytest.raises(errors.LayerliftError) as caught:
        Waiting(api.url, KEY, sleep=Waits()).balance()
    assert caught.value.code in ("proxy_answer", "bad_answer")


def test_a_failure_in_passing_is_tried_again_with_a_growing_jittered_pause(refusing: Callable[..., Any]) -> None:
    twin, waits, asked = refusing(500, "unknown_internal_error"), Waits(), []

    def uniform(shortest: float, longest: float) -> float:
        asked.append((shortest, longest))
        return (shortest + longest) / 2

    with pytest.raises(errors.ServiceError):
        client(twin, sleep=waits, uniform=uniform).balance()
    longest = [BACKOFF_SECONDS * 2**number for number in range(ATTEMPTS - 1)]
    assert asked == [(each / 2, each) for each in longest]
    assert waits.seconds == [0.75 * each for each in longest]
    assert len(twin.calls("balance")) == ATTEMPTS


def test_too_many_requests_are_tried_again_for_as_long_as_the_limit_lasts(refusing: Callable[..., Any]) -> None:
    twin, waits = refusing(429), Waits()
    with pytest.raises(errors.RateLimited):
        client(twin, sleep=waits, uniform=lambda shortest, longest: shortest).balance()
    assert waits.seconds == [RATE_BACKOFF_SECONDS / 2 * 2**number for number in range(RATE_ATTEMPTS - 1)]
    assert 2 * sum(waits.seconds) > 240
    assert len(twin.calls("balance")) == RATE_ATTEMPTS


def test_a_client_that_waits_gets_through_the_rate_limit(make_twin: Callable[..., Any], clock: Any) -> None:
    twin = make_twin({"clock": clock}, rate=(1, 100.0))
    service = client(twin, sleep=clock.move)
    assert service.balance() == service.balance() == 1000.0


def test_a_wait_that_is_cancelled_ends_the_call(refusing: Callable[..., Any]) -> None:
    twin = refusing(500)

    def sleep(seconds: float) -> None:
        raise errors.make("cancelled")

    with pytest.raises(errors.Cancelled):
        client(twin, sleep=sleep).balance()
    assert len(twin.requests) == 1
    assert twin.requests[0].path == BALANCE
