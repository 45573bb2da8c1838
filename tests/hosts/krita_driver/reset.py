"""Makes a Krita that has served a test as it was at its start: `remember` at the start, `restore` after each test."""

import functools
import gc
import os
import sys

import krita

from . import QtWidgets, scripting

PATIENCE = 20.0
BRUSH = "KritaShape/KisToolBrush"
PLUG_IN = "layerlift"

_attributes = []
_environment = {}
_hook = None
_plug_in = None


def remember():
    """What there is at the start: what the plug-in's modules and their classes hold, and the environment."""
    global _hook, _plug_in
    _attributes[:] = [(space, dict(vars(space))) for space in _spaces()]
    _environment.update(os.environ)
    _hook = sys.excepthook
    _plug_in = plug_in()


@functools.cache
def plug_in():
    """The running plug-in."""
    # Krita tells of its extensions too, but Krita 6 ends where it does so twice.
    kind = sys.modules[f"{PLUG_IN}.extension"].Layerlift
    return next(one for one in gc.get_objects() if type(one) is kind)


def restore(script_folders):
    """Undo all that a script has done, left open or changed; a script too, which raises where that can't be done."""
    # First of all what was patched: what follows uses it.
    sys.excepthook = _hook
    for space, before in _attributes:
        _restore_attributes(space, before)
    set_environment({})
    while scripting.at_reset:
        scripting.at_reset.pop()()
    _plug_in._stop()
    yield _nothing_is_shown, PATIENCE
    yield from scripting.close_all()
    # A document that was asked about, or a job that had not come round, may have opened one more.
    _plug_in._stop()
    yield (lambda: _nothing_is_shown() and not _plug_in._jobs._queue), PATIENCE
    for name in sys.modules[f"{PLUG_IN}.common.options"].Options._fields:
        krita.Krita.instance().writeSetting(PLUG_IN, name, "")
    QtWidgets.QApplication.clipboard().clear()
    krita.Krita.instance().action(BRUSH).trigger()
    for name, module in list(sys.modules.items()):
        if str(scripting.Path(getattr(module, "__file__", None) or "").parent) in script_folders:
            del sys.modules[name]
    if len(krita.Krita.instance().windows()) != 1:
        raise RuntimeError("there is more than one main window")


def set_environment(more):
    """The environment of the start with these variables; what reads it by C sees it too."""
    for name in os.environ.keys() - _environment.keys() - more.keys():
        del os.environ[name]
    os.environ.update({**_environment, **more})


def _spaces():
    for name, module in list(sys.modules.items()):
        if name == PLUG_IN or name.startswith(PLUG_IN + "."):
            yield module
            yield from (held for held in vars(module).values() if isinstance(held, type) and held.__module__ == name)


def _restore_attributes(space, before):
    now = dict(vars(space))
    for name, value in before.items():
        if now.get(name) is not value:
            setattr(space, name, value)
    for name in now.keys() - before.keys():
        # Python itself adds some of its own.
        if not name.startswith("__"):
            delattr(space, name)


def _nothing_is_shown():
    """Close what is shown beside the main window; whether there was nothing."""
    application = QtWidgets.QApplication
    popup = application.activePopupWidget()
    if popup is not None:
        popup.close()
    # What is modal keeps the others from being closed.
    modal = application.activeModalWidget()
    shown = [w for w in application.topLevelWidgets() if isinstance(w, QtWidgets.QDialog) and w.isVisible()]
    for dialog in shown if modal is None else [modal]:
        dialog.close()
    return popup is None and modal is None and not shown
