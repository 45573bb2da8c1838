"""Any task of the service, run on a picture, and tasks in a row: paid once, as a removal is.

A result that the service still has is the next task's picture by its id there, or by its address where it has got no
id; any other is uploaded. The service's copies are deleted when the last task of the row has ended.
"""

from __future__ import annotations

import io
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .. import errors
from ..imaging import pictures, prepare
from ..imaging.pictures import Picture
from ..imaging.prepare import SERVICE_LIMITS, Upload
from ..language import _
from ..service import tasks as known
from ..service.service import Sleep
from ..service.tasks import Fields, Task
from ..store.entries import Entry
from ..store.records import FILE_SECONDS
from . import account, tasks
from .cancelling import Cancel
from .engines import Engine, Engines
from .stages import Progress, Report, Stage
from .turns import Turns

LONGEST = 5
"""How many tasks a row has at most."""
_MASK = "mask"
_UNLISTED = 1
"""What a task is taken to cost that the service's list does not have."""


@dataclass(frozen=True)
class Request:
    """What is to be run: a task, with the fields that `Task.check` has let through. `price` is in units, None where the
    service does not list it; `masks` are the gray pictures among the fields."""

    task: Task
    fields: Fields
    price: float | None = None
    masks: Mapping[str, Picture] = field(default_factory=dict)

    @property
    def units(self) -> int:
        """What it costs, as far as that is known."""
        return _UNLISTED if self.price is None else math.ceil(self.price)


def make_request(slug: str, given: Mapping[str, Any], read: Callable[[Any], Picture]) -> Request:
    """What is to be run with the fields that are given; masks among them are what `read` takes.

    Raises SetupError `task_unknown`, `bad_field`, and what `read` raises.
    """
    task = known.find(slug)
    masks = {one.name for one in task.fields if one.kind == "mask"}
    fields = task.check({name: _MASK if name in masks else value for name, value in given.items()})
    pictures = {name: read(given[name]) for name in fields if name in masks}
    # What a mask is called says nothing of what it is.
    return Request(task, {name: value for name, value in fields.items() if name not in masks}, None, pictures)


def open_service(engines: Engines, sleep: Sleep, *, uploads: bool = True, agreed: bool = False) -> Engine:
    """The service, which all tasks but the removal need, as `Engines.open` opens it. Raises what that does, SetupError
    `task_needs_key` where there is no key."""
    try:
        return engines.open("youcam", sleep, uploads=uploads, agreed=agreed)
    except errors.SetupError as error:
        if error.code != "no_key":
            raise
        raise errors.make("task_needs_key") from None


def with_prices(requests: Sequence[Request], engine: Engine, cancel: Cancel) -> list[Request]:
    """The requests, with what the service says that they cost. Raises AuthError."""
    prices = account.ask_prices(engine, cancel)
    return [replace(request, price=prices.get(request.task.slug)) for request in requests]


@dataclass(frozen=True)
class Results:
    """What came of a task: the files of one or several pictures, PNG or JPEG, as the service made them.

    `units` is what it cost this time: 0 where it is `cached`, since it was here. `uploaded` is the length of what was
    uploaded for it, 0 where the service had it. `error` is why the next task of the row has not come to its
    end; None for the last.
    """

    files: list[bytes]
    task: Task
    task_id: str
    dst_id: str | None
    units: int
    seconds: float
    cached: bool
    uploaded: int
    error: BaseException | None = None


def run(
    picture: Picture | str,
    requests: Sequence[Request],
    engine: Engine,
    report: Report,
    cancel: Cancel,
    *,
    again: bool = False,
    keep: bool = False,
) -> list[Results]:
    """Runs tasks in a row, each on what the one before has made, and returns what came of each.

    Where one fails, the results of those before it are returned, the last with the `error`; the next run of the same
    row goes on from there.

    Args:
        picture: or the service's id of a result that it has kept, for tasks that need no mask and give no alpha.
        again: whether to pay again where an earlier start of the same may have been charged in vain.
        keep: whether the service is to keep its copies, for a later row.

    Raises what the table of errors holds where the first one fails; `Cancelled` as soon as `cancel` is set.
    """
    return cancel.run(lambda: _Row(engine, report, cancel, again, keep).run(picture, requests))


class _Row:
    """The tasks of a row, as far as they have come."""

    def __init__(self, engine: Engine, report: Report, cancel: Cancel, again: bool, keep: bool) -> None:
        # What one task leaves, the next one needs.
        self._engine = replace(engine, delete=lambda entries: None)
        self._delete = engine.delete
        self._progress = Progress(report, cancel)
        self._cancel = cancel
        self._again = again
        self._keep = keep
        self._entries: list[Entry] = []
        self._address: str | None = None
        self._dst_id = ""
        self._results: list[Results] = []

    def run(self, picture: Picture | str, requests: Sequence[Request]) -> list[Results]:
        tell = self._progress.tell
        tell(Stage.PREPARE, 0.0)
        if isinstance(picture, str):
            self._dst_id, upload = picture, _at_the_service(requests[0])
        else:
            upload = prepare.prepare(picture, report=lambda fraction: tell(Stage.PREPARE, fraction))
        try:
            for request in requests:
                upload = self._take_step(request, upload)
        except errors.LayerliftError as error:
            if not self._results or isinstance(error, errors.Cancelled):
                raise
            self._results[-1] = replace(self._results[-1], error=error)
        if not self._keep:
            self._delete([entry for entry in self._entries if entry.state == "kept"])
        return self._results

    def _take_step(self, request: Request, upload: Upload) -> Upload:
        """Runs a task on an upload, or on the result of the one before; returns what the next one works on."""
        began = time.monotonic()
        size = (upload.width, upload.height)
        masks = {name: prepare.prepare_mask(mask, size) for name, mask in request.masks.items()}
        engine = self._engine.of(request.task, request.fields, request.units, masks)
        before = self._entries[-1] if self._entries else None
        name = engine.name_picture(before.picture if before else upload.data or self._name_result(engine))
        with engine.claim(upload, self._cancel.sleep, name) as record:
            self._cancel.on_leave(record.release)
            result = record.result()
            cached = result is not None
            named = record.file_id
            if result is None:
                if (before is not None or self._dst_id) and record.task_id is None and record.file_id is None:
                    named = self._chained(before) if before else self._dst_id
                    record.mark_uploaded(named)
                context = tasks.Context(engine, Turns(), self._progress, self._cancel)
                result = tasks.obtain(upload, record, context, again=self._again)
            if self._keep:
                record.mark_keep()
            entry, self._address = record.entry, record.address
        uploaded = 0 if cached or entry.file_id in (None, named) else len(upload.data)
        files = result if isinstance(result, list) else [_cut_out(upload, result)]
        units = 0 if cached else request.units
        seconds = time.monotonic() - began
        self._entries.append(entry)
        self._results.append(
            Results(files, request.task, entry.task_id or "", entry.dst_id, units, seconds, cached, uploaded)
        )
        return _as_upload(files[0])

    def _name_result(self, engine: Engine) -> str:
        """What the result that a row begins with is known by: the same as where it was made in a row with this one."""
        found = engine.journal.find_result(self._dst_id) if engine.journal else None
        return found.picture if found else f"dst_id {self._dst_id}"

    def _chained(self, before: Entry) -> str | None:
        """The id under which the service still has a result, or its address; None where it has not, or gave none."""
        age = time.time() - (before.run_time or 0.0)
        return (before.dst_id or self._address) if before.state in ("done", "kept") and age < FILE_SECONDS else None


def _at_the_service(request: Request) -> Upload:
    """What stands for a picture that the service alone has. Raises SetupError `bad_field` where that does not do."""
    if request.masks or request.task.gives == "alpha":
        text = _("{task} needs the picture itself, not a result's id")
        raise errors.make("bad_field", text.format(task=request.task.slug))
    return Upload(b"", 0, 0, 0, False)


def _cut_out(upload: Upload, alpha: NDArray[np.uint8]) -> bytes:
    """What a removal has left of an upload, as the service's own result: a PNG of the upload's size."""
    with Image.open(io.BytesIO(upload.data)) as image:
        colours = image.convert("RGB")
    colours.putalpha(Image.fromarray(alpha).resize(colours.size, Image.Resampling.BICUBIC))
    stream = io.BytesIO()
    colours.save(stream, "PNG", compress_level=1)
    return stream.getvalue()


def _as_upload(data: bytes) -> Upload:
    """A result as the service takes it, as it is where that is possible."""
    with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as image:
        (width, height), kind = image.size, image.format
    if max(width, height) > SERVICE_LIMITS.max_side or len(data) >= SERVICE_LIMITS.max_bytes:
        return prepare.prepare(pictures.decode(data))
    return Upload(data, width, height, 100, False, "image/png" if kind == "PNG" else "image/jpg")
