"""The test runner itself: which tests run when, and what it says of them."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from hosts.versions import KRITAS, VERSIONS

HOSTS = {*(f"gimp {version}" for version in VERSIONS), *(f"krita {version}" for version in KRITAS), "installer"}
SUITE = """
import pytest
def test_passes(): pass
def test_fails(): assert False
@pytest.mark.parametrize("number", range(3))
def test_is_skipped(number): pytest.skip("no such host")
"""


@pytest.fixture(scope="module")
def runner() -> ModuleType:
    path = Path(__file__).resolve().parents[1] / "__main__.py"
    spec = importlib.util.spec_from_file_location("runner", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("tiers", "expected"),
    [
        ((), {"core"}),
        (("--faults",), {"faults"}),
        (("--hosts",), HOSTS),
        (("--all",), {"core", "faults", *HOSTS}),
    ],
)
def test_each_tier_has_its_lanes(runner: ModuleType, tiers: tuple[str, ...], expected: set[str]) -> None:
    assert {lane.name for lane in runner.lanes(set(tiers))} == expected


def test_the_default_tier_starts_no_host(runner: ModuleType) -> None:
    assert not [lane for lane in runner.lanes(set()) if lane.hosts]


def test_every_test_file_is_in_a_lane(runner: ModuleType) -> None:
    every = {file for lane in runner.lanes({"--all"}) for file in files_of(lane)}
    assert every == set(runner.TESTS.rglob("test_*.py"))


def test_every_host_is_in_one_lane(runner: ModuleType) -> None:
    lists = [argument for lane in runner.lanes({"--all"}) for argument in lane.arguments if "--versions" in argument]
    assert sorted(",".join(lists).replace("--versions=", "").split(",")) == sorted([*VERSIONS, *KRITAS, "none"])


def files_of(lane: object) -> list[Path]:
    """The test files that a lane's arguments name."""
    paths = [Path(argument) for argument in lane.arguments if not argument.startswith("-")]  # type: ignore[attr-defined]
    return [file for path in paths for file in (path.rglob("test_*.py") if path.is_dir() else [path])]


def test_lanes_are_counted_and_skips_are_told_with_their_reason(
    runner: ModuleType, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    suite = tmp_path / "test_suite.py"
    suite.write_text(SUITE)
    plain = ["-p", "no:cacheprovider", f"--rootdir={tmp_path}"]
    lanes = [runner.Lane("whole", [*plain, str(suite)]), runner.Lane("good", [*plain, str(suite), "-k", "passes"])]
    assert runner.run_side_by_side(lanes, None) == 1
    lines = capfd.readouterr().out.splitlines()
    assert "SKIPPED 3 times: no such host" in lines
    assert lines[-1] == "2 passed, 1 failed, 3 skipped"


def test_a_lane_that_was_broken_off_has_failed(runner: ModuleType, tmp_path: Path) -> None:
    outcome = runner.run(runner.Lane("gone", [str(tmp_path / "test_gone.py")]), None)
    assert (outcome.passed, outcome.failed) == (0, 1)
