"""GIMP 2.10 for tests: private profiles, headless runs, and windows on a screen of their own.

The fixture `gimp` (tests/hosts/conftest.py) is a `Gimp` with a fresh profile::

    def test_a_layer_gets_an_alpha(gimp, tmp_path):
        gimp.add_plug_in(PLUGIN / "layerlift.py", PLUGIN / "more.py")     # with gimpfu beside it

        def body(path):                        # runs inside GIMP, with all names of gimpfu
            image = pdb.gimp_file_load(path, path)
            pdb.python_fu_layerlift(image, image.active_layer, 0)
            return image.active_layer.has_alpha

        assert gimp.python(body, str(photo))   # arguments and result are JSON
        assert "no key" in gimp.batch("(python-fu-layerlift ...)").stderr

`python` may be called again and again: each call is a GIMP of its own, on the same profile. A body sees only gimpfu's
names, its own arguments and what it imports itself; if it raises, `BodyFailed` shows its traceback. `gimp.stderr` is
what GIMP wrote on standard error in the last run.

In a window, with the fixture `gimp_on_a_screen`, which is the same GIMP but asks for Xvfb and xdotool too::

    gimp.bind("python-fu-layerlift", "F9")
    with gimp.window(str(photo)) as window:
        dialog = window.summon("F9", "Remove Background")
        window.screenshot(tmp_path / "dialog.png")
        window.dismiss("Return", dialog)
        layers = window.python(body)             # a body, inside this GIMP

The window's GIMP is asked to quit at the end; what is left of its process group after that is killed.
"""

from __future__ import annotations

import inspect
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

GIMPFU = Path(__file__).resolve().parents[2] / "plugin" / "gimp" / "gimpfu"
DRIVER = Path(__file__).resolve().parent / "gimpfu" / "driver.py"
PROGRAMS = ("gimp-console-2.10", "gimp-2.10")
WINDOW_PROGRAMS = ("Xvfb", "xdotool", "import")
INSIST_SECONDS = 8.0
MAIN_WINDOW = "GNU Image Manipulation Program|GIMP$"
RUN_KEY, QUIT_KEY = "ctrl+shift+F11", "ctrl+shift+F12"
RUN_ACCELERATOR, QUIT_ACCELERATOR = "<Primary><Shift>F11", "<Primary><Shift>F12"
GIMPRC = """(show-tips no)
(check-updates no)
(restore-session no)
(save-session-info no)
"""


class BodyFailed(AssertionError):
    """A test body raised inside GIMP; the text is its traceback."""


class HostTimeout(AssertionError):
    """Something that a test waited for did not happen."""


@dataclass(frozen=True)
class Run:
    """What a headless GIMP wrote. Its exit status says nothing: it is 0 even after a failed batch."""

    stdout: str
    stderr: str


def missing_programs(window: bool = False) -> list[str]:
    """The programs that are needed and not there."""
    needed = PROGRAMS + (WINDOW_PROGRAMS if window else ())
    return [program for program in needed if shutil.which(program) is None]


def wait_for(condition: Callable[[], Any], what: str, timeout: float = 60.0) -> Any:
    """The first true value of `condition()`; HostTimeout after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise HostTimeout(f"waited {timeout:.0f} s for {what}")
        time.sleep(0.05)
    return value


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


class Gimp:
    """A GIMP with its own profile, home and environment under `folder`.

    `template` is a profile that GIMP has already been started with (saves seconds). `python` is the interpreter that
    the plug-ins run on. `environment` is added to every run's environment.
    """

    def __init__(self, folder: Path, template: Path | None = None, python: str = sys.executable) -> None:
        self.folder = folder
        self.profile = folder / "gimp profile"
        self.home = folder / "home"
        self.python_program = python
        self.environment: dict[str, str] = {}
        self.stderr = ""
        if template is None:
            self.profile.mkdir(parents=True)
        else:
            shutil.copytree(template, self.profile)
        (self.profile / "gimprc").write_text(GIMPRC)
        self.home.mkdir(exist_ok=True)
        self.add_plug_in(DRIVER)
        self.bind("python-fu-layerlift-driver", RUN_ACCELERATOR)
        self.bind("python-fu-layerlift-driver-quit", QUIT_ACCELERATOR)

    def add_plug_in(self, source: Path, *companions: Path, gimpfu: Path | None = GIMPFU) -> Path:
        """Install a plug-in file, with gimpfu and other files or folders beside it; returns its folder."""
        folder = self.profile / "plug-ins" / source.stem
        folder.mkdir(parents=True)
        for companion in (*companions, *([gimpfu] if gimpfu else [])):
            if companion.is_dir():
                shutil.copytree(companion, folder / companion.name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(companion, folder)
        first, _, rest = source.read_text(encoding="utf-8").partition("\n")
        program = folder / source.name
        program.write_text(f"#!{self.python_program}\n{rest if first.startswith('#!') else source.read_text()}")
        program.chmod(0o755)
        return folder

    def bind(self, procedure: str, key: str) -> None:
        """Give a procedure's menu entry a key, such as "F9" or "<Primary>k"."""
        with (self.profile / "menurc").open("a") as file:
            file.write(f'(gtk_accel_path "<Actions>/plug-in/{procedure}" "{key}")\n')

    def settings(self, **more: str) -> dict[str, str]:
        """The environment of this GIMP: nothing of the user's settings, nothing of the tests' own Python."""
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
        return {
            "LANG": "C.UTF-8",
            **kept,
            "HOME": str(self.home),
            "XDG_CONFIG_HOME": str(self.home / ".config"),
            "XDG_DATA_HOME": str(self.home / ".local/share"),
            "XDG_CACHE_HOME": str(self.home / ".cache"),
            "GIMP2_DIRECTORY": str(self.profile),
            "LAYERLIFT_DRIVER_FOLDER": str(self.folder),
            "NO_AT_BRIDGE": "1",
            **self.environment,
            **more,
        }

    def batch(self, *commands: str, fonts: bool = False, data: bool = False, timeout: float = 120.0) -> Run:
        """Run Script-Fu commands in a headless GIMP that quits after them.

        Without `fonts` there is no text, without `data` no brush, pattern, gradient or palette: GIMP starts faster.
        """
        arguments = [PROGRAMS[0], "-i", *([] if data else ["-d"]), *([] if fonts else ["-f"])]
        for command in commands:
            # An error that is not caught would keep GIMP waiting for the next command for ever.
            arguments += ["-b", f"(catch (gimp-quit 1) {command})"]
        arguments += ["-b", "(gimp-quit 1)"]
        process = subprocess.Popen(
            arguments, env=self.settings(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            start_new_session=True, encoding="utf-8", errors="replace",
        )  # fmt: skip
        try:
            stdout, stderr = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            end(process)
            stdout, stderr = process.communicate()
            raise HostTimeout(f"GIMP did not end in {timeout:.0f} s:\n{stdout}\n{stderr}") from None
        self.stderr = stderr
        return Run(stdout, stderr)

    def python(self, body: Callable[..., Any], *arguments: Any, fonts: bool = False, data: bool = False,
               timeout: float = 120.0) -> Any:  # fmt: skip
        """Run a function's source inside a headless GIMP; returns what it returns."""
        self.request(body, *arguments)
        run = self.batch("(python-fu-layerlift-driver RUN-NONINTERACTIVE)", fonts=fonts, data=data, timeout=timeout)
        if not self._outcome.exists():
            raise BodyFailed(f"the driver did not answer:\n{run.stdout}\n{run.stderr}")
        return self.outcome()

    @property
    def _outcome(self) -> Path:
        return self.folder / "outcome.json"

    def request(self, body: Callable[..., Any], *arguments: Any) -> None:
        """Leave a request for the driver plug-in."""
        self._outcome.unlink(missing_ok=True)
        lines, first = inspect.getsourcelines(body)
        request = {
            "source": "\n" * (first - 1) + textwrap.dedent("".join(lines)),
            "file": inspect.getsourcefile(body),
            "function": body.__name__,
            "arguments": arguments,
        }
        (self.folder / "request.json").write_text(json.dumps(request), encoding="utf-8")

    def outcome(self, timeout: float = 60.0) -> Any:
        """Wait for the driver's answer."""
        wait_for(self._outcome.exists, "the driver's answer", timeout)
        outcome = json.loads(self._outcome.read_text(encoding="utf-8"))
        if "error" in outcome:
            raise BodyFailed(outcome["error"])
        return outcome["value"]

    @contextmanager
    def window(self, *files: str, size: str = "1280x900", timeout: float = 60.0) -> Iterator[Window]:
        """GIMP in a window on a screen of its own, with these files open."""
        with screen(self.folder, size) as display:
            log = self.folder / "gimp.log"
            with log.open("wb") as output:
                process = subprocess.Popen(
                    [PROGRAMS[1], "-n", "-s", *files], env=self.settings(DISPLAY=display), stdin=subprocess.DEVNULL,
                    stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
                )  # fmt: skip
                try:
                    window = Window(self, process, display)
                    window.start(timeout)
                    yield window
                    window.quit()
                finally:
                    end(process)
                    self.stderr = log.read_text(encoding="utf-8", errors="replace")


@contextmanager
def screen(folder: Path, size: str) -> Iterator[str]:
    """A virtual screen; yields its DISPLAY."""
    reading, writing = os.pipe()
    with (folder / "screen.log").open("wb") as log:
        process = subprocess.Popen(
            ["Xvfb", "-displayfd", str(writing), "-screen", "0", f"{size}x24", "-nolisten", "tcp", "-noreset"],
            pass_fds=[writing], stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    os.close(writing)
    try:
        with os.fdopen(reading) as pipe:
            number = pipe.readline().strip()
        if not number:
            raise HostTimeout(f"Xvfb did not start: {(folder / 'screen.log').read_text()}")
        yield f":{number}"
    finally:
        end(process)


class Window:
    """A running GIMP on its own screen. Windows are X window IDs, as text."""

    def __init__(self, gimp: Gimp, process: subprocess.Popen[bytes], display: str) -> None:
        self.gimp, self.process, self.display = gimp, process, display
        self.main = ""

    def start(self, timeout: float) -> None:
        """Wait until GIMP takes keys."""
        self.main = self.wait_for(MAIN_WINDOW, timeout)

        def answers() -> bool:
            self.key(RUN_KEY)
            return self.gimp._outcome.exists()

        self.gimp.request(_ready)
        wait_for(answers, "GIMP to take keys", timeout)

    def _xdotool(self, *arguments: str) -> str:
        settings = {**os.environ, "DISPLAY": self.display}
        try:
            run = subprocess.run(
                ["xdotool", *arguments], env=settings, capture_output=True, text=True, check=False, timeout=30
            )
        except subprocess.TimeoutExpired:
            raise HostTimeout(f"xdotool {' '.join(arguments)} did not end; open are {self.titles()}") from None
        return run.stdout.strip()

    def find(self, title: str) -> str:
        """The newest visible window whose title matches the regular expression, or ""."""
        return self._xdotool("search", "--onlyvisible", "--name", title).rpartition("\n")[2]

    def wait_for(self, title: str, timeout: float = 60.0) -> str:
        """Wait for a window by its title (a regular expression)."""

        def found() -> str:
            if self.process.poll() is not None:
                log = (self.gimp.folder / "gimp.log").read_text(errors="replace")
                raise HostTimeout(f"GIMP ended while {title!r} was waited for:\n{log}")
            return self.find(title)

        return str(wait_for(found, f"a window called {title!r}", timeout))

    def wait_until_gone(self, window: str, timeout: float = 60.0) -> None:
        """Wait until a window is closed."""
        wait_for(lambda: not self._is_visible(window), f"window {window} to close", timeout)

    def insist(self, act: Callable[[], Any], effect: Callable[[], Any], what: str, timeout: float = 60.0) -> Any:
        """Do what a busy GIMP may miss, such as pressing a key, again and again until its effect is true."""
        deadline = time.monotonic() + timeout
        while True:
            act()
            try:
                return wait_for(effect, what, INSIST_SECONDS)
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
        return window in self._xdotool("search", "--onlyvisible", "--name", "").split()

    def key(self, key: str, window: str = "") -> None:
        """Press a key (xdotool's names) in a window; the main window by default."""
        self._xdotool("windowfocus", "--sync", window or self.main, "key", key)

    def type(self, text: str, window: str = "") -> None:
        """Type text into the widget that has the focus."""
        self._xdotool("windowfocus", "--sync", window or self.main, "type", text)

    def click(self, x: int, y: int, window: str = "") -> None:
        """Click at a place in a window."""
        self._xdotool("mousemove", "--window", window or self.main, str(x), str(y), "click", "1")

    def titles(self) -> list[str]:
        """The titles of all visible windows."""
        windows = self._xdotool("search", "--onlyvisible", "--name", "").split()
        return [title for window in windows if (title := self._xdotool("getwindowname", window))]

    def screenshot(self, path: Path) -> Path:
        """Save the whole screen as a picture."""
        subprocess.run(["import", "-display", self.display, "-window", "root", str(path)], check=True)
        return path

    def python(self, body: Callable[..., Any], *arguments: Any, timeout: float = 60.0) -> Any:
        """Run a function's source inside this GIMP; returns what it returns."""
        self.gimp.request(body, *arguments)
        self.insist(lambda: self.key(RUN_KEY), self.gimp._outcome.exists, "the driver's answer", timeout)
        return self.gimp.outcome(timeout)

    def quit(self, timeout: float = 20.0) -> None:
        """Let GIMP quit without questions, and wait until it has."""
        self.insist(lambda: self.key(QUIT_KEY), lambda: self.process.poll() is not None, "GIMP to quit", timeout)


def _ready() -> bool:
    return True


def make_template(folder: Path) -> Path:
    """A profile that GIMP itself has made, in which it already knows its own plug-ins."""
    profile = folder / "template"
    settings: Mapping[str, str] = {
        **{name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ},
        "HOME": str(folder),
        "GIMP2_DIRECTORY": str(profile),
    }
    subprocess.run(
        [PROGRAMS[0], "-i", "-d", "-f", "-b", "(gimp-quit 1)"], env=settings, timeout=180, check=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    return profile
