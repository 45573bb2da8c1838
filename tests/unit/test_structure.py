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
# The core's packages and modules from the ground up: each may import from those below it.
ROOMS = (
    "errors",
    "log",
    "atomic",
    "imaging",
    "store",
    "twin",
    "models",
    "service",
    "removal",
    "client",
    "__init__",
    "worker",
    "command",
)
MOST_ROOMS, DEEPEST = 12, 8
LONGEST_MODULE, LONGEST_FUNCTION = 400, 60
# The set-ups that offer the offline twin.
OFFLINE_USERS = {"command.serve", "models.u2net", "removal.engines"}


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


def module_name(file: Path) -> str:
    """A file of the core as a dotted name, "__init__" for the package itself."""
    parts = file.relative_to(CORE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


MODULES = {module_name(file): file for file in sorted(CORE.rglob("*.py"))}


def imported(name: str) -> set[str]:
    """The modules of the core that one of them imports, also inside functions."""
    file = MODULES[name]
    package = file.relative_to(CORE).parts[:-1]
    found = set()
    for target in imports(file):
        up = len(target) - len(target.lstrip("."))
        if up:
            base = package[: len(package) - up + 1]
            full = ".".join([*base, *filter(None, target[up:].split("."))])
            # `from .. import errors` names the package, too, which is where the module is and nothing more.
            found.add(full)
    return {target for target in found if target in MODULES} - {name, *(".".join(package[:n]) for n in range(9))}


@pytest.mark.parametrize("name", MODULES)
def test_imports_go_down_the_rooms_of_the_core(name: str) -> None:
    heights = {room: height for height, room in enumerate(ROOMS)}
    room = name.split(".")[0]
    below = {target.split(".")[0] for target in imported(name)} - {room}
    assert {room, *below} <= heights.keys(), "a new package needs its place in ROOMS"
    assert [other for other in below if heights[other] >= heights[room]] == []


def test_no_modules_of_the_core_import_each_other_in_a_circle() -> None:
    known: set[str] = set()

    def follow(name: str, above: tuple[str, ...]) -> None:
        assert name not in above, f"a circle: {' > '.join([*above, name])}"
        if name not in known:
            for target in imported(name):
                follow(target, (*above, name))
            known.add(name)

    for name in MODULES:
        follow(name, ())


def test_the_rooms_of_the_core_are_few_and_few_lie_above_each_other() -> None:
    depths: dict[str, int] = {}
    for room in ROOMS:
        names = [name for name in MODULES if name.split(".")[0] == room]
        below = {target.split(".")[0] for name in names for target in imported(name)} - {room}
        depths[room] = 1 + max((depths[other] for other in below), default=0)
    assert {name.split(".")[0] for name in MODULES} == set(ROOMS)
    assert (len(ROOMS) - 1 <= MOST_ROOMS, max(depths.values()) <= DEEPEST) == (True, True), depths


@pytest.mark.parametrize("name", MODULES)
def test_modules_and_functions_of_the_core_are_short(name: str) -> None:
    source = MODULES[name].read_text("utf-8")
    functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, (ast.FunctionDef, ast.Lambda))]
    long = [node for node in functions if (node.end_lineno or 0) - node.lineno >= LONGEST_FUNCTION]
    assert (len(source.splitlines()) <= LONGEST_MODULE, long) == (True, [])


def test_only_the_set_ups_know_the_offline_twin() -> None:
    users = {name for name in MODULES if "twin" in {target.split(".")[0] for target in imported(name)}}
    assert {name for name in users if name.split(".")[0] != "twin"} <= OFFLINE_USERS


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
