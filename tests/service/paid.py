"""Removals that are written down, by processes that share a journal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from layerlift.imaging import prepare
from layerlift.imaging.pictures import Picture
from layerlift.removal import single
from layerlift.removal.cancelling import Background
from layerlift.removal.engines import Engine
from layerlift.store.journal import Journal

from .removals import Hasty, Removal, half_dark
from .wire import client


class Paid(Removal):
    """Removals that are written down in a journal of their own process."""

    def __init__(self, twin: Any, folder: Path, account: str = "account") -> None:
        super().__init__(twin)
        self.background = Background()
        self.cancel = Hasty(self.wish, self.background)
        self.service = client(twin)
        self._folder, self._account = folder, account
        self.open_journal()

    def open_journal(self) -> None:
        """As a process does at its start."""
        self.journal = Journal(self._folder)
        self.engine = Engine("youcam", self.service, 1, self.journal, self._account)

    def run(self, picture: Picture | None = None, **more: Any) -> single.Outcome:
        return single.remove(picture or half_dark(64, 48), self.engine, self.report, self.cancel, **more)

    @property
    def states(self) -> list[str]:
        return [entry.state for entry in self.journal.entries()]


def started(job: Paid) -> str:
    """A task that another process has started, before it died."""
    upload = prepare.prepare(half_dark(64, 48))
    with job.engine.claim(upload, job.cancel.sleep) as record:
        destination = job.service.declare([upload])[0]
        job.service.upload(destination, upload.data)
        record.mark_uploaded(destination.file_id)
        record.mark_starting()
        task = job.service.run(destination.file_id)
        record.mark_running(task.task_id, task.request_id)
    return task.task_id
