"""What the service has of pictures whose alphas are kept here: it is deleted there, in the background."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from .. import errors
from ..service.service import Service
from ..store.entries import Entry
from ..store.journal import Journal
from .cancelling import Background

FORGOTTEN = ("InvalidTaskId", "TaskTimeout")
"""How the service says that it does not know a task (any more)."""

_log = logging.getLogger(__name__)


class Deletions:
    """The deletions of one process. No cancel ends them: their waits are their own."""

    def __init__(self) -> None:
        self._background = Background()
        self._guard = threading.Lock()
        self._tried: set[int] = set()
        """Entries whose files the service was asked to delete, once by each process."""

    def start(
        self,
        entries: Sequence[Entry],
        journal: Journal,
        account: str,
        connect: Callable[[], AbstractContextManager[Service]],
    ) -> None:
        """Begins to delete the files of these entries, and of those that earlier processes could not wait for."""

        def delete() -> None:
            left = {entry.id: entry for entry in (*entries, *journal.undeleted(account))}
            with self._guard:
                left = {number: entry for number, entry in left.items() if number not in self._tried}
                self._tried |= left.keys()
            if left:
                with connect() as service:
                    _delete(list(left.values()), journal, service)

        self._background.start(delete)

    def wait(self, seconds: float) -> None:
        """Returns when all are done, or after so long."""
        self._background.wait(seconds)


def _delete(entries: Sequence[Entry], journal: Journal, service: Service) -> None:
    for entry in entries:
        try:
            service.delete(entry.task_id or "", sleep=time.sleep)
        except errors.LayerliftError as error:
            if error.code not in FORGOTTEN:
                _log.info("Task %s is not deleted: %s", entry.task_id, error.message)
                continue
        journal.mark_deleted(entry)
