"""What happened, in a file of the state folder: requests with their ids and times.

Nothing secret gets there: no key, no pixels, and of addresses the host, with the path where it is the API's.
"""

from __future__ import annotations

import logging
import os
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from .. import errors

NAME = "layerlift.log"
MAX_BYTES = 1_000_000
OLDER_FILES = 3


class _Plain(logging.Formatter):
    """Names of files, and what the service says, do nothing to a terminal, where warnings go and logs are read."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        return errors.plain(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:
        return "\n".join(map(errors.plain, super().formatException(ei).split("\n")))


class _File(RotatingFileHandler):
    """A log that only the user can read, also after it was begun anew, and that fails in silence: on a full disk there
    are more important things to say."""

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
        Path(self.baseFilename).chmod(0o600)
        return TextIOWrapper(os.fdopen(descriptor, "ab"), encoding=self.encoding)

    def handleError(self, record: logging.LogRecord) -> None:
        pass


def start(folder: Path) -> None:
    """Writes this process's log to the folder, and warnings to standard error too.

    A folder that can't be written to costs the log alone.
    """
    logger = logging.getLogger("layerlift")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    told = logging.StreamHandler()
    told.setLevel(logging.WARNING)
    told.setFormatter(_Plain())
    logger.addHandler(told)
    # libvips' own warnings on odd files are no news for the user.
    logging.getLogger("pyvips").addHandler(logging.NullHandler())
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = _File(folder / NAME, maxBytes=MAX_BYTES, backupCount=OLDER_FILES, encoding="utf-8")
    except OSError:
        return
    file.setFormatter(_Plain("%(asctime)s %(process)d %(levelname)s %(message)s"))
    logger.addHandler(file)


def last_lines(folder: Path, count: int) -> list[str]:
    """The newest lines, oldest first."""
    try:
        return (folder / NAME).read_text(encoding="utf-8", errors="replace").splitlines()[-count:]
    except OSError:
        return []
