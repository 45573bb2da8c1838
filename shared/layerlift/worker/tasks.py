"""What a host asks of the service's other tasks: what there is and what it costs, and one that is run on a layer."""

from __future__ import annotations

import io
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import errors
from ..language import _
from . import messages, private

if TYPE_CHECKING:
    from ..imaging.pictures import Picture
    from ..removal.cancelling import Cancel
    from ..removal.engines import Engine, Engines
    from ..removal.stages import Stage
    from ..service.tasks import Task
    from .messages import Message
    from .progress import Report

QUESTIONS = ("tasks", "templates", "task")
SHOWN_TEMPLATES = 60
_THUMB_SIDE = 96
_NOT_ON_LAYERS = ("sod", "out-paint")
"""The removal is a job; what reaches beyond a picture has no place in its layer."""


class _Wish(NamedTuple):
    """A task that is to be run: names of files in the folder, and what the message has else."""

    task: Task
    fields: dict[str, str]
    pixels: str
    shape: tuple[int, int, int]
    bgr: bool
    mask: str | None
    grow: bool
    own_size: bool
    without_subject: bool
    again: bool


def answer(message: Message, folder: Path, engines: Engines, event: threading.Event, report: Report) -> dict[str, Any]:
    """Does what a question asks. Raises what `running.open_service` and `running.run` do, SetupError `bad_job`."""
    from ..removal import running
    from ..removal.cancelling import Cancel

    kind = message["type"]
    wish = _read(message) if kind == "task" else None
    task = messages.task(message) if kind == "templates" else None
    cancel = Cancel(event, engines.background if wish else None)
    agreed = messages.flag(message, "agreed", False)
    engine = running.open_service(engines, cancel.sleep, uploads=False, agreed=agreed)
    try:
        if wish is not None:
            return _run(wish, folder, engine, cancel, report)
        report("waiting", 0.0)
        if task is not None:
            return {"templates": _templates(task, folder, engine, cancel)}
        return _describe_all(engine, cancel) | {"host": engines.settings.api_host, "agreed": engines.may_upload}
    finally:
        engines.close(engine)


def _read(message: Message) -> _Wish:
    shape = messages.shape(message)
    return _Wish(
        messages.task(message),
        messages.fields(message),
        messages.file_name(message, "pixels"),
        shape,
        messages.is_bgr(message, shape[2]),
        messages.file_name(message, "mask") if "mask" in message else None,
        *(messages.flag(message, name, False) for name in ("grow", "own_size", "without_subject", "again")),
    )


def _describe_all(engine: Engine, cancel: Cancel) -> dict[str, Any]:
    from ..removal import account
    from ..service.tasks import TASKS

    prices = account.ask_prices(engine, cancel)
    tasks = [_describe(task, prices.get(task.slug)) for task in TASKS if task.slug not in _NOT_ON_LAYERS]
    return {"tasks": tasks, "balance": account.ask_units(engine, cancel)}


def _describe(task: Task, price: float | None) -> dict[str, Any]:
    fields = [
        {
            "name": field.name,
            "kind": field.kind,
            "purpose": _(field.purpose),
            "required": field.required,
            "lowest": field.lowest,
            "highest": field.highest,
            "choices": [str(choice) for choice in field.choices],
            "default": None if field.default is None else str(field.default),
        }
        for field in task.fields
    ]
    return {
        "task": task.slug, "title": _(task.title), "purpose": _(task.purpose), "price": price, "fields": fields,
    }  # fmt: skip


def _templates(task: Task, folder: Path, engine: Engine, cancel: Cancel) -> list[dict[str, str]]:
    """The first of the task's templates, each with the name of a PNG that shows it, "" where none can be had."""
    from itertools import islice

    service = engine.service.of(task)
    found = []
    for number, template in enumerate(islice(service.templates(sleep=cancel.sleep), SHOWN_TEMPLATES)):
        cancel.check()
        name = f"template-{number}.png"
        try:
            if not template.picture:
                raise errors.make("result_not_picture")
            _save_thumb(service.download(template.picture, sleep=cancel.sleep), folder / name)
        except (errors.NetworkError, errors.ServiceError, errors.PictureError, OSError):
            name = ""
        found.append({"id": template.id, "title": template.title, "picture": name})
    return found


def _save_thumb(data: bytes, path: Path) -> None:
    from PIL import Image

    with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as image:
        image.thumbnail((_THUMB_SIDE, _THUMB_SIDE))
        image.convert("RGB").save(path)


def _run(wish: _Wish, folder: Path, engine: Engine, cancel: Cancel, report: Report) -> dict[str, Any]:
    from ..imaging import pictures, plates
    from ..removal import running

    pixels, size = folder / wish.pixels, wish.shape[:2]
    given: dict[str, Any] = dict(wish.fields)
    if wish.mask is not None:
        name = _mask_field(wish.task)
        given[name] = _read_mask(folder / wish.mask, size, wish.grow)
    request = running.make_request(wish.task.slug, given, lambda mask: mask)
    layer = pictures.read_raw(pixels, *wish.shape, bgr=wish.bgr)
    (request,) = running.with_prices([request], engine, cancel)

    def tell(stage: Stage, fraction: float, text: str) -> None:
        report(stage.value, fraction, text)

    (result,) = running.run(layer, [request], engine, tell, cancel, again=wish.again)
    layers = []
    for number, data in enumerate(result.files):
        made = pictures.decode(data)
        wanted = (made.width, made.height) if wish.own_size else size
        path = pixels.with_suffix(f".{number}.result")
        placed = plates.as_layer(
            made, layer, wanted, keeps_alpha=wish.task.keeps_alpha, without_subject=wish.without_subject
        )
        private.write(path, [placed[..., [2, 1, 0, 3]] if wish.bgr else placed])
        layers.append({"file": path.name, "width": wanted[0], "height": wanted[1]})
    return {
        "layers": layers,
        "engine": engine.name,
        "task_id": result.task_id,
        "dst_id": result.dst_id,
        "units": result.units,
        "cached": result.cached,
        "seconds": round(result.seconds, 3),
    }


def _mask_field(task: Task) -> str:
    """The name of the task's mask. Raises SetupError `bad_job` where it takes none."""
    for field in task.fields:
        if field.kind == "mask":
            return field.name
    raise errors.make("bad_job")


def _read_mask(path: Path, size: tuple[int, int], grown: bool) -> Picture:
    from ..imaging import pictures, plates

    mask = pictures.read_raw(path, *size, 1)
    return pictures.Picture(plates.grow(mask.pixels[..., 0].astype("uint8"))[..., None]) if grown else mask
