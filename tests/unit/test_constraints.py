"""The tested set of packages holds all that the project requires, by hash."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from plugin.installer import gpu
from plugin.installer.environment import constraints

CHECKOUT = Path(__file__).resolve().parents[2]
KINDS = ["", *gpu.SIZES]


@pytest.mark.parametrize("kind", KINDS)
def test_every_requirement_is_pinned_by_hash(kind: str) -> None:
    project = (CHECKOUT / "pyproject.toml").read_text("utf-8")
    lists = re.findall(rf"^(?:{kind or 'dependencies|offline'}) = (\[.*\])$", project, re.MULTILINE)
    names = {re.split(r"[^\w-]", requirement)[0] for listed in lists for requirement in json.loads(listed)}
    text = constraints(CHECKOUT, kind).read_text("utf-8")
    pinned = set(re.findall(r"^([\w-]+)==[\w.]+ .*\\\n    --hash=sha256:[0-9a-f]{64}", text, re.MULTILINE))
    assert len(lists) == (1 if kind else 2) and names - pinned == set()


@pytest.mark.parametrize("kind", KINDS)
def test_all_lines_are_pins_and_hashes_and_no_index_is_named(kind: str) -> None:
    text = constraints(CHECKOUT, kind).read_text("utf-8")
    line = r"#.*|[\w-]+==[\w.]+ (; [^\\]+)?\\|    --hash=sha256:[0-9a-f]{64}( \\)?"
    assert [found for found in text.splitlines() if not re.fullmatch(line, found)] == []
    assert "//" not in text
