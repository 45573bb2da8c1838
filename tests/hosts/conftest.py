"""Fixtures of the host tests, which run in every GIMP or every Krita; a mark such as `gimp("2.10", why="...")` or
`krita("5.1", why="...")` names some alone. All tests of a GIMP share one process and one window of it, except where the
mark `own_process("why")` asks for others (see gimp.py).

A host that is missing skips its tests, except where CI is set: there they fail.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

import pytest

from . import krita as kritas
from .gimp import Gimp, Host, make_resident, make_template
from .krita import Krita, Residence
from .table import Table
from .versions import KRITAS, VERSIONS, KritaVersion, Version
from .window import missing_for_windows

TABLE = pytest.StashKey[Table]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--versions", help="run in these hosts alone, such as 2.10,5.1; none: what runs in no host")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[TABLE] = Table()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    item.config.stash[TABLE].add(item, report)
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the tables of what was found in each GIMP and each Krita."""
    for host, versions in (("GIMP", VERSIONS), ("Krita", KRITAS)):
        lines = config.stash[TABLE].lines({name: version.release() for name, version in versions.items()})
        if lines:
            terminalreporter.section(f"layers in each {host}")
            terminalreporter.write_line("\n".join(lines))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for a host in every version, or in those that its mark names."""
    if "version" in metafunc.fixturenames:
        host, versions = ("krita", KRITAS) if "krita_template" in metafunc.fixturenames else ("gimp", VERSIONS)
        mark = metafunc.definition.get_closest_marker(host)
        names = mark.args if mark else tuple(versions)
        metafunc.parametrize("version", [versions[name] for name in names], ids=str, scope="session")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the hosts that are not asked for, and put the tests of each version together, also those that are
    marked for some: pytest goes by the place that a version has among a test's own, and a host that serves all tests of
    its version would end and start in between."""
    if chosen := config.getoption("versions", None):
        hosts = chosen.split(",")
        config.hook.pytest_deselected(items=[item for item in items if host_of(item) not in hosts])
        items[:] = [item for item in items if host_of(item) in hosts]
    for versions in (VERSIONS, KRITAS):
        group(items, tuple(versions.values()))


def version_of(item: pytest.Item) -> object:
    """The host that a test runs in, None for one without."""
    is_of_one = isinstance(item, pytest.Function) and hasattr(item, "callspec")
    return item.callspec.params.get("version") if is_of_one else None


def host_of(item: pytest.Item) -> str:
    """The name of a test's host, as `--versions` has it."""
    version = version_of(item)
    return version.name if isinstance(version, (Version, KritaVersion)) else "none"


def group(items: list[pytest.Item], versions: Sequence[object]) -> None:
    """Sort the tests of these versions, in the places that they have among all tests."""
    places = [place for place, item in enumerate(items) if version_of(item) in versions]
    ordered = sorted((items[place] for place in places), key=lambda item: versions.index(version_of(item)))
    for place, item in zip(places, ordered):
        items[place] = item


def require(missing: list[str]) -> None:
    """Skip the test, or fail it in CI, if something is missing."""
    if not missing:
        return
    reason = f"missing for this test: {', '.join(missing)} (python3 tests --hosts installs it)"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def gimp_template(version: Version, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A profile that this GIMP was started with once."""
    require(version.missing())
    return make_template(tmp_path_factory.mktemp("gimp"), version)


@pytest.fixture(scope="session")
def resident(version: Version, gimp_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """What runs GIMP for all tests of a version that don't ask for a process of their own."""
    host = make_resident(tmp_path_factory.mktemp("resident"), version, gimp_template)
    yield host
    host.close()


@pytest.fixture
def gimp(request: pytest.FixtureRequest, version: Version, tmp_path: Path) -> Iterator[Gimp]:
    """The GIMP that all tests share; with the mark `own_process` one with a fresh profile."""
    if request.node.get_closest_marker("own_process"):
        with Gimp(tmp_path / "gimp", version, request.getfixturevalue("gimp_template")) as gimp:
            yield gimp
    else:
        yield Gimp(tmp_path / "gimp", version, host=request.getfixturevalue("resident"))


@pytest.fixture
def gimp_on_a_screen(gimp: Gimp) -> Gimp:
    """A GIMP that can also be run in a window."""
    require(missing_for_windows())
    return gimp


@pytest.fixture(scope="session")
def krita_template(version: KritaVersion, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which this Krita was started once."""
    require([*version.missing(), *missing_for_windows()])
    return kritas.kept_template(tmp_path_factory.mktemp("krita"), version)


@pytest.fixture(scope="session")
def residence(
    version: KritaVersion, krita_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Residence]:
    """Where a Krita of this version runs for all tests that need none of their own."""
    residence = Residence(tmp_path_factory.mktemp("resident"), version, krita_template)
    yield residence
    residence.end()


@pytest.fixture
def krita(
    request: pytest.FixtureRequest, version: KritaVersion, krita_template: Path, tmp_path: Path
) -> Iterator[Krita]:
    """The resident Krita; for a test with the mark `own_process`, one with a fresh profile."""
    if request.node.get_closest_marker("own_process"):
        yield Krita(tmp_path / "krita", version, krita_template)
        return
    resident = request.getfixturevalue("residence").krita()
    yield resident
    resident.leave()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The folder of all state of Layerlift's."""
    return tmp_path / "state"


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """A file: the service ends its tasks while it is there."""
    return tmp_path / "gate"
