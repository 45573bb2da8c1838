"""Which pictures a command is about, and where their cut-outs go."""

from __future__ import annotations

import glob
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from .. import errors
from ..imaging.formats import SUFFIXES
from ..language import _

SUFFIX = "-cutout.png"


class Pair(NamedTuple):
    """A picture, and where its cut-out goes."""

    source: Path
    target: Path


def pairs(
    photos: Sequence[Path],
    output: Path | None = None,
    folder: Path | None = None,
    *,
    recursive: bool = False,
    relative_to: Path | None = None,
) -> list[Pair]:
    """Every picture and where its cut-out goes. Cut-outs of earlier runs are not pictures of a folder.

    Args:
        photos: pictures, folders of pictures, and patterns for both.
        output: where the cut-out of the only picture goes.
        folder: where cut-outs go, else beside their pictures. What lies between a folder of `photos`, or the part of a
            pattern that has no wildcards, and a picture is kept below it.
        recursive: whether folders within folders count.
        relative_to: the folder below which all pictures lie; what is between it and them is kept below `folder`.

    Raises:
        SetupError: ``usage``, where that makes no sense.
    """
    if relative_to is not None and folder is None:
        raise errors.make("usage", _("--relative-to needs --output-dir"))
    found = [place for photo in photos for place in _find(photo, recursive)]
    if not found:
        places = ", ".join(map(str, photos))
        raise errors.make("usage", _("there is no picture in {places}").format(places=places))
    if output is not None:
        _check_output(output, len(found))
    made = [Pair(source, output or _target(source, root, folder, relative_to)) for source, root in found]
    _check(made)
    return made


def make_folder(folder: Path) -> None:
    """Makes a folder for cut-outs and sees that it can be written to, before anything is paid for that could not be
    kept."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise errors.make("disk", f"{folder} ({error.strerror})") from error


def _target(source: Path, root: Path, folder: Path | None, relative_to: Path | None) -> Path:
    name = source.stem + SUFFIX
    if folder is None:
        return source.parent / name
    if relative_to is None:
        return folder / source.parent.relative_to(root) / name
    try:
        return folder / source.parent.resolve().relative_to(relative_to.resolve()) / name
    except ValueError:
        text = _("{picture} is not below {folder}").format(picture=source, folder=relative_to)
        raise errors.make("usage", text) from None


def _check_output(output: Path, pictures: int) -> None:
    if pictures != 1:
        raise errors.make("usage", _("-o takes one picture; use --output-dir for several"))
    if output.is_dir():
        raise errors.make("usage", _("{path} is a folder; use --output-dir for that").format(path=output))
    if output.suffix.lower() != ".png":
        text = _("{path} should end in .png: a cut-out is a PNG file")
        raise errors.make("usage", text.format(path=output))


def _check(made: Sequence[Pair]) -> None:
    """Raises where a cut-out would replace a picture, or another cut-out."""
    originals = {_place(source) for source, _ in made}
    taken: dict[str, Path] = {}
    for source, target in made:
        place = _place(target)
        if place in originals:
            raise errors.make("usage", _("the cut-out would replace the picture {picture}").format(picture=target))
        if place in taken:
            text = _("{picture} and {other} would both go to {path}")
            raise errors.make("usage", text.format(picture=source, other=taken[place], path=target))
        taken[place] = source


def _place(path: Path) -> str:
    return os.path.normcase(path.resolve())


def _find(photo: Path, recursive: bool) -> Iterator[tuple[Path, Path]]:
    """The pictures that are meant, each with the folder that its place is kept below."""
    try:
        root, pattern = _split_pattern(photo)
        if pattern:
            found = list(_match(root, pattern, recursive))
            if not found:
                raise errors.make("usage", _("no picture matches {pattern}").format(pattern=photo))
            yield from ((source, root) for source in found)
        elif photo.is_dir():
            yield from ((source, photo) for source in _list_folder(photo, recursive))
        else:
            yield photo, photo.parent
    except OSError as error:
        text = _("{path} can't be read ({reason})").format(path=error.filename or photo, reason=error.strerror)
        raise errors.make("usage", text) from error


def _split_pattern(photo: Path) -> tuple[Path, str]:
    """What is there by that name, and the pattern for what lies below it. Brackets may well be part of a name."""
    known = Path()
    for number, part in enumerate(photo.parts):
        if glob.has_magic(part) and not (known / part).exists():
            return known, str(Path(*photo.parts[number:]))
        known /= part
    return known, ""


def _match(root: Path, pattern: str, recursive: bool) -> Iterator[Path]:
    """What a shell would make of a pattern: the pictures that fit, and those in folders that fit."""
    deep = "**" in Path(pattern).parts
    try:
        found = sorted(root.glob(pattern + "/*" if pattern.endswith("**") else pattern))
    except ValueError as error:
        raise errors.make("usage", str(error)) from None
    for path in found:
        if any(_is_hidden(part) for part in path.relative_to(root).parts):
            continue
        if _is_picture(path):
            yield path
        elif not deep and path.is_dir():
            yield from _list_folder(path, recursive)


def _list_folder(folder: Path, recursive: bool) -> Iterator[Path]:
    within = [path for path in sorted(folder.iterdir()) if not _is_hidden(path.name)]
    yield from filter(_is_picture, within)
    for path in within if recursive else ():
        # A link may lead back.
        if path.is_dir() and not path.is_symlink():
            yield from _list_folder(path, recursive)


def _is_hidden(name: str) -> bool:
    return name.startswith(".")


def _is_picture(path: Path) -> bool:
    if path.suffix.lower() not in SUFFIXES or path.name.endswith(SUFFIX) or not path.is_file():
        return False
    if path.suffix.lower() != ".png":
        return True
    # Not needed for the command's help, and slow to import.
    from ..imaging import pictures

    return not pictures.is_cut_out(path)
