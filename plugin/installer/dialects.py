"""How a GIMP without a window is spoken to: the command lines and the Script-Fu of its generations."""

from __future__ import annotations

from pathlib import Path
from typing import Callable, NamedTuple

VERSIONS = ("3.2", "3.0", "2.10")
NEW_LAYER, CLEAN_EDGES, HIDE_ORIGINAL, OFFLINE = 0, 1, 1, 2


class Dialect(NamedTuple):
    """One generation's ways.

    `arguments(script)` make it run Script-Fu and quit, `exists(procedure)` is true in Script-Fu where GIMP knows the
    procedure, and `removal(photo, cutout)` is a script that opens the photo, runs the plug-in on its layer, offline,
    and exports what is visible then as PNG.
    """

    arguments: Callable[[str], tuple[str, ...]]
    exists: Callable[[str], str]
    removal: Callable[[Path, Path], str]

    def question(self, procedure: str) -> str:
        """Script-Fu that prints either `yes(procedure)` or `no(procedure)`."""
        yes, no = _text(self.yes(procedure)), _text(self.no(procedure))
        return f"(gimp-message (if {self.exists(procedure)} {yes} {no}))"

    @staticmethod
    def yes(procedure: str) -> str:
        """What is printed where the procedure is known."""
        return f"{procedure} is registered"

    @staticmethod
    def no(procedure: str) -> str:
        """What is printed where it is not."""
        return f"{procedure} is unknown"


def dialect(version: str) -> Dialect:
    """The dialect of one of VERSIONS."""
    return GIMP2 if version == "2.10" else GIMP3


def _arguments_2(script: str) -> tuple[str, ...]:
    return ("-i", "-d", "-f", "-b", script, "-b", "(gimp-quit 1)")


def _arguments_3(script: str) -> tuple[str, ...]:
    return ("-i", "-d", "-f", "--quit", "--batch-interpreter=plug-in-script-fu-eval", "-b", script)


def _exists_2(procedure: str) -> str:
    return f"(= TRUE (car (gimp-procedural-db-proc-exists {_text(procedure)})))"


def _exists_3(procedure: str) -> str:
    # GIMP 3 has no procedure that tells; its Script-Fu defines each that there is.
    return f"(defined? (quote {procedure}))"


def _removal_2(photo: Path, cutout: Path) -> str:
    return f"""(let* ((image (car (gimp-file-load RUN-NONINTERACTIVE {_path(photo)} {_path(photo)})))
       (layer (car (gimp-image-get-active-layer image))))
  (python-fu-layerlift RUN-NONINTERACTIVE image layer {NEW_LAYER} {CLEAN_EDGES} {HIDE_ORIGINAL} {OFFLINE})
  (let ((result (car (gimp-image-merge-visible-layers image CLIP-TO-IMAGE))))
    (file-png-save RUN-NONINTERACTIVE image result {_path(cutout)} {_path(cutout)} 0 6 0 0 0 0 0)))"""


def _removal_3(photo: Path, cutout: Path) -> str:
    return f"""(let* ((image (car (gimp-file-load RUN-NONINTERACTIVE {_path(photo)})))
       (layers (car (gimp-image-get-selected-layers image))))
  (python-fu-layerlift #:run-mode RUN-NONINTERACTIVE #:image image #:drawables layers #:engine "offline-engine")
  (file-png-export #:run-mode RUN-NONINTERACTIVE #:image image #:file {_path(cutout)} #:compression 6))"""


def _text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _path(path: Path) -> str:
    return _text(str(path))


GIMP2 = Dialect(_arguments_2, _exists_2, _removal_2)
GIMP3 = Dialect(_arguments_3, _exists_3, _removal_3)
