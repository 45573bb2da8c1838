"""Which offline model made a result: a text in the result's PNG, between the engine and whoever reads it."""

from __future__ import annotations

import io
from typing import NamedTuple

from PIL import Image, PngImagePlugin

_MODEL = "Layerlift-Model"
_FALLBACK = "Layerlift-Fallback"


class Maker(NamedTuple):
    """The model, and where a better one could not be used, why: a sentence for the user."""

    model: str
    fallback: str | None = None

    def as_chunks(self) -> PngImagePlugin.PngInfo:
        """The texts of a PNG that say it."""
        chunks = PngImagePlugin.PngInfo()
        chunks.add_itxt(_MODEL, self.model)
        if self.fallback:
            chunks.add_itxt(_FALLBACK, self.fallback)
        return chunks


def read_maker(data: bytes) -> Maker | None:
    """Who made the PNG; None where it does not say so."""
    with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
        model, fallback = image.info.get(_MODEL), image.info.get(_FALLBACK)
    return Maker(str(model), str(fallback) if fallback else None) if model else None
