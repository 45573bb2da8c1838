"""What holds for the sources as a whole: lint, strict types, and imports that go one way."""

from __future__ import annotations

import ast
import os
import shutil
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
    CHECKOUT / "tests" / "hosts" / "chroots.py",
    *sorted((PLUGIN / "installer").glob("*.py")),
]
HOSTED = [PLUGIN / "bridge.py", *sorted((PLUGIN / "gimp").rglob("*.py")), *sorted((PLUGIN / "krita").rglob("*.py"))]
HOST_MODULES = {"gimp", "gimpfu", "gimpenums", "gimpshelf", "gimpui", "gi", "krita", "pykrita", "PyQt5", "PyQt6"}
# The core's modules from the ground up: each may import from the layers below its own.
LAYERS = (
    {"errors"},
    {"threads", "trace"},
    {"cancelling", "entries", "keyrings"},
    {
        "answers",
        "cache",
        "deadline",
        "locks",
        "log",
        "offline",
        "pictures",
        "progress",
        "salvage",
        "settings",
        "stages",
        "tiles",
    },
    {
        "connection",
        "database",
        "files",
        "foreground",
        "guided",
        "messages",
        "prepare",
        "private",
        "program",
        "sheet",
        "signals",
        "sources",
    },
    {"matte", "pacing", "records", "service"},
    {"journal", "polling"},
    {"recovery"},
    {"engines"},
    {"account", "tasks"},
    {"finishing", "removal"},
    {"batch", "doctor"},
    {"client", "terminal", "worker"},
    {"jobs", "removing"},
    {"__init__", "cli"},
)
# The set-ups that offer the offline twin.
OFFLINE_USERS = {"cli.py", "doctor.py", "engines.py"}


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


def run(*command: str, folder: Path = CHECKOUT, **variables: str) -> None:
    outcome = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
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


def test_the_core_is_strictly_typed() -> None:
    run("mypy", "--strict", "shared/layerlift")


def test_the_gimp_plug_in_is_strictly_typed() -> None:
    run("mypy", "--strict", "plugin/bridge.py", "plugin/gimp", MYPYPATH=f"plugin{os.pathsep}plugin/gimp")


def test_the_krita_plug_in_is_strictly_typed_as_it_is_installed(tmp_path: Path) -> None:
    shutil.copytree(PLUGIN / "krita" / "layerlift", tmp_path / "layerlift")
    shutil.copy(PLUGIN / "bridge.py", tmp_path / "layerlift")
    settings = str(CHECKOUT / "pyproject.toml")
    # Krita and Qt have no types here, so all that comes from them is Any.
    run("mypy", "--strict", "--allow-subclassing-any", "--config-file", settings, "-p", "layerlift", folder=tmp_path)


@pytest.mark.parametrize("file", sorted((PLUGIN / "krita").rglob("*.py")), ids=relative)
def test_the_krita_plug_in_asks_one_module_for_qt_and_another_for_documents(file: Path) -> None:
    used = {name.split(".")[0] for name in imports(file)}
    assert file.name == "qt.py" or not used & {"PyQt5", "PyQt6"}
    assert "krita" not in used or file.name in ("__init__.py", "qt.py", "host.py", "extension.py")


def test_the_installer_is_strictly_typed() -> None:
    run("mypy", "--strict", "install.py", "tests/__main__.py")


@pytest.mark.parametrize("file", sorted(CORE.rglob("*.py")), ids=relative)
def test_the_core_knows_no_host(file: Path) -> None:
    assert not {name.split(".")[0] for name in imports(file)} & HOST_MODULES


@pytest.mark.parametrize("file", HOSTED, ids=relative)
def test_a_plug_in_knows_the_standard_library_its_host_and_itself_alone(file: Path) -> None:
    own = {path.stem for path in file.parent.iterdir()} | {path.stem for path in HOSTED}
    known = sys.stdlib_module_names | HOST_MODULES | own
    assert {name.split(".")[0] for name in imports(file) if not name.startswith(".")} - known == set()
    assert "layerlift" not in {name.split(".")[0] for name in imports(file)}


@pytest.mark.parametrize("file", sorted(CORE.rglob("*.py")), ids=relative)
def test_imports_go_down_the_layers_of_the_core(file: Path) -> None:
    heights = {module: height for height, layer in enumerate(LAYERS) for module in layer}
    parts = file.relative_to(CORE).with_suffix("").parts
    up = "." * len(parts)
    used = {name[len(up) :].split(".")[0] for name in imports(file) if name.startswith(up)}
    modules = {module for module in used if (CORE / f"{module}.py").exists() or (CORE / module).is_dir()} - {""}
    assert {parts[0], *modules} <= heights.keys(), "a new module needs its place in LAYERS"
    assert [module for module in modules if heights[module] >= heights[parts[0]]] == []


def test_only_the_set_ups_know_the_offline_twin() -> None:
    users = {file.name for file in CORE.glob("*.py") if any("offline" in name.split(".") for name in imports(file))}
    assert users <= OFFLINE_USERS


@pytest.mark.parametrize("file", [*INSTALLER, *HOSTED], ids=relative)
def test_what_hosts_and_users_run_is_plain_ascii_and_parses_on_python_3_8(file: Path) -> None:
    assert file.read_bytes().isascii()
    ast.parse(file.read_text("ascii"), feature_version=(3, 8))


@pytest.mark.parametrize("file", INSTALLER, ids=relative)
def test_the_installer_needs_the_standard_library_alone(file: Path) -> None:
    known = sys.stdlib_module_names | {"plugin", "install", "hosts"}
    assert {name.split(".")[0] for name in imports(file) if not name.startswith(".")} <= known


def test_tests_are_no_libraries_of_other_tests() -> None:
    names = [
        f"{relative(file)} imports {name}"
        for folder in ("unit", "service", "faults", "installer", "helpers")
        for file in sorted((CHECKOUT / "tests" / folder).glob("*.py"))
        for name in imports(file)
        if any(part.startswith("test_") for part in name.split("."))
    ]
    assert names == []


def test_the_gimp_plug_in_is_a_short_example_of_python_fu() -> None:
    file = PLUGIN / "gimp" / "layerlift.py"
    assert len(file.read_text("ascii").splitlines()) < 250
    assert not {name.split(".")[0] for name in imports(file)} & {"ctypes", "gi"}
