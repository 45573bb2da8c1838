"""GIMP for tests: bodies that run inside it, Script-Fu, and windows on a screen of their own.

The fixture `gimp` (tests/hosts/conftest.py) is a `Gimp` of each version in turn::

    def test_a_layer_gets_an_alpha(gimp, home):
        install(gimp, home)                    # Layerlift's plug-in (see layerlift_in_gimp.py)

        def body(path):                        # runs inside GIMP, with all names of gimpfu
            image = pdb.gimp_file_load(path, path)
            pdb.python_fu_layerlift(image, image.active_layer, 0)
            return image.active_layer.has_alpha

        assert gimp.python(body, str(photo))   # arguments and result are JSON
        gimp.script_fu(gimp.call("python-fu-layerlift", image=...))

A body runs in a plug-in process of its own. It sees only gimpfu's names, its own arguments and what it imports itself;
if it raises, `BodyFailed` shows its traceback. `gimp.stderr` is what GIMP wrote on standard error meanwhile. Images,
context, and all else that a body leaves in GIMP are gone when it ends; `gimp.environment` is what its plug-ins see.

One GIMP of each version serves all tests: starting one is what costs time. Their workers are forked too
(helpers/forked_worker.py). A test that adds plug-ins, changes files of the profile, or harms GIMP itself is marked
`own_process("why")`; its GIMP has a profile of its own, and runs from the first body until the test ends. `gimp.batch`
is always a GIMP of its own, that quits after its commands.

In a window, with the fixture `gimp_on_a_screen`, which is the same GIMP but asks for Xvfb and xdotool too::

    with gimp.window(str(photo)) as window:
        dialog = window.summon("F9", "Remove Background")
        window.screenshot(tmp_path / "dialog.png")
        window.dismiss("Return", dialog)
        layers = window.python(body)             # a body, inside this GIMP

There, all bodies run in one process, which stays; `glimpse` is for what looks at an image that is changing. The tests
of a version share a window too, without what the one before has left in it.
"""

# ruff: noqa: F821 - bodies run inside GIMP
from __future__ import annotations

import inspect
import json
import os
import shlex
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from helpers.programs import forked_python
from layerlift import __version__

from . import chroots
from .console import Console, Run
from .versions import Version
from .window import BodyFailed, HostTimeout, Window, door, end, mortal, wait_for, windowed

HERE = Path(__file__).resolve().parent
PLUGIN = HERE.parents[1] / "plugin"
LOCALE = HERE.parents[1] / "shared" / "layerlift" / "locale"
GIMPFU = PLUGIN / "gimpfu"
PLUG_INS = HERE / "gimpfu"
DRIVER = PLUG_INS / "driver.py"
KEYS = {
    "python-fu-layerlift-driver": "<Primary><Shift>F11",
    "python-fu-layerlift-driver-quit": "<Primary><Shift>F12",
    "python-fu-layerlift": "F9",
    "python-fu-layerlift-all": "<Primary><Shift>F9",
    "python-fu-layerlift-settings": "<Primary><Shift>F7",
    "python-fu-layerlift-continue": "<Primary><Shift>F4",
    "python-fu-layerlift-new-background": "<Primary><Shift>F3",
    "python-fu-every-kind": "<Primary><Shift>F8",
    "python-fu-window": "<Primary><Shift>F5",
    "python-fu-forms-menu": "F7",
    "python-fu-forms-fails": "F5",
    "python-fu-forms-gives-up": "F4",
}
"""The keys of procedures in every window, where they are there."""


class Host:
    """A profile, and the GIMPs that run on it until they are ended.

    `template` is from `make_template`.
    """

    def __init__(self, folder: Path, version: Version, template: Path) -> None:
        self.folder, self.version = folder, version
        self._shim, self.cache = template.with_name(GIMPFU.name), template.with_name(".cache")
        self.profile = folder / "gimp profile"
        self.log = folder / "gimp.log"
        self._console: Console | None = None
        self._window: Window | None = None
        self._size = ""
        self._screen = ExitStack()
        shutil.copytree(template, self.profile)
        (folder / "home").mkdir(exist_ok=True)
        # What runs plug-ins: it sets the environment of the test that is on.
        self._python, self._variables = folder / "python", folder / "variables.sh"
        variables = shlex.quote(str(self._variables))
        self._python.write_text(f'#!/bin/sh\n. {variables}\nexec {shlex.quote(version.python)} "$@"\n')
        self._python.chmod(0o755)
        self.add_plug_in(DRIVER)
        for procedure, key in KEYS.items():
            version.bind(self.profile, procedure, key)

    def add_plug_in(self, source: Path, *companions: Path) -> Path:
        """Install a plug-in file, with gimpfu and other files or folders beside it; returns its folder."""
        assert self._console is None and self._window is None, "GIMP runs already and would not see the plug-in"
        folder = self.profile / "plug-ins" / source.stem
        folder.mkdir(parents=True)
        shutil.copytree(self._shim, folder / GIMPFU.name)
        for companion in companions:
            if companion.is_dir():
                shutil.copytree(companion, folder / companion.name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(companion, folder)
        first, _, rest = source.read_text(encoding="utf-8").partition("\n")
        program = folder / source.name
        program.write_text(f"#!{self._python}\n{rest if first.startswith('#!') else source.read_text()}")
        program.chmod(0o755)
        return folder

    def hand_over(self, environment: dict[str, str]) -> None:
        """Start plug-ins with these variables from now on."""
        lines = (f"export {name}={shlex.quote(value)}\n" for name, value in environment.items())
        new = self._variables.with_suffix(".new")
        new.write_text("".join(lines), encoding="utf-8")
        new.replace(self._variables)

    def environment(self) -> dict[str, str]:
        """GIMP's own environment: nothing of the user's settings, nothing of the tests' own Python."""
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
        return {
            "LANG": "C.UTF-8",
            **kept,
            **home_variables(self.folder / "home", self.cache),
            self.version.directory: str(self.profile),
            "NO_AT_BRIDGE": "1",
        }

    @property
    def console(self) -> Console:
        """The GIMP without a window that answers."""
        if self._console is None or not self._console.alive():
            self.hand_over({"LAYERLIFT_DRIVER_FOLDER": str(self.folder)})
            self._console = Console(self.version, self.folder, self.environment())
        return self._console

    @contextmanager
    def window(self, gimp: Gimp, files: tuple[str, ...], size: str, timeout: float) -> Iterator[Window]:
        """The GIMP in a window, with these images open. Where it stays, what a test leaves open in it is closed."""
        if self._window is not None and size != self._size:
            self.quit_window()
        begin = 0
        try:
            if self._window is None:
                self._window, self._size = self._open(gimp, size, timeout), size
            else:
                begin = self.log.stat().st_size
                self._window.gimp = gimp
            for file in files:
                self._window.python(show, file)
            yield self._window
            if not gimp.is_shared or self._window.was_to_end:
                self.quit_window()
            else:
                self._window.tidy()
                self.forget_values()
        except BaseException:
            self._end_window()
            raise
        finally:
            gimp.stderr = self.log.read_bytes()[begin:].decode(errors="replace")

    def _open(self, gimp: Gimp, size: str, timeout: float) -> Window:
        # Of a GIMP that was ended with images open; it would ask what to do with them.
        shutil.rmtree(self.profile / "backups", ignore_errors=True)
        command = self.version.command(self.version.program, "-n", "-s")
        with door() as opened:
            environment = {**self.environment(), "LAYERLIFT_WINDOW_ADDRESS": opened.getsockname()}
            window = Window(
                gimp, self._screen.enter_context(windowed(command, self.folder, size, environment, self.log))
            )
            self._screen.enter_context(window.start(opened, timeout))
        return window

    def quit_window(self) -> None:
        """Have the GIMP in the window quit."""
        if self._window is not None:
            self._window.quit()
        self._end_window()

    def _end_window(self) -> None:
        self._window = None
        self._screen.close()

    def forget_values(self) -> None:
        """Forget the values that procedures were run with."""
        shutil.rmtree(self.profile / "plug-in-settings", ignore_errors=True)

    def close(self) -> None:
        """End all that runs."""
        try:
            self.quit_window()
        finally:
            self._end_window()
            if self._console is not None:
                self._console.close()
                self._console = None


def make_resident(folder: Path, version: Version, template: Path) -> Host:
    """The host that tests share: it has all plug-ins of the tests, and Layerlift's."""
    host = Host(folder, version, template)
    for source in sorted(PLUG_INS.glob("*.py")):
        if source != DRIVER:
            host.add_plug_in(source)
    add_layerlift(host, forked_python(folder))
    return host


def copy_layerlift(host: Host) -> Path:
    """Copy Layerlift's plug-in to a profile, without a worker; its folder."""
    program = PLUGIN / "gimp" / "layerlift.py"
    modules = sorted({*program.parent.glob("*.py")} - {program})
    return host.add_plug_in(program, *modules, PLUGIN / "common", LOCALE)


def add_layerlift(host: Host, python: str = sys.executable) -> None:
    """Install Layerlift's plug-in in a profile, with the Python that runs the worker."""
    program = host.version.outside(host.folder, python)
    (copy_layerlift(host) / "worker.json").write_text(json.dumps({"python": program, "version": __version__}))


class Gimp:
    """A GIMP as one test sees it: with its own home and environment under `folder`.

    Without a `host` of others it has its own, and then it is a context manager that ends it.
    """

    def __init__(self, folder: Path, version: Version, template: Path | None = None, host: Host | None = None) -> None:
        self.folder, self.version = folder, version
        folder.mkdir(parents=True, exist_ok=True)
        self.is_shared = host is not None
        if host is None:
            assert template is not None
            host = Host(folder, version, template)
        self.host = host
        self.host.forget_values()
        self.profile = self.host.profile
        self.home = folder / "home"
        self.home.mkdir(exist_ok=True)
        self.environment: dict[str, str] = {}
        self.stderr = ""
        self.call = version.call

    def __enter__(self) -> Gimp:
        return self

    def __exit__(self, *_: object) -> None:
        if not self.is_shared:
            self.host.close()

    def add_plug_in(self, source: Path, *companions: Path) -> Path:
        """Install a plug-in file, with gimpfu and other files or folders beside it; returns its folder."""
        assert not self.is_shared, f"a test that adds {source.name} must be marked own_process"
        return self.host.add_plug_in(source, *companions)

    def variables(self) -> dict[str, str]:
        """What this test's plug-ins have in their environment beside GIMP's own."""
        home = home_variables(self.home, self.host.cache)
        return {**home, "LAYERLIFT_DRIVER_FOLDER": str(self.folder), **self.environment}

    def batch(self, *commands: str, timeout: float = 120.0) -> Run:
        """Run Script-Fu commands in a headless GIMP that quits after them."""
        return self.start("-i", "-d", "-f", *self.version.batch(*commands), timeout=timeout)

    def start(self, *arguments: str, timeout: float = 120.0) -> Run:
        """Run a headless GIMP of its own with these arguments until it quits."""
        self.host.hand_over(self.variables())
        process = subprocess.Popen(
            mortal(*self.version.command(self.version.console, *arguments)), env=self.host.environment(),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
            encoding="utf-8", errors="replace",
        )  # fmt: skip
        try:
            run = Run(*process.communicate(timeout=timeout))
        except subprocess.TimeoutExpired:
            end(process)
            run = Run(*process.communicate())
            raise HostTimeout(f"GIMP did not end in {timeout:.0f} s:\n{run}") from None
        self.stderr = run.stderr
        return run

    def script_fu(self, command: str, timeout: float = 120.0) -> Run:
        """Run a Script-Fu command inside GIMP."""
        failure, run = self._ask({"script": command}, timeout)
        if failure:
            raise BodyFailed(f"{failure}\n{run}")
        return run

    def python(self, body: Callable[..., Any], *arguments: Any, timeout: float = 120.0) -> Any:
        """Run a function's source inside GIMP; returns what it returns."""
        self.request(body, *arguments)
        failure, run = self._ask({"procedure": "python-fu-layerlift-driver"}, timeout)
        if not self._outcome.exists():
            raise BodyFailed(f"the driver did not answer: {failure}\n{run}")
        return self.outcome()

    def _ask(self, request: dict[str, str], timeout: float) -> tuple[str, Run]:
        console = self.host.console
        self.host.hand_over(self.variables())
        failure, run = console.ask(request, timeout)
        self.stderr = run.stderr
        return failure, run

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
        self.host.hand_over(self.variables())

    def outcome(self, timeout: float = 60.0) -> Any:
        """Wait for the driver's answer."""
        wait_for(self._outcome.exists, "the driver's answer", timeout)
        outcome = json.loads(self._outcome.read_text(encoding="utf-8"))
        if "error" in outcome:
            raise BodyFailed(outcome["error"])
        return outcome["value"]

    @contextmanager
    def window(self, *files: str, size: str = "1280x900", timeout: float = 120.0) -> Iterator[Window]:
        """GIMP in a window on a screen, with these files open."""
        self.host.hand_over(self.variables())
        with self.host.window(self, files, size, timeout) as window:
            yield window


def show(path: str) -> None:
    """Runs inside GIMP: opens a file as a user does, where image and layer are called after it and undo is on."""
    from pathlib import Path

    image = pdb.gimp_file_load(path, path)
    image.active_layer.name = Path(path).name
    image.filename = str(Path(path).with_suffix(".xcf"))  # GIMP 3 takes no other names
    image.enable_undo()
    image.clean_all()
    gimp.Display(image)


def home_variables(home: Path, cache: Path) -> dict[str, str]:
    """What tells programs where a user's own files are; each conversion of pixels that is new to the cache is slow."""
    return {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_DATA_HOME": str(home / ".local/share"),
        "XDG_CACHE_HOME": str(cache),
    }


def make_template(folder: Path, version: Version) -> Path:
    """A profile that GIMP itself has made, in which it already knows its own plug-ins; gimpfu, compiled, is beside it,
    and what GIMP keeps for the next start."""
    shutil.copytree(GIMPFU, folder / GIMPFU.name, ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run(version.command(version.python, "-m", "compileall", "-q", str(folder / GIMPFU.name)), check=True)
    recipe = version.gimprc, inspect.getsource(make_profile)
    made = chroots.kept(f"gimp-{version.release()}", recipe, lambda: make_profile(folder / "first", version))
    shutil.copytree(made, folder, dirs_exist_ok=True)
    return folder / "template"


def make_profile(folder: Path, version: Version) -> Path:
    """A home with the profile `template`, of a GIMP that was started once."""
    folder.mkdir()
    profile = folder / "template"
    settings = {
        "LANG": "C.UTF-8",
        **{name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ},
        "HOME": str(folder),
        version.directory: str(profile),
    }
    subprocess.run(
        version.command(version.console, "-i", "-d", "-f", *version.batch()), env=settings, timeout=180, check=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    # Added to GIMP's own notes of its version and language, by which it knows that no plug-in need be asked again.
    with (profile / "gimprc").open("a") as file:
        file.write(version.gimprc)
    return folder
