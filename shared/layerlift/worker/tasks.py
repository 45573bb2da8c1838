"""What a host asks of the service's other tasks: what there is and what it costs, and one that is run on a layer."""

from __future__ import annotations

import io
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import errors
from ..language import _
from . import messages

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..imaging.pictures import Picture
    from ..removal.cancelling import Cancel
    from ..removal.engines import Engine, Engines
    from ..service.tasks import Task
    from .messages import Message
    from .progress import Report

QUESTIONS = ("tasks", "templates", "task")
SHOWN_TEMPLATES = 60
_THUMB_SIDE = 96
_NOT_ON_LAYERS = ("sod", "out-paint")
"""The removal is a job; what reaches beyond a picture has no place in its layer."""


def answer(message: Message, folder: Path, engines: Engines, event: threading.Event, report: Report) -> dict[str, Any]:
    """Does what a question asks. Raises what `Engines.open` and `running.run` do, SetupError `bad_job`."""
    from ..removal.cancelling import Cancel

    is_run = message["type"] == "task"
    cancel = Cancel(event, engines.background) if is_run else Cancel(event)
    agreed = messages.flag(message, "agreed", False)
    engine = engines.open("youcam", cancel.sleep, uploads=False, agreed=agreed)
    try:
        if is_run:
            return _run(message, folder, engine, cancel, report)
        report("waiting", 0.0)
        if message["type"] == "templates":
            return {"templates": _templates(messages.task(message), folder, engine, cancel)}
        return _describe_all(engine, cancel) | {"host": engines.settings.api_host, "agreed": engines.may_upload}
    finally:
        engines.close(engine)


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


def _run(message: Message, folder: Path, engine: Engine, cancel: Cancel, report: Report) -> dict[str, Any]:
    from ..imaging import pictures, plates
    from ..removal import running

    pixels = folder / messages.file_name(message, "pixels")
    width, height, channels = messages.shape(message)
    bgr = messages.is_bgr(message, channels)
    layer = pictures.read_raw(pixels, width, height, channels, bgr=bgr)
    given: dict[str, Any] = dict(messages.fields(message))
    if "mask" in message:
        name = _mask_field(messages.task(message))
        given[name] = _read_mask(folder, message, (width, height), messages.flag(message, "grow", False))
    request = running.make_request(messages.task(message).slug, given, lambda mask: mask)
    (request,) = running.with_prices([request], engine, cancel)
    (result,) = running.run(
        layer,
        [request],
        engine,
        lambda stage, fraction, text: report(stage.value, fraction, text),
        cancel,
        again=messages.flag(message, "again", False),
    )
    own_size = messages.flag(message, "own_size", False)
    without_subject = messages.flag(message, "without_subject", False)
    layers = []
    for number, data in enumerate(result.files):
        made = pictures.decode(data)
        size = (made.width, made.height) if own_size else (width, height)
        path = pixels.with_suffix(f".{number}.result")
        keeps = request.task.keeps_alpha
        _write(path, plates.as_layer(made, layer, size, keeps_alpha=keeps, without_subject=without_subject), bgr)
        layers.append({"file": path.name, "width": size[0], "height": size[1]})
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


def _read_mask(folder: Path, message: Message, size: tuple[int, int], grown: bool) -> Picture:
    from ..imaging import pictures, plates

    mask = pictures.read_raw(folder / messages.file_name(message, "mask"), *size, 1)
    return pictures.Picture(plates.grow(mask.pixels[..., 0].astype("uint8"))[..., None]) if grown else mask


def _write(path: Path, pixels: NDArray[np.uint8], bgr: bool) -> None:
    from .. import atomic

    ordered = pixels[..., [2, 1, 0, 3]] if bgr else pixels
    with atomic.replacing(path) as unfinished, unfinished.open("wb") as file:
        file.write(ordered.tobytes())
