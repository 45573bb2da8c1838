"""What test scripts have at hand inside Krita. What waits is a generator: `document = yield from new_document(...)`."""

import time
from pathlib import Path

import krita

from . import QTimer, QtWidgets

__all__ = [
    "EventLoop",
    "Path",
    "activate",
    "add",
    "at_reset",
    "close",
    "close_all",
    "k",
    "later",
    "linger",
    "new_document",
    "open_document",
    "paint",
    "pixels",
    "redo",
    "settle",
    "tell_of_resources",
    "tree",
    "undo",
]  # fmt: skip

k = krita.Krita.instance()
at_reset = []
"""What is called when the test is over, to end what would go on by itself."""


def new_document(width, height, model="RGBA", depth="U8", profile=""):
    """A new document in the window, with its one layer, which is white."""
    document = k.createDocument(width, height, "test", model, depth, profile, 72.0)
    yield from _show(document)
    return document


def open_document(path):
    """A document from a file in the window."""
    document = k.openDocument(path)
    yield from _show(document)
    return document


def _show(document):
    # An untagged picture would ask for its profile, and what is not saved would ask at its end.
    document.setBatchmode(True)
    k.activeWindow().addView(document)
    yield lambda: k.activeDocument() == document and document.activeNode() is not None
    yield from settle(document)


def settle(*documents):
    """Wait until Krita has nothing to compute for these documents."""
    for document in documents:
        document.waitForDone()
    yield None
    for document in documents:
        document.waitForDone()


def add(document, node, parent=None, above=None):
    """Add a node, at the top by default, and make it the active one."""
    (parent or document.rootNode()).addChildNode(node, above)
    yield from settle(document)
    yield from activate(document, node)
    return node


def activate(document, node):
    """Make a node the active one, which Krita does when it comes to it."""
    document.setActiveNode(node)
    yield lambda: document.activeNode() == node


def paint(document, node, data, x, y, width, height):
    """Set a rectangle of a node's pixels, in its own format."""
    node.setPixelData(data, x, y, width, height)
    document.refreshProjection()
    yield from settle(document)


def pixels(node, x, y, width, height):
    """A rectangle of a node as it shows, in its own format."""
    return bytes(node.projectionPixelData(x, y, width, height))


def undo(document):
    """One step back."""
    yield from _step(document, "edit_undo")


def redo(document):
    """One step forth."""
    yield from _step(document, "edit_redo")


def _step(document, action):
    yield from settle(document)
    k.action(action).trigger()
    yield from settle(document)


def tree(node):
    """What is below a node, from the bottom: names, types, and what is below those."""
    return [[child.name(), child.type(), tree(child)] for child in node.childNodes()]


def linger():
    """Let so much time pass as a user takes from a change to another document.

    Krita's list of layers looks at what has changed a tenth of a second later, and Krita 5.3 ends where that is gone,
    Krita 6 now and then where another document is shown by then.
    """
    since = time.monotonic()
    yield lambda: time.monotonic() > since + 0.3


def close(document):
    """Close a document without a question, and not sooner after a change than a user can."""
    yield from _close([document])


def close_all():
    """Close every document without a question."""
    yield from _close(k.documents())
    yield lambda: not k.documents()


def _close(documents):
    if not documents:
        return
    yield from settle(*documents)
    yield from linger()
    for document in documents:
        document.setModified(False)
        document.close()


def later(function):
    """Call a function from the event loop, which what opens a modal box must be."""
    QTimer.singleShot(0, function)


def tell_of_resources(wanted):
    """Whether Krita's lists of brushes, patterns and such hear that a document has come or gone, of those too that
    nobody sees. Each list fills itself anew then, which takes longer than all else that is done for a document."""
    children = QtWidgets.QApplication.instance().children()
    (locator,) = (child for child in children if child.metaObject().className() == "KisResourceLocator")
    locator.blockSignals(not wanted)


class EventLoop:
    """Measures how long Krita's event loop does not come round, from its making until `largest_gap`.

    Krita does all that it does for its users meanwhile.
    """

    def __init__(self):
        tell_of_resources(True)
        self._last, self._largest = time.monotonic(), 0.0
        self._timer = QTimer()
        self._timer.timeout.connect(self._stamp)
        self._timer.start(5)

    def _stamp(self):
        now = time.monotonic()
        self._largest = max(self._largest, now - self._last)
        self._last = now

    def largest_gap(self):
        """The longest time in seconds; ends the measurement."""
        self._timer.stop()
        self._stamp()
        tell_of_resources(False)
        return self._largest
