"""A run call of which nobody knows whether it was heard: what the account's unit history says of it.

A task that was started all the same is charged under its id, and that id is all that was missing: its result can be
polled. Other tasks of the account, of other computers, are in the history too. So nothing is guessed: a task counts
only where it is the one that nobody here has started, no other picture here is in doubt, and its result shows the
picture's colours.
"""

from __future__ import annotations

import io
import itertools
import time
from collections.abc import Callable

import numpy as np
from PIL import Image

from . import errors, matte
from .answers import Charge
from .journal import Journal, Record
from .prepare import Upload
from .service import Service

LOOKS_SECONDS = (0.5, 1.0, 1.5, 2.0, 2.0)
"""Pauses before the looks at the history right after the run call: the task is lost if nobody polls it in time."""
SETTLED_SECONDS = 900.0
"""After so long the history holds the charge, or there is none: longer than any task runs."""
_SKEW_SECONDS = 120.0
_OPAQUE = 250
_LEAST_PIXELS = 16
_ALIKE = 4.0
_IN_DOUBT = ("starting", "unknown")


def found(record: Record, upload: Upload, service: Service, journal: Journal, sleep: Callable[[float], None]) -> bool:
    """Whether the task was found in the history soon after the call, and is in the record now."""
    for seconds in LOOKS_SECONDS:
        sleep(seconds)
        try:
            if _look(record, upload, service, journal):
                return True
        except errors.LayerliftError:
            return False
    return False


def settle(
    record: Record, upload: Upload, service: Service, journal: Journal | None, sleep: Callable[[float], None]
) -> None:
    """Brings a record that is in doubt to a task that is known, or to none where surely nothing was charged.

    Raises:
        MayBeCharged: that can't be told (yet).
    """
    if journal is None:
        return
    entry = record.entry
    settled = journal.clock() - (entry.run_time or 0.0) >= SETTLED_SECONDS
    if entry.state == "lost":
        if not settled or any(charge.target_id == entry.task_id for charge in _charges(record, service)):
            raise errors.make("charged_and_lost")
    elif _look(record, upload, service, journal):
        return
    elif not settled:
        raise errors.make("still_in_doubt")
    elif _candidates(record, service, journal):
        raise errors.make("charged_in_vain")
    record.free("not in the unit history", None)


def _look(record: Record, upload: Upload, service: Service, journal: Journal) -> bool:
    candidates = _candidates(record, service, journal)
    if len(candidates) != 1 or _has_rivals(record, journal):
        return False
    (task_id,) = candidates
    try:
        state = service.poll(task_id)
        if state.status != "success" or not _shows(service.download(state.result_url or ""), upload):
            return False
    except errors.ServiceError:
        return False
    record.running(task_id, state.request_id)
    return True


def _has_rivals(record: Record, journal: Journal) -> bool:
    """Whether the task may be another picture's, whose run call has not been answered either."""
    since = (record.entry.run_time or 0.0) - SETTLED_SECONDS
    return any(
        entry.id != record.entry.id and entry.state in _IN_DOUBT and (entry.run_time or 0.0) > since
        for entry in journal.entries()
    )


def _candidates(record: Record, service: Service, journal: Journal) -> list[str]:
    """Tasks that were charged since the run call, and that nobody on this computer has started."""
    known = journal.task_ids()
    return [
        charge.target_id for charge in _charges(record, service) if charge.target_id and charge.target_id not in known
    ]


def _charges(record: Record, service: Service) -> list[Charge]:
    """What was charged since the run call."""
    since = ((record.entry.run_time or time.time()) - _SKEW_SECONDS) * 1000
    return list(itertools.takewhile(lambda charge: charge.time >= since, service.history()))


def _shows(data: bytes, upload: Upload) -> bool:
    """Whether a cut-out has the upload's colours where it is opaque."""
    alpha = matte.decode(data, (upload.width, upload.height))
    opaque = alpha >= _OPAQUE
    if np.count_nonzero(opaque) < _LEAST_PIXELS:
        return False
    height, width = alpha.shape
    with Image.open(io.BytesIO(data)) as result, Image.open(io.BytesIO(upload.data)) as sent:
        colours = np.asarray(result.convert("RGB"), np.int16)
        expected = np.asarray(sent.convert("RGB").resize((width, height)), np.int16)
    return float(np.abs(colours[opaque] - expected[opaque]).mean()) < _ALIKE
