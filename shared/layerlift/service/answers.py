"""The forms in which the service answers, each normalised once.

Every function takes the decoded JSON body of one call and returns plain values, or raises `ServiceError`
(``bad_answer``) where the body is of none of the known forms. Sources: the service's OpenAPI documents, its developer
guide, and forms that live servers were seen to send: a list of name/value pairs for headers, ``status`` in place of
``task_status``, results as a list, errors as text, object, null or the word "None", ids as JSON numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from .. import errors
from ..language import _

_WORDS = 200
_LEAST_INTERVAL = 0.5
"""Nobody polls more often than every so many seconds, whatever the service says."""
_SECONDS = 1e11
"""A time above this is in milliseconds since 1970, one below in seconds: until the year 5138."""


@dataclass(frozen=True)
class Destination:
    """Where one declared file has to be uploaded.

    The URL and the headers are secrets for as long as they are valid: neither shows them in its `repr`.
    """

    file_id: str
    method: str
    url: str = field(repr=False)
    headers: dict[str, str] = field(repr=False)


@dataclass(frozen=True)
class Task:
    """A task that was started. `polling_interval` is in seconds, None where the service does not say."""

    task_id: str
    polling_interval: float | None = None
    request_id: str | None = None


@dataclass(frozen=True)
class TaskState:
    """One poll's answer. `error_code` is set on ``error``, `result_urls` on ``success``; intervals are in seconds."""

    status: Literal["running", "success", "error"]
    polling_interval: float | None = None
    result_urls: tuple[str, ...] = field(default=(), repr=False)
    dst_id: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    request_id: str | None = None

    @property
    def result_url(self) -> str:
        """The first result's address, "" where there is none."""
        return next(iter(self.result_urls), "")


@dataclass(frozen=True)
class Charge:
    """One line of the unit history. `time` is in milliseconds since 1970."""

    charge_id: str
    time: int
    action: str
    target_id: str | None
    units: float


@dataclass(frozen=True)
class Price:
    """What a feature costs, in units."""

    description: str
    units: float
    run_task_url: str


@dataclass(frozen=True)
class Template:
    """A template of a task. `picture` is the address of one that shows it, "" where there is none."""

    id: str
    title: str
    picture: str


def destinations(body: object) -> list[Destination]:
    """Of declare: one destination a declared file, in the order of the request."""
    found = []
    for file in _list(_object(_object(body).get("data")).get("files")):
        entry = _object(file)
        requests = _list(entry.get("requests"))
        if not requests:
            raise errors.make("bad_answer", _("no upload address was given"))
        request = _object(requests[0])
        found.append(
            Destination(
                file_id=_id(entry.get("file_id")),
                method=str(request.get("method") or "PUT").upper(),
                url=_text(request.get("url")),
                headers=_headers(request.get("headers")),
            )
        )
    return found


def task(body: object) -> Task:
    """Of run."""
    data = _object(_object(body).get("data"))
    return Task(_id(data.get("task_id")), _interval(data))


def task_state(body: object) -> TaskState:
    """Of poll."""
    data = _object(_object(body).get("data"))
    status = data.get("task_status", data.get("status"))
    interval = _interval(data)
    if status == "running":
        return TaskState("running", interval)
    results = _results(data)
    if status == "success":
        urls = tuple(str(entry["url"]) for entry in results if entry.get("url"))
        if not urls:
            raise errors.make("result_missing")
        ids = (words(entry.get("dst_id")) for entry in [data, *results])
        return TaskState("success", interval, urls, next((found for found in ids if found), None))
    if status == "error":
        code, message = _failure(data)
        return TaskState("error", interval, error_code=code, error_message=message)
    raise errors.make("bad_answer", _("the task is in an unknown state"))


def acknowledged(body: object) -> None:
    """Of delete: nothing but that it was done."""
    _object(body)


def refusal(body: object) -> tuple[str | None, str]:
    """Of a refused request: its error code, where there is one, and the service's own words ("" where it has none)."""
    if not isinstance(body, dict):
        return None, ""
    code, message = body.get("error_code"), body.get("error")
    if isinstance(message, dict):
        code, message = code or message.get("error_code"), message.get("message")
    if code is None and isinstance(message, str) and message in errors.REFUSALS:
        code = message
    return words(code) or None, words(message)


def words(value: object) -> str:
    """What the service says, fit to be shown: one short line without control characters, "" for nothing."""
    text = str(value)[: 2 * _WORDS] if value else ""
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()[:_WORDS]


def units(body: object, now_ms: int) -> float:
    """Of balance: the units that have not expired at `now_ms` (milliseconds since 1970)."""
    total = 0.0
    for entry in map(_object, _list(_object(body).get("results"))):
        if not entry.get("expiry") or _number(entry["expiry"]) > now_ms:
            amount = entry.get("amount_dec")
            total += _number(entry.get("amount", 0) if amount is None else amount)
    return total


def charges(body: object) -> tuple[list[Charge], str | None]:
    """Of history: one page, and the token of the next page (None on the last). Lines of another form are left out."""
    page = _object(_object(body).get("result"))
    found = []
    for entry in _list(page.get("history")):
        try:
            found.append(_charge(_object(entry)))
        except errors.ServiceError:
            continue
    return found, _token(page)


def _charge(entry: dict[str, Any]) -> Charge:
    info = entry.get("info")
    credits = info.get("credits") if isinstance(info, dict) else None
    time = _number(entry.get("timestamp", 0))
    return Charge(
        charge_id=_id(entry.get("id")),
        time=int(time if time > _SECONDS else time * 1000),
        action=str(entry.get("action") or ""),
        target_id=_id(entry["target_id"]) if entry.get("target_id") else None,
        units=sum(_amounts(credits if isinstance(credits, list) else [])),
    )


def prices(body: object) -> tuple[list[Price], str | None]:
    """Of price: one page, and the token of the next page (None on the last)."""
    page = _object(_object(body).get("result"))
    found = [
        Price(str(sku.get("description") or ""), _number(sku.get("amount", 0)), str(sku.get("run_task_url") or ""))
        for sku in map(_object, _list(page.get("skus")))
    ]
    return found, _token(page)


def templates(body: object) -> tuple[list[Template], str | None]:
    """Of templates: one page, and the token of the next page (None on the last)."""
    answer = _object(body)
    page = _object(next((answer[name] for name in ("result", "results", "data") if answer.get(name)), None))
    found = []
    for entry in map(_object, _list(page.get("templates"))):
        title = words(entry.get("title") or entry.get("name"))
        address = entry.get("thumb") or entry.get("url")
        found.append(Template(_id(entry.get("id") or entry.get("template_id")), title, str(address or "")))
    return found, _token(page)


def _results(data: dict[str, Any]) -> list[dict[str, Any]]:
    """The entries that may hold a result: `results` as one object or a list, the URL in them, or in their `data` or
    `output`."""
    results = data.get("results")
    entries = results if isinstance(results, list) else [results]
    found: list[dict[str, Any]] = []
    for entry in entries:
        if isinstance(entry, dict):
            found.append(entry)
            for inner in (entry.get("data"), entry.get("output")):
                found += [part for part in (inner if isinstance(inner, list) else [inner]) if isinstance(part, dict)]
    return found


def _failure(data: dict[str, Any]) -> tuple[str, str | None]:
    """Code and words of a failed task."""
    error, message = data.get("error"), data.get("error_message")
    code: object = data.get("error_code")
    if isinstance(error, dict):
        code = error.get("error_code") or error.get("code") or code
        message = error.get("message") or message
    elif isinstance(error, str) and error != "None":
        code = error
    told = words(message) if message != "None" else ""
    return words(code) or told or "unknown_internal_error", told or None


def _headers(value: object) -> dict[str, str]:
    if isinstance(value, dict):
        return {str(name): str(content) for name, content in value.items()}
    pairs = [_object(pair) for pair in _list(value)]
    return {_text(pair.get("name")): str(pair.get("value", "")) for pair in pairs}


def _interval(data: dict[str, Any]) -> float | None:
    value = data.get("polling_interval")
    if isinstance(value, (int, float, str)) and not isinstance(value, bool):
        try:
            milliseconds = float(value)
        except (ValueError, OverflowError):
            return None
        if 0 < milliseconds < 3_600_000:
            return max(milliseconds / 1000, _LEAST_INTERVAL)
    return None


def _amounts(entries: Iterable[object]) -> Iterable[float]:
    for entry in entries:
        if isinstance(entry, dict):
            amount = entry.get("amount_dec", entry.get("amount", 0))
            yield abs(_number(amount))


def _token(page: dict[str, Any]) -> str | None:
    token = page.get("next_token")
    return _id(token) if token else None


def _object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise errors.make("bad_answer")
    return value


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise errors.make("bad_answer")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str) or not value or not value.isprintable():
        raise errors.make("bad_answer")
    return value


def _id(value: object) -> str:
    """Ids are text, or JSON numbers of up to 64 bits."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return _text(value)


def _number(value: object) -> float:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise errors.make("bad_answer", _("a number was expected"))
    return number
