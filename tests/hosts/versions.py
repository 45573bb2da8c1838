"""The GIMPs and Kritas that the tests run in, and what differs between them for who starts one from outside."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from .chroots import CHROOTS, OUTSIDE, Chroot

GIMPRC = """(check-updates no)
(restore-session no)
(save-session-info no)
"""


class System:
    """Where programs run: this very system."""

    def command(self, *arguments: str) -> list[str]:
        """The command line that runs a program there."""
        return list(arguments)

    def outside(self, folder: Path, program: str) -> str:
        """A program that runs `program` of this system from there, with all arguments."""
        return program


class InChroot(System):
    """A chroot of this system."""

    chroot: Chroot

    def missing(self) -> list[str]:
        """What is needed to run a program there and not there."""
        if os.geteuid() != 0:
            return [f"root's rights, to enter the chroot of {self.chroot.suite}"]
        return [] if self.chroot.works() else [f"the chroot of {self.chroot.name}"]

    def command(self, *arguments: str) -> list[str]:
        return self.chroot.command(arguments)

    def outside(self, folder: Path, program: str) -> str:
        script = folder / f"outside-{Path(program).name}"
        script.write_text(f'#!/bin/sh\nexec chroot {OUTSIDE} {json.dumps(program)} "$@"\n')
        script.chmod(0o755)
        return str(script)


class Version(System):
    """GIMP 2.10, from this system's own packages; the base of the others.

    `python` is the interpreter of plug-ins. `directory` is the variable that tells GIMP where its profile is.
    """

    name = "2.10"
    console, program = "gimp-console-2.10", "gimp-2.10"
    directory = "GIMP2_DIRECTORY"
    gimprc = GIMPRC + "(show-tips no)\n"
    # Places in the main window of a new profile, while a plug-in shows its progress.
    cancel_button, progress = (962, 750), (420, 838, 1120, 862)

    def __init__(self) -> None:
        self.python = sys.executable

    def __repr__(self) -> str:
        return self.name

    def missing(self) -> list[str]:
        """What is needed for a headless run and not there."""
        return [program for program in (self.console, self.program) if shutil.which(program) is None]

    def release(self) -> str:
        """The full version, or "" where it is missing."""
        if self.missing():
            return ""
        told = subprocess.run(self.command(self.console, "--version"), capture_output=True, text=True, check=False)
        return told.stdout.strip().rpartition(" ")[2]

    def batch(self, *commands: str) -> list[str]:
        """The arguments that let GIMP run Script-Fu commands and quit."""
        arguments = []
        for command in commands:
            # An error that is not caught would keep GIMP waiting for the next command for ever.
            arguments += ["-b", f"(catch (gimp-quit 1) {command})"]
        return [*arguments, "-b", "(gimp-quit 1)"]

    def call(self, procedure: str, **values: str) -> str:
        """A Script-Fu call of a procedure of ours, without a dialog; `values` are Script-Fu too, in their order."""
        return f"({' '.join((procedure, 'RUN-NONINTERACTIVE', *values.values()))})"

    def bind(self, profile: Path, procedure: str, key: str) -> None:
        """Give a procedure's menu entry a key."""
        with (profile / "menurc").open("a") as file:
            file.write(f'(gtk_accel_path "<Actions>/plug-in/{procedure}" "{key}")\n')


class Version3(InChroot, Version):
    """GIMP 3 in a chroot."""

    console, program = "gimp-console", "gimp"
    directory = "GIMP3_DIRECTORY"
    gimprc = GIMPRC + "(show-welcome-dialog no)\n"
    cancel_button, progress = (748, 641), (298, 622, 665, 658)

    def __init__(self, chroot: Chroot) -> None:
        self.name = chroot.gimp
        self.python = "/usr/bin/python3"
        self.chroot = chroot

    def release(self) -> str:
        return self.chroot.version("gimp")

    def batch(self, *commands: str) -> list[str]:
        arguments = ["--quit", "--batch-interpreter=plug-in-script-fu-eval"]
        for command in commands:
            arguments += ["-b", command]
        return arguments

    def call(self, procedure: str, **values: str) -> str:
        named = [f"#:{name.replace('_', '-')} {value}" for name, value in values.items()]
        return f"({' '.join((procedure, '#:run-mode RUN-NONINTERACTIVE', *named))})"

    def bind(self, profile: Path, procedure: str, key: str) -> None:
        with (profile / "shortcutsrc").open("a") as file:
            file.write(f'(action "{procedure}" "{key}")\n')


class KritaVersion(System):
    """Krita 5.1, from this system's own packages; the base of the others."""

    name = "5.1"

    def __repr__(self) -> str:
        return self.name

    def missing(self) -> list[str]:
        """What is needed to run it and not there."""
        return [] if shutil.which("krita") else ["krita"]

    def release(self) -> str:
        """The full version, or "" where it is missing."""
        if self.missing():
            return ""
        return subprocess.run(["krita_version"], capture_output=True, text=True, check=False).stdout.strip()


class KritaInChroot(InChroot, KritaVersion):
    """A newer Krita in a chroot."""

    def __init__(self, chroot: Chroot) -> None:
        self.name = chroot.krita
        self.chroot = chroot

    def release(self) -> str:
        return self.chroot.version("krita")


VERSIONS: Mapping[str, Version] = {
    version.name: version for version in (Version(), *(Version3(chroot) for chroot in CHROOTS.values() if chroot.gimp))
}
KRITAS: Mapping[str, KritaVersion] = {
    version.name: version
    for version in (KritaVersion(), *(KritaInChroot(chroot) for chroot in CHROOTS.values() if chroot.krita))
}
