"""What scripts of the service's other tasks have at hand inside Krita: the dialog, the user's hands, and the layers."""

from layerlift.common.tasks import ASKING
from layerlift.continuing import TaskDialog
from layerlift.qt import QtWidgets
from layerlift_driver.scripting import k
from removals import SAID, box, buttons, ended


def dialog():
    """The dialog, or None."""
    widgets = QtWidgets.QApplication.topLevelWidgets()
    return next((w for w in widgets if isinstance(w, TaskDialog) and w.isVisible()), None)


def told():
    """All that is read in the dialog."""
    labels = dialog().findChildren(QtWidgets.QLabel)
    return [label.text() for label in labels if label.isVisible() and label.text()]


def opened(kind):
    """Open the dialog by the menu's action of this name, and wait until the service has answered."""
    SAID.clear()
    k.action(f"layerlift_{kind}").trigger()
    yield lambda: dialog() is not None and ASKING not in told()


def ok():
    """The button that goes on."""
    return dialog()._buttons.button(QtWidgets.QDialogButtonBox.StandardButton.Ok)


def choose(task, **fields):
    """Choose a task by its title, and fill in its fields."""
    tasks = dialog()._list
    tasks.setCurrentIndex(tasks.findText(task))
    fill(**fields)


def fill(text="", choice="", size=""):
    """Fill in what is there of a text, a choice, and what becomes of the size."""
    controls = dialog()._fields
    if text:
        controls.findChild(QtWidgets.QLineEdit).setText(text)
    if choice:
        controls.findChild(QtWidgets.QComboBox).setCurrentText(choice)
    if size:
        dialog()._sizes.setCurrentIndex(dialog()._sizes.findData(size))


def templates():
    """The list of templates, when it is filled."""
    shown = dialog()._fields.findChild(QtWidgets.QListWidget)
    yield lambda: shown.count() > 1
    return shown


def run(kind, task="", **fields):
    """Run a task from the menu to its end; what a box says, and what is told over the canvas."""
    yield from opened(kind)
    if task:
        choose(task, **fields)
    else:
        fill(**fields)
    ok().click()
    return (yield from ended())


def refusal(kind):
    """What is said at once in place of a dialog."""
    k.action(f"layerlift_{kind}").trigger()
    yield lambda: box() is not None
    text = box().text()
    buttons(box)["Close"].click()
    return text


def names(document):
    """The layers from the bottom."""
    return [node.name() for node in document.topLevelNodes()]


def seen(document, x, y):
    """A pixel of the picture, as it shows."""
    document.refreshProjection()
    document.waitForDone()
    return list(bytes(document.pixelData(x, y, 1, 1)))


def part(node, x, y):
    """A pixel of a layer."""
    return list(bytes(node.pixelData(x, y, 1, 1)))
