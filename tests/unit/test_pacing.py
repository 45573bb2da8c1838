"""The budget of requests that all processes share."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from layerlift.service import pacing
from layerlift.service.pacing import Pacer
from layerlift.store.database import Database

SECONDS = 300.0


class Time:
    """A clock that is moved by sleeping alone."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0
        self.slept = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept += seconds


class Process(Pacer):
    """A process's pacer, whose requests all wait by one `sleep`."""

    def __init__(self, *arguments: Any, sleep: Callable[[float], None], **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.work = functools.partial(super().work, sleep)
        self.task = functools.partial(super().task, sleep)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def in_a_second(make: Callable[..., Pacer]) -> Callable[..., Pacer]:
    """Makes pacers with the service's own limit in a second."""
    return lambda **more: make(250, per_second=pacing.PER_SECOND, **more)


@pytest.fixture
def make(tmp_path: Path, time: Time) -> Iterator[Callable[..., Pacer]]:
    """Makes pacers as processes have them: each with a connection of its own. There is no limit in a second, unless a
    test asks for it."""
    with ExitStack() as stack:

        def pacer(requests: int = 100, seconds: float = SECONDS, **more: Any) -> Pacer:
            database = Database(tmp_path, synced=False)
            stack.callback(database.close)
            clocks = {"sleep": time.sleep, "hold": time.sleep, "clock": time, "uniform": lambda low, high: high}
            options = {"per_second": 10**6, **clocks, **more}
            return Process(database, requests, seconds, **options)

        yield pacer


def test_requests_of_all_processes_share_one_budget(make: Callable[..., Pacer], time: Time) -> None:
    pacers = [make(), make()]
    for number in range(100):
        pacers[number % 2].work()
    assert time.slept == 0
    pacers[0].work()
    assert SECONDS <= time.slept < SECONDS + 2


def test_the_oldest_request_makes_room_as_its_time_has_passed(make: Callable[..., Pacer], time: Time) -> None:
    pacer = make(4)
    for _ in range(4):
        pacer.work()
        time.now += 50
    pacer.work()
    assert 100 <= time.slept < 103


def test_a_poll_never_waits_and_counts(make: Callable[..., Pacer], time: Time) -> None:
    pacer = make(10)
    for _ in range(15):
        pacer.poll("task")
    assert time.slept == 0
    pacer.forget("task")
    pacer.work()
    assert time.slept >= SECONDS


def test_new_work_leaves_room_for_the_polls_of_what_runs(make: Callable[..., Pacer], time: Time) -> None:
    pacer = make(100)
    pacer.poll("task")
    for _ in range(100 - 1 - pacing.POLLS):
        pacer.work()
    assert time.slept == 0
    pacer.work()
    assert time.slept > 0


def test_a_task_starts_only_where_there_is_room_for_its_polls(make: Callable[..., Pacer], time: Time) -> None:
    pacer = make(100)
    for _ in range(100 - pacing.POLLS - 1):
        pacer.work()
    with pacer.task():
        assert time.slept == 0
        pacer.poll("first")
    time.now += 1
    with make(100).task():
        assert time.slept > SECONDS - pacing.HEARD_SECONDS


def test_a_task_that_has_ended_needs_no_room(make: Callable[..., Pacer], time: Time) -> None:
    pacer = make(60)
    for number in range(3):
        with pacer.task():
            pacer.poll(str(number))
        pacer.forget(str(number))
    for _ in range(60 - 6):
        pacer.work()
    assert time.slept == 0


def test_a_task_that_nobody_polls_any_more_needs_no_room(make: Callable[..., Pacer], time: Time) -> None:
    pacer = make(100)
    for number in range(4):
        pacer.poll(str(number))
    with pacer.task():
        assert pacing.HEARD_SECONDS <= time.slept < pacing.HEARD_SECONDS + 3


def test_a_budget_that_is_smaller_than_the_polls_of_a_task_still_starts_one(
    make: Callable[..., Pacer], time: Time
) -> None:
    with make(4).task():
        assert time.slept == 0


def test_one_request_too_many_makes_everybody_wait(make: Callable[..., Pacer], time: Time) -> None:
    make().pause(8)
    make().poll("task")
    assert time.slept == 0
    make().work()
    assert 8 <= time.slept <= 9


def test_a_clock_that_was_set_back_blocks_nobody(make: Callable[..., Pacer], time: Time) -> None:
    pacer = make(2)
    pacer.work()
    pacer.work()
    pacer.pause(SECONDS)
    time.now -= 1_000_000
    pacer.work()
    assert time.slept == 0


def test_a_wait_can_be_cancelled_and_is_counted_until_then(make: Callable[..., Pacer]) -> None:
    counts: list[int] = []

    def sleep(seconds: float) -> None:
        counts.append(pacer.waiting)
        raise InterruptedError

    pacer = make(2, sleep=sleep)
    pacer.work()
    pacer.work()
    with pytest.raises(InterruptedError):
        pacer.work()
    assert (counts, pacer.waiting) == ([1], 0)


def test_many_threads_never_pass_the_limit(make: Callable[..., Pacer], time: Time) -> None:
    waits: list[float] = []

    class Enough(Exception):
        pass

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        raise Enough

    done: list[int] = []

    def work() -> None:
        pacer = make(50, sleep=sleep)
        try:
            while True:
                pacer.work()
                done.append(1)
        except Enough:
            return

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(done), len(waits)) == (50, 4)


@pytest.mark.parametrize(("polls", "seconds", "waits"), [(1, 5.0, False), (1, 1.0, False), (3, 1.0, True)])
def test_room_for_polls_is_kept_for_the_time_when_they_are_due(
    make: Callable[..., Pacer], time: Time, polls: int, seconds: float, waits: bool
) -> None:
    pacer = make(10, 10.0)
    pacer.expect(polls, seconds)
    for _ in range(8):
        pacer.work()
    time.now += 6
    with pacer.task() as started:
        started("task")
    assert (time.slept > 0) == waits


def test_a_task_that_was_started_keeps_its_room_before_its_first_poll(make: Callable[..., Pacer], time: Time) -> None:
    pacer = make(10, 10.0)
    pacer.expect(5)
    with pacer.task() as started:
        started("task")
    for _ in range(4):
        pacer.work()
    assert time.slept == 0
    pacer.work()
    assert time.slept > 0


def most_in_a_second(times: list[float]) -> int:
    return max(sum(begin <= time < begin + 1 for time in times) for begin in times)


def test_no_more_than_five_requests_of_all_processes_go_within_a_second(
    in_a_second: Callable[..., Pacer], time: Time
) -> None:
    pacers, times = [in_a_second(), in_a_second()], list[float]()
    for number in range(30):
        pacers[number % 2].work()
        times.append(time.now)
    assert most_in_a_second(times) == 5
    assert times[-1] - times[0] < 5 * 1.5


def test_a_limit_for_a_second_takes_the_place_of_five(make: Callable[..., Pacer], time: Time) -> None:
    pacer = make(50, 1.0, per_second=pacing.PER_SECOND)
    for _ in range(50):
        pacer.work()
    assert time.slept == 0


def test_a_poll_waits_for_room_in_this_second_while_it_is_in_time(
    in_a_second: Callable[..., Pacer], time: Time
) -> None:
    pacer = in_a_second()
    for _ in range(4):
        pacer.work()
    pacer.poll("task", spare=2.0)
    assert time.slept == 0
    pacer.poll("task", spare=2.0)
    assert 1.0 <= time.slept <= 1.3


def test_a_poll_that_would_be_late_waits_no_longer(in_a_second: Callable[..., Pacer], time: Time) -> None:
    pacer = in_a_second()
    for _ in range(5):
        pacer.work()
    pacer.poll("task", spare=0.5)
    assert time.slept == pytest.approx(0.5)
    pacer.poll("task")
    assert time.slept == pytest.approx(0.5)


def test_a_poll_makes_way_for_the_requests_of_other_processes_that_are_known(
    in_a_second: Callable[..., Pacer], time: Time
) -> None:
    pacer, other = in_a_second(), in_a_second()
    for _ in range(4):
        other.work()
    pacer.work()
    pacer.poll("task", spare=2.0)
    assert 1.0 <= time.slept <= 1.3


def test_a_poll_waits_for_no_disk(in_a_second: Callable[..., Pacer], tmp_path: Path, time: Time) -> None:
    pacer = in_a_second()
    with Database(tmp_path, synced=False).writing():
        for _ in range(7):
            pacer.poll("task", spare=2.0)
        assert 1.0 <= time.slept <= 1.3


def test_a_poll_that_is_cancelled_meanwhile_waits_all_the_same(in_a_second: Callable[..., Pacer], time: Time) -> None:
    def sleep(seconds: float) -> None:
        raise InterruptedError

    pacer = in_a_second(sleep=sleep)
    for _ in range(6):
        pacer.poll("task", spare=2.0)
    assert time.slept >= 1.0


@pytest.mark.parametrize(("gap", "fit"), [(0.375, 1), (0.75, 2), (1.5, 4), (3.0, 9)])
def test_only_so_many_tasks_run_as_can_be_polled_within_each_second(
    in_a_second: Callable[..., Pacer], time: Time, gap: float, fit: int
) -> None:
    class Enough(Exception):
        pass

    def sleep(seconds: float) -> None:
        """Polls meanwhile what is to be polled."""
        time.sleep(seconds)
        for task, last in polled.items():
            if time.now - last >= gap:
                pacer.poll(task, spare=gap / 5)
                polled[task] = time.now
        if time.now - begin > 12 * gap + 6:
            raise Enough

    pacer, polled, begin = in_a_second(sleep=sleep, uniform=lambda low, high: low), dict[str, float](), time.now
    pacer.expect(1, gap)
    pacer.learn_gap(gap)
    with pytest.raises(Enough):
        for number in range(99):
            with pacer.task() as started:
                started(str(number))
            polled[str(number)] = time.now
    assert len(polled) == fit


def test_new_work_leaves_room_for_the_polls_that_are_due_within_the_second(
    in_a_second: Callable[..., Pacer], time: Time
) -> None:
    pacer = in_a_second()
    for number in range(3):
        pacer.poll(str(number))
    time.now += pacing.GAP_SECONDS - 0.2
    pacer.work()
    pacer.work()
    assert time.slept == 0
    pacer.work()
    assert time.slept > 0.2


def test_a_limit_in_a_second_that_polls_use_up_still_starts_a_task(
    in_a_second: Callable[..., Pacer], time: Time
) -> None:
    pacer = in_a_second()
    pacer.learn_gap(0.1)
    with pacer.task():
        assert time.slept == 0


def test_one_task_is_started_before_anybody_knows_how_often_they_have_to_be_polled(
    in_a_second: Callable[..., Pacer], time: Time
) -> None:
    class Enough(Exception):
        pass

    def sleep(seconds: float) -> None:
        time.sleep(seconds)
        pacer.poll("first", spare=0.1)
        if time.slept > 10:
            raise Enough

    pacer = in_a_second(sleep=sleep)
    with pacer.task() as started:
        started("first")
    with pytest.raises(Enough), pacer.task():
        pass
    with in_a_second().task():
        """Another process may have one, too."""
    pacer.learn_gap(1.5)
    time.now, time.slept = time.now + 2, 0.0
    with pacer.task():
        assert time.slept == 0


def test_a_first_task_of_which_nobody_hears_any_more_holds_up_no_other(
    in_a_second: Callable[..., Pacer], time: Time
) -> None:
    pacer = in_a_second()
    with pacer.task() as started:
        started("first")
    with pacer.task():
        assert pacing.HEARD_SECONDS <= time.slept < pacing.HEARD_SECONDS + 3
