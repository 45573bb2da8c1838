"""Runs test scripts inside Krita: takes a request from the harness, runs it, and leaves the outcome (see krita.py)."""

import __future__

import faulthandler
import inspect
import json
import os
import signal
import sys
import time
import traceback
from pathlib import Path

import krita
import pykrita

if getattr(pykrita, "qt_major_version", lambda: 5)() == 5:
    from PyQt5 import QtWidgets
    from PyQt5.QtCore import QTimer
else:
    from PyQt6 import QtWidgets
    from PyQt6.QtCore import QTimer

__all__ = ["QTimer", "QtWidgets"]

TICK_MS = 20
PATIENCE = 60.0
# Of the time that a script has waited: a look may ask every widget.
LOOKS_APART = 0.05


class Driver(krita.Extension):
    """Looks for a request at each tick, and goes on with the script that runs."""

    def setup(self):
        self._folder = Path(os.environ["LAYERLIFT_DRIVER_FOLDER"])
        self._script = None
        self._busy = False
        self._uncaught = []
        # Krita's own hook shows a modal box.
        sys.excepthook = self._catch
        self._stacks = (self._folder / "stacks.txt").open("w")
        faulthandler.register(signal.SIGUSR1, self._stacks)
        faulthandler.enable()
        self._timer = QTimer()
        self._timer.timeout.connect(self._tick)

    def createActions(self, window):
        self._timer.start(TICK_MS)

    def _catch(self, *error):
        text = "".join(traceback.format_exception(*error))
        self._uncaught.append(text)
        print(text, file=sys.stderr, flush=True)

    def _tick(self):
        # A script that opens a modal box is still at work while the box has an event loop of its own.
        if self._busy:
            return
        self._busy = True
        try:
            if self._script is None:
                self._take()
            else:
                self._go_on()
        finally:
            self._busy = False

    def _take(self):
        try:
            request = json.loads((self._folder / "request.json").read_text(encoding="utf-8"))
            (self._folder / "request.json").unlink()
        except FileNotFoundError:
            return
        for folder in request["folders"]:
            if folder not in sys.path:
                sys.path.insert(0, folder)
        self._wait = None
        self._script = self._run(request)
        self._go_on()

    def _run(self, request):
        from . import scripting

        names = {name: getattr(scripting, name) for name in scripting.__all__}
        exec(compile(request["source"], request["file"], "exec", __future__.annotations.compiler_flag), names)
        value = names[request["function"]](*request["arguments"])
        if inspect.isgenerator(value):
            value = yield from value
        return value

    def _go_on(self):
        now = time.monotonic()
        try:
            if self._wait is None:
                self._await(next(self._script))
            elif now < self._next_look:
                return
            elif self._wait[0]():
                self._await(self._script.send(None))
            elif now > self._wait[1]:
                self._await(self._script.throw(TimeoutError("the condition was never true")))
            else:
                self._next_look = now + (now - self._since) * LOOKS_APART
        except StopIteration as ended:
            self._answer({"value": ended.value})
        except Exception:  # noqa: BLE001 - the test is told of it
            self._answer({"error": traceback.format_exc()})

    def _await(self, wait):
        condition, seconds = wait if isinstance(wait, tuple) else (wait, PATIENCE)
        self._since = self._next_look = time.monotonic()
        self._wait = condition or (lambda: True), self._since + seconds

    def _answer(self, outcome):
        self._script = None
        if self._uncaught:
            outcome = {"error": "not caught in Krita:\n" + "\n".join([*self._uncaught, outcome.get("error", "")])}
            self._uncaught = []
        try:
            text = json.dumps(outcome)
        except TypeError as error:
            text = json.dumps({"error": f"the script's value can't be told: {error}"})
        new = self._folder / "outcome.new"
        new.write_text(text, encoding="utf-8")
        new.replace(self._folder / "outcome.json")


krita.Krita.instance().addExtension(Driver(krita.Krita.instance()))
