"""What is said to the worker and what it answers: lines, and what they mean to the user where something is wrong.

The lines are documented in ``shared/docs/worker-protocol.md``.
"""

from __future__ import annotations

import json
import os
from typing import Any

from .language import _

PROTOCOL = 1
HELLO_SECONDS = 60.0
SILENCE_SECONDS = 90.0
END_SECONDS = 5.0
PATIENCE_SECONDS = 5.0
"""How long what is left is waited for when the work is done."""
REINSTALL = _("Run 'python3 install.py' again.")


class WorkerError(Exception):
    """A job that failed: `kind` says what the user can do next, the text is for the user."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


class WorkerGone(WorkerError):
    """The worker has no more to say."""

    def __init__(self, text: str) -> None:
        super().__init__("retry", text)


def line(kind: str, name: str, fields: dict[str, Any]) -> bytes:
    """A message of this kind as the worker reads it; its answer will have the name."""
    return json.dumps(dict(fields, type=kind, id=name)).encode() + b"\n"


def parsed(text: bytes) -> dict[str, Any] | None:
    """A line from the worker as a message; None: it is none."""
    try:
        message = json.loads(text.decode("utf-8"))
    except ValueError:
        return None
    return message if isinstance(message, dict) else None


def folder_of(hello: dict[str, Any]) -> str:
    """Where pixels are written for the worker that said hello. Raises WorkerError where it speaks otherwise."""
    if hello.get("protocol") != PROTOCOL or "folder" not in hello:
        raise WorkerError(
            "reinstall", " ".join((_("The plug-in and its worker are from different versions."), REINSTALL))
        )
    return native(str(hello["folder"]))


def native(path: str) -> str:
    """A path as this Python's file functions take it: a Python inside a host may take file names for ASCII."""
    return os.fsdecode(path.encode("utf-8"))


def refusal(message: dict[str, Any], ways: dict[str, str]) -> WorkerError:
    """What an error message says, with the way out that this plug-in has for its kind, if any."""
    kind, request_id = str(message.get("kind")), message.get("request_id")
    parts = [str(message.get("message")), str(message.get("action")), ways.get(kind, "")]
    if request_id:
        parts.append(_("(request {id})").format(id=request_id))
    return WorkerError(kind, " ".join(part for part in parts if part))


def not_started(reason: object) -> WorkerError:
    """The system could not start the worker."""
    said = _("Layerlift's worker can't be started: {reason}.").format(reason=reason)
    return WorkerError("reinstall", f"{said} {REINSTALL}")


def silent() -> WorkerError:
    """The worker has said nothing for too long."""
    return WorkerGone(_("Layerlift's worker does not answer. Try again."))


def died(complaints: list[str], was_ready: bool) -> WorkerError:
    """The worker ended before it answered; the complaints are the lines that it left on standard error. One that was
    ready once has met with an accident; one that never was has a broken environment."""
    last = complaints[-1].rstrip(".") if complaints else _("it left no message")
    said = _("Layerlift's worker ended unexpectedly: {reason}.").format(reason=last)
    return WorkerGone(" ".join((said, _("Try again: what was paid for is kept.") if was_ready else REINSTALL)))
