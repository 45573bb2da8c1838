"""The stages of a job, as the user sees them: a line for each, and where it ends on one bar."""

from __future__ import annotations

from typing import Any

from .language import _
from .options import ENGINES

# The host does "export", "copy" and "insert" itself; "batch" is a bar of its own.
_STAGES = {
    "export": (_("Reading the layer"), 0.05),
    "prepare": (_("Preparing the picture"), 0.15),
    "upload": (_("Uploading"), 0.3),
    "waiting": (_("Waiting for the result"), 0.65),
    "download": (_("Fetching the result"), 0.7),
    "refine": (_("Refining edges"), 0.75),
    "copy": (_("Copying the layer"), 0.8),
    "clean": (_("Cutting out the subject"), 0.85),
    "insert": (_("Making the new layer"), 1.0),
}
_BATCH = _("Removing backgrounds")


def caption(message: dict[str, Any]) -> str:
    """One line for the user, of a progress message."""
    stage, engine = str(message.get("stage")), ENGINES.get(str(message.get("engine")))
    text = _BATCH if stage == "batch" else _STAGES.get(stage, (_("Working"), 0.0))[0]
    details = ", ".join(part for part in (str(message.get("text") or ""), engine.short if engine else "") if part)
    return f"{text} ({details})" if details else text


def is_at_service(message: dict[str, Any]) -> bool:
    """Whether there is nothing to do here, of a progress message: the service works."""
    return (message.get("stage"), message.get("engine")) == ("waiting", "youcam")


def overall(message: dict[str, Any]) -> float:
    """How much of the whole job is done, 0 to 1, of a progress message."""
    stage, fraction = str(message.get("stage")), float(message.get("fraction") or 0.0)
    if stage == "batch":
        return fraction
    begin = 0.0
    for name, (_text, end) in _STAGES.items():
        if name == stage:
            return begin + (end - begin) * fraction
        begin = end
    return 0.0


def step(stage: str, fraction: float) -> tuple[str, float]:
    """The line for the user and the fraction of the whole job, in one of the host's own stages."""
    message = {"stage": stage, "fraction": fraction}
    return caption(message), overall(message)
