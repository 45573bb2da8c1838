"""By keyboard alone: the question before a batch in a real Krita, and an error's box."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from layerlift.twin import Fault, Options, Twin

from .krita import Krita

pytestmark = pytest.mark.krita("5.1", "6.0", why="keys are each Qt's")


def ask(count: int) -> Any:
    """Runs inside Krita: the X window ID of the question before so many documents."""
    import batches
    from removals import choice, listen

    listen()
    yield from batches.small(count)
    batches.remove_all()
    yield from batches.asked()
    return str(int(choice().winId()))


def wait_until_unticked() -> Any:
    """Runs inside Krita: the names of the ticked documents, once one is not."""
    import batches

    yield lambda: not all(row[-1] for row in batches.rows())
    return [row[0] for row in batches.rows() if row[-1]]


def box_is_there() -> Any:
    """Runs inside Krita: the X window ID of a box, and what it says."""
    from removals import box

    yield (lambda: box() is not None), 120
    return str(int(box().winId())), box().text()


def end() -> Any:
    """Runs inside Krita: what is told at the end, and the layers."""
    import batches

    told = yield from batches.ended()
    return told, batches.all_names()


def test_documents_are_unticked_and_done_and_an_error_mended_by_keys(krita: Krita, home: Path) -> None:
    with Twin(Options(faults=(Fault("run", "400", code="CreditInsufficiency"),))) as twin:
        krita.add_layerlift(home, twin)
        with krita.window() as window:
            question = window.run(ask, 2)
            window.key("alt+p", question)
            window.key("space", question)
            assert window.run(wait_until_unticked) == ["1"]
            window.dismiss("alt+r", question)
            box, text = window.run(box_is_there)
            assert text.startswith("0 of 1 picture done.")
            window.dismiss("alt+t", box)
            again = window.run(ask_again)
            window.dismiss("alt+r", again)
            (told, _), layers = window.run(end)
            assert told.startswith("1 of 1 picture done.")
            assert layers == {"0": ["Background"], "1": ["Background", "Background cut-out"]}
        assert twin.charged == 1


def ask_again() -> Any:
    """Runs inside Krita: the X window ID of the next question."""
    import batches
    from removals import choice

    yield from batches.asked()
    return str(int(choice().winId()))
