"""How the offline service behaves: its limits, the forms it answers in, and the faults it shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .engines import luma_key
from .faults import Fault

FORMS: dict[str, str] = {
    "short_file_path": "files are declared at /s2s/v2.0/file alone, /s2s/v2.0/file/sod and its like are 404",
    "both_file_paths": "files are declared at /s2s/v2.0/file, too; short_file_path goes before this",
    "headers_list": "upload headers as a list of {name, value} instead of an object",
    "number_length": "the Content-Length among the upload headers is a JSON number",
    "status_field": "a task's state stands in `status` instead of `task_status`",
    "results_list": "results are a list of {url}",
    "results_data": "results are {data: [{url}]}",
    "results_list_data": "results are a list of {data: [{url}]}",
    "error_object": "a failed task's error is an object {message, error_code} instead of a code",
    "error_null": "a task without a failure carries an error of null",
    "error_none": 'a task without a failure carries the error text "None"',
    "interval_in_run": "polling_interval is sent in the answer to run alone",
    "interval_in_poll": "polling_interval is sent in the answers to poll alone",
    "interval_nowhere": "polling_interval holds, but is not sent",
    "dst_id_in_data": "a success carries dst_id beside the state; beside the urls, where there are several",
    "dst_id_in_results": "a success carries dst_id beside the url",
    "numeric_ids": "ids in the balance and the history are 64-bit JSON numbers",
    "base64_ids": "file and task ids contain + / and =",
    "history_oldest_first": "the history begins with its oldest line",
    "history_in_seconds": "the times of the history are seconds instead of milliseconds",
    "history_without_targets": "the lines of the history name no task",
    "history_with_odd_ids": "the ids in the history are no text that UTF-8 has",
    "history_without_end": "each page of the history names a further one",
    "no_amount_dec": "the balance has whole amounts only",
    "expired_units": "the balance also lists units that have expired",
    "missing_file_500": "running a file that was not uploaded is 500 unknown_internal_error instead of 404",
    "late_poll_500": "a late poll is 500 TaskTimeout instead of 400 InvalidTaskId",
}
"""The forms seen live; each is off unless `Options.forms` names it."""


@dataclass(frozen=True)
class Options:
    """Settings of a `Twin`; the defaults are the live service's.

    Attributes:
        engine: picture bytes to the bytes of a PNG cut-out; raises `EngineError`. The default is the exact key for
            tests, no model. Tasks that tell a subject from its background ask it, too.
        abandon: hears of a picture whose cut-out nobody wants any more, while the engine has it.
        run_seconds: a task's result is ready no earlier than this after `run`.
        polling_interval_ms: what is sent as `polling_interval`, None: it is not sent.
        poll_within_seconds: a task that is not polled within this time is lost; None: `polling_interval_ms`, else 10 s.
        forms: names of `FORMS`.
        units: what the account holds at the start.
        rate: requests to the API, and the seconds in which that many are taken.
        per_second: how many are taken within a second besides, unless `rate` is for a second or less itself.
        result_seconds: life of a result's address.
        upload_seconds: life of an upload's address.
        file_seconds: life of files and tasks.
        faults: what goes wrong, and when.
    """

    engine: Callable[[bytes], bytes] = luma_key
    abandon: Callable[[bytes], None] = lambda picture: None
    run_seconds: float = 0.0
    polling_interval_ms: int | None = None
    poll_within_seconds: float | None = None
    forms: frozenset[str] = frozenset()
    units: float = 1000.0
    rate: tuple[int, float] = (250, 300.0)
    per_second: int = 5
    result_seconds: float = 7200.0
    upload_seconds: float = 3600.0
    file_seconds: float = 86400.0
    faults: tuple[Fault, ...] = ()

    def __post_init__(self) -> None:
        unknown = sorted(set(self.forms) - FORMS.keys())
        if unknown:
            raise ValueError(f"unknown form {', '.join(unknown)}: use some of {', '.join(FORMS)}")

    @property
    def rates(self) -> tuple[tuple[int, float], ...]:
        """All limits on requests that hold."""
        return (self.rate, (self.per_second, 1.0)) if self.rate[1] > 1.0 else (self.rate,)

    @property
    def interval(self) -> float:
        """Seconds within which a task has to be polled."""
        if self.poll_within_seconds is not None:
            return self.poll_within_seconds
        return 10.0 if self.polling_interval_ms is None else self.polling_interval_ms / 1000
