"""What the windows of the tasks ask the worker: which there are, what they cost, and their templates."""

from __future__ import annotations

from pathlib import Path
from threading import Lock
from typing import Any

from common import tasks
from common.protocol import WorkerError
from common.worker import Worker
from controls import TASK_WAYS
from gimpfu import gimp, pdb
from questions import choose_way, is_asked


class Inquiry:
    """The worker's table of the `tasks`, what the account has, and the worker itself for more.

    Use it in a `with` block. Raises WorkerError.
    """

    def __init__(self) -> None:
        self._worker, self._guard = Worker({} if is_asked() else TASK_WAYS), Lock()
        try:
            told = self._worker.tasks()
        except BaseException:
            self._worker.close()
            raise
        self.tasks: list[dict[str, Any]] = told["tasks"]
        self.balance: float | None = told["balance"]
        self._templates: dict[str, list[dict[str, str]]] = {}

    def __enter__(self) -> Inquiry:
        return self

    def __exit__(self, *_: object) -> None:
        self._worker.close()

    def templates(self, task: str) -> list[dict[str, str]]:
        """The templates of a task, each with the path of its `picture`, or ""; from any thread, also while another one
        that is no longer waited for asks."""
        with self._guard:
            if task not in self._templates:
                self._templates[task] = [
                    dict(one, picture=str(Path(self._worker.folder, one["picture"])) if one["picture"] else "")
                    for one in self._worker.templates(task)
                ]
            return self._templates[task]


def ask_service() -> Inquiry:
    """Ask the service what there is, while GIMP's progress says so.

    Where that fails the user is told what to do, and it is asked again. Raises CancelError.
    """
    while True:
        gimp.progress_init(tasks.ASKING)
        try:
            return Inquiry()
        except WorkerError as failure:
            choose_way(failure, tasks.ways_out(failure.kind))
        finally:
            pdb.gimp_progress_end()
