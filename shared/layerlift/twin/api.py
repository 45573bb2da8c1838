"""The API's host: JSON in, JSON out, every request with the key."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_plus, urlsplit

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from .account import Charge
from .endpoint import Act, Endpoint, Record, target
from .faults import Fault
from .features import FEATURES, SOURCES, Feature
from .state import CONTENT_TYPES, Order, Outcome, Refusal, Result, State

PATHS = (
    ("POST", "/s2s/v2.0/file", "declare"),
    ("POST", "/s2s/v2.0/task/delete", "delete"),
    ("GET", "/s2s/v1.0/client/credit", "balance"),
    ("GET", "/s2s/v1.0/client/credit/history", "history"),
    ("GET", "/s2s/v2.0/credit/feature-cost", "price"),
)
FEATURE_PATHS = (
    ("POST", "/s2s/v2.0/file/{slug}", "declare"),
    ("POST", "/s2s/v2.0/task/{slug}", "run"),
    ("GET", "/s2s/v2.0/task/{slug}/<task_id>", "poll"),
)
TEMPLATES_PATH = ("GET", "/s2s/v2.0/task/template/{slug}", "templates")
MAX_PAGE = 100
MAX_UNITS = 1e15
YEAR_MS = 365 * 86_400_000


class Api(Endpoint):
    """Answers at the API's paths; `storage_url` begins the addresses that it hands out."""

    storage = False

    def __init__(self, state: State, record: Record, key: str, storage_url: str) -> None:
        super().__init__(state, record)
        self._key = key
        self._storage_url = storage_url
        self._forms = state.options.forms
        self._paths = Map(list(_rules()), merge_slashes=False).bind("127.0.0.1")

    def route(self, request: Request) -> tuple[str, Act]:
        # matched as sent: a slash inside an id that was not percent-encoded makes another path
        path = urlsplit(target(request)).path
        try:
            (step, slug), values = self._paths.match(path, request.method)
        except HTTPException as error:
            raise Refusal(error.code or 404, "", error.name) from error
        if step == "declare" and not self._takes_files(slug):
            raise Refusal(404, "", "Not Found")
        acts: dict[str, Act] = {
            "declare": lambda fault: self._declare(request, slug),
            "run": lambda fault: self._run(request, FEATURES[slug], fault),
            "poll": lambda fault: self._poll(unquote_plus(values["task_id"]), slug, fault),
            "delete": lambda fault: self._delete(request, fault),
            "balance": lambda fault: self._balance(),
            "history": lambda fault: self._history(request),
            "price": lambda fault: self._price(request),
            "templates": lambda fault: self._templates(request, FEATURES[slug]),
        }
        return step, acts[step]

    def _takes_files(self, slug: str) -> bool:
        """Whether files are declared at the path of that task, "" for the one of all tasks."""
        if "short_file_path" in self._forms:
            return not slug
        return bool(slug) or "both_file_paths" in self._forms

    def guard(self, request: Request) -> None:
        self._state.admit()
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not secrets.compare_digest(key.strip().encode(), self._key.encode()):
            raise Refusal(401, "InvalidApiKey", "Invalid API key")

    def refuse(self, refusal: Refusal) -> Response:
        body = {"status": refusal.status, "error": refusal.text}
        if refusal.code:
            body["error_code"] = refusal.code
        return _json(body, refusal.status)

    def _declare(self, request: Request, slug: str) -> Response:
        entries = _body(request).get("files")
        if not isinstance(entries, list) or not entries:
            raise Refusal(400, "InvalidParameters", "files is required")
        files = self._state.declare([_file(entry) for entry in entries], slug)
        answer = []
        for file in files:
            length: int | str = file.size if "number_length" in self._forms else str(file.size)
            headers: Any = {"Content-Type": file.content_type, "Content-Length": length}
            if "headers_list" in self._forms:
                headers = [{"name": name, "value": value} for name, value in headers.items()]
            upload = {"method": "PUT", "url": self._storage_url + file.upload_path, "headers": headers}
            answer.append(
                {
                    "content_type": file.content_type,
                    "file_name": file.name,
                    "file_id": file.id,
                    "requests": [upload],
                }
            )
        return _json({"status": 200, "data": {"files": answer}})

    def _run(self, request: Request, feature: Feature, fault: Fault | None) -> Response:
        order = self._order(_body(request), feature)
        self._expire(order.source_id or order.source_path, fault)
        task = self._state.run(order, fault.code if fault and fault.kind == "engine" else "")
        return _json({"status": 200, "data": {"task_id": task.id, **self._interval("interval_in_run")}})

    def _order(self, body: dict[str, Any], feature: Feature) -> Order:
        named = [name for name in SOURCES if name in body]
        if len(named) != 1:
            raise Refusal(400, "InvalidParameters", f"One of {' and '.join(SOURCES)} is required")
        source = _text(body, named[0])
        try:
            fields = feature.check(body)
            if named == ["src_file_id"]:
                return Order(feature, fields, source_id=source)
            return Order(feature, fields, source_path=self._path(source))
        except ValueError as error:
            raise Refusal(400, "InvalidParameters", str(error)) from error

    def _path(self, url: str) -> str:
        """The part of an address after its host, "" for one of another host. Raises ValueError for what is no address
        of a file."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.path in ("", "/"):
            raise ValueError("src_file_url is not the address of a file")
        return url[len(self._storage_url) :] if url.startswith(f"{self._storage_url}/") else ""

    def _expire(self, name: str, fault: Fault | None) -> None:
        if fault and fault.kind == "expired":
            self._state.expire(name)

    def _poll(self, task_id: str, slug: str, fault: Fault | None) -> Response:
        self._expire(task_id, fault)
        outcome = self._state.poll(task_id, slug)
        state = "status" if "status_field" in self._forms else "task_status"
        data: dict[str, Any] = {state: outcome.state, **self._interval("interval_in_poll")}
        if outcome.state == "error":
            if "error_object" in self._forms:
                data["error"] = {"message": outcome.message, "error_code": outcome.error}
            else:
                data.update(error=outcome.error, error_message=outcome.message)
        elif "error_null" in self._forms:
            data["error"] = None
        elif "error_none" in self._forms:
            data["error"] = "None"
        if outcome.state == "success":
            data["results"] = self._results(outcome)
            if "dst_id_in_data" in self._forms and len(outcome.results) == 1:
                data["dst_id"] = outcome.results[0].dst_id
        return _json({"status": 200, "data": data})

    def _results(self, outcome: Outcome) -> Any:
        several = len(outcome.results) > 1
        entries = [self._result(result, several) for result in outcome.results]
        if "results_list_data" in self._forms:
            return [{"id": 0, "data": [{"id": number, **entry} for number, entry in enumerate(entries)]}]
        if "results_data" in self._forms:
            return {"data": entries}
        if "results_list" in self._forms:
            return entries
        return {"output": entries} if several else entries[0]

    def _result(self, result: Result, several: bool) -> dict[str, str]:
        entry = {"url": self._storage_url + result.path}
        # beside the state there is room for one id alone
        if "dst_id_in_results" in self._forms or ("dst_id_in_data" in self._forms and several):
            entry["dst_id"] = result.dst_id
        return entry

    def _interval(self, only_form: str) -> dict[str, int]:
        """`polling_interval`, where it is sent: everywhere unless a form names a single place or none."""
        milliseconds = self._state.options.polling_interval_ms
        places = {"interval_in_run", "interval_in_poll", "interval_nowhere"} & self._forms
        if milliseconds is None or (places and only_form not in places):
            return {}
        return {"polling_interval": milliseconds}

    def _delete(self, request: Request, fault: Fault | None) -> Response:
        task_id = _text(_body(request), "task_id")
        self._expire(task_id, fault)
        self._state.delete(task_id)
        return _json({"status": 200})

    def _number(self, number: int) -> int | str:
        return number if "numeric_ids" in self._forms else str(number)

    def _balance(self) -> Response:
        units = min(self._state.balance(), MAX_UNITS)  # an endless account is possible, but not in JSON
        now = int(self._state.wall() * 1000)
        results = [self._units(self._state.account.FIRST_ID - 1, "ApiPaygToken", units, now + YEAR_MS)]
        if "expired_units" in self._forms:
            results.append(self._units(self._state.account.FIRST_ID - 2, "ApiSubsToken", 100.0, now - 1))
        return _json({"status": 200, "results": results})

    def _units(self, number: int, kind: str, units: float, expiry: int) -> dict[str, Any]:
        entry: dict[str, Any] = {"id": self._number(number), "type": kind, "amount": int(units), "expiry": expiry}
        if "no_amount_dec" not in self._forms:
            entry["amount_dec"] = units
        return entry

    def _history(self, request: Request) -> Response:
        self._state.balance()
        entries = [self._line(charge) for charge in self._state.account.charges]
        if "history_oldest_first" not in self._forms:
            entries.reverse()
        return _page(request, "history", entries, endless="history_without_end" in self._forms)

    def _line(self, charge: Charge) -> dict[str, Any]:
        line = {
            "id": self._number(charge.id),
            "timestamp": charge.timestamp // 1000 if "history_in_seconds" in self._forms else charge.timestamp,
            "action": charge.action,
            "target_id": charge.task_id,
            "info": {"credits": [{"type": "ApiPaygToken", "amount": -charge.units}]},
        }
        if "history_without_targets" in self._forms:
            del line["target_id"]
        if "history_with_odd_ids" in self._forms:
            line |= {"id": "\ud800", "target_id": "\ud800"}
        return line

    def _price(self, request: Request) -> Response:
        """The list of prices, which does not have all tasks."""
        skus = [
            {
                "description": feature.title,
                "amount": feature.price,
                "unit": "unit",
                "proc_unit": "image",
                "run_task_url": f"/s2s/v2.0/task/{feature.slug}",
            }
            for feature in FEATURES.values()
            if feature.listed
        ]
        return _page(request, "skus", skus)

    def _templates(self, request: Request, feature: Feature) -> Response:
        entries = [
            {
                "id": template.id,
                "title": template.title,
                "thumb": f"{self._storage_url}{template.thumb_path}",
            }
            for template in feature.templates
        ]
        return _page(request, "templates", entries)


def _rules() -> Iterator[Rule]:
    """All paths, each with its step and the slug of its task, "" for none."""
    for method, path, step in PATHS:
        yield Rule(path, methods=[method], endpoint=(step, ""))
    for feature in FEATURES.values():
        for method, path, step in (*FEATURE_PATHS, *([TEMPLATES_PATH] if feature.templates else [])):
            yield Rule(path.format(slug=feature.slug), methods=[method], endpoint=(step, feature.slug))


def _json(body: Any, status: int = 200) -> Response:
    return Response(json.dumps(body), status=status, mimetype="application/json")


def _body(request: Request) -> dict[str, Any]:
    body = request.get_json(silent=True) if request.is_json else None
    if not isinstance(body, dict):
        raise Refusal(400, "BadRequest", "The body has to be a JSON object")
    return body


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise Refusal(400, "InvalidParameters", f"{name} is required")
    return value


def _file(entry: Any) -> tuple[str, str, int]:
    if not isinstance(entry, dict):
        raise Refusal(400, "InvalidParameters", "files holds objects")
    content_type, size = _text(entry, "content_type"), entry.get("file_size")
    if content_type not in CONTENT_TYPES:
        raise Refusal(400, "InvalidParameters", f"content_type has to be one of {', '.join(CONTENT_TYPES)}")
    if type(size) is not int or size <= 0:
        raise Refusal(400, "InvalidParameters", "file_size has to be a positive number")
    return content_type, _text(entry, "file_name"), size


def _page(request: Request, name: str, entries: list[Any], *, endless: bool = False) -> Response:
    """One page of entries, from `starting_token` on; `next_token` is null on the last, unless it is `endless`."""
    try:
        size = int(request.args.get("page_size", "20"))
        start = int(request.args.get("starting_token") or "0")
    except ValueError as error:
        raise Refusal(400, "InvalidParameters", "page_size or starting_token is not valid") from error
    if not (1 <= size <= MAX_PAGE and 0 <= start <= (MAX_UNITS if endless else len(entries))):
        raise Refusal(400, "InvalidParameters", "page_size or starting_token is not valid")
    end = start + size
    following = str(end) if endless or end < len(entries) else None
    return _json({"status": 200, "result": {"next_token": following, name: entries[start:end]}})
