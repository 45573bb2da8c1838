"""Krita's settings file, of which two things matter here: where the resources are, and one line of our own.

Krita may run meanwhile: when it writes the file, it keeps what others have changed in it (seen with 5.1.5).
"""

from __future__ import annotations

import contextlib
import re
import shutil
from pathlib import Path

from ..common.language import _
from .process import Problem

GROUP, KEY = b"python", b"enable_layerlift"
ON = (b"true", b"yes", b"on", b"1")


class Kritarc:
    """`kritarc`: groups of `key=value` lines; what stands before the first group belongs to none.

    All lines but our own stay as they are, byte for byte.
    """

    def __init__(self, file: Path) -> None:
        self.file = file

    def resources(self) -> Path | None:
        """The resource folder that the user has chosen instead of the usual one."""
        chosen = [value for group, key, value in _entries(self._known()) if (group, key) == (b"", b"ResourceDirectory")]
        folder = Path(_unescaped(chosen[-1].decode("utf-8", "replace"))) if chosen else Path()
        return folder if folder.is_absolute() else None

    def is_on(self) -> bool:
        """Whether Krita is to load the plug-in."""
        lines = self._known()
        values = [_entries(lines)[index][2] for index in _ours(lines)]
        return bool(values) and values[-1].lower() in ON

    def switch_on(self) -> None:
        """Have Krita load the plug-in from its next start on. Raises Problem."""
        lines = self._lines()
        newline = b"\r\n" if lines and lines[0].endswith(b"\r\n") else b"\n"
        header, entry = b"[%s]%s" % (GROUP, newline), b"%s=true%s" % (KEY, newline)
        ours = _ours(lines)
        headers = [index for index, line in enumerate(lines) if line.startswith(b"[")]
        same = [index for index in headers if lines[index].rstrip() == header.rstrip()]
        for index in ours:
            lines[index] = entry
        if not ours and same:
            lines.insert(same[0] + 1, entry)
        elif not ours and headers:
            lines[headers[0] : headers[0]] = [header, entry, newline]
        elif not ours:
            lines += [newline, header, entry] if lines else [header, entry]
        self._write(lines)

    def forget(self) -> bool:
        """Take our line away, and the group or the file where nothing else is in it; False: it was not there.

        Raises Problem.
        """
        lines = self._lines()
        ours = _ours(lines)
        for index in reversed(ours):
            del lines[index]
            is_header = index > 0 and lines[index - 1].startswith(b"[")
            if is_header and not any(group == GROUP and key for group, key, _ in _entries(lines)):
                after = index < len(lines) and not lines[index].strip()
                before = index == len(lines) and index > 1 and not lines[index - 2].strip()
                del lines[index - 1 - before : index + after]
        if ours:
            self._write(lines)
        return bool(ours)

    def _known(self) -> list[bytes]:
        """What can be read of it; for all but writing, a file that can't be read is as good as none."""
        try:
            return self._lines()
        except Problem:
            return []

    def _lines(self) -> list[bytes]:
        try:
            return self.file.read_bytes().splitlines(keepends=True) if self.file.exists() else []
        except OSError as error:
            raise Problem(_("{file} could not be read: {error}").format(file=self.file, error=error)) from error

    def _write(self, lines: list[bytes]) -> None:
        # The file may be a link into somebody's collection of settings.
        file = self.file.resolve()
        new = file.with_name(f"{file.name}.layerlift")
        try:
            if not lines:
                file.unlink()
                return
            file.parent.mkdir(parents=True, exist_ok=True)
            new.touch()
            if file.exists():
                shutil.copymode(str(file), str(new))
            new.write_bytes(b"".join(lines))
            new.replace(file)
        except OSError as error:
            with contextlib.suppress(OSError):
                new.unlink()
            raise Problem(_("{file} could not be changed: {error}").format(file=file, error=error)) from error


def _entries(lines: list[bytes]) -> list[tuple[bytes, bytes, bytes]]:
    """For each line its group, its key and its value; no key where it is none of an entry."""
    group, entries = b"", []
    for line in map(bytes.strip, lines):
        key, _, value = line.partition(b"=")
        if line.startswith(b"["):
            group = line[1:-1]
        entries.append((group, b"" if line.startswith((b"[", b"#")) else key.rstrip(), value.lstrip()))
    return entries


def _ours(lines: list[bytes]) -> list[int]:
    return [index for index, (group, key, _) in enumerate(_entries(lines)) if (group, key) == (GROUP, KEY)]


def _unescaped(value: str) -> str:
    return re.sub(r"\\(.)", lambda found: {"s": " ", "t": "\t"}.get(found[1], found[1]), value)
