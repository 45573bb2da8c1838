"""The pages for contributors name what is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
PAGES = [
    *(CHECKOUT / name for name in ("README.md", "CHANGELOG.md")),
    *sorted((CHECKOUT / ".github").glob("*.md")),
    *sorted((CHECKOUT / "shared" / "docs").glob("*.md")),
    CHECKOUT / "plugin" / "gimpfu" / "README.md",
]
SOURCES = [*(CHECKOUT / "shared").rglob("*.py"), *(CHECKOUT / "plugin").rglob("*.py")]


def relative(path: Path) -> str:
    return path.relative_to(CHECKOUT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text("utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_files_that_are_named_are_there(page: Path) -> None:
    named = re.findall(r"`((?:plugin|shared|tests)/[\w./-]*)`", page.read_text("utf-8"))
    assert [name for name in named if not (CHECKOUT / name).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_functions_that_are_named_are_there(page: Path) -> None:
    defined = set(re.findall(r"^ *def (\w+)", "\n".join(file.read_text("utf-8") for file in SOURCES), re.MULTILINE))
    named = re.findall(r"`(?:\w+\.)*(\w+)\(\)`", page.read_text("utf-8"))
    assert [name for name in named if name not in defined] == []


def test_the_architecture_has_every_module_of_the_core() -> None:
    page = (CHECKOUT / "shared" / "docs" / "ARCHITECTURE.md").read_text("utf-8")
    core = CHECKOUT / "shared" / "layerlift"
    modules = [path.stem for path in core.rglob("*.py") if not path.stem.startswith("__")]
    packages = [f"{path.parent.name}/" for path in core.glob("*/__init__.py")]
    assert [name for name in [*modules, *packages] if f"`{name}`" not in page] == []


def test_the_page_of_the_shim_has_every_room_and_an_example_that_the_host_tests_run() -> None:
    shim = CHECKOUT / "plugin" / "gimpfu"
    page = (shim / "README.md").read_text("utf-8")
    rooms = {path.stem for path in shim.glob("*.py")} | {path.parent.name for path in shim.glob("*/*.py")}
    assert [room for room in sorted(rooms) if f"`{room}" not in page] == []
    assert f"```python\n{(CHECKOUT / 'tests/hosts/gimpfu/glow.py').read_text('utf-8')}```" in page
