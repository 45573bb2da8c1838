"""The first time in a real Krita: consent is asked for in place, and a key is advised once."""

# ruff: noqa: F821 - bodies run inside Krita
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from layerlift.store.settings import Settings
from layerlift.twin import Options, Twin

from .krita import Krita
from .leftovers import nothing_is_left
from .workers import kill_workers

pytestmark = pytest.mark.krita(
    "5.1", "6.0", why="what is asked comes from the worker; the box is the same in all with the same Qt"
)
ELSEWHERE = {"YOUCAM_API_URL": "https://service.invalid", "YOUCAM_API_KEY": "sk-" + "a" * 32}
"""A service that is not on this computer, so that uploads need consent; and nobody has it."""
ANSWERS = ["Always Upload", "Cancel", "Upload This Time", "Work Offline"]
UNPAID = "Cancelled: nothing was paid for. Nothing was changed."
DRAFT = "Background removed from 'test': offline draft, free."
ADVICE = "This is a quick draft of the offline engine. With an API key, the YouCam service gives better results."


def first_time(name: str, answer: str) -> Any:
    """Runs inside Krita: the question, its buttons, what a button of it leads to, and how many layers there are."""
    from removals import SAID, box, buttons, ended, listen, remove, subject

    listen()
    SAID.clear()
    document = yield from subject(300, 200)
    document.activeNode().setName(name)
    remove()
    yield lambda: box() is not None
    text, offered = box().text(), sorted(buttons(box))
    buttons(box)[answer].click()
    yield lambda: box() is None or box().text() != text
    told = yield from ended()
    return text, offered, told, len(document.topLevelNodes())


def agreed(home: Path) -> list[str]:
    """The hosts to which the user has agreed for ever."""
    path = home / "settings.json"
    return list(json.loads(path.read_text()).get("upload_agreed", [])) if path.exists() else []


def test_the_first_upload_is_asked_for_in_place_and_goes_on(krita: Krita, home: Path) -> None:
    krita.add_layerlift(home)
    krita.environment.update(ELSEWHERE)
    with krita.window() as window:
        text, offered, told, layers = window.run(first_time, "<b>dog</b>\n" * 500, "Cancel")
        asked, _, cost = text.partition("\n\n")
        assert asked.startswith("Upload 'test: <b>dog</b> <b>dog") and len(asked) < 150
        assert asked.endswith("</b>' to service.invalid to remove its background?")
        assert cost == "Cost: up to 1 unit. Balance: unknown."
        assert offered == ANSWERS
        assert (told, layers) == (["", [UNPAID]], 1)
        *_, told, layers = window.run(first_time, "dog", "Work Offline")
        assert (told, layers) == (["", [DRAFT]], 2)
        assert agreed(home) == []
        for answer, hosts in (("Upload This Time", []), ("Always Upload", ["service.invalid"])):
            _, offered, (told, _), layers = window.run(first_time, "dog", answer)
            # It goes on to the service, which is not there.
            assert offered == ANSWERS and "can't be reached" in told, answer
            assert (agreed(home), layers) == (hosts, 1)
        nothing_is_left(home)


def asked() -> Any:
    """Runs inside Krita: a removal whose question is shown."""
    from removals import SAID, box, listen, remove, subject

    listen()
    SAID.clear()
    yield from subject(300, 200)
    remove()
    yield lambda: box() is not None


def close_and_agree() -> Any:
    """Runs inside Krita: the document is closed, and the user agrees all the same; what is told."""
    from removals import box, buttons, ended

    yield from close(k.activeDocument())
    buttons(box)["Upload This Time"].click()
    yield lambda: not box().text().startswith("Upload")
    return (yield from ended())


def told_in_place_of_the_question() -> Any:
    """Runs inside Krita: how many boxes there are once something is wrong, what is told, and its buttons."""
    from removals import boxes, buttons

    yield lambda: any("Upload" not in box.text() for box in boxes())
    return [[box.text(), sorted(buttons(lambda box=box: box))] for box in boxes()]


def test_what_ends_while_the_question_is_there_is_told(krita: Krita, home: Path) -> None:
    krita.add_layerlift(home)
    krita.environment.update(ELSEWHERE)
    with krita.window() as window:
        window.run(asked)
        told = "test: Background\n\nThe document was closed in the meantime. Nothing was changed."
        assert window.run(close_and_agree) == [told, []]
        window.run(asked)
        kill_workers(home)
        ((text, offered),) = window.run(told_in_place_of_the_question)
        assert "ended unexpectedly" in text
        assert offered == ["Close", "Try Again", "Work Offline"]


def first_batch(answer: str) -> Any:
    """Runs inside Krita: the question before two pictures and its buttons; then its answer, and what is told."""
    import batches
    from removals import buttons, choice, listen

    listen()
    yield from batches.small(2)
    batches.remove_all()
    text = yield from batches.asked()
    offered = sorted(name for name, button in buttons(choice).items() if button.isVisible())
    batches.answer(answer)
    return text, offered, (yield from batches.ended()), batches.all_names()


def test_a_batch_is_asked_for_with_its_consent_in_one_question(krita: Krita, home: Path) -> None:
    krita.add_layerlift(home)
    krita.environment.update(ELSEWHERE)
    with krita.window() as window:
        text, offered, (told, _), names = window.run(first_batch, "Work Offline")
        assert "To be uploaded to service.invalid: 2 of 2." in text
        assert offered == ANSWERS
        assert told == "2 of 2 pictures done. Units used: 0."
        assert [len(layers) for layers in names.values()] == [2, 2]
        assert agreed(home) == []


def without_a_key(width: int) -> Any:
    """Runs inside Krita: a removal; what it tells, the buttons of its box, and what was there by then."""
    from removals import SAID, box, buttons, ended, is_over, listen, remove, subject

    listen()
    SAID.clear()
    document = yield from subject(width, 200)
    remove()
    yield lambda: is_over() and SAID
    offered = sorted(buttons(box)) if box() else []
    layers = len(document.topLevelNodes())
    return offered, layers, (yield from ended())


def test_without_a_key_a_better_result_is_advised_once_when_the_draft_is_there(krita: Krita, home: Path) -> None:
    krita.add_layerlift(home)
    with krita.window() as window:
        assert window.run(without_a_key, 300) == [["Close", "Settings..."], 2, [ADVICE, [DRAFT]]]
        assert window.run(without_a_key, 310) == [[], 2, ["", [DRAFT]]]


def batch_without_a_key() -> Any:
    """Runs inside Krita: what is told of two documents, and the buttons of its box."""
    import batches
    from removals import box, buttons, is_over, listen

    listen()
    yield from batches.small(2)
    batches.remove_all()
    yield from batches.asked()
    batches.answer("Remove Backgrounds")
    yield (lambda: is_over() and box() is not None), 120
    return box().text(), sorted(buttons(box))


def test_after_a_batch_of_drafts_a_key_is_advised_in_its_summary(krita: Krita, home: Path) -> None:
    krita.add_layerlift(home)
    with krita.window() as window:
        told, offered = window.run(batch_without_a_key)
    assert told == f"2 of 2 pictures done. Units used: 0.\n\n{ADVICE}"
    assert offered == ["Close", "Settings..."]


def ask_of_two() -> Any:
    """Runs inside Krita: the question before a batch."""
    import batches
    from removals import listen

    listen()
    yield from batches.small(2)
    batches.remove_all()
    return (yield from batches.asked())


def agree_to_it() -> Any:
    """Runs inside Krita: what is told at the end."""
    import batches

    batches.answer("Remove Backgrounds")
    return (yield from batches.ended())[0]


def test_what_was_told_to_be_free_is_not_uploaded_when_a_key_is_set_meanwhile(krita: Krita, home: Path) -> None:
    with Twin(Options()) as twin:
        krita.add_layerlift(home, twin)
        key = krita.environment.pop("YOUCAM_API_KEY")
        with krita.window() as window:
            assert "units" not in window.run(ask_of_two)
            Settings({"LAYERLIFT_HOME": str(home)}).set_key(key)
            assert window.run(agree_to_it).startswith("2 of 2 pictures done. Units used: 0.")
        assert not twin.calls("declare")
