"""What a host's message says, field by field. Whatever can't be meant raises SetupError `bad_job`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from .. import errors
from ..removal.choices import CHOICES

if TYPE_CHECKING:
    from ..imaging.pictures import Sample
    from ..models.shelf import Weights
    from ..service.tasks import Task

Message: TypeAlias = "dict[str, Any]"

DEPTHS = {"u8": "uint8", "u16": "uint16", "u32": "uint32", "f16": "float16", "f32": "float32", "f64": "float64"}
"""The names of numpy's types of samples."""


def parse(line: str) -> Message:
    """The message of a line; empty where there is none."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return message if isinstance(message, dict) else {}


def file_name(message: Message, field: str) -> str:
    """The name of a file in the private folder."""
    value = message.get(field)
    if not (isinstance(value, str) and value.isprintable() and Path(value).name):
        raise errors.make("bad_job")
    return Path(value).name


def title(message: Message) -> str:
    """What the user calls a picture, on one line."""
    value = message.get("name")
    if not isinstance(value, str):
        raise errors.make("bad_job")
    return " ".join(value.split())


def pictures(message: Message) -> list[Message]:
    """The pictures of a batch."""
    value = message.get("pictures")
    if not (isinstance(value, list) and value and all(isinstance(picture, dict) for picture in value)):
        raise errors.make("bad_job")
    return value


def shape(message: Message, channels: tuple[int, ...] = (1, 2, 3, 4)) -> tuple[int, int, int]:
    """Width, height and channels of the pixels."""
    width, height, count = (message.get(field) for field in ("width", "height", "channels"))
    if not (type(width) is int and type(height) is int and type(count) is int and count in channels):
        raise errors.make("bad_job")
    return width, height, count


def sample(message: Message) -> Sample:
    """The type of the samples."""
    import numpy as np

    depth = message.get("depth", "u8")
    if not (isinstance(depth, str) and depth in DEPTHS):
        raise errors.make("bad_job")
    found: Sample = np.dtype(DEPTHS[depth]).type
    return found


def is_bgr(message: Message, channels: int) -> bool:
    """Whether the colours are stored B,G,R."""
    order = message.get("order", "rgb")
    if order not in ("rgb", "bgr") or (order == "bgr" and channels < 3):
        raise errors.make("bad_job")
    return bool(order == "bgr")


def engine(message: Message, field: str = "engine") -> str:
    """The choice of an engine."""
    choice = message.get(field)
    if choice not in CHOICES:
        raise errors.make("bad_job")
    return str(choice)


def flag(message: Message, field: str, default: bool) -> bool:
    """Yes or no; `default` where the field is left out."""
    value = message.get(field, default)
    if not isinstance(value, bool):
        raise errors.make("bad_job")
    return value


def key(message: Message) -> str | None:
    """The API key without the spaces around it, None where the stored one is to be forgotten."""
    value = message.get("key", "")
    if value is None:
        return None
    if not isinstance(value, str) or "key" not in message:
        raise errors.make("bad_job")
    return value.strip()


def tried_key(message: Message) -> str | None:
    """The API key that is tried in place of the stored one, None where there is none."""
    if "key" not in message:
        return None
    found = key(message)
    if found is None:
        raise errors.make("bad_job")
    return found


def task(message: Message) -> Task:
    """The task of the service that is meant. Raises SetupError `task_unknown`, too."""
    from ..service import tasks

    value = message.get("task")
    if not isinstance(value, str):
        raise errors.make("bad_job")
    return tasks.find(value)


def fields(message: Message) -> dict[str, str]:
    """What a task is run with, besides pictures."""
    value = message.get("fields", {})
    if not (isinstance(value, dict) and all(isinstance(text, str) for text in value.values())):
        raise errors.make("bad_job")
    return value


def model(message: Message) -> str:
    """The name of an offline model."""
    value = message.get("name")
    if not (isinstance(value, str) and value):
        raise errors.make("bad_job")
    return value


def model_file(message: Message) -> Callable[[], Weights]:
    """Looks whether a file of the user's own is an offline model, and how it is used."""
    path, side = message.get("path"), message.get("side")
    if not (isinstance(path, str) and path and "\0" not in path) or "name" in message:
        raise errors.make("bad_job")
    if not (side is None or (type(side) is int and side > 0)):
        raise errors.make("bad_job")
    mean, deviation = (_colours(message, field) for field in ("mean", "deviation"))

    def examine() -> Weights:
        from ..models import own

        return own.examine(Path(path), side, mean, deviation)

    return examine


def _colours(message: Message, field: str) -> tuple[float, float, float] | None:
    value = message.get(field)
    if value is None:
        return None
    if not (isinstance(value, list) and len(value) == 3 and all(type(part) in (int, float) for part in value)):
        raise errors.make("bad_job")
    try:
        return float(value[0]), float(value[1]), float(value[2])
    except OverflowError:
        raise errors.make("bad_job") from None
