"""What holds for the sources as a whole: lint, strict types, and imports that go one way."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import cache
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
SHIM = PLUGIN / "gimpfu"
HOSTED = [file for folder in ("common", "gimp", "gimpfu", "krita") for file in sorted((PLUGIN / folder).rglob("*.py"))]
HOST_MODULES = {"gimp", "gimpfu", "gimpenums", "gimpshelf", "gimpui", "gi", "krita", "pykrita", "PyQt5", "PyQt6"}
# Packages and modules from the ground up: each may import from those below it.
CORE_ROOMS = (
    "language",
    "errors",
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
SHIM_ROOMS = (
    "errors",
    "values",
    "parameters",
    "procedures",
    "contract",
    "gimp2",
    "gimp3",
    "host",
    "classic",
    "__init__",
    "standins",
)
BACK_ENDS = {"gimp2", "gimp3"}
MOST_ROOMS, DEEPEST = 12, 8
LONGEST_MODULE, LONGEST_FUNCTION = 400, 60
# The set-ups that offer the offline twin.
OFFLINE_USERS = {"command.serve", "models.engine", "removal.offline"}


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
            yield from (f"{module}{'.' * bool(node.module)}{name.name}" for name in node.names)


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
    run("mypy", "--strict", "plugin/common", "plugin/gimp", "plugin/gimpfu", MYPYPATH=f"plugin{os.pathsep}plugin/gimp")


def test_the_krita_plug_in_is_strictly_typed_as_it_is_installed(tmp_path: Path) -> None:
    shutil.copytree(PLUGIN / "krita" / "layerlift", tmp_path / "layerlift")
    shutil.copytree(PLUGIN / "common", tmp_path / "layerlift" / "common")
    settings = str(CHECKOUT / "pyproject.toml")
    # Krita and Qt have no types here, so all that comes from them is Any.
    run("mypy", "--strict", "--allow-subclassing-any", "--config-file", settings, "-p", "layerlift", folder=tmp_path)


@pytest.mark.parametrize("file", sorted((PLUGIN / "krita").rglob("*.py")), ids=relative)
def test_the_krita_plug_in_asks_one_module_for_qt_and_another_for_documents(file: Path) -> None:
    used = {name.split(".")[0] for name in imports(file)}
    assert file.name == "qt.py" or not used & {"PyQt5", "PyQt6"}
    hosts = ("host.py", "places.py", "scratch.py", "windows.py")
    assert "krita" not in used or file.name in (*hosts, "__init__.py", "qt.py", "extension.py")


def test_the_installer_is_strictly_typed() -> None:
    run("mypy", "--strict", "install.py", "tests/__main__.py")


@pytest.mark.parametrize("file", sorted(CORE.rglob("*.py")), ids=relative)
def test_the_core_knows_no_host(file: Path) -> None:
    assert not {name.split(".")[0] for name in imports(file)} & HOST_MODULES


@pytest.mark.parametrize("file", HOSTED, ids=relative)
def test_a_plug_in_knows_the_standard_library_its_host_and_itself_alone(file: Path) -> None:
    found = {name.split(".")[0] for name in imports(file) if not name.startswith(".")}
    own = {path.stem for path in file.parent.iterdir()} | {"common", *(path.stem for path in HOSTED)}
    unknown = {"layerlift"}
    if file.is_relative_to(SHIM):
        unknown |= {"common", "krita", "pykrita"}
    if file.is_relative_to(PLUGIN / "common"):
        own, unknown = set(), HOST_MODULES
    assert found - (sys.stdlib_module_names | HOST_MODULES | own) == set()
    assert found & unknown == set()


class House:
    """The modules of a package, and what they import of each other."""

    def __init__(self, root: Path, rooms: tuple[str, ...]) -> None:
        self.name, self.rooms, self._root = root.name, rooms, root
        self.modules = {self._module(file): file for file in sorted(root.rglob("*.py"))}
        self.imported = cache(self._imported)

    def _module(self, file: Path) -> str:
        """A file as a dotted name, "__init__" for the package itself."""
        parts = file.relative_to(self._root).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)

    def _imported(self, name: str) -> set[str]:
        """The modules that one of them imports, also inside functions, and the packages that Python runs for these."""
        package = self.modules[name].relative_to(self._root).parts[:-1]
        found, defining = set(), set()
        for target in imports(self.modules[name]):
            up = len(target) - len(target.lstrip("."))
            if up:
                parts = [*package[: len(package) - up + 1], *filter(None, target[up:].split("."))]
                found.update(above(parts))
                if ".".join(parts) not in self.modules:
                    defining.add(".".join(parts[:-1]))
        # `from . import files` names the package, too, which is where the module is and nothing more.
        return (found - set(above(package)) | defining) & self.modules.keys() - {name}

    def rooms_below(self, room: str) -> set[str]:
        """The other rooms that one imports from."""
        names = [name for name in self.modules if room_of(name) == room]
        return {room_of(target) for name in names for target in self.imported(name)} - {room}


def above(parts: Sequence[str]) -> Iterator[str]:
    """A dotted name and all packages that it lies in."""
    return (".".join(parts[:count]) for count in range(1, len(parts) + 1))


def room_of(name: str) -> str:
    return name.split(".")[0]


HOUSE = House(CORE, CORE_ROOMS)
SHIM_HOUSE = House(SHIM, SHIM_ROOMS)
MODULES = HOUSE.modules
EVERY_MODULE = [
    pytest.param(house, name, id=f"{house.name}-{name}") for house in (HOUSE, SHIM_HOUSE) for name in house.modules
]


@pytest.mark.parametrize(("house", "name"), EVERY_MODULE)
def test_imports_go_down_the_rooms_of_the_core_and_of_the_shim(house: House, name: str) -> None:
    heights = {room: height for height, room in enumerate(house.rooms)}
    room = room_of(name)
    below = {room_of(target) for target in house.imported(name)} - {room}
    assert {room, *below} <= heights.keys(), "a new package needs its place among the rooms"
    assert [other for other in below if heights[other] >= heights[room]] == []


@pytest.mark.parametrize("house", [HOUSE, SHIM_HOUSE], ids=lambda house: house.name)
def test_no_modules_of_the_core_or_the_shim_import_each_other_in_a_circle(house: House) -> None:
    known: set[str] = set()

    def follow(name: str, above: tuple[str, ...]) -> None:
        assert name not in above, f"a circle: {' > '.join([*above, name])}"
        if name not in known:
            for target in house.imported(name):
                follow(target, (*above, name))
            known.add(name)

    for name in house.modules:
        follow(name, ())


def test_the_rooms_of_the_core_are_few_and_few_lie_above_each_other() -> None:
    depths: dict[str, int] = {}
    for room in CORE_ROOMS:
        depths[room] = 1 + max((depths[other] for other in HOUSE.rooms_below(room)), default=0)
    assert {room_of(name) for name in MODULES} == set(CORE_ROOMS)
    assert (len(CORE_ROOMS) - 1 <= MOST_ROOMS, max(depths.values()) <= DEEPEST) == (True, True), depths


def test_one_module_of_the_shim_chooses_the_back_end() -> None:
    users = {room for room in SHIM_ROOMS if SHIM_HOUSE.rooms_below(room) & BACK_ENDS}
    assert users == {"host"}


@pytest.mark.parametrize(("house", "name"), EVERY_MODULE)
def test_modules_and_functions_of_the_core_and_of_the_shim_are_short(house: House, name: str) -> None:
    source = house.modules[name].read_text("utf-8")
    functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, (ast.FunctionDef, ast.Lambda))]
    long = [node for node in functions if (node.end_lineno or 0) - node.lineno >= LONGEST_FUNCTION]
    assert (len(source.splitlines()) <= LONGEST_MODULE, long) == (True, [])


def test_only_the_set_ups_know_the_offline_twin() -> None:
    users = {name for name in MODULES if "twin" in map(room_of, HOUSE.imported(name))}
    assert {name for name in users if room_of(name) != "twin"} <= OFFLINE_USERS


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
