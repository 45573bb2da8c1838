"""The main job on one photo, offline: in the newest GIMP where there is one, else by the command line.

Not in Krita, where a plug-in's actions are there only with a window.
"""

from __future__ import annotations

import time
from pathlib import Path

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
    if gimp:
        say(f"Removing the background of {photo.name} in {gimp.name} ...")
        script = dialect(gimp.version).removal(photo, cutout)
        # GIMP 3 repeats a script that has failed, after the reason, and says other things after that.
        printed = gimp.batch(script, TIMEOUT).output.partition(script)[0].rpartition("\n")[0]
        place = f"in {gimp.name}"
    else:
        say(f"Removing the background of {photo.name} on the command line ...")
        command = str(system.environment().command)
        printed = run((command, "remove", str(photo), "--engine", "offline", "-o", str(cutout)), TIMEOUT).output
        place = "on the command line"
    if not cutout.exists():
        raise Problem(f"The background could not be removed {place}:\n{last_lines(printed)}")
    say(f"The cut-out is {cutout}")
    say(f"(made {place} in {time.monotonic() - started:.0f} s, offline: nothing was uploaded)")
    return cutout


def _writable(*folders: Path) -> Path:
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            probe = folder / ".layerlift"
            probe.touch()
            probe.unlink()
        except OSError:
            continue
        return folder
    raise Problem(f"Neither {' nor '.join(map(str, folders))} can be written")
