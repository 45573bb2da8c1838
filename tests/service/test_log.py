"""The log and the doctor's report tell what helps, and nothing that is secret."""

from __future__ import annotations

import contextlib
import logging
import os
import stat
from logging.handlers import RotatingFileHandler
from pathlib import Path

import pytest
from layerlift.store import log
from layerlift.twin import Fault, Options, Twin

from . import command
from .command import Result

PHOTO = Path(__file__).resolve().parents[1] / "photos" / "astronaut.jpg"


def layerlift(home: Path, *arguments: str | Path, twin: Twin | None = None) -> Result:
    environ = {**os.environ, "HOME": str(home.parent), "LAYERLIFT_HOME": str(home), "LAYERLIFT_RATE": "10000/1"}
    for name in ("YOUCAM_API_URL", "YOUCAM_API_KEY"):
        environ.pop(name, None)
    return command.layerlift({**environ, **(command.key_of(twin) if twin else {})}, *arguments)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "user" / "state"


def test_each_request_is_logged_with_its_id_and_without_anything_secret(home: Path, tmp_path: Path) -> None:
    with Twin(Options(rate=(10_000, 1.0))) as twin:
        assert layerlift(home, "remove", PHOTO, "-o", tmp_path / "out.png", twin=twin).status == 0
        paths = [call.path for call in twin.calls("upload", "download")]
        text = (home / log.NAME).read_text()
        assert "POST 127.0.0.1/s2s/v2.0/task/sod: 200, request " in text
        assert text.count("PUT 127.0.0.1: 200") == 1
        assert twin.key not in text
        assert not [path for path in paths if path in text]
        assert stat.S_IMODE((home / log.NAME).stat().st_mode) == 0o600


def test_a_failed_request_is_logged_with_its_code(home: Path, tmp_path: Path) -> None:
    with Twin(Options(faults=(Fault("declare", "reset_before", times=9),))) as twin:
        assert layerlift(home, "remove", PHOTO, "-o", tmp_path / "out.png", twin=twin).status == 1
        assert "POST 127.0.0.1/s2s/v2.0/file/sod: network" in (home / log.NAME).read_text()


def test_the_log_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "MAX_BYTES", 1000)
    logger = logging.getLogger("layerlift")
    before = list(logger.handlers)
    try:
        log.start(tmp_path)
        for number in range(200):
            logger.info("line %d", number)
        assert log.last_lines(tmp_path, 2)[-1].endswith("line 199")
    finally:
        for handler in [handler for handler in logger.handlers if handler not in before]:
            logger.removeHandler(handler)
            handler.close()
    files = sorted(tmp_path.iterdir())
    assert len(files) == 1 + log.OLDER_FILES
    assert all(file.stat().st_size <= 1000 for file in files)
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


def test_a_full_disk_costs_the_log_alone(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    logger = logging.getLogger("layerlift")
    before = list(logger.handlers)
    try:
        log.start(tmp_path)
        (file,) = [handler for handler in logger.handlers if isinstance(handler, RotatingFileHandler)]
        file.setStream(Path("/dev/full").open("w"))  # noqa: SIM115 - the handler closes it
        logger.info("a request")
        with pytest.raises(OSError, match="No space"):
            file.flush()
    finally:
        for handler in [handler for handler in logger.handlers if handler not in before]:
            logger.removeHandler(handler)
            with contextlib.suppress(OSError):
                handler.close()
    assert capfd.readouterr().err == ""


def test_a_folder_that_can_not_be_written_to_costs_the_log_alone(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    run = layerlift(tmp_path / "file" / "state", "key", "show")
    assert (run.status, "No API key is set" in run.errors) == (2, True)


def test_the_report_names_what_helps_and_neither_key_nor_user(home: Path, tmp_path: Path) -> None:
    with Twin(Options(rate=(10_000, 1.0))) as twin:
        layerlift(home, "remove", PHOTO, "-o", tmp_path / "out.png", twin=twin)
        run = layerlift(home, "doctor", twin=twin)
        assert run.status == 0, run.output + run.errors
        for part in (
            "layerlift: 0.",
            "pyvips",
            "the key comes from the environment",
            "~/state",
            "MB of results",
            "POST",
        ):
            assert part in run.output
        for secret in (twin.key, twin.key[-4:], str(home.parent)):
            assert secret not in run.output


def test_the_report_says_what_has_to_be_mended(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    run = layerlift(tmp_path / "file" / "state", "doctor")
    assert run.status == 1
    assert "can't be written to" in run.output
