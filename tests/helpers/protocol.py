"""The worker's protocol as its schema has it, held against all that a host and its worker say."""

from __future__ import annotations

import functools
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import jsonschema

SCHEMA = json.loads((Path(__file__).resolve().parents[2] / "shared/docs/worker-protocol.schema.json").read_text())
QUESTIONS = tuple(kind for kind in SCHEMA["$defs"] if f"{kind}_result" in SCHEMA["$defs"])
"""What the worker answers with one result or one error."""
KINDS = frozenset(
    reference["$ref"].rpartition("/")[2]
    for side in ("to_worker", "from_worker")
    for reference in SCHEMA["$defs"][side]["oneOf"]
)
"""The types of all lines."""


@functools.cache
def _validator(name: str) -> Any:
    return jsonschema.Draft202012Validator({**SCHEMA, "anyOf": [{"$ref": f"#/$defs/{name}"}]})


def is_allowed(name: str, message: object) -> bool:
    """Whether a message is what the schema has under a name."""
    return bool(_validator(name).is_valid(message))


class Session:
    """All lines between a host and a worker. What the worker says must be as the schema has it, and what the schema
    forbids a host to say must be refused.

    `seen` holds the types that went well, both ways, and the results by their names in the schema.
    """

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self._asked: dict[str | None, list[dict[str, Any]]] = defaultdict(list)

    def sends(self, line: bytes | str) -> None:
        """The host says something; what is no object of a known type gets no answer, unless it has an id."""
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            return
        if not isinstance(message, dict):
            return
        kind, name = message.get("type"), message.get("id")
        if kind in QUESTIONS or (kind != "cancel" and "id" in message):
            self._asked[name if isinstance(name, str) else None].append(message)
        if is_allowed("to_worker", message):
            self.seen.add(str(kind))

    def hears(self, message: dict[str, Any]) -> None:
        """The worker says something."""
        kind = str(message.get("type"))
        _validator("from_worker").validate(message)
        self.seen.add(kind)
        if kind not in ("result", "error"):
            return
        question = self._asked[message["id"]].pop(0)
        if kind == "result":
            assert is_allowed("to_worker", question), f"it was not refused: {question}"
            answer = f"{question['type']}_result"
            _validator(answer).validate(message)
            self.seen.add(answer)
