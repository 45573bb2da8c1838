"""Whose turn it is: how one removal shares the service and this computer with others that go on beside it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from ..imaging.prepare import Upload
from ..service import polling
from ..service.answers import Destination, Task, TaskState
from ..service.service import Sleep
from ..store.entries import Entry
from .engines import Engine


class Turns:
    """The turns of a removal that is alone: it never waits for another."""

    def check(self) -> None:
        """Raises where nothing is to be begun any more."""

    def declare(self, upload: Upload, engine: Engine, sleep: Sleep) -> Destination:
        """Announces an upload to the service."""
        return engine.service.declare([upload], sleep=sleep)[0]

    def transfer(self) -> AbstractContextManager[object]:
        """Around an upload or a download."""
        return nullcontext()

    def decode(self) -> AbstractContextManager[object]:
        """Around what takes memory outside of the picture's own turn."""
        return nullcontext()

    def refine(self) -> AbstractContextManager[object]:
        """Around what takes longer in two threads at once than in one after the other."""
        return nullcontext()

    def wait(self, task: Task, engine: Engine, sleep: Sleep, on_wait: Callable[[float], None]) -> TaskState:
        """The last state of a task, as `polling.wait` has it; `on_wait` is called with the seconds waited so far."""
        return polling.wait(engine.service, task, sleep=sleep, clock=engine.clock, waiting=on_wait)

    def delete(self, entry: Entry, engine: Engine) -> None:
        """Has the service delete what it has of a picture whose alpha is kept here."""
        engine.delete([entry])
