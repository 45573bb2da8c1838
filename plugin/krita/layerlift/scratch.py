"""Documents that nobody sees, in which what Krita makes an undo step of is none of the user's, and colours are
converted."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Callable, Iterator, Tuple

from krita import Krita

from .windows import owned

if TYPE_CHECKING:
    from krita import Document, Node

Space = Tuple[str, str, str]
"""A colour space: Krita's names of its model, its depth and its profile."""
SRGB: Space = ("RGBA", "U8", "sRGB-elle-V2-srgbtrc.icc")
# A strip of linear 16-bit pixels takes Krita 0.1 s to convert.
STRIP_PIXELS = 2**18


@contextmanager
def scratch(width: int, height: int, space: Space) -> Iterator[Document]:
    """A document that nobody sees, with one layer."""
    document = Krita.instance().createDocument(width, height, "", *space, 72.0)
    try:
        yield document
    finally:
        document.waitForDone()
        document.setModified(False)
        document.close()


@contextmanager
def converter(width: int, most: int, source: Space, target: Space) -> Iterator[Callable[[Any, int], Any]]:
    """A function that makes pixels of one colour space of those of another, as Krita shows them.

    It is given up to so many rows of so many pixels, and how many they are.
    """
    if source == target:
        yield lambda pixels, rows: pixels
        return
    with scratch(width, most, target) as document:
        (strip,) = owned(document.topLevelNodes())
        strip.setColorSpace(*source)

        def converted(pixels: Any, rows: int) -> Any:
            strip.setPixelData(pixels, 0, 0, width, rows)
            document.refreshProjection()
            document.waitForDone()
            return document.pixelData(0, 0, width, rows)

        yield converted


@contextmanager
def blank(name: str, space: Space, like: Node | None) -> Iterator[tuple[Node, Document]]:
    """A paint layer without pixels and in no document yet, and the document that it was made by.

    That is none of the user's: its blending mode, its mask, and in Krita 5.1 its colour space are undo steps of the
    document that it was made by, though it is not in there.

    Args:
        like: the layer whose blending mode and opacity it has.
    """
    with scratch(1, 1, space) as home:
        new = home.createNode(name, "paintlayer")
        if like is not None:
            if like.blendingMode() != "normal":
                new.setBlendingMode(like.blendingMode())
            new.setOpacity(like.opacity())
        yield new, home
