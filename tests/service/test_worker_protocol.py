"""The worker's protocol as its schema has it: a session with all of it, and what neither side may say.

All other tests of the worker hold their lines against the schema, too, see helpers/protocol.py.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from helpers.protocol import KINDS, QUESTIONS, SCHEMA, Session, is_allowed
from layerlift.twin import Twin
from layerlift.worker import worker

from .worker_host import HEIGHT, WIDTH, Host, said, steps

CHECKOUT = Path(__file__).resolve().parents[2]
PICTURE = {"pixels": "1.raw", "width": WIDTH, "height": HEIGHT, "channels": 3}
LAYER = {**PICTURE, "alpha": "1.alpha", "channels": 4}
NAMED = {**PICTURE, "name": "a.jpg"}
ALLOWED: list[dict[str, Any]] = [
    {"type": "job", **PICTURE, "engine": "auto"},
    {"type": "clean", **LAYER},
    {"type": "cut", **LAYER},
    {"type": "settings"},
    {"type": "key", "key": None},
    {"type": "agree"},
    {"type": "consent"},
    {"type": "balance", "engine": "auto"},
    {"type": "plan", "engine": "auto", "pictures": [NAMED]},
    {"type": "batch", "engine": "auto", "pictures": [NAMED]},
    {"type": "jobs"},
    {"type": "fetch"},
    {"type": "clear"},
    {"type": "models"},
    {"type": "fetch_model", "name": "u2netp"},
    {"type": "use_model", "name": "auto"},
    {"type": "forget_model", "name": "isnet"},
    {"type": "tasks"},
    {"type": "templates", "task": "bg-replace"},
    {"type": "task", **PICTURE, "task": "lighting"},
]
OPTIONS: dict[str, Any] = {
    "again": None, "agreed": None, "clean": None, "order": "grb", "depth": "u24", "key": 5, "mask": None, "grow": None,
    "own_size": None, "without_subject": None, "fields": {"scale": 2},
}  # fmt: skip
"""What may be left out, with a value that is forbidden."""


def forbidden() -> list[dict[str, Any]]:
    """Each question without one of its fields, and with a field of another type."""
    found = []
    for question in ALLOWED:
        for field in [name for name in question if name != "type"]:
            found.append({name: value for name, value in question.items() if name != field})
            found.append({**question, field: {"not": "this"}})
        known = SCHEMA["$defs"][question["type"]]["properties"]
        found += [{**question, field: wrong} for field, wrong in OPTIONS.items() if field in known]
        if "pictures" in question:
            for field in NAMED:
                broken = {name: value for name, value in NAMED.items() if name != field}
                found.append({**question, "pictures": [NAMED, broken]})
            found += [{**question, "pictures": wrong} for wrong in ([], [None], [{**NAMED, "order": "grb"}])]
    return found


def test_the_schema_is_one_and_of_the_protocol_that_the_worker_speaks() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$defs"]["hello"]["properties"]["protocol"] == {"const": worker.PROTOCOL}
    assert SCHEMA["$id"].endswith(f":{worker.PROTOCOL}")
    assert f"\nPROTOCOL = {worker.PROTOCOL}\n" in (CHECKOUT / "plugin" / "common" / "protocol.py").read_text("ascii")


def test_the_page_has_every_type_of_line() -> None:
    page = (CHECKOUT / "shared" / "docs" / "worker-protocol.md").read_text("utf-8")
    assert [kind for kind in sorted(KINDS) if f"`{kind}`" not in page] == []


def test_a_session_with_every_type_of_line_is_as_the_schema_has_it(start: Any, twin: Twin) -> None:
    host: Host = start(twin)
    samples = np.full((HEIGHT, WIDTH, 4), 90, np.uint8)
    for question in ALLOWED:
        kind = question["type"]
        if "pixels" in question or "pictures" in question:
            (host.folder / "1.raw").write_bytes((samples if "alpha" in question else steps()).tobytes())
        host.send(id=kind, **question)
        while (message := host.next())["type"] in ("progress", "ended"):
            assert message["id"] == kind
        assert (message["type"], message["id"]) == ("result", kind)
    (host.folder / "1.raw").unlink(missing_ok=True)
    host.send(type="job", id="gone", **PICTURE, engine="auto")
    host.send(type="cancel", id="gone")
    assert host.until_end("gone")[1]["type"] == "error"
    assert host.session.seen == KINDS | {f"{kind}_result" for kind in QUESTIONS}


@pytest.mark.parametrize("question", ALLOWED, ids=lambda question: question["type"])
def test_fields_that_a_newer_host_may_add_are_ignored(question: dict[str, Any]) -> None:
    assert is_allowed("to_worker", {**question, "id": "1", "of a newer host": True})


@pytest.mark.parametrize("question", forbidden(), ids=json.dumps)
def test_what_the_schema_forbids_is_refused_with_an_error_for_the_user(question: dict[str, Any]) -> None:
    message = {**question, "id": "1"}
    assert not is_allowed("to_worker", message)
    answer = said([json.dumps(message)], Path("unused"))[-1]
    assert (answer["type"], answer["id"], answer["code"]) == ("error", "1", "bad_job")
    assert answer["message"] and answer["action"]


@pytest.mark.parametrize("kind", ["nonsense", None, 5, ["job"], "result"], ids=str)
def test_a_question_of_no_known_type_is_refused(kind: Any) -> None:
    assert said([json.dumps({"type": kind, "id": "1"})], Path("unused"))[1]["code"] == "bad_job"


@pytest.mark.parametrize("name", [{}, {"id": None}, {"id": 5}, {"id": ["1"]}], ids=str)
def test_a_question_without_a_name_is_refused_under_none(name: dict[str, Any]) -> None:
    answer = said([json.dumps({"type": "consent", **name})], Path("unused"))[1]
    assert (answer["type"], answer["id"], answer["code"]) == ("error", None, "bad_job")


def test_the_worker_says_nothing_that_the_schema_does_not_have(tmp_path: Path) -> None:
    (answer,) = said([json.dumps({"type": "consent", "id": "1"})], tmp_path)[1:]
    session = Session()
    session.sends(json.dumps({"type": "consent", "id": "1"}))
    for change in ({"more": 1}, {"host": None}, {"type": "news"}, {"id": 1}):
        with pytest.raises(jsonschema.ValidationError):
            session.hears({**answer, **change})
    session.hears(answer)
