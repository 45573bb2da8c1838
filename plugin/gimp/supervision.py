"""Tells what a cancelled run has cost: GIMP kills the plug-in whose progress is cancelled, and lets it say nothing.

So the process that the user has started has another one do the work, and tells what that one has noted last.
"""

# mypy: disable-error-code="attr-defined"
# gimpfu's constants come from GIMP, when it runs.
from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Callable

from common.words import UNPAID
from gimpfu import RUN_INTERACTIVE, RUN_NONINTERACTIVE, CancelError, fail, gimp, pdb

PROCEDURE = "python-fu-layerlift-work"

Note = Callable[[str], None]
"""Is told what the user has to hear if the run is cancelled from now on."""


def supervise(work: Callable[..., bool], *values: Any) -> bool:
    """Have `work(note, *values)` done by another process, and return what it does; a script has it done here, and is
    told its errors alone."""
    if gimp.PROCESS.run_mode == RUN_NONINTERACTIVE:
        return work(lambda text: None, *values)
    with TemporaryDirectory(prefix="layerlift-") as folder:
        note = Path(folder, "note")
        try:
            return bool(pdb[PROCEDURE](json.dumps([work.__name__, *values]), str(note)))
        except RuntimeError as error:
            if not note.exists():
                fail(str(error))
            if note.read_text(encoding="utf-8"):
                gimp.message(note.read_text(encoding="utf-8"))
            raise CancelError("cancelled") from None


def do(works: dict[str, Callable[..., bool]], job: str, path: str) -> bool:
    """What PROCEDURE does. The note stays where it is killed, or, without a text, where the user backs out."""
    gimp.PROCESS.run_mode = RUN_INTERACTIVE
    name, *values = json.loads(job)
    note = Path(path)

    def take(text: str) -> None:
        # In one step: the next one may be the last.
        new = note.with_suffix(".new")
        new.write_text(text, encoding="utf-8")
        new.replace(note)

    take(UNPAID)
    try:
        result = works[name](take, *values)
    except CancelError:
        take("")
        raise
    except BaseException:
        note.unlink()
        raise
    note.unlink()
    return result
