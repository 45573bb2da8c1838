"""What scripts of removals have at hand inside Krita: progress, boxes, what is said, and what must not change."""

import gc
import hashlib

from layerlift import host
from layerlift.choice import Choice
from layerlift.common import language
from layerlift.qt import QtCore, QtWidgets
from layerlift_driver.reset import plug_in
from layerlift_driver.scripting import at_reset, k, new_document, paint, redo, settle, undo

DARK, LIGHT = b"\0\0\0\xff", b"\xff\xff\xff\xff"
SAID = []
tell = host.tell


def listen():
    """Keep the lines that the plug-in shows over the canvas."""

    def told(text):
        SAID.append(text)
        tell(text)

    host.tell = told


def subject(width, height, frame=DARK, inside=LIGHT):
    """A new document: a frame, which the exact key keeps where it is dark, around what it cuts away."""
    document = yield from new_document(width, height)
    edge, hole = frame * (width // 4), inside * (width - 2 * (width // 4))
    rows = [frame * width, edge + hole + edge]
    data = b"".join(rows[height // 4 <= row < height - height // 4] for row in range(height))
    yield from paint(document, document.activeNode(), data, 0, 0, width, height)
    document.setModified(False)
    return document


def remove():
    """Ask for the active layer's removal, as the menu does."""
    k.action("layerlift_remove").trigger()


def _shown(kind):
    widgets = QtWidgets.QApplication.topLevelWidgets()
    return [widget for widget in widgets if isinstance(widget, kind) and widget.isVisible()]


def progress():
    """The progress window, or None. The plug-in is asked for it: scripts look at it all the time, and the application
    would have to make an object of every menu."""
    window = plug_in()._display
    return window if window is not None and window.isVisible() else None


def lines():
    """What the progress window says: the picture, and the stage."""
    window = progress()
    return ["", ""] if window is None else [label.text() for label in window.findChildren(QtWidgets.QLabel)]


def at(stage):
    """A condition: the progress is at a stage whose line starts like this."""
    return lambda: lines()[1].startswith(stage)


def is_in_a_step():
    """A condition: the plug-in waits for Krita amid a step of its job."""
    jobs = plug_in()._jobs
    return lambda: any(job._steps is not None and job._steps.gi_running for job in jobs._queue)


def box():
    """The message box that the plug-in shows, or None."""
    return next(iter(boxes()), None)


def boxes():
    """All message boxes that the plug-in shows."""
    title = language._("Remove Background")
    return [box for box in _shown(QtWidgets.QMessageBox) if box.windowTitle() == title]


def choice():
    """The question before a batch, or None."""
    return next((dialog for dialog in _shown(Choice)), None)


def krita_asks():
    """A question of Krita itself, or None."""
    return next((box for box in _shown(QtWidgets.QMessageBox) if box.windowTitle() == "Krita"), None)


def buttons(find):
    """The buttons of what is found, by their texts. They work, too, where Python has collected its garbage meanwhile:
    that is done first, since a dialog that a script has is none."""
    gc.collect()
    return {button.text().replace("&", ""): button for button in find().findChildren(QtWidgets.QPushButton)}


def is_over():
    """Whether all jobs have ended, and what the account has left is known."""
    return progress() is None and not plug_in()._balances


def ended(press="Close"):
    """Wait for the end of all removals; returns the text of a box, which a button closes, and what was said over the
    canvas."""
    yield lambda: is_over() and (box() or SAID)
    yield from settle(*k.documents())
    text, heard = box().text() if box() else "", SAID[:]
    SAID.clear()
    if text:
        buttons(box)[press].click()
    return text, heard


class When:
    """Acts once a condition is true, which is looked at each time that the event loop comes round."""

    def __init__(self, condition, act):
        self.done = False
        self._condition, self._act = condition, act
        self._timer = QtCore.QTimer(QtWidgets.QApplication.instance())
        # Not the bound method: that would not keep this object when its script has ended.
        self._timer.timeout.connect(lambda: self._look())
        self._timer.start(0)
        at_reset.append(self._timer.stop)

    def _look(self):
        if self._condition():
            self._timer.stop()
            self._act()
            self.done = True


def state(document):
    """All that must be as it was where nothing was changed."""
    return [layers(document, pixels=True), document.modified(), k.action("edit_undo").text()]


def layers(document, pixels=False):
    """Names of a document's layers from the bottom, whether they are visible, what they cover, what is below."""
    size = document.width(), document.height()
    return [list(size), [_layer(node, size, pixels) for node in document.topLevelNodes()]]


def _layer(node, size, pixels):
    area = node.bounds()
    told = [node.name(), node.visible(), [area.x(), area.y(), area.width(), area.height()]]
    if pixels:
        told.append(hashlib.sha256(bytes(node.projectionPixelData(0, 0, *size))).hexdigest())
    return [*told, [_layer(child, size, pixels) for child in node.childNodes()]]


def one_undo_reverts(document, before):
    """Whether one step back makes a document as it was, and one forth as it is."""
    after = layers(document, pixels=True)
    yield from undo(document)
    yield lambda: layers(document, pixels=True) == before
    yield from redo(document)
    yield lambda: layers(document, pixels=True) == after
