"""All tests in the checkout's own environment: `python3 tests [--hosts] [pytest arguments]`.

`--hosts` first installs GIMP 2.10, Krita and what a window needs (Debian and Ubuntu, by apt), builds chroots with GIMP
3.0 and 3.2 and Krita 5.2 and 5.3 (on Debian, as root; once, see hosts/chroots.py), and makes a missing host fail.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
ENVIRONMENT = CHECKOUT / ".venv"
PYTHON = ENVIRONMENT / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
PYTEST = [str(PYTHON), "-m", "pytest"]
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


def main(arguments: list[str]) -> int:
    """Prepare, run pytest, and pass its exit status on."""
    settings = dict(os.environ)
    hosts = "--hosts" in arguments
    if hosts:
        arguments.remove("--hosts")
        install_hosts()
        build_chroots()
        settings["LAYERLIFT_TEST_HOSTS"] = "1"
    make_environment()
    if subprocess.call([str(PYTHON), "-m", "layerlift.offline.model", "fetch"], cwd=str(CHECKOUT)) != 0:
        print("The model of the offline engine could not be fetched: the tests that need it will fail.", flush=True)
    if hosts and not arguments:
        return run_beside(sorted((CHECKOUT / "tests" / "hosts").glob("test_*krita*.py")), settings)
    return subprocess.call([*PYTEST, *arguments], cwd=str(CHECKOUT), env=settings)


def run_beside(files: list[Path], settings: dict[str, str]) -> int:
    """Run these tests beside all others, since half of the time all wait for windows; what they print comes last."""
    with tempfile.TemporaryFile("w+") as printed:
        beside = subprocess.Popen(
            [*PYTEST, *map(str, files)], cwd=str(CHECKOUT), env=settings, stdout=printed, stderr=subprocess.STDOUT
        )
        others = [f"--ignore={file}" for file in files]
        status = subprocess.call([*PYTEST, *others], cwd=str(CHECKOUT), env=settings)
        status_beside = beside.wait()
        printed.seek(0)
        print(printed.read(), flush=True)
    return status or status_beside


def make_environment() -> None:
    """Make .venv, or bring it up to date where pyproject.toml has changed."""
    project = (CHECKOUT / "pyproject.toml").read_bytes()
    state = hashlib.sha256(project).hexdigest()
    if PYTHON.exists() and STAMP.exists() and STAMP.read_text() == state:
        return
    if not PYTHON.exists():
        subprocess.check_call([newest_python(), "-m", "venv", "--clear", str(ENVIRONMENT)])
    pip = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
    subprocess.check_call([*pip, "-e", f"{CHECKOUT}[offline,test]"])
    STAMP.write_text(state)


def newest_python() -> str:
    """A Python that the project runs on: this one, or the newest on the path."""
    sys.path.insert(0, str(CHECKOUT))
    from install import find_python

    return find_python()


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
    apt = [*root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"]
    subprocess.check_call([*apt, "update"])
    subprocess.check_call([*apt, "install", "-y", "--no-install-recommends", *packages])


def build_chroots() -> None:
    """Make sure that the chroots of newer hosts are there; where one can't be, its tests will fail and say why."""
    from hosts import chroots

    with ThreadPoolExecutor() as pool:
        jobs = {version: pool.submit(chroots.ready, chroot) for version, chroot in chroots.CHROOTS.items()}
    for version, job in jobs.items():
        if (problem := job.exception()) is not None:
            print(f"There is no chroot of {chroots.CHROOTS[version].suite}: {problem}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
