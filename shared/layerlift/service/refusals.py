"""What an answer of the API says, or what is wrong with it, and what that proves."""

from __future__ import annotations

import json

import requests

from .. import errors
from . import answers, connection

MAX_JSON_BYTES = 1_000_000


def may_have_started(error: errors.LayerliftError) -> bool:
    """Whether a run call that failed so may have started a task all the same: its bytes were sent, and no answer of
    the service's own proves that it refused."""
    if error.status is None:
        return error.code in ("bad_answer", "network", "timeout")
    return not error.refused


def decode(answer: requests.Response) -> object:
    """The JSON body of an API call that went well; else the error for what came."""
    data = connection.read(answer, MAX_JSON_BYTES, "bad_answer")
    try:
        body: object = json.loads(data)
    except (ValueError, RecursionError):
        body = None
    if answer.status_code >= 300 or body is None:
        raise explain(answer, body)
    if isinstance(body, dict) and isinstance(body.get("status"), int) and body["status"] >= 400:
        raise explain(answer, body, body["status"])
    return body


def explain(answer: requests.Response, body: object, status: int = 0) -> errors.LayerliftError:
    """The error for a refused request, or for an answer that is none of the service's."""
    status = status or answer.status_code
    code, words = answers.refusal(body)
    if code in errors.REFUSALS or code in errors.FAILURES:
        error = errors.from_service(code, words, status=status)
    else:
        known = {401: "unauthorized", 404: "not_found", 429: "rate_limited"}.get(status)
        general = known or ("server_error" if status >= 500 else None)
        if general is not None:
            error = errors.make(general, ": ".join(part for part in (code, words) if part), status=status)
        elif code is not None:
            error = errors.from_service(code, words, status=status)
        else:
            error = errors.make("proxy_answer" if body is None else "BadRequest", words, status=status)
    error.refused = _is_refusal(body, code, status)
    return error


def _is_refusal(body: object, code: str | None, status: int) -> bool:
    """Whether an answer proves that nothing was begun: 4xx with one of the service's own codes, its word that a file
    was never uploaded, or 429."""
    if status == 404 and code is None:
        return isinstance(body, dict) and body.get("status") == status
    return status == 429 or (400 <= status < 500 and status not in (408, 499) and code in errors.REFUSALS)
