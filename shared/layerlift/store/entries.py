"""What the journal writes down of a removal, and the name of a picture in it."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Result: TypeAlias = NDArray[np.uint8] | list[bytes]
"""What comes back: an alpha (height, width), or the files of pictures."""
_PIECE = 16_000_000

State = Literal["new", "uploaded", "starting", "unknown", "running", "done", "kept", "deleted", "lost", "refused"]
"""How far a removal is.

new: nothing was sent, or what was sent has failed without a charge. uploaded: the service has the file. starting: the
run call is under way, or its caller died in it. unknown: nobody can say whether the run call was heard. running: the
task is known. done: the task has succeeded, and was charged. kept: its alpha has come back. deleted: so it has,
and the service has deleted its files. lost: the service has forgotten the task, which may have been charged, and the
user was told. refused: the task is known, and the service refuses to tell what became of it.
"""
REMOVAL = "sod"
"""The slug of the task that all runs were of before there were others."""
IN_DOUBT = ("starting", "unknown", "refused", "lost")
"""The removal may have been charged, and its result is not here."""


@dataclass(frozen=True)
class Entry:
    """One run of a task as it is written down. Times are seconds since 1970; `width` and `height` those of the upload;
    `task` is the task's slug, `fields` what it was run with, as JSON, "" for nothing; `keep` is 1 where the service is
    to keep its copies."""

    id: int
    picture: str
    engine: str
    account: str
    width: int
    height: int
    state: State
    file_id: str | None
    file_time: float | None
    task_id: str | None
    run_time: float | None
    dst_id: str | None
    units: float
    created: float
    task: str = REMOVAL
    fields: str = ""
    keep: int = 0


@dataclass(frozen=True)
class Step:
    """A step of a removal, with the service's `x-request-id` where it answered."""

    time: float
    step: str
    request_id: str | None


def digest(*parts: bytes | str | NDArray[np.generic]) -> str:
    """A name for a picture and what is asked for it: SHA-256 in hexadecimal digits; of pixels, of their pieces'."""
    found = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            found.update(f"{part.dtype}{part.shape}".encode())
            pixels = np.ascontiguousarray(part).reshape(-1).view(np.uint8)
            pieces = [pixels[begin : begin + _PIECE] for begin in range(0, pixels.size, _PIECE)]
            with ThreadPoolExecutor() as pool:
                for piece in pool.map(lambda pixels: hashlib.sha256(pixels).digest(), pieces):
                    found.update(piece)
        else:
            found.update(part.encode() if isinstance(part, str) else part)
        found.update(b"\0")
    return found.hexdigest()
