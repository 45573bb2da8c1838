"""What the installer needs to know of an image editor, whichever it is."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, Protocol

from .environment import Environment
from .kritarc import Kritarc


class Answer(NamedTuple):
    """What an editor says about the plug-in: which parts it knows and which not, and what it complains of."""

    known: list[str]
    unknown: list[str]
    complaint: str


class Host(Protocol):
    """One editor with one folder for the plug-in."""

    @property
    def name(self) -> str:
        """What the editor is called in messages."""

    @property
    def folder(self) -> Path:
        """The plug-in's folder."""

    @property
    def environment(self) -> Environment:
        """The environment that the plug-in's worker runs in."""

    @property
    def switches(self) -> tuple[Kritarc, ...]:
        """The settings files that say that the plug-in is to be loaded; none where all that is found is loaded."""

    @property
    def console(self) -> tuple[str, ...]:
        """What starts the editor without a window; empty where that is not known."""

    @property
    def menu(self) -> str:
        """Where the plug-in is in the editor's menus."""

    def files(self, checkout: Path) -> dict[str, Path]:
        """What the plug-in's folder is given: the name in the folder to the file in the checkout."""

    def make_profile(self) -> None:
        """Let an editor that was never started make the folders that it has to make itself."""

    def ask(self) -> Answer:
        """Ask the editor itself what it knows of the plug-in."""


def files_below(folder: Path, part: str = ".") -> dict[str, Path]:
    """All files of a part of a folder, by their names in the folder."""
    files = [file for file in sorted((folder / part).rglob("*")) if "__pycache__" not in file.parts and file.is_file()]
    return {file.relative_to(folder).as_posix(): file for file in files}


def catalogues(checkout: Path) -> dict[str, Path]:
    """The translations of a plug-in's texts, by their names in its folder."""
    found = files_below(checkout / "shared" / "layerlift", "locale")
    return {name: file for name, file in found.items() if file.suffix == ".mo"}
