"""Where the service's other tasks take their pictures and masks from, and where their results go in the document: the
part of `host` that is for these."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generator, Iterator, NamedTuple

from krita import Krita

from .common import tasks
from .host import NO_PICTURE, Layer, Refused, below, by_id, id_of, pairs, space_of
from .qt import QtCore
from .scratch import SRGB, STRIP_PIXELS, blank, converter
from .windows import owned, windows_stay

if TYPE_CHECKING:
    from krita import Document, Node

MASK = "mask.raw"
SRGB_BYTES = 4
SCALING = "Bicubic"
BEHIND = "behind"
"""The blending mode that shows a layer beneath those that it is above of."""


class Made(NamedTuple):
    """A result: a file of rows of 8-bit sRGB with alpha."""

    pixels: Path
    width: int
    height: int


class Place(Layer):
    """A layer that a task works on, and where what comes of it goes. Raises Refused where there is none.

    For a clean plate it is the original of the cut-out; for a new background the cut-out, over all that its original
    covers, or the whole canvas. Their results go beneath the cut-out, those of any other task above the layer.
    """

    def __init__(self, document: Document, kind: str, node: Node | None = None) -> None:
        """`kind` is one of those that `tasks` has, `node` the layer that is chosen, by default the active one."""
        chosen = node or document.activeNode()
        source, original, cutout = _parts(document, kind, chosen)
        area = None
        if kind == tasks.NEW_BACKGROUND:
            area = document.bounds() if original is None else original.bounds()
        super().__init__(document, source, area=area)
        self.name = (original or self.find()).name()
        self._kind = kind
        self._chosen = None if chosen is None else chosen.uniqueId()
        self._upper: Layer | None = None
        if kind == tasks.CLEAN_PLATE:
            rectangle = QtCore.QRect(self._x, self._y, self.width, self.height)
            self._upper = Layer(document, cutout, area=rectangle)
        elif kind == tasks.NEW_BACKGROUND:
            self._upper = self

    def anew(self, files: str = "") -> Place:
        """The same place as it is now. Raises Refused where the layer is gone."""
        self.find()
        return Place(self._document, self._kind, by_id(self._document, self._chosen))

    def read(self, folder: Path, takes_mask: bool) -> Generator[float, None, None]:
        """Write what the layer shows to `folder` as 8-bit sRGB, and the mask, if there is one; yields the fraction that
        is done.

        Raises Refused as `export` does, or where there is nothing to work on, OSError where nothing can be written.
        """
        is_opaque = True
        with (folder / self.shown).open("wb") as file, self._converter() as converted:
            for top, rows, pixels in self._shown():
                shown = bytes(converted(pixels, rows))
                is_opaque = is_opaque and not shown[3::SRGB_BYTES].strip(b"\xff")
                file.write(shown)
                yield (top + rows) / self.height / 2
        if self._kind == tasks.NEW_BACKGROUND and is_opaque:
            raise Refused(tasks.NO_CUT_OUT)
        if takes_mask:
            is_empty = True
            with (folder / MASK).open("wb") as file:
                for top, rows, mask in self._mask():
                    is_empty = is_empty and not mask.strip(b"\0")
                    file.write(mask)
                    yield 0.5 + (top + rows) / self.height / 2
            if is_empty:
                raise Refused(tasks.NO_SELECTION if self._upper is None else tasks.NO_CUT_OUT)

    def task(self, takes_mask: bool) -> dict[str, Any]:
        """The worker's question about what was read."""
        mask = {"mask": MASK, "grow": self._kind == tasks.CLEAN_PLATE} if takes_mask else {}
        return dict(self.removal(), without_subject=self._kind == tasks.NEW_BACKGROUND, **mask)

    def put(self, results: list[Made], name: str) -> Generator[float, None, None]:
        """Put results into the document as layers of this name, in its own colour space, each in one undo step; yields
        the fraction that is done. Where they are larger than what they were made of, the document grows first, which is
        an undo step of Krita's own.

        Raises Refused, and leaves the document as it was, where it or the layer is gone or has changed its size or
        colour space.
        """
        node = self._unchanged()
        scale = results[0].width / self.width
        like = None if self._kind == tasks.NEW_BACKGROUND else node
        with ExitStack() as homes:
            layers = []
            for number, made in enumerate(results):
                new, _home = homes.enter_context(blank(name, space_of(self._document), like))
                for fraction in self._fill(new, made, scale):
                    yield (number + fraction) / len(results)
                layers.append(new)
            moved = self._unchanged().position() - self._position
            if scale != 1.0:
                self._grow(scale)
            last = None
            for new in layers:
                if not moved.isNull():
                    new.move(round(moved.x() * scale), round(moved.y() * scale))
                self._add(new, last)
                last = new

    def _mask(self) -> Iterator[tuple[int, int, bytes]]:
        """First row, number of rows and values of each strip of the selection, or of what the cut-out covers."""
        if self._upper is not None:
            with self._upper._converter() as converted:
                for top, rows, pixels in self._upper._shown():
                    yield top, rows, bytes(converted(pixels, rows))[3::SRGB_BYTES]
            return
        for top, rows in self._strips():
            moved = self._unchanged().position() - self._position
            selection = self._document.selection()
            if selection is None:
                raise Refused(tasks.NO_SELECTION)
            x, y = self._x + moved.x(), self._y + moved.y() + top
            yield top, rows, bytes(selection.pixelData(x, y, self.width, rows))

    def _fill(self, new: Node, made: Made, scale: float) -> Iterator[float]:
        """Write a result to a layer that is in no document yet, strip by strip; yields the fraction that is done."""
        most = max(1, STRIP_PIXELS // made.width)
        x, y = round(self._x * scale), round(self._y * scale)
        space = space_of(self._document)
        with made.pixels.open("rb") as file, converter(made.width, most, SRGB, space) as converted:
            for top in range(0, made.height, most):
                rows = min(most, made.height - top)
                data = QtCore.QByteArray(file.read(rows * made.width * SRGB_BYTES))
                new.setPixelData(QtCore.QByteArray(converted(data, rows)), x, y + top, made.width, rows)
                yield (top + rows) / made.height

    def _grow(self, scale: float) -> None:
        """Scale the whole document."""
        document = self._document
        size = round(document.width() * scale), round(document.height() * scale)
        with windows_stay():
            document.scaleImage(*size, round(document.xRes()), round(document.yRes()), SCALING)
            document.waitForDone()

    def _add(self, new: Node, last: Node | None) -> None:
        """Add a layer above the last one; where that is None, beneath the cut-out, or above the layer."""
        above = last or self.find()
        if last is None and self._upper is not None:
            upper = self._upper.find()
            beneath = _beneath(upper)
            if beneath is None:
                # Krita lets no plug-in put a layer beneath the lowest one.
                new.setBlendingMode(BEHIND)
            above = beneath or upper
        above.parentNode().addChildNode(new, above)


def active_place(kind: str) -> Place:
    """Where a task of this kind works, by the layer that the user sees as the active one. Raises Refused."""
    document = Krita.instance().activeDocument()
    if document is None:
        raise Refused(NO_PICTURE)
    return Place(document, kind)


def _parts(document: Document, kind: str, chosen: Node | None) -> tuple[Node | None, Node | None, Node | None]:
    """The layer that a task of this kind works on, and the original and the cut-out that the chosen layer is one of;
    the latest of its cut-outs where it is an original. Raises Refused where a clean plate lacks one of them."""
    original = cutout = None
    if kind != tasks.CONTINUE and chosen is not None:
        there = {id_of(node): node for node in below(document.rootNode())}
        for one, other in pairs(document):
            if one in there and id_of(chosen) in (one, other):
                cutout, original = there[one], there.get(other)
    if kind == tasks.NEW_BACKGROUND:
        return cutout or chosen, original, cutout
    if kind == tasks.CLEAN_PLATE:
        if original is None:
            raise Refused(tasks.NO_CUT_OUT)
        return original, original, cutout
    return chosen, None, None


def _beneath(node: Node) -> Node | None:
    """The layer right beneath one, None where it is the lowest in its group."""
    last = None
    for sibling in owned(node.parentNode().childNodes()):
        if sibling.uniqueId() == node.uniqueId():
            return last
        last = sibling
    return last
