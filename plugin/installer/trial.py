"""The main job on one photo, offline: in the newest GIMP where there is one, else by the command line.

Not in Krita, where a plug-in's actions are there only with a window.
"""

from __future__ import annotations

import time
from pathlib import Path

from ..common.language import _
from .dialects import dialect
from .gimp import Gimp
from .hosts import Host
from .process import Problem, last_lines, run, say
from .system import System

TIMEOUT = 110.0


def remove_background(photo: Path, checkout: Path, system: System, hosts: list[Host]) -> Path:
    """Remove the photo's background and say where the cut-out is. Raises Problem."""
    cutout = _writable(checkout / "out", system.data() / "out") / f"{photo.stem}-cutout.png"
    if cutout.exists():
        cutout.unlink()
    started = time.monotonic()
    gimp = next((host for host in hosts if isinstance(host, Gimp) and host.console), None)
    problem = _in_gimp(photo, cutout, gimp) if gimp else _on_command_line(photo, cutout, system)
    if not cutout.exists():
        raise Problem(problem)
    say(_("The cut-out is {file}").format(file=cutout))
    seconds = f"{time.monotonic() - started:.0f}"
    if gimp:
        made = _("(made in {gimp} in {seconds} s, offline: nothing was uploaded)")
        say(made.format(gimp=gimp.name, seconds=seconds))
    else:
        say(_("(made on the command line in {seconds} s, offline: nothing was uploaded)").format(seconds=seconds))
    return cutout


def _in_gimp(photo: Path, cutout: Path, gimp: Gimp) -> str:
    """Remove it in GIMP; the problem, if there is no cut-out then."""
    say(_("Removing the background of {photo} in {gimp} ...").format(photo=photo.name, gimp=gimp.name))
    script = dialect(gimp.version).removal(photo, cutout)
    # GIMP 3 repeats a script that has failed, after the reason, and says other things after that.
    printed = gimp.batch(script, TIMEOUT).output.partition(script)[0].rpartition("\n")[0]
    problem = _("The background could not be removed in {gimp}:\n{output}")
    return problem.format(gimp=gimp.name, output=last_lines(printed))


def _on_command_line(photo: Path, cutout: Path, system: System) -> str:
    """Remove it by the command; the problem, if there is no cut-out then."""
    say(_("Removing the background of {photo} on the command line ...").format(photo=photo.name))
    command = (str(system.environment().command), "remove", str(photo), "--engine", "offline", "-o", str(cutout))
    problem = _("The background could not be removed on the command line:\n{output}")
    return problem.format(output=last_lines(run(command, TIMEOUT).output))


def _writable(first: Path, second: Path) -> Path:
    for folder in (first, second):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            probe = folder / ".layerlift"
            probe.touch()
            probe.unlink()
        except OSError:
            continue
        return folder
    raise Problem(_("Neither {first} nor {second} can be written").format(first=first, second=second))
