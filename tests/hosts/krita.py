"""Krita for tests: private profiles, and windows on a screen of their own in which scripts run.

The fixture `krita` (tests/hosts/conftest.py) is a `Krita` of each version in turn. It is a resident one, whose window
serves all tests, and which is made after each as it was before (krita_driver/reset.py). A test with the mark
`own_process` gets one with a fresh profile, which starts with its window and quits with it. A window serves any number
of scripts::

    def test_a_layer_is_added(krita, tmp_path):
        krita.add_layerlift(tmp_path / "state", twin)

        def body(photo):                        # runs inside Krita, with all names of krita_driver/scripting.py
            document = yield from open_document(photo)
            k.action("layerlift_remove").trigger()
            yield lambda: document.nodeByName("Background cut-out")    # a condition; or (condition, seconds)
            yield from undo(document)
            return tree(document.rootNode())

        with krita.window() as window:
            assert window.run(body, str(photo)) == ...      # arguments and result are JSON
            window.screenshot(tmp_path / "window.png")

A body that yields goes on, in Krita's event loop, when the condition is true. It sees only the names of scripting.py,
its own arguments and what it imports itself, also from krita_scripts. If it raises, or anything in Krita raises what
nobody catches, `ScriptFailed` shows the traceback. Documents stay open from script to script.

Krita's event loop comes round while a layer is being added, so that a condition may become true in the midst of the
plug-in's own step. Krita crashes where a script closes the document then: wait for the end of the job first.
"""

from __future__ import annotations

import inspect
import json
import os
import shutil
import signal
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers.programs import forked_python
from layerlift import __version__

from . import chroots
from .services import account_of
from .versions import KritaVersion
from .window import Desktop, HostTimeout, end, wait_for, windowed
from .workers import workers_of

if TYPE_CHECKING:
    from layerlift.twin import Twin

HERE = Path(__file__).resolve().parent
SCRIPTS = HERE / "krita_scripts"
PLUGIN = HERE.parents[1] / "plugin"
LOCALE = HERE.parents[1] / "shared" / "layerlift" / "locale"
SIZE = "1280x900"
DESKTOP_FILE = """[Desktop Entry]
Type=Service
ServiceTypes=Krita/PythonPlugin
X-KDE-Library={name}
X-Python-2-Compatible=false
Name={name}
"""
SETTINGS = {
    "kritarc": "EnableSingleApplication=false\n",
    # OpenGL without a graphics card takes as long as all else together.
    "kritadisplayrc": "[General]\nOpenGLRenderer=none\n",
}


class ScriptFailed(AssertionError):
    """A script raised inside Krita, or something did while it ran; the text is the traceback."""


class Krita:
    """A Krita with its own profile, home and environment under `folder`.

    `template` is a home in which Krita has already been started (saves 15 seconds). `environment` is added to every
    run's environment.
    """

    def __init__(self, folder: Path, version: KritaVersion, template: Path | None = None) -> None:
        self.folder = folder
        self.version = version
        self.home = folder / "home"
        self.resources = self.home / ".local/share/krita"
        self.kritarc = self.home / ".config/kritarc"
        self.environment: dict[str, str] = {}
        self.stderr = ""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "runtime").mkdir(mode=0o700)
        if template is not None:
            shutil.copytree(template, self.home, symlinks=True)
        else:
            self.kritarc.parent.mkdir(parents=True)
            for name, text in SETTINGS.items():
                self.kritarc.with_name(name).write_text(text)
        driver = self.resources / "pykrita/layerlift_driver"
        shutil.copytree(HERE / "krita_driver", driver, ignore=shutil.ignore_patterns("__pycache__"))
        driver.with_suffix(".desktop").write_text(DESKTOP_FILE.format(name="layerlift_driver"))
        self.enable("layerlift_driver")

    def add_layerlift(self, state: Path, twin: Twin | None = None) -> None:
        """Install the checkout's plug-in, with its own state folder, and a service in place of the offline engine."""
        self._install_layerlift()
        self._set_up_layerlift(state, twin)

    def _install_layerlift(self) -> None:
        folder = self.resources / "pykrita/layerlift"
        shutil.copytree(PLUGIN / "krita" / "layerlift", folder, ignore=shutil.ignore_patterns("__pycache__"))
        for source in (PLUGIN / "common", LOCALE):
            shutil.copytree(source, folder / source.name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(PLUGIN / "krita/layerlift.desktop", folder.parent)
        self.enable("layerlift")

    def _set_up_layerlift(self, state: Path, twin: Twin | None, worker: str = sys.executable) -> None:
        python = self.version.outside(self.folder, worker)
        (self.resources / "pykrita/layerlift/worker.json").write_text(
            json.dumps({"python": python, "version": __version__})
        )
        self.environment["LAYERLIFT_HOME"] = str(state)
        if twin is not None:
            self.environment.update(account_of(twin))

    def enable(self, plug_in: str) -> None:
        """Switch a plug-in on, as Krita's own settings do."""
        lines = [line for line in self.kritarc.read_text().splitlines() if not line.startswith(f"enable_{plug_in}=")]
        if "[python]" not in lines:
            lines.append("[python]")
        lines.insert(lines.index("[python]") + 1, f"enable_{plug_in}=true")
        self.kritarc.write_text("\n".join(lines) + "\n")

    def settings(self, **more: str) -> dict[str, str]:
        """The environment of this Krita: nothing of the user's settings, nothing of the tests' own Python."""
        kept = {name: os.environ[name] for name in ("LANG", "TMPDIR") if name in os.environ}
        # Krita's Python takes its packages from the first python3 on PATH, which may be the one that runs the tests.
        first = Path(shutil.which("krita") or "/usr/bin/krita").parent
        return {
            "LANG": "C.UTF-8",
            **kept,
            "PATH": f"{first}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.home),
            "XDG_CONFIG_HOME": str(self.home / ".config"),
            "XDG_DATA_HOME": str(self.home / ".local/share"),
            "XDG_CACHE_HOME": str(self.home / ".cache"),
            "XDG_RUNTIME_DIR": str(self.folder / "runtime"),
            "LAYERLIFT_DRIVER_FOLDER": str(self.folder),
            "NO_AT_BRIDGE": "1",
            # Krita 6 would draw its whole window by OpenGL, for the sake of one docker.
            "QT_QUICK_BACKEND": "software",
            **self.environment,
            **more,
        }

    @contextmanager
    def window(self, *files: str, size: str = SIZE, timeout: float = 180.0) -> Iterator[KritaWindow]:
        """Krita in a window on a screen of its own, with these files open."""
        log = self.folder / "krita.log"
        command = self.version.command("krita", "--nosplash", *files)
        try:
            with windowed(command, self.folder, size, self.settings(), log) as desktop:
                window = KritaWindow(self, desktop)
                window.main = window.run(ready, timeout=timeout)
                yield window
                window.quit()
        finally:
            self.stderr = log.read_text(encoding="utf-8", errors="replace")


class ResidentKrita(Krita):
    """A Krita with the plug-in whose window serves one test after the other."""

    def __init__(self, folder: Path, version: KritaVersion, template: Path) -> None:
        super().__init__(folder, version, template)
        self._install_layerlift()
        self._homes: list[Path] = []
        self._running = ExitStack()
        self._window: KritaWindow | None = None
        self.is_spoilt = False

    def add_layerlift(self, state: Path, twin: Twin | None = None) -> None:
        """Set the plug-in up for a test, with its own state folder, and a service in place of the offline engine."""
        self._set_up_layerlift(state, twin, forked_python(self.folder))
        self._homes.append(state)

    def settings(self, **more: str) -> dict[str, str]:
        """The environment that it starts with: what a test adds comes and goes with the test."""
        of_the_test, self.environment = self.environment, {"LAYERLIFT_HOME": str(self.folder / "state")}
        try:
            return super().settings(**more)
        finally:
            self.environment = of_the_test

    @contextmanager
    def window(self, *files: str, size: str = SIZE, timeout: float = 180.0) -> Iterator[KritaWindow]:
        """The window, with what the environment is now and else as after its start; the same again afterwards."""
        if files or size != SIZE:
            raise ValueError("files and a size are for the mark own_process")
        if self.is_spoilt:
            raise RuntimeError("this Krita is taken, or is as a test has left it")
        self.is_spoilt = True
        if self._window is None:
            self._window = self._running.enter_context(super().window(timeout=timeout))
            self._window.run(remember)
        self._window.run(set_environment, self.environment)
        yield self._window
        if self._window.was_to_end:
            return
        self._window.alive("a test was at work")
        self._window.run(restore, [str(SCRIPTS)])
        self.is_spoilt = False

    def leave(self) -> None:
        """A test is over: nothing of it is left, nor of its workers, which may have been at work without Krita."""
        for worker in (worker for home in self._homes for worker in workers_of(home)):
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)
        self._homes.clear()
        self.environment.clear()

    def is_usable(self) -> bool:
        """Whether the next test may have it."""
        return not self.is_spoilt and (self._window is None or self._window.process.poll() is None)

    def end(self) -> None:
        """Quit, where it is of any use still; else kill it."""
        if self._window is not None and not self.is_usable():
            end(self._window.process)
        self._running.close()


class Residence:
    """A resident Krita of a version, and a new one in its place where a test has killed or spoilt it."""

    def __init__(self, folder: Path, version: KritaVersion, template: Path) -> None:
        self._folder, self._version, self._template = folder, version, template
        self._krita: ResidentKrita | None = None
        self.starts = 0

    def krita(self) -> ResidentKrita:
        """The one for the next test; it starts when its window is asked for."""
        if self._krita is not None and self._krita.is_usable():
            self._krita.leave()
            return self._krita
        self.end()
        self.starts += 1
        self._krita = ResidentKrita(self._folder / str(self.starts), self._version, self._template)
        return self._krita

    def end(self) -> None:
        """Let it quit."""
        if self._krita is not None:
            self._krita.end()
            self._krita = None


@contextmanager
def another(residence: Residence, home: Path, twin: Twin) -> Iterator[KritaWindow]:
    """The window of a Krita that is usable, with a user's folder of state, which one before may have had."""
    krita = residence.krita()
    krita.add_layerlift(home, twin)
    with krita.window() as window:
        yield window


class KritaWindow(Desktop):
    """A running Krita on its own screen."""

    def __init__(self, krita: Krita, desktop: Desktop) -> None:
        super().__init__(desktop.process, desktop.display, desktop.log)
        self.krita = krita

    def run(self, body: Callable[..., Any], *arguments: Any, timeout: float = 120.0) -> Any:
        """Run a function's source inside this Krita; returns what it returns."""
        self.request(body, *arguments)
        return self.outcome(timeout)

    @property
    def _outcome(self) -> Path:
        return self.krita.folder / "outcome.json"

    def request(self, body: Callable[..., Any], *arguments: Any) -> None:
        """Start a script; `outcome` waits for its end."""
        self._outcome.unlink(missing_ok=True)
        lines, first = inspect.getsourcelines(body)
        request = {
            "source": "\n" * (first - 1) + textwrap.dedent("".join(lines)),
            "file": inspect.getsourcefile(body),
            "function": body.__name__,
            "arguments": arguments,
            "folders": [str(SCRIPTS)],
        }
        new = self.krita.folder / "request.new"
        new.write_text(json.dumps(request), encoding="utf-8")
        new.replace(new.with_suffix(".json"))

    def outcome(self, timeout: float = 120.0) -> Any:
        """What the script that was started has returned."""

        def answered() -> bool:
            if not self._outcome.exists():
                self.alive("a script ran")
            return self._outcome.exists()

        try:
            wait_for(answered, "the script's end", timeout)
        except HostTimeout as problem:
            raise HostTimeout(f"{problem}\n{self._state()}") from None
        outcome = json.loads(self._outcome.read_text(encoding="utf-8"))
        if "error" in outcome:
            raise ScriptFailed(f"{outcome['error']}\n{self._picture()}")
        return outcome["value"]

    def _picture(self) -> str:
        if self.process.poll() is not None:
            return ""
        return f"the screen is {self.screenshot(self.krita.folder / 'failed.png')}"

    def _state(self) -> str:
        """What Krita does, as its Python's stacks and a picture."""
        if self.process.poll() is not None:
            return ""
        stacks = self.krita.folder / "stacks.txt"
        if stacks.exists():
            os.kill(self.process.pid, signal.SIGUSR1)
            with suppress(HostTimeout):
                wait_for(lambda: stacks.stat().st_size, "the stacks", 5.0)
            return f"{stacks.read_text()}\n{self._picture()}"
        return f"{self.log.read_text(errors='replace')}\n{self._picture()}"

    def quit(self, timeout: float = 60.0) -> None:
        """Let Krita quit without questions, where it has not ended by itself, and wait until it has."""
        if self.process.poll() is None:
            self.run(leave)
        wait_for(lambda: self.process.poll() is not None, "Krita to quit", timeout)


def make_template(folder: Path, version: KritaVersion) -> Path:
    """A home that Krita has filled."""
    krita = Krita(folder, version)
    with krita.window():
        pass
    shutil.rmtree(krita.resources / "pykrita")
    return krita.home


def kept_template(folder: Path, version: KritaVersion) -> Path:
    """A home that Krita has filled, which is kept for later runs; `folder` is where it is made."""
    return chroots.kept(f"krita-{version.release()}", sorted(SETTINGS.items()), lambda: make_template(folder, version))


# ruff: noqa: F821 - what follows runs inside Krita


def ready() -> Any:
    """Krita's window, which has no name while no document is open, fills the screen; its X window ID. Of the dockers
    only the list of layers is shown: the others draw themselves anew for each document, as the lists of brushes do."""
    yield lambda: k.activeWindow() is not None
    for docker in k.dockers():
        docker.setVisible(docker.objectName() == "KisLayerBox")
    tell_of_resources(False)
    window = k.activeWindow().qwindow()
    window.setGeometry(window.screen().geometry())
    return str(int(window.winId()))


def leave() -> Any:
    """Quit as the user does."""
    yield from close_all()
    later(k.action("file_quit").trigger)


def remember() -> None:
    """What a test may change."""
    from layerlift_driver import reset

    reset.remember()


def set_environment(more: dict[str, str]) -> None:
    """For the test that begins."""
    from layerlift_driver import reset

    reset.set_environment(more)


def restore(script_folders: list[str]) -> Any:
    """All as it was before the test."""
    from layerlift_driver import reset

    yield from reset.restore(script_folders)
