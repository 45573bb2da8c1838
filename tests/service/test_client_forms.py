"""The client's whole chain in every form that the service was seen to answer in."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from itertools import zip_longest
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from layerlift import errors
from layerlift.service import polling
from layerlift.twin import FORMS, Fault
from PIL import Image

from .wire import File, Waiting, Waits, client, finished, reply, server, uploaded

EXCLUSIVE = (
    ("results_list", "results_data", "results_list_data", ""),
    ("error_null", "error_none"),
    ("interval_in_run", "interval_in_poll", "interval_nowhere"),
)
ALWAYS = sorted(set(FORMS) - {form for group in EXCLUSIVE for form in group})
COMBINED = [
    [*ALWAYS, *(form for form in forms if form)] for forms in zip_longest(*EXCLUSIVE, fillvalue="interval_in_poll")
]


@pytest.mark.parametrize("forms", [[], *([form] for form in FORMS), *COMBINED], ids="+".join)
def test_the_chain_passes_in_every_form(make_twin: Callable[..., Any], picture: bytes, forms: list[str]) -> None:
    twin = make_twin(forms=forms, polling_interval_ms=2000, units=10.0)
    service = client(twin)
    task, state = finished(service, picture)
    assert list(twin.uploads.values()) == [picture]
    assert state.status == "success"
    with Image.open(io.BytesIO(service.download(str(state.result_url)))) as cut_out:
        assert (cut_out.mode, cut_out.size) == ("RGBA", (64, 48))
    assert bool(state.dst_id) == any(form.startswith("dst_id") for form in forms)
    if "history_with_odd_ids" in forms:
        assert list(service.history()) == []
    else:
        [charge] = service.history()
        target = None if "history_without_targets" in forms else task.task_id
        assert (charge.target_id, charge.units, charge.action) == (target, 1.0, "api_background_removal")
        assert charge.charge_id == str(twin.ledger[0].id)
    assert service.balance() == 9.0
    assert twin.charged == 1
    service.delete(task.task_id)
    with pytest.raises(errors.ServiceError) as caught:
        service.poll(task.task_id)
    assert caught.value.code == "InvalidTaskId"


@pytest.mark.parametrize("forms", [[], ["interval_in_run"], ["interval_in_poll"], ["interval_nowhere"]], ids=str)
def test_the_polling_interval_is_taken_from_where_it_stands(
    make_twin: Callable[..., Any], picture: bytes, forms: list[str]
) -> None:
    twin = make_twin(forms=forms, polling_interval_ms=1500, run_seconds=60.0)
    service = client(twin)
    task = service.run(uploaded(service, picture))
    assert task.polling_interval == (1.5 if forms in ([], ["interval_in_run"]) else None)
    assert service.poll(task.task_id).polling_interval == (1.5 if forms in ([], ["interval_in_poll"]) else None)


def test_ids_with_plus_slash_and_equals_sign_survive(make_twin: Callable[..., Any], picture: bytes) -> None:
    twin = make_twin(forms=["base64_ids", "dst_id_in_results"])
    service = client(twin)
    task, state = finished(service, picture)
    for name in (*twin.uploads, task.task_id, str(state.dst_id)):
        assert {"+", "/", "="} <= set(name)
    assert twin.calls("poll")[0].path.endswith(task.task_id.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D"))


@pytest.mark.parametrize(
    "forms", [[], ["error_object"], ["status_field"], ["error_object", "status_field"]], ids="+".join
)
def test_a_failed_task_tells_code_and_words_in_every_form(
    make_twin: Callable[..., Any], make_picture: Callable[..., bytes], forms: list[str]
) -> None:
    twin = make_twin(forms=forms)
    service = client(twin)
    _, state = finished(service, make_picture(dark=255))
    assert (state.status, state.error_code, state.error_message) == (
        "error",
        "error_no_subject",
        "No subject was found",
    )
    assert twin.charged == 0


@pytest.mark.parametrize(("forms", "code"), [([], "not_found"), (["missing_file_500"], "may_be_charged")])
def test_a_file_that_was_never_uploaded_is_an_error_and_costs_nothing(
    make_twin: Callable[..., Any], picture: bytes, forms: list[str], code: str
) -> None:
    twin = make_twin(forms=forms)
    service = client(twin)
    [destination] = service.declare([File(picture)])
    with pytest.raises(errors.LayerliftError) as caught:
        service.run(destination.file_id)
    assert caught.value.code == code
    assert twin.charged == 0


@pytest.mark.parametrize(("forms", "code"), [([], "InvalidTaskId"), (["late_poll_500"], "TaskTimeout")])
def test_a_task_that_was_polled_late_is_lost_and_the_user_is_told_of_the_charge(
    make_twin: Callable[..., Any], picture: bytes, clock: Any, forms: list[str], code: str
) -> None:
    twin = make_twin({"clock": clock, "wall": clock}, forms=forms, run_seconds=60, polling_interval_ms=2000)
    service = client(twin)
    task = service.run(uploaded(service, picture))
    clock.move(3)
    with pytest.raises(errors.ServiceError) as caught:
        polling.wait(service, task)
    assert caught.value.code == code
    assert "charged" in caught.value.action
    assert (twin.charged, len(twin.calls("poll"))) == (1, 1)


def test_several_files_are_declared_in_one_call(make_twin: Callable[..., Any], make_picture: Any) -> None:
    twin = make_twin()
    service = client(twin)
    pictures = [make_picture(side, side) for side in (16, 32, 48)]
    destinations = service.declare([File(data) for data in pictures])
    for destination, data in zip(destinations, pictures, strict=True):
        service.upload(destination, data)
    assert list(twin.uploads.values()) == pictures
    assert len(twin.calls("declare")) == 1


def test_the_history_is_read_over_all_its_pages(
    make_twin: Callable[..., Any], raw: Callable[..., Any], picture: bytes
) -> None:
    twin = make_twin(forms=["numeric_ids"])
    direct = raw(twin)
    file = direct.uploaded(picture)
    for _ in range(45):
        direct.ended(direct.run(file).json()["data"]["task_id"])
    charges = list(client(twin).history())
    assert [charge.charge_id for charge in charges] == [str(charge.id) for charge in reversed(twin.ledger)]
    assert [charge.target_id for charge in charges] == [charge.task_id for charge in reversed(twin.ledger)]
    assert len(twin.calls("history")) == 3


def test_prices_name_what_a_removal_costs(twin: Any) -> None:
    [price] = [price for price in client(twin).prices() if price.run_task_url.endswith("/task/sod")]
    assert price.units == 1.0


def test_prices_are_read_over_all_their_pages_and_tokens_are_sent_encoded() -> None:
    pages: dict[str, tuple[str, str | None]] = {"": ("a", "1+/="), "1+/=": ("b", "2&x"), "2&x": ("c", None)}

    def answer(request: Any) -> None:
        token = parse_qs(urlsplit(request.path).query).get("starting_token", [""])[0]
        name, following = pages[token]
        page = {"next_token": following, "skus": [{"description": name, "amount": 2, "run_task_url": "/x"}]}
        reply(json.dumps({"status": 200, "result": page}).encode())(request)

    with server(answer) as api:
        assert [price.description for price in Waiting(api.url, "k").prices()] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("forms", "units"), [([], 10.04), (["no_amount_dec"], 10.0), (["expired_units", "no_amount_dec"], 10.0)], ids=str
)
def test_the_balance_counts_what_has_not_expired(make_twin: Callable[..., Any], forms: list[str], units: float) -> None:
    assert client(make_twin(forms=forms, units=10.04)).balance() == pytest.approx(units)


def test_the_short_path_is_taken_only_where_the_long_one_is_not_found(make_twin: Callable[..., Any]) -> None:
    twin = make_twin(faults=(Fault("declare", "400", code="InvalidParameters"),))
    with pytest.raises(errors.ServiceError):
        client(twin, sleep=Waits()).declare([File(b"x")])
    assert [call.path for call in twin.requests] == ["/s2s/v2.0/file/sod"]
