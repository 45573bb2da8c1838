"""The tested set of packages holds all that the project requires, by hash."""

from __future__ import annotations

import json
import re
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
TEXT = (CHECKOUT / "shared" / "constraints.txt").read_text("utf-8")


def test_every_requirement_is_pinned_by_hash() -> None:
    project = (CHECKOUT / "pyproject.toml").read_text("utf-8")
    lists = re.findall(r"^(?:dependencies|offline) = (\[.*\])$", project, re.MULTILINE)
    names = {re.split(r"[^\w-]", requirement)[0] for listed in lists for requirement in json.loads(listed)}
    pinned = set(re.findall(r"^([\w-]+)==[\w.]+ .*\\\n    --hash=sha256:[0-9a-f]{64}", TEXT, re.MULTILINE))
    assert len(lists) == 2 and names - pinned == set()


def test_all_lines_are_pins_and_hashes_and_no_index_is_named() -> None:
    line = r"#.*|[\w-]+==[\w.]+ (; [^\\]+)?\\|    --hash=sha256:[0-9a-f]{64}( \\)?"
    assert [text for text in TEXT.splitlines() if not re.fullmatch(line, text)] == []
    assert "//" not in TEXT
