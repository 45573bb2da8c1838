"""The tests in the checkout's own environment: `python3 tests [--faults] [--hosts] [--all] [pytest arguments]`.

Without an option: the unit and service tests, which need no host and wait for nothing. `--faults`: every fault at every
step, killed processes, random schedules. `--hosts`: the plug-ins and the installer in every GIMP and Krita. `--all`:
everything. pytest arguments, such as a file or `-k word`, run that alone.

`--hosts` first installs GIMP 2.10, Krita and what a window needs (Debian and Ubuntu, by apt), and builds chroots with
newer GIMPs and Kritas (on Debian, as root; once, see hosts/chroots.py). What can't be had is skipped, and listed at the
end; with CI set it fails.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

CHECKOUT = Path(__file__).resolve().parent.parent
TESTS = CHECKOUT / "tests"
ENVIRONMENT = CHECKOUT / ".venv"
PYTHON = ENVIRONMENT / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
PYTEST = [str(PYTHON), "-m", "pytest", "--durations=0", "--durations-min=5"]
STAMP = ENVIRONMENT / "layerlift-tests.txt"
HOST_PROGRAMS = {
    "gimp-console-2.10": "gimp",
    "krita": "krita",
    "Xvfb": "xvfb",
    "xauth": "xauth",
    "xdotool": "xdotool",
    "import": "imagemagick",
    "fc-list": "fontconfig",
    "debootstrap": "debootstrap",
    "zstd": "zstd",
}
KRITA_BINDINGS = "python3-pyqt5"
"""What Debian's Krita runs no plug-in without, and does not depend on."""
HOSTS = {
    "gimp 3.0": ("3.0",),
    "krita 5.1": ("5.1",),
    "gimp 2.10": ("2.10", "none"),
    "krita 6.0": ("6.0",),
    "gimp 3.2": ("3.2",),
    "krita 5.3": ("5.3",),
    "krita 5.2": ("5.2",),
}
"""The hosts of each lane, the longest first; "none" are the host tests that start none."""
TIERS = ("--faults", "--hosts", "--all")
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Lane(NamedTuple):
    """Tests that run one after the other, beside the other lanes; `hosts`: they need GIMP and Krita."""

    name: str
    arguments: list[str]
    hosts: bool = False


class Outcome(NamedTuple):
    """What became of a lane's tests. `skipped` counts tests by the reason that they were skipped for."""

    passed: int
    failed: int
    skipped: dict[str, int]
    minutes: float

    def line(self) -> str:
        """How many passed, failed, and were skipped."""
        return f"{self.passed} passed, {self.failed} failed, {sum(self.skipped.values())} skipped"


def main(arguments: list[str]) -> int:
    """Prepare, run what is asked for, and tell whether all is well: 0, else 1 or pytest's own exit status."""
    tiers = {argument for argument in arguments if argument in TIERS}
    arguments = [argument for argument in arguments if argument not in TIERS]
    hosts = bool(tiers & {"--hosts", "--all"})
    with ThreadPoolExecutor() as pool:
        ready = pool.submit(prepare_hosts) if hosts else None
        make_environment()
        if arguments:
            if ready is not None:
                ready.result()
            return subprocess.call([*PYTEST, *arguments], cwd=str(CHECKOUT))
        return run_side_by_side(lanes(tiers), ready)


def lanes(tiers: set[str]) -> list[Lane]:
    """The lanes of these tiers: the longest first, and last the one that fills all cores by itself."""
    found = []
    if tiers & {"--hosts", "--all"}:
        for name, versions in HOSTS.items():
            found.append(Lane(name, [str(TESTS / "hosts"), f"--versions={','.join(versions)}"], hosts=True))
        found.append(Lane("installer", ["--numprocesses=2", "--dist=loadfile", str(TESTS / "installer")], hosts=True))
    if not tiers or "--all" in tiers:
        core = [str(TESTS / name) for name in ("unit", "service", "benchmarks")]
        found.append(Lane("core", [f"--numprocesses={CORES + 1}", *core]))
    if tiers & {"--faults", "--all"}:
        found.append(Lane("faults", [f"--numprocesses={2 * CORES}", str(TESTS / "faults")]))
    return found


def run_side_by_side(lanes: list[Lane], ready: Future[None] | None) -> int:
    """Run the lanes, of which most wait most of the time, and print what became of each as it ends, and of all."""
    with ThreadPoolExecutor(2 * CORES) as pool:
        jobs = [(lane, pool.submit(run, lane, ready)) for lane in lanes]
        outcomes = [(lane, job.result()) for lane, job in jobs]
    skipped: dict[str, int] = {}
    for _, outcome in outcomes:
        for reason, number in outcome.skipped.items():
            skipped[reason] = skipped.get(reason, 0) + number
    for reason, number in sorted(skipped.items()):
        print(f"SKIPPED {number} times: {reason}")
    for lane, outcome in outcomes:
        print(f"{lane.name}: {outcome.minutes:.1f} minutes, {outcome.line()}")
    passed, failed = (sum(getattr(outcome, which) for _, outcome in outcomes) for which in ("passed", "failed"))
    print(Outcome(passed, failed, skipped, 0.0).line(), flush=True)
    return 1 if failed else 0


def run(lane: Lane, ready: Future[None] | None) -> Outcome:
    """Run a lane, and print what it printed."""
    if lane.hosts and ready is not None:
        ready.result()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.xml")
        done = subprocess.run(
            [*PYTEST, f"--junitxml={report}", *lane.arguments], cwd=str(CHECKOUT), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", errors="replace", check=False,
        )  # fmt: skip
        minutes = (time.monotonic() - began) / 60
        print(f"\n======== {lane.name}: {minutes:.1f} minutes ========\n{done.stdout}", flush=True)
        passed, failed, skipped = counts(report)
    # A run that was broken off has failed, whatever its tests said until then.
    return Outcome(passed, failed or int(done.returncode != 0), skipped, minutes)


def counts(report: Path) -> tuple[int, int, dict[str, int]]:
    """How many tests of a report passed and failed, and how many were skipped for each reason."""
    passed, failed = 0, 0
    skipped: dict[str, int] = {}
    for case in ElementTree.parse(report).iter("testcase") if report.exists() else ():
        skip = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif skip is not None:
            reason = skip.get("message", "")
            skipped[reason] = skipped.get(reason, 0) + 1
        else:
            passed += 1
    return passed, failed, skipped


def make_environment() -> None:
    """Make .venv, or bring it up to date where its packages have changed, and fetch the offline engine's model."""
    constraints = CHECKOUT / "shared" / "constraints.txt"
    state = hashlib.sha256((CHECKOUT / "pyproject.toml").read_bytes() + constraints.read_bytes()).hexdigest()
    if not (PYTHON.exists() and STAMP.exists() and STAMP.read_text() == state):
        if not PYTHON.exists():
            subprocess.check_call([newest_python(), "-m", "venv", "--clear", str(ENVIRONMENT)])
        # Python compiles what it imports, which is a small part.
        pip = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--quiet", "--no-compile"]
        tested = subprocess.call([*pip, "--require-hashes", "-r", str(constraints)])
        if tested or subprocess.call([*pip, "-e", f"{CHECKOUT}[offline,test]"]):
            raise SystemExit(
                f"The packages of {ENVIRONMENT} could not be installed, so that no test can run. "
                "Connect to the network and run this again."
            )
        STAMP.write_text(state)
    if subprocess.call([str(PYTHON), "-m", "layerlift.models.fetching", "fetch"], cwd=str(CHECKOUT)) != 0:
        print("The model of the offline engine could not be fetched: the tests that need it will fail.", flush=True)


def newest_python() -> str:
    """A Python that the project runs on: this one, or the newest on the path."""
    sys.path.insert(0, str(CHECKOUT))
    from install import find_python

    return find_python()


def prepare_hosts() -> None:
    """Have all hosts here, as far as they can be had; what is missing is said, and all other tests run."""
    try:
        install_hosts()
    except (OSError, subprocess.CalledProcessError) as problem:
        print(f"GIMP 2.10 and Krita 5.1 could not be installed: {problem}", flush=True)
    build_chroots()


def install_hosts() -> None:
    """Install GIMP 2.10, Krita, a virtual display and its tools where they are missing."""
    missing = [packages for program, packages in HOST_PROGRAMS.items() if not shutil.which(program)]
    packages = " ".join(missing).split()
    if not shutil.which("fc-list") or not subprocess.check_output(["fc-list"]).strip():
        packages.append("fonts-dejavu-core")
    if not Path("/usr/lib/python3/dist-packages/PyQt5").is_dir():
        packages.append(KRITA_BINDINGS)
    if not packages:
        return
    root = [] if os.geteuid() == 0 else ["sudo"]
    # Another run on this machine may be installing, too.
    apt = [*root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-o", "DPkg::Lock::Timeout=600"]
    subprocess.check_call([*apt, "update"])
    subprocess.check_call([*apt, "install", "-y", "--no-install-recommends", *packages])


def build_chroots() -> None:
    """Make sure that the chroots of newer hosts are there; where one can't be, its tests say why."""
    from hosts import chroots

    with ThreadPoolExecutor() as pool:
        jobs = {version: pool.submit(chroots.ready, chroot) for version, chroot in chroots.CHROOTS.items()}
    for version, job in jobs.items():
        if (problem := job.exception()) is not None:
            print(f"There is no chroot of {chroots.CHROOTS[version].suite}: {problem}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
