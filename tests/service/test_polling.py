"""Polling is the law of the service: early, on time, and on through every failure that is not its last word."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from layerlift import errors
from layerlift.service import polling
from layerlift.service.answers import Task, TaskState
from layerlift.service.service import Service
from layerlift.twin import Fault

from .wire import KEY, certificate, client, finished, reply, server, uploaded

PASSING = ("reset_before", "reset_after", "truncated", "html", "not_the_form", "429", "500", "502", "503", "504")
NOT_ACTED_ON = ("reset_before", "html", "429", "500", "503")


class Run:
    """One task of a twin whose time stands still but for the client's sleeping."""

    def __init__(self, make_twin: Callable[..., Any], clock: Any, picture: bytes, **options: Any) -> None:
        self.twin = make_twin({"clock": clock}, **{"rate": (10**6, 300.0), **options})
        self.clock = clock
        self._service = client(self.twin)
        file_id = uploaded(self._service, picture)
        self.started = clock.now
        self.task = self._service.run(file_id)

    def wait(self, **more: Any) -> TaskState:
        return polling.wait(self._service, self.task, sleep=self.clock.move, clock=self.clock, **more)

    def gaps(self) -> list[float]:
        """Seconds between the polls, the first since the run."""
        times = [self.started, *(call.time for call in self.twin.calls("poll"))]
        return [later - earlier for earlier, later in zip(times, times[1:], strict=False)]


@pytest.fixture
def started(make_twin: Callable[..., Any], clock: Any, picture: bytes) -> Callable[..., Run]:
    return lambda **options: Run(make_twin, clock, picture, **options)


@pytest.mark.parametrize(("ready", "at_most"), [(0.2, 0.3), (0.8, 1.25), (1.5, 1.85), (2.5, 2.65)])
def test_a_result_that_is_ready_soon_is_seen_soon(started: Callable[..., Run], ready: float, at_most: float) -> None:
    run = started(run_seconds=ready)
    assert run.wait().status == "success"
    assert run.clock.now - run.started <= at_most


@pytest.mark.parametrize(
    ("forms", "milliseconds", "law"),
    [
        (["interval_in_run"], 500, 0.5),
        (["interval_in_poll"], 500, 0.5),
        ([], 700, 0.7),
        ([], 10_000, 10.0),
        (["interval_nowhere"], 2000, 2.0),
    ],
)
def test_no_poll_is_later_than_the_interval_that_the_service_tells(
    started: Callable[..., Run], forms: list[str], milliseconds: int, law: float
) -> None:
    run = started(forms=forms, polling_interval_ms=milliseconds, run_seconds=30 * law)
    assert run.wait().status == "success"
    assert run.twin.late_polls == 0
    assert max(run.gaps()) < law


def test_a_long_task_stays_within_the_rate_limit(started: Callable[..., Run]) -> None:
    run = started(rate=(250, 300.0), run_seconds=550.0, poll_within_seconds=2.0)
    assert run.wait().status == "success"
    assert {call.status for call in run.twin.calls("poll")} == {200}


@pytest.mark.parametrize("kind", PASSING)
def test_polling_goes_on_through_failures_in_passing(started: Callable[..., Run], kind: str) -> None:
    run = started(run_seconds=3.0)
    run.twin.inject(Fault("poll", kind, times=8, after=1))
    assert run.wait().status == "success"
    assert (run.twin.late_polls, run.twin.charged) == (0, 1)


@pytest.mark.parametrize("kind", NOT_ACTED_ON)
@pytest.mark.parametrize("after", [1, 9])
def test_after_a_failure_the_next_poll_still_comes_within_the_interval(
    started: Callable[..., Run], kind: str, after: int
) -> None:
    run = started(polling_interval_ms=500, run_seconds=6.0)
    run.twin.inject(Fault("poll", kind, times=2, after=after))
    assert run.wait().status == "success"
    assert run.twin.late_polls == 0


def test_answers_that_hang_do_not_hold_up_the_next_poll(make_twin: Callable[..., Any], picture: bytes) -> None:
    """In real time: the law of polling."""
    twin = make_twin(polling_interval_ms=500, run_seconds=1.0, faults=(Fault("poll", "hang", times=4, seconds=1.5),))
    _, state = finished(client(twin), picture)
    assert state.status == "success"
    assert (twin.late_polls, twin.charged) == (0, 1)


def test_an_answer_that_is_slower_than_the_interval_is_heard_in_the_end(
    make_twin: Callable[..., Any], picture: bytes
) -> None:
    twin = make_twin(polling_interval_ms=500, faults=(Fault("poll", "hang", times=10**6, seconds=0.9),))
    service = client(twin)
    task = service.run(uploaded(service, picture))
    assert polling.wait(service, task, deadline=10.0).status == "success"
    assert twin.late_polls == 0


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        ("400", "InvalidTaskId", errors.ServiceError),
        ("500", "TaskTimeout", errors.ServiceError),
        ("401", "ExpiredApiKey", errors.AuthError),
        ("401", "", errors.AuthError),
        ("404", "", errors.ServiceError),
    ],
)
def test_the_services_last_word_ends_the_polling(
    started: Callable[..., Run], status: str, code: str, kind: type[errors.LayerliftError]
) -> None:
    run = started(run_seconds=60.0, faults=(Fault("poll", status, code=code, times=99),))
    with pytest.raises(kind) as caught:
        run.wait()
    assert caught.value.request_id
    assert len(run.twin.calls("poll")) == 1


def test_a_failed_task_ends_the_polling(started: Callable[..., Run]) -> None:
    run = started()
    run.twin.inject(Fault("run", "engine", code="error_nsfw_content_detected"))
    run.task = client(run.twin).run(next(iter(run.twin.uploads)))
    state = run.wait()
    assert (state.status, state.error_code) == ("error", "error_nsfw_content_detected")


def test_a_task_that_does_not_end_is_given_up_at_the_deadline_and_may_be_charged(started: Callable[..., Run]) -> None:
    run = started(run_seconds=1e6)
    with pytest.raises(errors.MayBeCharged) as caught:
        run.wait(deadline=30.0)
    assert caught.value.code == "deadline"
    assert 30 < run.clock.now - run.started < 33


def test_a_network_that_stays_away_is_waited_for_until_the_deadline(clock: Any, make_twin: Callable[..., Any]) -> None:
    twin = make_twin()
    twin.close()
    start = clock.now
    with pytest.raises(errors.MayBeCharged):
        polling.wait(client(twin), Task("t", 0.5), sleep=clock.move, clock=clock, deadline=60.0)
    assert 60 < clock.now - start < 61


def test_every_poll_is_announced_with_the_seconds_so_far(started: Callable[..., Run]) -> None:
    run = started(run_seconds=5.0)
    told: list[float] = []
    run.wait(waiting=told.append)
    assert told == sorted(told)
    assert (told[0], len(told)) == (0.0, len(run.twin.calls("poll")))


@pytest.mark.parametrize("where", ["sleep", "waiting"])
def test_a_cancel_ends_the_polling_at_once(started: Callable[..., Run], where: str) -> None:
    run = started(run_seconds=60.0)

    def cancel(seconds: float) -> None:
        raise errors.make("cancelled")

    with pytest.raises(errors.Cancelled):
        polling.wait(client(run.twin), run.task, **{"sleep": run.clock.move, "clock": run.clock, where: cancel})
    assert len(run.twin.calls("poll")) <= 1


def test_threads_that_hang_do_not_outlive_the_process(make_twin: Callable[..., Any], picture: bytes) -> None:
    twin = make_twin(faults=(Fault("poll", "hang", seconds=600.0),))
    before = set(threading.enumerate())
    assert finished(client(twin), picture)[1].status == "success"
    assert all(thread.daemon for thread in set(threading.enumerate()) - before if thread.name.startswith("Thread"))


def test_a_bad_certificate_does_not_end_the_polling_of_what_was_paid_for(tmp_path: Any, clock: Any) -> None:
    """A log-in page that comes up in the middle of a task shows a certificate of its own."""
    with server(reply(b"{}"), certificate(tmp_path)) as api, pytest.raises(errors.MayBeCharged):
        polling.wait(Service(api.url, KEY), Task("t", 2.0), sleep=clock.move, clock=clock, deadline=5.0)
