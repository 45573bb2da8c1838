"""A run call of which nobody knows whether it was heard: what the account's unit history says of it.

A task that was started all the same is charged under its id, and that id is all that was missing: its result can be
polled. Other tasks of the account, of other computers, are in the history too. So nothing is guessed: a task counts
only where it is the one that nobody here has started, no other picture here is in doubt, and its result shows the
picture's colours. The history can only find a result: that it names none, late or in an odd form, proves nothing.
"""

from __future__ import annotations

import io
import logging

import numpy as np
from PIL import Image

from .. import errors
from ..imaging import matte, pictures
from ..imaging.prepare import Upload
from ..service.service import Service, Sleep
from ..store.journal import Journal
from ..store.records import Record

LOOKS_SECONDS = (0.5, 1.0, 1.5, 2.0, 2.0)
"""Pauses before the looks at the history right after the run call: the task is lost if nobody polls it in time."""
_RIVAL_SECONDS = 900.0
"""Starts so far apart are not taken for each other: longer than any task runs."""
_SKEW_SECONDS = 120.0
_OPAQUE = 250
_LEAST_PIXELS = 16
_ALIKE = 4.0
_LIKE_SIDE, _LIKE = 32, 0.7
"""Pixels a side that two pictures are compared at, and the least correlation of pictures of the same."""
_IN_DOUBT = ("starting", "unknown")

_log = logging.getLogger(__name__)


def find(record: Record, upload: Upload, service: Service, journal: Journal, sleep: Sleep) -> bool:
    """Whether the task was found in the history soon after the call, and is in the record now."""
    for seconds in LOOKS_SECONDS:
        sleep(seconds)
        if (is_named := _is_named(record, upload, service, journal, sleep)) is not False:
            return bool(is_named)
    return False


def settle(record: Record, upload: Upload, service: Service, journal: Journal | None, sleep: Sleep) -> None:
    """Brings a record that is in doubt to a task that is known.

    Raises:
        MayBeCharged: there is none. Whatever the history does, that is what the user has to know.
    """
    if journal is None:
        return
    if record.entry.state == "lost":
        raise errors.make("charged_and_lost")
    if not _is_named(record, upload, service, journal, sleep):
        raise errors.make("still_in_doubt")


def _is_named(record: Record, upload: Upload, service: Service, journal: Journal, sleep: Sleep) -> bool | None:
    """Whether the history names the task, which is in the record then; None where it can't be asked."""
    try:
        return _look(record, upload, service, journal, sleep)
    except errors.Cancelled:
        raise
    except errors.LayerliftError as error:
        _log.info("The unit history does not tell of a start in doubt: %s", error.code)
        return None


def _look(record: Record, upload: Upload, service: Service, journal: Journal, sleep: Sleep) -> bool:
    """Whether the history names the task, which is in the record then."""
    candidates = _candidates(record, service, journal, sleep)
    if len(candidates) != 1 or _has_rivals(record, journal):
        return False
    (task_id,) = candidates
    try:
        state = service.poll(task_id)
        if state.status != "success":
            return False
        shows = _is_cut_out_of if service.task.gives == "alpha" else _is_like
        if not shows(service.download(state.result_url, sleep=sleep), upload):
            return False
    except errors.ServiceError:
        return False
    record.mark_running(task_id, state.request_id)
    return True


def _has_rivals(record: Record, journal: Journal) -> bool:
    """Whether the task may be another picture's, whose run call has not been answered either."""
    since = (record.entry.run_time or 0.0) - _RIVAL_SECONDS
    return any(
        entry.id != record.entry.id and entry.state in _IN_DOUBT and (entry.run_time or 0.0) > since
        for entry in journal.entries()
    )


def _candidates(record: Record, service: Service, journal: Journal, sleep: Sleep) -> set[str]:
    """Tasks that were charged since the run call, by the service's clock, and that nobody on this computer has
    started."""
    known, charges = journal.task_ids(), list(service.history(sleep=sleep))
    since = ((record.entry.run_time or 0.0) + service.ahead - _SKEW_SECONDS) * 1000
    # A set: one task may be charged in several lines.
    return {
        charge.target_id
        for charge in charges
        if charge.target_id and charge.target_id not in known and charge.time >= since
    }


def _is_like(data: bytes, upload: Upload) -> bool:
    """Whether a result shows the upload's lights and darks, as what is enhanced, coloured or mended in places does."""
    pictures.check_file(data)
    grays = []
    for file in (data, upload.data):
        with Image.open(io.BytesIO(file)) as image:
            small = image.convert("L").resize((_LIKE_SIDE, _LIKE_SIDE), Image.Resampling.BOX)
        grays.append(np.asarray(small, np.float64).ravel())
    if min(gray.std() for gray in grays) < 1:
        return False
    return float(np.asarray(np.corrcoef(grays[0], grays[1]))[0, 1]) > _LIKE


def _is_cut_out_of(data: bytes, upload: Upload) -> bool:
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
