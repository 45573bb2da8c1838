"""Batches as a host asks the worker for them."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.holding import Held
from helpers.waiting import wait_for
from layerlift import errors
from layerlift.imaging.pictures import read_raw
from layerlift.removal import account, single
from layerlift.removal.cancelling import Cancel
from layerlift.removal.engines import Engine, Engines
from layerlift.store.entries import digest
from layerlift.store.settings import Settings
from layerlift.twin import Fault, Twin

from .proxy import Proxy
from .wire import client
from .worker_host import HEIGHT, WIDTH, Host, expected, steps

ASKED = {"engine": "auto"}


def pictures(host: Host, names: str) -> list[dict[str, Any]]:
    """Files of pictures, each with a mark of its own below the same steps."""
    for name in names:
        marked = np.array(steps())
        marked[-1] = ord(name)
        (host.folder / f"{name}.raw").write_bytes(marked.tobytes())
    return [
        {"name": f"{name} b.jpg", "pixels": f"{name}.raw", "width": WIDTH, "height": HEIGHT, "channels": 3}
        for name in names
    ]


def asked(twin: Twin) -> list[Any]:
    """What the service was asked, but for what it deletes some time later."""
    return [call for call in twin.requests if call.step != "delete"]


def keep_alpha(environ: dict[str, str], pixels: Path) -> None:
    """Has the user paid for a picture, whoever did the work."""
    picture = read_raw(pixels, WIDTH, HEIGHT, 3)
    with Engines(Settings(environ)) as engines:
        engine = engines.open("youcam", time.sleep, uploads=False)
        assert engine.journal
        with engine.journal.claim(digest("upload"), "youcam", engine.account, (WIDTH, HEIGHT), time.sleep) as record:
            record.keep(255 - picture.pixels[:, :, 0])
            engine.journal.add_alias(single.picture_name(picture, engine), record.entry)


def batch(host: Host, asked: list[dict[str, Any]], **more: Any) -> None:
    host.send(type="batch", id="b", pictures=asked, **{**ASKED, **more})


def answers(host: Host) -> tuple[list[dict[str, Any]], dict[int, dict[str, Any]], dict[str, Any]]:
    """The progress of a batch, the ends of its pictures by their places, and the last message."""
    progress, ends = [], dict[int, dict[str, Any]]()
    while (message := host.next())["type"] not in ("result", "error"):
        assert message["id"] == "b"
        if message["type"] == "progress":
            progress.append(message)
        else:
            assert message["type"] == "ended" and message["picture"] not in ends
            ends[message["picture"]] = message
    return progress, ends, message


def test_each_picture_ends_with_its_exact_alpha(start: Any, twin: Twin) -> None:
    host = start(twin)
    batch(host, pictures(host, "abcde"))
    progress, ends, result = answers(host)
    assert {name: result[name] for name in ("type", "engine", "done", "free", "failed", "units")} == {
        "type": "result", "engine": "youcam", "done": 5, "free": 0, "failed": 0, "units": 5
    }  # fmt: skip
    assert sorted(ends) == list(range(5))
    for number, end in ends.items():
        assert (end["units"], end["cached"], end["full"]) == (1, False, False)
        alpha = (host.folder / end["file"]).read_bytes()
        assert alpha[: -9 * WIDTH] == expected()[: -9 * WIDTH]
        assert not (host.folder / f"{'abcde'[number]}.raw").exists()
    assert {line["stage"] for line in progress} == {"batch"}
    assert progress[-1]["text"] == "5 of 5" and progress[-1]["fraction"] == 1
    assert any("waiting for" in line["text"] and "b.jpg" in line["text"] for line in progress)


def test_a_plan_tells_what_is_paid_for_what_it_may_cost_and_the_balance(start: Any, twin: Twin) -> None:
    host = start(twin)
    batch(host, pictures(host, "bd"))
    answers(host)
    before = len(asked(twin))
    host.send(type="plan", id="p", pictures=pictures(host, "abcd"), **ASKED)
    _, plan = host.until_end("p")
    assert (plan["paid"], plan["units"], plan["balance"], plan["engine"]) == ([1, 3], 2, 998.0, "youcam")
    assert plan["host"] and twin.charged == 2 and len(asked(twin)) == before + 1
    batch(host, pictures(host, "abcd"))
    _, ends, result = answers(host)
    assert [ends[number]["cached"] for number in range(4)] == [False, True, False, True]
    assert (result["done"], result["free"], result["units"]) == (4, 2, 2)


def test_a_plan_of_the_offline_engine_costs_nothing(start: Any) -> None:
    host = start()
    host.send(type="plan", id="p", pictures=pictures(host, "a"), engine="offline")
    _, plan = host.until_end("p")
    assert (plan["paid"], plan["units"], plan["balance"], plan["host"]) == ([], 0, None, None)


def test_a_picture_that_can_not_be_done_fails_alone(start: Any, twin: Twin) -> None:
    host = start(twin)
    asked = pictures(host, "abc")
    (host.folder / "b.raw").unlink()
    batch(host, asked)
    _, ends, result = answers(host)
    assert (ends[1]["code"], result["done"], result["failed"]) == ("pixels_missing", 2, 1)
    assert ends[1]["message"] and ends[1]["action"] and "request_id" in ends[1]


def test_an_empty_account_is_told_of_each_that_is_left(start: Any, make_twin: Any) -> None:
    host = start(make_twin(units=0.0))
    batch(host, pictures(host, "abc"))
    _, ends, result = answers(host)
    assert {end["code"] for end in ends.values()} <= {"CreditInsufficiency", "not_started"}
    assert (result["failed"], result["units"]) == (3, 0)


def test_other_questions_are_answered_beside_a_batch(start: Any, make_twin: Any) -> None:
    engine = Held()
    host = start(make_twin(engine=engine))
    batch(host, pictures(host, "a"))
    host.send(type="settings", id="s")
    while (message := host.next())["id"] != "s":
        assert message["type"] == "progress"
    assert message["type"] == "result"
    engine.released.set()
    assert answers(host)[2]["done"] == 1


def test_a_cancelled_batch_ends_and_what_is_paid_for_is_free_next_time(start: Any, make_twin: Any) -> None:
    engine = Held()
    twin = make_twin(engine=engine)
    host = start(twin)
    batch(host, pictures(host, "abc"))
    wait_for(lambda: twin.calls("run"))
    host.send(type="cancel", id="b")
    _, ends, result = answers(host)
    assert {end["code"] for end in ends.values()} == {"cancelled"} and result["done"] == 0
    engine.released.set()
    wait_for(lambda: len(twin.calls("download")) == len(twin.calls("run")))
    paid = twin.charged
    assert host.end() == 0
    again = start(twin)
    batch(again, pictures(again, "abc"))
    assert answers(again)[2]["free"] == paid


def test_a_host_that_dies_in_a_batch_loses_nothing_that_is_paid_for(start: Any, make_twin: Any) -> None:
    twin = make_twin(run_seconds=1.0)
    host = start(twin)
    batch(host, pictures(host, "abcd"))
    wait_for(lambda: twin.calls("run"))
    assert host.end() == 0
    paid = twin.charged
    assert paid == len(twin.calls("run")) and twin.late_polls == 0
    again = start(twin)
    batch(again, pictures(again, "abcd"))
    _, _, result = answers(again)
    assert (result["done"], result["free"], twin.charged) == (4, paid, 4)


@pytest.mark.parametrize(
    "asked",
    [
        {"pictures": []},
        {"pictures": "all"},
        {"pictures": [{"name": "a"}]},
        {"pictures": [{"pixels": "a.raw", "width": 1, "height": 1, "channels": 3}]},
        {"engine": "some"},
    ],
)
@pytest.mark.parametrize("kind", ["plan", "batch"])
def test_what_can_not_be_meant_is_an_error(start: Any, twin: Twin, kind: str, asked: dict[str, Any]) -> None:
    host = start(twin)
    host.send(**{"type": kind, "id": "1", "engine": "auto", "pictures": pictures(host, "a"), **asked})
    _, end = host.until_end()
    assert (end["type"], end["code"]) == ("error", "bad_job")


def test_without_consent_it_is_told_what_it_would_cost_and_nothing_is_sent(start: Any) -> None:
    host = start(YOUCAM_API_URL="https://service.example", YOUCAM_API_KEY="sk-0123456789")
    host.send(type="plan", id="1", engine="auto", pictures=pictures(host, "a"))
    plan = host.until_end()[1]
    assert (plan["agreed"], plan["units"], plan["balance"]) == (False, 1, None), "the service can't be reached"
    host.send(type="batch", id="1", engine="auto", pictures=pictures(host, "a"))
    assert host.until_end()[1]["code"] == "consent_needed"


def test_what_is_paid_for_needs_no_consent(start: Any, environ: dict[str, str], proxy: Proxy) -> None:
    host = start(**proxy.environ)
    (picture, other) = pictures(host, "ab")
    keep_alpha({**environ, **proxy.environ}, host.folder / "a.raw")
    host.send(type="plan", id="1", engine="auto", pictures=[picture])
    plan = host.until_end()[1]
    assert (plan["paid"], plan["units"], plan["balance"], plan["agreed"]) == ([0], 0, None, True)
    batch(host, [picture, other])
    assert answers(host)[2]["code"] == "consent_needed"
    batch(host, [picture])
    result = answers(host)[2]
    assert (result["done"], result["free"], result["units"]) == (1, 1, 0)
    for name, outcome in (("a", True), ("b", "consent_needed")):
        (asked,) = pictures(host, name)
        host.send(type="job", id="1", engine="auto", **asked)
        end = host.until_end()[1]
        assert end.get("cached", end.get("code")) == outcome
    assert proxy.seen == 0


@pytest.mark.parametrize("fault", [Fault("balance", "503", times=9), Fault("balance", "not_the_form", times=9)])
def test_a_balance_that_can_not_be_told_is_unknown_and_keeps_nobody_from_working(
    start: Any, make_twin: Any, fault: Fault
) -> None:
    host = start(make_twin(faults=(fault,)))
    host.send(type="plan", id="1", engine="auto", pictures=pictures(host, "a"))
    plan = host.until_end()[1]
    assert (plan["units"], plan["balance"], plan["agreed"]) == (1, None, True)
    batch(host, pictures(host, "a"))
    assert answers(host)[2]["done"] == 1


def test_a_plan_tells_that_the_key_is_refused_before_anything_is_asked(start: Any, twin: Twin) -> None:
    host = start(twin, YOUCAM_API_KEY="sk-of-nobody")
    host.send(type="plan", id="1", engine="auto", pictures=pictures(host, "a"))
    assert host.until_end()[1]["code"] == "InvalidApiKey"


def test_a_balance_is_not_waited_for_for_long(make_twin: Any) -> None:
    released, wish = threading.Event(), threading.Event()
    twin = make_twin(faults=(Fault("balance", "hang", times=9, seconds=600, until=released),))
    engine = Engine("youcam", client(twin), 1)
    began = time.monotonic()
    assert account.ask_units(engine, Cancel(wish), seconds=0.05) is None
    assert time.monotonic() - began < account.BALANCE_SECONDS
    wish.set()
    with pytest.raises(errors.Cancelled):
        account.ask_units(engine, Cancel(wish))
    released.set()
    assert account.ask_units(engine, Cancel(threading.Event())) == 1000


def test_a_failure_in_passing_is_mended(start: Any, make_twin: Any) -> None:
    twin = make_twin(faults=(Fault("declare", "503", times=2), Fault("download", "truncated", times=1)))
    host = start(twin)
    batch(host, pictures(host, "abc"))
    assert answers(host)[2]["done"] == 3
