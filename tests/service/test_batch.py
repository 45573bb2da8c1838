"""Many removals side by side: each delivered, each paid once, whatever becomes of the others."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from layerlift import errors
from layerlift.imaging.pictures import Picture
from layerlift.removal import batch, single
from layerlift.removal.batch import Batch, End, Overview
from layerlift.removal.cancelling import Cancel
from layerlift.removal.engines import Engines
from layerlift.removal.single import Outcome
from layerlift.removal.stages import Stage
from layerlift.store.settings import Settings
from layerlift.twin import EngineError, Fault, Twin, luma_key

WIDTH, HEIGHT = 64, 48


class Photo:
    """A picture whose left half, of a gray of its own, is the subject."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.delivered = 0

    def load(self) -> Picture:
        pixels = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
        pixels[:, : WIDTH // 2] = 0
        pixels[: HEIGHT // 2, : WIDTH // 4] = 2 * self.number
        return Picture(pixels)

    def deliver(self, picture: Picture, outcome: Outcome) -> tuple[int, bool]:
        assert picture.pixels[0, 0, 0] == 2 * self.number
        assert outcome.alpha.shape == (HEIGHT, WIDTH)
        assert (outcome.alpha[:, WIDTH // 2 + 4 :] == 0).all() and (outcome.alpha[-8:, : WIDTH // 2 - 4] == 255).all()
        self.delivered += 1
        return outcome.units, outcome.cached


class World:
    """A user with a twin, who runs batches."""

    def __init__(self, twin: Twin, home: Path, **variables: str) -> None:
        self.twin = twin
        account = {"YOUCAM_API_URL": twin.url, "YOUCAM_API_KEY": twin.key}
        self.settings = Settings({"LAYERLIFT_HOME": str(home), **account, **variables})
        self.event = threading.Event()

    def ends(self, jobs: list[Any], on_end: Callable[[End[Any]], object] = lambda end: None, **more: Any) -> list[Any]:
        """The ends of the jobs, in the jobs' order; all that is paid for has ended too."""
        self.event.clear()
        found: dict[int, End[Any]] = {}
        with Engines(self.settings) as engines:
            engine = engines.open("youcam", Cancel(self.event).sleep)
            for end in Batch(self.event, engines.background).run(jobs, engine, **more):
                found[end.number] = end
                on_end(end)
        assert sorted(found) == list(range(len(jobs)))
        return [found[number] for number in range(len(jobs))]

    @property
    def counts(self) -> tuple[int, float]:
        """Tasks started, units charged."""
        return len(self.twin.calls("run")), self.twin.charged


@pytest.fixture
def world(make_twin: Callable[..., Twin], tmp_path: Path) -> Callable[..., World]:
    def make(*faults: Fault, variables: dict[str, str] | None = None, **options: Any) -> World:
        options = {"rate": (10_000, 1.0), "faults": faults, **options}
        rate = "{}/{}".format(*options["rate"])
        return World(make_twin(**options), tmp_path, **{"LAYERLIFT_RATE": rate, **(variables or {})})

    return make


def codes(ends: list[End[Any]]) -> list[str]:
    """What became of each: its error's code, or what it cost."""
    return [getattr(end.error, "code", type(end.error).__name__) if end.error else str(end.result[0]) for end in ends]


def test_every_picture_is_delivered_and_paid_once(world: Callable[..., World]) -> None:
    user, jobs = world(run_seconds=0.3), [Photo(number) for number in range(40)]
    assert codes(user.ends(jobs)) == ["1"] * 40
    assert user.counts == (40, 40.0)
    assert [job.delivered for job in jobs] == [1] * 40
    assert user.twin.late_polls == 0


def test_files_are_declared_together(world: Callable[..., World]) -> None:
    user = world()
    user.ends([Photo(number) for number in range(batch.GROUP)])
    assert len(user.twin.calls("declare")) <= 3


def test_consent_that_is_taken_back_stops_the_uploads_at_once(
    world: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("layerlift.removal.engines.is_loopback", lambda url: False)
    user, jobs = world(run_seconds=0.3), [Photo(number) for number in range(60)]
    user.settings.agree("127.0.0.1")
    uploads: list[int] = []

    def take_back(_: End[Any]) -> None:
        if not uploads:
            # As another process does.
            Settings({"LAYERLIFT_HOME": str(user.settings.config_folder)}).agree("127.0.0.1", False)
            uploads.append(len(user.twin.calls("upload")))

    found = codes(user.ends(jobs, take_back))
    assert len(user.twin.calls("upload")) <= uploads[0] + batch.TRANSFERS < len(jobs)
    assert set(found) == {"1", "consent_needed", "not_started"} and found.count("consent_needed") == 1
    assert user.counts == (found.count("1"), float(found.count("1")))


def test_consent_that_is_taken_back_while_the_limit_holds_up_a_declaration_is_seen(
    world: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("layerlift.removal.engines.is_loopback", lambda url: False)
    user = world()
    user.settings.agree("127.0.0.1")

    def declare(self: Any, upload: Any, engine: Any, sleep: Any) -> Any:
        user.settings.agree("127.0.0.1", False)
        return engine.service.declare([upload], sleep=sleep)[0]

    monkeypatch.setattr("layerlift.removal.batch._Turns.declare", declare)
    assert codes(user.ends([Photo(1)])) == ["consent_needed"]
    assert (len(user.twin.calls("declare")), user.twin.calls("upload")) == (1, [])


def test_what_was_paid_for_is_free_and_asks_the_service_nothing(world: Callable[..., World]) -> None:
    user = world()
    user.ends([Photo(number) for number in range(5)])
    before = len(user.twin.requests)
    assert [end.result for end in user.ends([Photo(number) for number in range(5)])] == [(0, True)] * 5
    assert len(user.twin.requests) == before


def test_what_is_kept_at_full_size_alone_is_paid_for_too(world: Callable[..., World]) -> None:
    user, photo = world(), Photo(1)
    user.ends([photo])
    with Engines(user.settings) as engines:
        engine = engines.open("youcam", time.sleep)
        assert engine.journal
        name = single.picture_name(photo.load(), engine)
        known = engine.journal.find_alias(name)
        assert known
        cache = engine.journal.cache
        cache.path(known.picture).rename(cache.path(name))
        assert single.is_paid(photo.load(), engine)
        assert not single.is_paid(Photo(2).load(), engine)
    assert [end.result for end in user.ends([photo])] == [(0, True)]


def test_the_same_picture_many_times_is_paid_once(world: Callable[..., World]) -> None:
    user = world(run_seconds=0.2)
    ends = user.ends([Photo(1) for _ in range(6)])
    assert sorted(codes(ends)) == ["0"] * 5 + ["1"]
    assert user.counts == (1, 1.0)


class Broken(Photo):
    """A picture that can't be read, or whose cut-out can't be stored."""

    def __init__(self, number: int, *, load: Exception | None = None, deliver: Exception | None = None) -> None:
        super().__init__(number)
        self._load, self._deliver = load, deliver

    def load(self) -> Picture:
        if self._load:
            raise self._load
        return super().load()

    def deliver(self, picture: Picture, outcome: Outcome) -> tuple[int, bool]:
        if self._deliver:
            raise self._deliver
        return super().deliver(picture, outcome)


def test_a_picture_that_can_not_be_done_fails_alone(world: Callable[..., World]) -> None:
    def engine(picture: bytes) -> bytes:
        with guard:
            calls.append(picture)
            if len(calls) == 3:
                raise EngineError("error_nsfw_content_detected")
        return luma_key(picture)

    guard, calls = threading.Lock(), list[bytes]()
    user = world(engine=engine)
    jobs = [Photo(number) for number in range(8)]
    jobs[2] = Broken(2, load=errors.make("picture_unreadable"))
    jobs[4] = Broken(4, load=MemoryError())
    jobs[5] = Broken(5, deliver=OSError(28, "No space left on device"))
    found = codes(user.ends(jobs))
    assert [found[2], found[4]] == ["picture_unreadable", "MemoryError"]
    # whose task was the third is by chance: that of the picture that can't be stored, or not
    assert found.count("1") + found.count("OSError") == 5 == user.twin.charged
    assert found.count("error_nsfw_content_detected") == 1


def test_a_file_that_is_refused_takes_no_other_of_its_group_along(world: Callable[..., World]) -> None:
    user = world(Fault("declare", "400", code="InvalidParameters", times=1))
    assert codes(user.ends([Photo(number) for number in range(6)])) == ["1"] * 6


@pytest.mark.parametrize("held", [0, 3])
def test_an_empty_account_stops_the_rest_and_delivers_what_is_paid_for(world: Callable[..., World], held: int) -> None:
    user, jobs = world(units=float(held), run_seconds=0.3), [Photo(number) for number in range(60)]
    ends = user.ends(jobs)
    found = codes(ends)
    assert found.count("1") == held == user.twin.charged
    assert set(found) - {"1"} <= {"CreditInsufficiency", "not_started"}
    assert found.count("not_started") >= 60 - held - batch.IN_FLIGHT
    assert all("no units" in str(end.error) for end in ends if end.error)
    assert len(user.twin.calls("run")) <= batch.IN_FLIGHT


def test_a_key_that_is_refused_stops_the_rest(world: Callable[..., World]) -> None:
    user = world(variables={"YOUCAM_API_KEY": "sk-of-somebody-else"})
    found = codes(user.ends([Photo(number) for number in range(60)]))
    assert set(found) == {"InvalidApiKey", "not_started"}
    assert user.counts == (0, 0.0)


def test_a_key_that_expires_in_the_middle_loses_nothing(world: Callable[..., World]) -> None:
    user = world(Fault("run", "401", code="ExpiredApiKey", times=99, after=5), run_seconds=0.3)
    found = codes(user.ends([Photo(number) for number in range(30)]))
    assert found.count("1") == 5 == user.twin.charged


def test_cancel_keeps_what_is_done_and_finishes_what_is_paid_for(world: Callable[..., World]) -> None:
    def enough(end: End[Any]) -> None:
        if sum(job.delivered for job in jobs) >= 3:
            user.event.set()

    user = world(run_seconds=0.5, variables={"LAYERLIFT_RATE": "60/10"})
    jobs = [Photo(number) for number in range(40)]
    found = codes(user.ends(jobs, enough))
    done = found.count("1")
    assert done >= 3 and set(found) == {"1", "cancelled"}
    paid = int(user.twin.charged)
    assert len(user.twin.calls("run")) == paid < 40
    user.settings = World(user.twin, user.settings.state_folder, LAYERLIFT_RATE="10000/1").settings
    again = codes(user.ends(jobs))
    assert again.count("0") == paid and user.twin.charged == 40


def test_two_pictures_are_in_memory_at_a_time_and_none_while_the_service_works(world: Callable[..., World]) -> None:
    loaded: list[weakref.ref[Picture]] = []
    most = 0

    class Seen(Photo):
        def load(self) -> Picture:
            nonlocal most
            picture = super().load()
            loaded.append(weakref.ref(picture))
            most = max(most, sum(one() is not None for one in loaded))
            return picture

    user = world(run_seconds=0.5)
    assert codes(user.ends([Seen(number) for number in range(30)])) == ["1"] * 30
    assert most <= batch.SLOTS + 1


def test_a_picture_that_changes_meanwhile_is_told_and_kept(world: Callable[..., World]) -> None:
    class Changing(Photo):
        def load(self) -> Picture:
            picture = super().load()
            self.number += 1
            return picture if self.number == 1 else Picture(picture.pixels[:-1])

    user = world()
    assert codes(user.ends([Changing(0)])) == ["picture_changed"]
    assert codes(user.ends([Photo(0)])) == ["0"]


def test_the_limit_is_kept_and_no_task_is_lost(world: Callable[..., World]) -> None:
    """In real time: the laws of the rate and of polling, which have to make room for each other."""
    user = world(rate=(25, 10.0), run_seconds=1.0, polling_interval_ms=4000)
    assert codes(user.ends([Photo(number) for number in range(15)])) == ["1"] * 15
    assert {call.status for call in user.twin.requests if call.status == 429} == set()
    assert (user.twin.late_polls, user.twin.charged) == (0, 15)


def test_five_requests_in_a_second_are_enough_for_a_batch_and_lose_no_task(world: Callable[..., World]) -> None:
    """In real time: the limit in a second, and the law of polling beside it."""
    user = world(rate=(250, 300.0), per_second=5, run_seconds=1.5, polling_interval_ms=1000)
    assert codes(user.ends([Photo(number) for number in range(3)])) == ["1"] * 3
    assert (user.twin.late_polls, user.twin.charged) == (0, 3)
    assert len([call for call in user.twin.requests if call.status == 429]) <= 1


def test_the_first_task_is_looked_at_often_since_the_others_wait_for_what_it_takes(world: Callable[..., World]) -> None:
    user = world(rate=(50, 10.0), run_seconds=2.0, polling_interval_ms=8000)
    assert codes(user.ends([Photo(0)])) == ["1"]
    assert len(user.twin.calls("poll")) >= 3


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        *((step, kind) for step in ("declare", "poll", "download") for kind in ("reset_before", "503", "truncated")),
        *(("upload", kind) for kind in ("reset_before", "503")),
        *((step, "429") for step in ("declare", "run", "poll")),
    ],
)
def test_failures_in_passing_cost_nothing_and_lose_nothing(world: Callable[..., World], step: str, kind: str) -> None:
    user = world(Fault(step, kind, times=3, after=1), run_seconds=0.3, polling_interval_ms=4000)
    assert codes(user.ends([Photo(number) for number in range(8)])) == ["1"] * 8
    assert (user.twin.late_polls, user.twin.charged) == (0, 8)


def test_a_run_that_may_have_been_heard_is_told_and_not_repeated(world: Callable[..., World]) -> None:
    user = world(Fault("run", "reset_after", times=1, after=2), run_seconds=0.3)
    found = codes(user.ends([Photo(number) for number in range(6)]))
    assert found.count("1") >= 5 and set(found) <= {"1", "may_be_charged"}
    assert user.counts == (6, 6.0)


def test_all_files_are_deleted_from_the_service_in_the_end(world: Callable[..., World]) -> None:
    user = world()
    user.ends([Photo(number) for number in range(12)])
    deleted, delivered = user.twin.calls("delete"), user.twin.calls("download")
    assert len(deleted) == 12
    assert min(call.time for call in deleted) >= max(call.time for call in delivered)


def test_news_of_many_pictures_are_one_line(world: Callable[..., World]) -> None:
    told: list[tuple[float, str]] = []
    overview = Overview(["a", "b", "c"], lambda fraction, text: told.append((fraction, text)))
    overview.update(1, Stage.WAITING, 0.5, "")
    overview.update(2, Stage.PREPARE, 0.0, "")
    overview.update(1, Stage.READ, 0.5, "")
    assert told[-1][1] == "0 of 3, waiting for b and 1 more"
    overview.finish(1)
    overview.finish(0)
    assert told[-1][1] == "2 of 3, waiting for c"
    overview.finish(2)
    assert told[-1] == (1.0, "3 of 3")
    assert [fraction for fraction, _ in told] == sorted(fraction for fraction, _ in told)
