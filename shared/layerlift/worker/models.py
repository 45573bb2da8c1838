"""What a host's settings dialog asks of the offline models."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from ..language import _
from . import messages

if TYPE_CHECKING:
    from ..removal.offline import Offline
    from .messages import Message
    from .progress import Report

QUESTIONS = ("models", "fetch_model", "use_model", "forget_model")


def answer(message: Message, offline: Offline, event: threading.Event, report: Report) -> dict[str, Any]:
    """Does what a question asks; returns what `Offline.describe` tells then. `event` is set by who cancels."""
    from ..removal.cancelling import Cancel
    from ..removal.stages import Stage

    cancel = Cancel(event)

    def tell(count: int, size: int) -> None:
        cancel.check()
        text = _("{sent} of {size} MB").format(sent=f"{count / 1e6:.1f}", size=f"{size / 1e6:.1f}")
        report(Stage.DOWNLOAD.value, min(1.0, count / size), text)

    if message["type"] == "fetch_model":
        name = messages.model(message)
        cancel.run(lambda: offline.fetch(name, tell))
    elif message["type"] == "forget_model":
        offline.forget(messages.model(message))
    elif message["type"] == "use_model" and "path" in message:
        examine = messages.model_file(message)
        report(Stage.PREPARE.value, 0.0)
        offline.use_file(cancel.run(examine))
    elif message["type"] == "use_model":
        offline.use(messages.model(message))
    return offline.describe()
