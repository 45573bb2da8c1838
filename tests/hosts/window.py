"""A program's windows on a screen of its own, with keys, clicks and screenshots; and how tests wait."""

# ruff: noqa: F821 - bodies run inside GIMP
from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .gimp import Gimp

PROGRAMS = ("Xvfb", "xdotool", "import")
INSIST_SECONDS = 8.0
MAIN_WINDOW = "GNU Image Manipulation Program|GIMP$"
RUN_KEY, QUIT_KEY = "ctrl+shift+F11", "ctrl+shift+F12"


def missing_for_windows() -> list[str]:
    """The programs that are needed for a window and not there."""
    return [program for program in PROGRAMS if shutil.which(program) is None]


class HostTimeout(AssertionError):
    """Something that a test waited for did not happen."""


class BodyFailed(AssertionError):
    """A test body raised inside GIMP; the text is its traceback."""


def wait_for(condition: Callable[[], Any], what: str, timeout: float = 60.0) -> Any:
    """The first true value of `condition()`; HostTimeout after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise HostTimeout(f"waited {timeout:.0f} s for {what}")
        time.sleep(0.05)
    return value


def mortal(*command: str) -> list[str]:
    """The command line of a program that is killed with the process that starts it, whatever that one dies of."""
    return ["setpriv", "--pdeathsig", "KILL", "--", *command]


@contextmanager
def door() -> Iterator[socket.socket]:
    """A socket that a driver connects to; its path, which must be short, is its name."""
    folder = Path(tempfile.mkdtemp(prefix="layerlift-"))
    try:
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(folder / "door"))
            listening.listen(1)
            yield listening
    finally:
        shutil.rmtree(folder)


def end(process: subprocess.Popen[Any]) -> None:
    """End a process that was started in its own group, and what it has started."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, sign)
        except ProcessLookupError:
            return
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            continue


@contextmanager
def screen(folder: Path, size: str) -> Iterator[str]:
    """A virtual screen; yields its DISPLAY."""
    reading, writing = os.pipe()
    with (folder / "screen.log").open("wb") as log:
        # -r: on a busy machine a key would repeat, and each press starts a plug-in
        command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", f"{size}x24", "-nolisten", "tcp", "-noreset"]
        process = subprocess.Popen(
            mortal(*command, "-r"), pass_fds=[writing], stdout=log, stderr=log, start_new_session=True
        )
    os.close(writing)
    try:
        with os.fdopen(reading) as pipe:
            number = pipe.readline().strip()
        if not number:
            raise HostTimeout(f"Xvfb did not start: {(folder / 'screen.log').read_text()}")
        yield f":{number}"
    finally:
        end(process)


@contextmanager
def windowed(command: list[str], folder: Path, size: str, environment: dict[str, str], log: Path) -> Iterator[Desktop]:
    """A program on a screen of its own, which ends it at the latest."""
    with log.open("wb") as output, screen(folder, size) as display:
        process = subprocess.Popen(
            mortal(*command), env={**environment, "DISPLAY": display}, stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        try:
            yield Desktop(process, display, log)
        finally:
            end(process)


CLOSE = """
import ctypes, sys

class Message(ctypes.Structure):
    _fields_ = [("type", ctypes.c_int), ("serial", ctypes.c_ulong), ("sent", ctypes.c_int),
                ("display", ctypes.c_void_p), ("window", ctypes.c_ulong), ("kind", ctypes.c_ulong),
                ("format", ctypes.c_int), ("data", ctypes.c_long * 5), ("rest", ctypes.c_long * 12)]

x = ctypes.CDLL("libX11.so.6")
x.XOpenDisplay.restype, x.XInternAtom.restype = ctypes.c_void_p, ctypes.c_ulong
display, window = ctypes.c_void_p(x.XOpenDisplay(sys.argv[1].encode())), ctypes.c_ulong(int(sys.argv[2]))
protocols, delete = (x.XInternAtom(display, name, 0) for name in (b"WM_PROTOCOLS", b"WM_DELETE_WINDOW"))
message = Message(33, 0, 1, display, window, protocols, 32, (delete, 0, 0, 0, 0))
x.XSendEvent(display, window, 0, ctypes.c_long(0), ctypes.byref(message))
x.XSync(display, 0)
"""
"""A program that asks a window to close, by the client message of the X protocol."""


class Desktop:
    """A running program on its own screen. Windows are X window IDs, as text."""

    def __init__(self, process: subprocess.Popen[bytes], display: str, log: Path) -> None:
        self.process, self.display, self.log = process, display, log
        self.main = ""
        self.was_to_end = False

    def alive(self, purpose: str) -> None:
        """Raise HostTimeout with what the program wrote, if it has ended."""
        if (status := self.process.poll()) is not None:
            said = self.log.read_text(errors="replace")
            raise HostTimeout(f"the program ended with status {status} while {purpose}:\n{said}")

    def kill(self) -> None:
        """End the program as a crash does."""
        self.process.kill()
        self.wait_for_end()

    def wait_for_end(self) -> None:
        """Wait until the program has ended, as a test wants it to."""
        wait_for(lambda: self.process.poll() is not None, "the program to end")
        self.was_to_end = True

    def _xdotool(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        settings = {**os.environ, "DISPLAY": self.display}
        try:
            return subprocess.run(
                ["xdotool", *arguments], env=settings, capture_output=True, text=True, check=False, timeout=30
            )
        except subprocess.TimeoutExpired:
            raise HostTimeout(f"xdotool {' '.join(arguments)} did not end; open are {self.titles()}") from None

    def search(self, title: str) -> list[str]:
        """All visible windows whose titles match the regular expression, the newest last."""
        # A search ends with an error, and finds nothing, where any window is closed amid it.
        while "X Error" in (found := self._xdotool("search", "--onlyvisible", "--name", title)).stderr:
            pass
        return found.stdout.split()

    def find(self, title: str) -> str:
        """The newest visible window whose title matches the regular expression, or ""."""
        return "".join(self.search(title)[-1:])

    def wait_for(self, title: str, timeout: float = 60.0) -> str:
        """Wait for a window by its title (a regular expression)."""

        def found() -> str:
            self.alive(f"{title!r} was waited for")
            return self.find(title)

        return str(wait_for(found, f"a window called {title!r}", timeout))

    def wait_until_gone(self, window: str, timeout: float = 60.0) -> None:
        """Wait until a window is closed."""
        wait_for(lambda: not self._is_visible(window), f"window {window} to close", timeout)

    def insist(self, act: Callable[[], Any], effect: Callable[[], Any], what: str, timeout: float = 60.0,
               patience: float = INSIST_SECONDS) -> Any:  # fmt: skip
        """Do what a busy GIMP may miss, such as pressing a key, every `patience` seconds until its effect is true."""
        deadline = time.monotonic() + timeout
        while True:
            act()
            try:
                return wait_for(effect, what, patience)
            except HostTimeout:
                if time.monotonic() > deadline:
                    raise

    def summon(self, key: str, title: str, timeout: float = 60.0) -> str:
        """Press a key in the main window until the window that it opens is there."""
        return str(self.insist(lambda: self.key(key), lambda: self.find(title), f"a window called {title!r}", timeout))

    def dismiss(self, key: str, window: str, timeout: float = 60.0) -> None:
        """Press a key in a window until it is gone."""
        self.insist(lambda: self.key(key, window), lambda: not self._is_visible(window), "a window to close", timeout)

    def _is_visible(self, window: str) -> bool:
        return window in self.visible()

    def visible(self) -> list[str]:
        """All visible windows."""
        return self.search("")

    def key(self, key: str, window: str = "") -> None:
        """Press a key (xdotool's names) in a window; the main window by default."""
        self._xdotool("windowfocus", "--sync", window or self.main, "key", key)

    def close(self, window: str) -> None:
        """Close a window as its frame's button does: the window manager, of which there is none here, asks it to."""
        subprocess.run([sys.executable, "-c", CLOSE, self.display, window], check=True)

    def type(self, text: str, window: str = "") -> None:
        """Type text into the widget that has the focus."""
        self._xdotool("windowfocus", "--sync", window or self.main, "type", text)

    def click(self, x: int, y: int, window: str = "") -> None:
        """Click at a place in a window."""
        self._xdotool("mousemove", "--window", window or self.main, str(x), str(y), "click", "1")

    def titles(self) -> list[str]:
        """The titles of all visible windows."""
        return [title for window in self.visible() if (title := self._xdotool("getwindowname", window).stdout.strip())]

    def screenshot(self, path: Path) -> Path:
        """Save the whole screen as a picture."""
        subprocess.run(["import", "-display", self.display, "-window", "root", str(path)], check=True)
        return path


class Window(Desktop):
    """A running GIMP on its own screen, in which one driver stays (see gimpfu/driver.py)."""

    def __init__(self, gimp: Gimp, desktop: Desktop) -> None:
        super().__init__(desktop.process, desktop.display, desktop.log)
        self.gimp = gimp
        self._first: list[str] = []
        self._line: socket.socket

    def start(self, door: socket.socket, timeout: float) -> socket.socket:
        """Wait until GIMP takes keys, and its driver has connected to the door; returns the line to it."""
        door.setblocking(False)

        def accept() -> socket.socket | None:
            with suppress(BlockingIOError):
                return door.accept()[0]
            return None

        self.main = self.wait_for(MAIN_WINDOW, timeout)
        self._line = self.insist(lambda: self.key(RUN_KEY), accept, "GIMP to take keys", timeout, patience=2.0)
        self._first = self.visible()
        return self._line

    def python(self, body: Callable[..., Any], *arguments: Any, timeout: float = 60.0) -> Any:
        """Run a function's source inside this GIMP; returns what it returns."""
        self.gimp.request(body, *arguments)
        self._line.sendall(f"{self.gimp.folder}\n".encode())
        return self.gimp.outcome(timeout)

    def glimpse(self, body: Callable[..., Any], *arguments: Any) -> Any:
        """As `python`, of an image that is changing: None where what the body looks at has gone meanwhile."""
        try:
            return self.python(body, *arguments)
        except BodyFailed as failed:
            if "gimp.error: " not in str(failed):
                raise
            return None

    def tidy(self) -> None:
        """Leave GIMP as it was when it had just been started."""
        for other in self.visible():
            if other not in self._first:
                self.dismiss("Escape", other)
        self.python(close_all)
        wait_for(lambda: self.python(count_images) == 0, "all images to go")  # GIMP may still be drawing one

    def quit(self, timeout: float = 20.0) -> None:
        """Let GIMP quit without questions, and wait until it has."""
        self.insist(lambda: self.key(QUIT_KEY), lambda: self.process.poll() is not None, "GIMP to quit", timeout)


def close_all() -> None:
    """Runs inside GIMP: closes every image, shown or not."""
    from contextlib import suppress

    probe = gimp.Image(1, 1, RGB)
    gimp.Display(probe)  # may be an old one that was empty
    last = gimp.Display(probe).ID
    for image in gimp.image_list():
        image.clean_all()
    for number in range(1, last + 1):
        display = gimp._id2display(number)
        if display is not None:
            gimp.delete(display)
    for image in gimp.image_list():
        with suppress(gimp.error):  # it went with its display just now
            gimp.delete(image)
    pdb.gimp_context_set_defaults()
    if "layerlift-options" in gimp.parasite_list():
        gimp.parasite_detach("layerlift-options")


def count_images() -> int:
    """Runs inside GIMP."""
    return len(gimp.image_list())
