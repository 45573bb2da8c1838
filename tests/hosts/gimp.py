"""GIMP for tests: private profiles, headless runs, and windows on a screen of their own.

The fixture `gimp` (tests/hosts/conftest.py) is a `Gimp` with a fresh profile, of each version in turn::

    def test_a_layer_gets_an_alpha(gimp, tmp_path):
        gimp.add_plug_in(PLUGIN / "layerlift.py", PLUGIN / "more.py")     # with gimpfu beside it

        def body(path):                        # runs inside GIMP, with all names of gimpfu
            image = pdb.gimp_file_load(path, path)
            pdb.python_fu_layerlift(image, image.active_layer, 0)
            return image.active_layer.has_alpha

        assert gimp.python(body, str(photo))   # arguments and result are JSON
        assert "no key" in gimp.batch(gimp.call("python-fu-layerlift", image=...)).stderr

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
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .versions import Version
from .window import HostTimeout, Window, end, wait_for, windowed

GIMPFU = Path(__file__).resolve().parents[2] / "plugin" / "gimp" / "gimpfu"
DRIVER = Path(__file__).resolve().parent / "gimpfu" / "driver.py"
RUN_ACCELERATOR, QUIT_ACCELERATOR = "<Primary><Shift>F11", "<Primary><Shift>F12"


class BodyFailed(AssertionError):
    """A test body raised inside GIMP; the text is its traceback."""


@dataclass(frozen=True)
class Run:
    """What a headless GIMP wrote. Its exit status says nothing: 2.10's is 0 even after a failed batch."""

    stdout: str
    stderr: str


class Gimp:
    """A GIMP with its own profile, home and environment under `folder`.

    `template` is a profile that GIMP has already been started with (saves seconds). `environment` is added to every
    run's environment.
    """

    def __init__(self, folder: Path, version: Version, template: Path | None = None) -> None:
        self.folder = folder
        self.version = version
        self.profile = folder / "gimp profile"
        self.home = folder / "home"
        self.environment: dict[str, str] = {}
        self.stderr = ""
        if template is None:
            self.profile.mkdir(parents=True)
            (self.profile / "gimprc").write_text(version.gimprc)
        else:
            shutil.copytree(template, self.profile)
        self.home.mkdir(exist_ok=True)
        self.call = version.call
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
        program.write_text(f"#!{self.version.python}\n{rest if first.startswith('#!') else source.read_text()}")
        program.chmod(0o755)
        return folder

    def bind(self, procedure: str, key: str) -> None:
        """Give a procedure's menu entry a key, such as "F9" or "<Primary>k"."""
        self.version.bind(self.profile, procedure, key)

    def worker_python(self) -> str:
        """A program that is the tests' own Python, wherever the plug-in runs."""
        return self.version.outside(self.folder, sys.executable)

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
            self.version.directory: str(self.profile),
            "LAYERLIFT_DRIVER_FOLDER": str(self.folder),
            "NO_AT_BRIDGE": "1",
            **self.environment,
            **more,
        }

    def batch(self, *commands: str, fonts: bool = False, data: bool = False, timeout: float = 120.0) -> Run:
        """Run Script-Fu commands in a headless GIMP that quits after them.

        Without `fonts` there is no text, without `data` no brush, pattern, gradient or palette: GIMP starts faster.
        """
        flags = ["-i", *([] if data else ["-d"]), *([] if fonts else ["-f"])]
        arguments = self.version.command(self.version.console, *flags, *self.version.batch(*commands))
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
        run = self.batch(self.call("python-fu-layerlift-driver"), fonts=fonts, data=data, timeout=timeout)
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
    def window(self, *files: str, size: str = "1280x900", timeout: float = 120.0) -> Iterator[Window]:
        """GIMP in a window on a screen of its own, with these files open."""
        log = self.folder / "gimp.log"
        command = self.version.command(self.version.program, "-n", "-s", *files)
        try:
            with windowed(command, self.folder, size, self.settings(), log) as desktop:
                window = Window(self, desktop)
                window.start(timeout)
                yield window
                window.quit()
        finally:
            self.stderr = log.read_text(encoding="utf-8", errors="replace")


def make_template(folder: Path, version: Version) -> Path:
    """A profile that GIMP itself has made, in which it already knows its own plug-ins."""
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
    return profile
