"""A model file of the user's own: whether it fits, and what is remembered of it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .. import errors
from ..language import _
from . import hashes
from .sessions import Session
from .shelf import Weights
from .table import Recipe

MAX_SIDE = 4096
_BEYOND = 0.5
_CHANNELS = 3
_USUAL = Recipe(0, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""How most models of the field take pictures."""


def examine(
    path: Path,
    side: int | None = None,
    mean: tuple[float, float, float] | None = None,
    deviation: tuple[float, float, float] | None = None,
) -> Weights:
    """What it takes to run the file, tried once on a picture: whether its output is an alpha or still needs a sigmoid
    is seen then.

    Args:
        side: pixels a side, needed where the file does not tell.
        mean, deviation: as `Recipe` has them; else the usual ones.

    Raises SetupError `model_unfit`, `no_engine`.
    """
    try:
        if not path.is_file():
            raise errors.make("model_unfit", _("there is no file {path}").format(path=path))
        given = mean or _USUAL.mean, deviation or _USUAL.deviation
        if not all(math.isfinite(value) for value in (*given[0], *given[1])) or 0 in given[1]:
            raise errors.make("model_unfit", _("mean and deviation are three numbers each, and no deviation is 0"))
        session = Session(path)
        recipe = Recipe(_choose_side(session.shape, side), *given)
        answer = session.ask(_picture(recipe.side), recipe)
        found = hashes.hash_file(path, "sha256")
    except MemoryError:
        raise errors.make("model_unfit", _("there is not enough memory for it")) from None
    except OSError as error:
        raise errors.make("model_unfit", f"{path}: {error.strerror}") from error
    return Weights(name_of(path), path.absolute(), found, Recipe(recipe.side, *given, logits=_needs_sigmoid(answer)))


def name_of(path: Path) -> str:
    """What a file is called as a model: that it is the user's own, and no model of the table."""
    return f"own/{errors.plain(path.name)}"


def as_setting(weights: Weights) -> dict[str, Any]:
    """What is remembered of it."""
    recipe = weights.recipe
    return {
        "path": str(weights.path),
        "hash": weights.hash,
        "side": recipe.side,
        "mean": list(recipe.mean),
        "deviation": list(recipe.deviation),
        "logits": recipe.logits,
    }


def from_setting(setting: dict[str, Any]) -> Weights:
    """What was remembered. Raises SetupError `model_missing` where it makes no sense."""
    try:
        path = Path(str(setting["path"]))
        (red, green, blue), (over_red, over_green, over_blue) = setting["mean"], setting["deviation"]
        mean, deviation = (
            (float(red), float(green), float(blue)),
            (float(over_red), float(over_green), float(over_blue)),
        )
        recipe = Recipe(int(setting["side"]), mean, deviation, logits=setting["logits"] is True)
        return Weights(name_of(path), path, str(setting["hash"]), recipe)
    except (KeyError, TypeError, ValueError, OverflowError):
        raise errors.make("model_missing") from None


def _choose_side(shape: list[int | str | None], side: int | None) -> int:
    """The side of the square that a model takes, of what its file and the user say."""
    if len(shape) != 4 or (isinstance(shape[0], int) and shape[0] != 1) or shape[1] != _CHANNELS:
        raise errors.make("model_unfit", _("it does not take one picture of 3 colours"))
    fixed = {length for length in shape[2:] if isinstance(length, int)}
    if len(fixed) > 1:
        raise errors.make("model_unfit", _("the picture that it takes is no square"))
    if fixed and side not in (None, *fixed):
        raise errors.make("model_unfit", _("its side is {side} pixels").format(side=fixed.pop()))
    found = fixed.pop() if fixed else side
    if found is None:
        raise errors.make("model_unfit", _("it takes any size, so its side has to be given"))
    if not 16 <= found <= MAX_SIDE:
        raise errors.make("model_unfit", _("the side has to be from 16 to {most} pixels").format(most=MAX_SIDE))
    return found


def _needs_sigmoid(answer: NDArray[np.float32]) -> bool:
    """Whether the answer to the test picture is one before the sigmoid: below 0 beside the subject, above 0 on it. An
    alpha may go somewhat beyond 0 and 1."""
    least, most = float(answer.min()), float(answer.max())
    if np.isfinite(answer).all():
        if least < -_BEYOND and most > _BEYOND:
            return True
        if least >= -_BEYOND and most <= 1 + _BEYOND:
            return False
    raise errors.make("model_unfit", _("it returns neither an alpha from 0 to 1 nor one before the sigmoid"))


def _picture(side: int) -> Image.Image:
    """A dark square on a bright ground."""
    image = Image.new("RGB", (side, side), (230, 228, 220))
    image.paste((60, 40, 36), (side // 4, side // 4, side - side // 4, side - side // 4))
    return image
