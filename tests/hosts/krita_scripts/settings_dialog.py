"""What scripts of the settings have at hand inside Krita: the dialog, what it shows, and the user's hands."""

import gc
import os
import signal

from layerlift.qt import QtWidgets
from layerlift_driver.scripting import k


def dialog():
    """The dialog, or None."""
    widgets = QtWidgets.QApplication.topLevelWidgets()
    shown = [w for w in widgets if isinstance(w, QtWidgets.QDialog) and w.isVisible()]
    return next((w for w in shown if w.windowTitle() == "Remove Background: Settings"), None)


def _all(kind):
    return dialog().findChildren(kind)


def account():
    """The part that the worker keeps; it is greyed while the worker is asked."""
    return _all(QtWidgets.QGroupBox)[0]


def opened():
    """Open the dialog, and wait until the worker has told what it keeps."""
    k.action("layerlift_settings").trigger()
    yield from answered()


def answered():
    """Wait until the worker has answered."""
    yield lambda: account().isEnabled()


def closed():
    """Wait until the dialog is gone."""
    yield lambda: dialog() is None


def killed(process):
    """The worker dies; what is said, and OK all the same."""
    os.kill(process, signal.SIGKILL)
    yield lambda: not account().isEnabled()
    told = words()
    press("OK")
    yield from closed()
    return told


def words():
    """All that the labels and boxes of the dialog say, and what is in the field for a key."""
    labels = [label.text() for label in _all(QtWidgets.QLabel)]
    return [*labels, consent().text(), key().text()]


def clipped():
    """The labels of the dialog that show less than all of their text."""
    labels = _all(QtWidgets.QLabel)
    return [label.text() for label in labels if label.height() < label.heightForWidth(label.width())]


def key():
    return account().findChildren(QtWidgets.QLineEdit)[0]


def consent():
    return account().findChildren(QtWidgets.QCheckBox)[0]


def clean():
    """What can be ticked for clean edges."""
    return boxes()[0]


def choices():
    """The lists of engines and of results."""
    return _all(QtWidgets.QComboBox)[:2]


def models():
    """The list of offline models."""
    return _all(QtWidgets.QComboBox)[2]


def boxes():
    """What can be ticked, from the top: clean edges, hide the original, consent."""
    return _all(QtWidgets.QCheckBox)


def paid():
    """The part that tells of paid work."""
    return _all(QtWidgets.QGroupBox)[1]


def button(text):
    gc.collect()
    return next(b for b in _all(QtWidgets.QPushButton) if b.text().replace("&", "") == text)


def press(text):
    button(text).click()
