"""What holds for the sources as a whole: lint, strict types, and imports that go one way."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
CORE = CHECKOUT / "shared" / "layerlift"
PLUGIN = CHECKOUT / "plugin"
INSTALLER = [
    CHECKOUT / "install.py",
    CHECKOUT / "tests" / "__main__.py",
    *sorted((CHECKOUT / "installer").rglob("*.py")),
]
OLD_PYTHON = [*INSTALLER, *sorted(PLUGIN.rglob("*.py"))]
HOST_MODULES = {"gimp", "gimpfu", "gimpenums", "gimpshelf", "gimpui", "gi", "krita", "pykrita", "PyQt5", "PyQt6"}
# What may import the offline twin: the set-ups that offer it, and the twin itself.
OFFLINE_USERS = {"worker.py", "cli.py", "removal.py"}


def relative(path: Path) -> str:
    return path.relative_to(CHECKOUT).as_posix()


def imports(file: Path) -> Iterator[str]:
    """The dotted names that a file imports, also inside functions; its own package's start with a dot."""
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield module
            yield from (f"{module.rstrip('.')}.{name.name}" for name in node.names)


def run(*command: str, **variables: str) -> None:
    outcome = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=CHECKOUT,
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert outcome.returncode == 0, outcome.stdout


def test_the_sources_pass_the_linter() -> None:
    run("ruff", "check", ".")


def test_the_sources_are_formatted() -> None:
    run("ruff", "format", "--check", ".")


@pytest.mark.parametrize(
    "paths",
    [("shared/layerlift",), ("plugin",), ("install.py", "installer", "tests/__main__.py")],
    ids=["core", "plugin", "installer"],
)
def test_the_sources_are_strictly_typed(paths: tuple[str, ...]) -> None:
    run("mypy", "--strict", *paths, MYPYPATH=os.pathsep.join(("plugin", "plugin/gimp")) if paths == ("plugin",) else "")


@pytest.mark.parametrize("file", sorted(CORE.rglob("*.py")), ids=relative)
def test_the_core_knows_no_host(file: Path) -> None:
    assert not {name.split(".")[0] for name in imports(file)} & HOST_MODULES


@pytest.mark.parametrize("file", sorted(PLUGIN.rglob("*.py")), ids=relative)
def test_a_plug_in_knows_the_standard_library_its_host_and_itself_alone(file: Path) -> None:
    own = {path.stem for path in file.parent.iterdir()} | {path.stem for path in PLUGIN.rglob("*.py")}
    known = sys.stdlib_module_names | HOST_MODULES | own
    assert {name.split(".")[0] for name in imports(file) if not name.startswith(".")} - known == set()
    assert "layerlift" not in {name.split(".")[0] for name in imports(file)}


def test_only_the_set_ups_know_the_offline_twin() -> None:
    users = {file.name for file in CORE.glob("*.py") if any("offline" in name.split(".") for name in imports(file))}
    assert users <= OFFLINE_USERS


@pytest.mark.parametrize("file", OLD_PYTHON, ids=relative)
def test_what_hosts_and_users_run_is_plain_ascii_and_parses_on_python_3_8(file: Path) -> None:
    assert file.read_bytes().isascii()
    ast.parse(file.read_text("ascii"), feature_version=(3, 8))


@pytest.mark.parametrize("file", INSTALLER, ids=relative)
def test_the_installer_needs_the_standard_library_alone(file: Path) -> None:
    known = sys.stdlib_module_names | {"installer", "install"}
    assert {name.split(".")[0] for name in imports(file) if not name.startswith(".")} <= known


def test_the_gimp_plug_in_is_a_short_example_of_python_fu() -> None:
    file = PLUGIN / "gimp" / "layerlift.py"
    assert len(file.read_text("ascii").splitlines()) < 250
    assert not {name.split(".")[0] for name in imports(file)} & {"ctypes", "gi"}
