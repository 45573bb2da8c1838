"""All that touches Krita's own objects: documents, layers, windows, settings. The other modules know none of them, but
for `scratch`, `places` and `windows`, which are parts of this one.

Pixels are read and written in strips, one for each step of an iterator, so that Krita's window answers in between.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, ContextManager, Generator, Iterator, Tuple

from krita import Document, GroupLayer, Krita

from .common.language import _
from .common.marks import DOCUMENT_MARKS
from .common.words import DELETED, cut_out, short
from .qt import QtCore, QtGui
from .scratch import SRGB, STRIP_PIXELS, Space, blank, converter
from .windows import owned, windows_stay

if TYPE_CHECKING:
    from krita import Node

KINDS = ("paintlayer", "grouplayer", "vectorlayer", "clonelayer", "filelayer", "filllayer")
CHANNELS = {"GRAYA": 2, "RGBA": 4, "LABA": 4, "XYZA": 4, "YCbCrA": 4, "CMYKA": 5}
# Krita's name of a depth: the worker's, and the bytes of a sample.
DEPTHS = {"U8": ("u8", 1), "U16": ("u16", 2), "F16": ("f16", 2), "F32": ("f32", 4)}
GROUP = "layerlift"
UNDO_MS, UNDO_LOOKS = 100, 30

NO_PICTURE = _("Open a picture first.")


class Refused(Exception):
    """What can't be done, in words for the user."""


Source = Tuple[str, Callable[[str], "Layer"]]
"""A layer's name, or its document's, and what makes a Layer of it, given what the names of its files begin with."""


class Layer:
    """A layer of a document, as it was when its removal began.

    The document may be edited and closed meanwhile: the layer is found again by its id. Raises Refused where there is
    nothing whose background could be removed.
    """

    def __init__(self, document: Document, node: Node | None, files: str = "", area: Any = None) -> None:
        """`node` is the layer, by default the active one; `files` what the names of its files begin with; `area` the
        rectangle that is read of it, by default all that there is on it."""
        node = node or document.activeNode()
        if node is None:
            raise Refused(_("The picture has no layer."))
        if node.type().endswith("mask"):
            raise Refused(_("A mask has no background. Choose a layer."))
        if node.type() not in KINDS:
            raise Refused(_("'{layer}' has no pixels of its own. Choose another layer.").format(layer=node.name()))
        if isinstance(node, GroupLayer) and node.passThroughMode():
            raise Refused(
                _("Group '{layer}' is in Pass Through mode. Turn Pass Through off first.").format(layer=node.name())
            )
        with windows_stay():
            document.waitForDone()
        bounds = (node.bounds() if area is None else area).intersected(document.bounds())
        if bounds.isEmpty():
            raise Refused(
                _("'{layer}' is empty inside the canvas. Choose a layer with something on it.").format(
                    layer=node.name()
                )
            )
        if node.colorModel() not in CHANNELS or node.colorDepth() not in DEPTHS:
            raise Refused(
                _("{space} layers are not supported. Convert the layer first.").format(
                    space=f"{node.colorModel()} {node.colorDepth()}"
                )
            )
        self.document_name = _name(document)
        self.title = f"{self.document_name}: {short(node.name())}"
        self.shown, self.native = f"{files}shown.raw", f"{files}native.raw"
        self.width, self.height = bounds.width(), bounds.height()
        self._rows = max(1, STRIP_PIXELS // self.width)
        self._document = document
        self._id = node.uniqueId()
        self._x, self._y = bounds.x(), bounds.y()
        self._position = node.position()
        self._space = space_of(node)
        self._canvas = (document.width(), document.height())

    def anew(self, files: str = "") -> Layer:
        """The same layer as it is now. Raises Refused where it is gone."""
        return Layer(self._document, self.find(), files)

    def export(self, folder: Path) -> Generator[float, None, None]:
        """Write what the layer shows to `folder`, natively and as 8-bit sRGB; yields the fraction that is done.

        Raises Refused where the document or the layer is gone or is of another size or colour space by now, OSError
        where nothing can be written.
        """
        shown, native = folder / self.shown, folder / self.native
        with shown.open("wb") as in_srgb, native.open("wb") as own, self._converter() as converted:
            for top, rows, pixels in self._shown():
                own.write(pixels)
                in_srgb.write(converted(pixels, rows))
                yield (top + rows) / self.height

    def removal(self) -> dict[str, Any]:
        """The worker's job for what was exported."""
        return dict(self._size(), pixels=self.shown, channels=CHANNELS[SRGB[0]], order="bgr")

    def cut(self, alpha: str, clean: bool) -> dict[str, Any]:
        """The worker's job that puts an alpha on what was exported."""
        model, depth = self._space[:2]
        return dict(
            self._size(),
            pixels=self.native, alpha=alpha, channels=CHANNELS[model], depth=DEPTHS[depth][0], clean=clean,
        )  # fmt: skip

    def insert(self, pixels: Path, mask: Path | None, hide: bool) -> Generator[float, None, None]:
        """Put a layer with these native pixels above the original, in one undo step; yields the fraction that is done.

        Args:
            pixels: rows of the layer's own samples.
            mask: where not None, rows of 8-bit alphas for a transparency mask of the new layer.
            hide: whether the original becomes invisible.

        Raises Refused, and leaves the document as it was, where the layer is gone or the document has changed its size
        or the layer its colour space.
        """
        node = self._unchanged()
        with blank(cut_out(node.name()), self._space, node) as (new, home):
            for top, rows, data in self._read(pixels, _bytes_per_pixel(self._space)):
                self._write(new, top, rows, data)
                yield (top + rows) / self.height
            if mask is not None:
                cover = home.createTransparencyMask(_("{layer} mask").format(layer=node.name()))
                for top, rows, data in self._read(mask, 1):
                    self._write(cover, top, rows, data)
                    yield (top + rows) / self.height
                new.addChildNode(cover, None)
            node = self._unchanged()
            moved = node.position() - self._position
            if not moved.isNull():
                new.move(moved.x(), moved.y())
            hide = hide and node.visible()
            if hide:
                # Before Krita composes the picture anew for the new layer: for this alone it would not.
                node.setVisible(False)
            node.parentNode().addChildNode(new, node)
            mark = f"{id_of(new)} {id_of(node)}\n".encode()
            self._document.setAnnotation(
                DOCUMENT_MARKS, "Layerlift's cut-outs", QtCore.QByteArray(_marks(self._document) + mark)
            )
        if hide:
            _Hidden(self, new.uniqueId())

    def refresh(self) -> None:
        """Have the picture composed anew, which Krita does not do where only a layer's visibility has changed."""
        with windows_stay():
            self._document.refreshProjection()

    def has(self, unique_id: Any) -> bool:
        """Whether the layer's document has a node of this id."""
        return by_id(self._document, unique_id) is not None

    def is_in_front(self) -> bool:
        """Whether the layer's document is the active one."""
        return bool(Krita.instance().activeDocument() == self._document)

    def has_cut_out(self) -> bool:
        """Whether the layer is a cut-out, or has its own in the document. Raises Refused where one of them is gone."""
        own = id_of(self.find())
        there = {id_of(node) for node in below(self._document.rootNode())}
        return any(cutout == own or (original == own and cutout in there) for cutout, original in pairs(self._document))

    def _size(self) -> dict[str, Any]:
        return {"width": self.width, "height": self.height}

    def _strips(self) -> Iterator[tuple[int, int]]:
        """First row and number of rows of each strip."""
        for top in range(0, self.height, self._rows):
            yield top, min(self._rows, self.height - top)

    def _read(self, path: Path, size: int) -> Iterator[tuple[int, int, bytes]]:
        with path.open("rb") as file:
            for top, rows in self._strips():
                yield top, rows, file.read(rows * self.width * size)

    def _write(self, node: Node, top: int, rows: int, data: bytes) -> None:
        node.setPixelData(QtCore.QByteArray(data), self._x, self._y + top, self.width, rows)

    def _shown(self) -> Iterator[tuple[int, int, Any]]:
        """First row, number of rows and native pixels of each strip of what the layer shows."""
        for top, rows in self._strips():
            node = self._unchanged()
            moved = node.position() - self._position
            x, y = self._x + moved.x(), self._y + moved.y()
            yield top, rows, node.projectionPixelData(x, y + top, self.width, rows)

    def _converter(self) -> ContextManager[Callable[[Any, int], Any]]:
        """A function that makes 8-bit sRGB, as Krita shows it, of rows of native pixels."""
        return converter(self.width, self._rows, self._space, SRGB)

    def find(self) -> Node:
        """The layer in its document. Raises Refused where one of them is gone."""
        if not any(document == self._document for document in owned(Krita.instance().documents())):
            raise Refused(_("The document was closed in the meantime. Nothing was changed."))
        node = by_id(self._document, self._id)
        if node is None:
            raise Refused(DELETED)
        return node

    def _unchanged(self) -> Node:
        node = self.find()
        if (self._document.width(), self._document.height()) != self._canvas or space_of(node) != self._space:
            raise Refused(_("The picture was resized or converted in the meantime. Nothing was done: run it again."))
        return node


class _Hidden:
    """Shows a hidden original when its cut-out is undone, and hides it again: Krita makes no undo step of that."""

    def __init__(self, original: Layer, cutout: Any) -> None:
        self._original, self._cutout, self._there = original, cutout, True
        for name in ("edit_undo", "edit_redo"):
            # Not the bound method: that would not keep this object.
            Krita.instance().action(name).triggered.connect(lambda: self._stepped())

    def _stepped(self) -> None:
        # In no other document anything is undone.
        if self._original.is_in_front():
            self._look(UNDO_LOOKS)

    def _look(self, looks: int) -> None:
        """Look a few times: Krita undoes in the background, and tells nobody when that is done."""
        try:
            node = self._original.find()
        except Refused:
            return
        there = self._original.has(self._cutout)
        if there != self._there:
            self._there = there
            node.setVisible(not there)
            self._original.refresh()
        elif looks:
            QtCore.QTimer.singleShot(UNDO_MS, lambda: self._look(looks - 1))


def active_layer() -> Layer:
    """The layer that the user sees as the active one. Raises Refused."""
    document = Krita.instance().activeDocument()
    if document is None:
        raise Refused(NO_PICTURE)
    return Layer(document, None)


def selected_layers() -> list[Source]:
    """The layers that the user has selected in the list, from its top."""
    window = Krita.instance().activeWindow()
    view = None if window is None else window.activeView()
    document = None if view is None else view.document()
    if view is None or document is None:
        return []
    selected = [id_of(node) for node in owned(view.selectedNodes())]
    nodes = [node for node in below(document.rootNode()) if id_of(node) in selected]
    return [(short(node.name()), partial(Layer, document, node)) for node in reversed(nodes)]


def active_name() -> str:
    """The name of the active document, or ""."""
    document = Krita.instance().activeDocument()
    return "" if document is None else _name(document)


def open_documents() -> list[Source]:
    """The active layer of every document that the user sees in a window, by the document's name."""
    views = [view for window in owned(Krita.instance().windows()) for view in owned(window.views())]
    found: list[Document] = []
    for document in (view.document() for view in views):
        if document is not None and not any(document == other for other in found):
            found.append(document)
    return [(_name(document), partial(Layer, document, None)) for document in found]


def takes_masks() -> bool:
    """Whether this Krita lets a plug-in make transparency masks: 5.2 and later do."""
    return hasattr(Document, "createTransparencyMask")


def main_window() -> Any:
    """Krita's active main window as a QWidget, or None."""
    window = Krita.instance().activeWindow()
    return None if window is None else window.qwindow()


def tell(text: str) -> None:
    """Show a line over the canvas for a few seconds."""
    window = Krita.instance().activeWindow()
    view = None if window is None else window.activeView()
    if view is not None:
        view.showFloatingMessage(text, QtGui.QIcon(), 4000, 1)


def version() -> str:
    """Krita's own."""
    return Krita.instance().version()


def setting(name: str) -> str:
    """What `keep` has kept in kritarc, or ""."""
    return str(Krita.instance().readSetting(GROUP, name, ""))


def keep(name: str, text: str) -> None:
    """Keep a setting in kritarc, as plain text."""
    Krita.instance().writeSetting(GROUP, name, text)


def _name(document: Document) -> str:
    return short(document.name() or Path(document.fileName()).name) or _("Untitled")


def space_of(node: Node | Document) -> Space:
    """The colour space of a layer or of a document."""
    return node.colorModel(), node.colorDepth(), node.colorProfile()


def _bytes_per_pixel(space: Space) -> int:
    model, depth = space[:2]
    return CHANNELS[model] * DEPTHS[depth][1]


def _marks(document: Document) -> bytes:
    return bytes(document.annotation(DOCUMENT_MARKS))


def id_of(node: Node) -> str:
    """A node's id, as text."""
    return str(node.uniqueId().toString())


def by_id(document: Document, unique_id: Any) -> Node | None:
    """The node of a document that has this id, or None."""
    return next((node for node in below(document.rootNode()) if node.uniqueId() == unique_id), None)


def pairs(document: Document) -> list[tuple[str, str]]:
    """The ids of each cut-out and its original, the oldest first; they may be gone."""
    marks = (line.partition(" ") for line in _marks(document).decode("ascii", "replace").split("\n"))
    return [(cutout, original) for cutout, _between, original in marks if original]


def below(node: Node) -> Iterator[Node]:
    """All nodes beneath one, each before those in it."""
    for child in owned(node.childNodes()):
        yield child
        yield from below(child)
