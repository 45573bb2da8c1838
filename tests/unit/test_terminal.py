"""How long it will take, and what it all came to."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from layerlift import errors
from layerlift.command import terminal
from layerlift.command.terminal import Pace, cut, summary, width
from layerlift.errors import plain
from layerlift.store import log


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def paced(pictures: int, made: int, seconds: float, rate: tuple[int, float] | None = None, kept: int = 0) -> str:
    """What is told when so many are made, and so many others were kept, after so long."""
    clock = Clock()
    pace = Pace(pictures, rate, clock)
    clock.now += seconds
    for number in range(made + kept):
        pace.count(made=number < made)
    return str(pace)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (paced(10, 0, 5), ""),
        (paced(10, 4, 20), "12/min, 30 s left"),
        (paced(40, 4, 20), "12/min, 3 min left"),
        (paced(2000, 4, 20), "12/min, 2 h 47 min left"),
        (paced(10, 10, 50), "12/min, 0 s left"),
        # Kept ones are instant, and tell nothing of the others.
        (paced(20, 4, 20, kept=6), "12/min, 50 s left"),
        # 250 requests in 300 s are 121 pictures: at first they fly, then the limit counts.
        (paced(121, 60, 60, (250, 300)), "60/min, 2 min left"),
        (paced(122, 60, 60, (250, 300)), "60/min, 4 min left"),
        (paced(1000, 60, 60, (250, 300)), "60/min, 39 min left"),
    ],
)
def test_the_pace_tells_how_long_the_others_take(told: str, expected: str) -> None:
    assert told == expected


def end(name: str, status: str, code: str = "", units: float = 0) -> dict[str, Any]:
    error = {"code": code, "message": f"It is {code}."} if code else None
    fields = {"input": name, "status": status, "units": units, "error": error}
    return {**fields, "model": None, "fallback": None}


def test_the_summary_counts_and_gives_reasons() -> None:
    told = summary(
        [
            end("a.jpg", "done", units=1),
            end("b.jpg", "done", units=1),
            end("c.jpg", "cached"),
            end("d.jpg", "skipped"),
            end("e\n.jpg", "failed", "bad"),
            end("f.jpg", "cancelled", "cancelled"),
            {
                **end("g.jpg", "cancelled", "cancelled"),
                "error": {"code": "cancelled", "message": "It may cost 1 unit."},
            },
            *[end(f"{number}.jpg", "cancelled", "not_started") for number in range(25)],
        ]
    )
    assert told.splitlines()[:11] == [
        "done             2  2 units",
        "free             1",
        "skipped          1",
        "failed           1",
        "    e?.jpg: It is bad.",
        "cancelled        2",
        "    It is cancelled.",
        "    f.jpg",
        "    It may cost 1 unit.",
        "    g.jpg",
        "not started     25",
    ]
    assert told.endswith("18.jpg, 19.jpg and 5 more")


def test_the_columns_of_the_summary_hold_long_and_wide_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    words = {"done": "完了", "failed": "失敗しました", "not started": "nicht angefangen"}
    monkeypatch.setattr(terminal, "_", lambda text: words.get(text, text))
    lines = summary([end("a.jpg", "cached"), end("b.jpg", "cancelled", "not_started")]).splitlines()
    counts = [line.removesuffix("  0 units") for line in lines if not line.startswith(" ")]
    assert [line.split("  ")[0] for line in counts] == ["完了", "free", "失敗しました", "nicht angefangen"]
    assert {width(line) for line in counts} == {len("nicht angefangen") + 6}


def test_the_summary_names_the_offline_models_and_why_a_lesser_one_was_used() -> None:
    ends = [{**end(f"{number}.jpg", "done"), "model": "large"} for number in range(3)]
    ends += [{**end(f"{number}.jpg", "done"), "model": "small\n", "fallback": "No memory."} for number in range(2)]
    assert summary(ends).splitlines() == [
        "done             5  0 units",
        "    large: 3",
        "    small?: 2",
        "    No memory.",
        "failed           0",
    ]


def test_a_line_is_cut_by_the_columns_of_its_letters() -> None:
    assert [cut("写真a.jpg", columns) for columns in (0, 1, 2, 3, 4, 5, 9, 10)] == [
        "", "", "写", "写", "写真", "写真a", "写真a.jpg", "写真a.jpg",
    ]  # fmt: skip


def test_a_name_does_nothing_to_a_terminal() -> None:
    assert plain("a\x1b[2J\r\nb ü") == "a?[2J??b ü"


def test_no_error_carries_a_name_to_a_terminal_as_it_is() -> None:
    told = errors.make("usage", "\x1b]0;title\x07a\udc80")
    assert told.message.isprintable() and str(told).isprintable()


def test_warnings_and_the_log_hold_nothing_that_a_terminal_acts_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("layerlift"), "handlers", [])
    log.start(tmp_path)
    try:
        raise OSError("\x1b[2J")
    except OSError:
        logging.getLogger("layerlift.test").exception("%s", "a\n\x1b[2Jb")
    written, told = (tmp_path / log.NAME).read_text(), capsys.readouterr().err
    for text in (written, told):
        assert "a??[2Jb" in text and "OSError: ?[2J" in text and "\x1b" not in text
