"""The main job on one photo, offline: in a real GIMP where there is one, else by the command line."""

from __future__ import annotations

import time
from pathlib import Path

from .environment import Environment
from .hosts import PROCEDURE, Host, System
from .process import Problem, last_lines, run, say

TIMEOUT = 110.0
NEW_LAYER, CLEAN_EDGES, HIDE_ORIGINAL, OFFLINE = 0, 1, 1, 2


def remove_background(photo: Path, checkout: Path, system: System, hosts: list[Host]) -> Path:
    """Remove the photo's background and say where the cut-out is. Raises Problem."""
    cutout = _writable(checkout / "out", system.data() / "out") / f"{photo.stem}-cutout.png"
    if cutout.exists():
        cutout.unlink()
    started = time.monotonic()
    host = next((host for host in hosts if host.console), None)
    if host:
        say(f"Removing the background of {photo.name} in {host.name} ...")
        printed = host.batch(_script(photo, cutout), TIMEOUT).output
        place = f"in {host.name}"
    else:
        say(f"Removing the background of {photo.name} on the command line ...")
        command = str(Environment(system.data() / "env").command)
        printed = run((command, "remove", str(photo), "--engine", "offline", "-o", str(cutout)), TIMEOUT).output
        place = "on the command line"
    if not cutout.exists():
        raise Problem(f"The background could not be removed {place}:\n{last_lines(printed)}")
    say(f"The cut-out is {cutout}")
    say(f"(made {place} in {time.monotonic() - started:.0f} s, offline: nothing was uploaded)")
    return cutout


def _script(photo: Path, cutout: Path) -> str:
    """Script-Fu: open the photo, run the plug-in on its layer, and export what is visible then."""
    return f"""(let* ((image (car (gimp-file-load RUN-NONINTERACTIVE {_text(photo)} {_text(photo)})))
       (layer (car (gimp-image-get-active-layer image))))
  ({PROCEDURE} RUN-NONINTERACTIVE image layer {NEW_LAYER} {CLEAN_EDGES} {HIDE_ORIGINAL} {OFFLINE})
  (let ((result (car (gimp-image-merge-visible-layers image CLIP-TO-IMAGE))))
    (file-png-save RUN-NONINTERACTIVE image result {_text(cutout)} {_text(cutout)} 0 6 0 0 0 0 0)))"""


def _text(path: Path) -> str:
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


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
