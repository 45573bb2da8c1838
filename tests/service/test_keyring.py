"""The command and the worker where the system's keyring is locked, hangs, fails or keeps nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from helpers import rings
from helpers.waiting import PATIENCE
from keyring.backends import fail, null
from layerlift.twin import Twin

from .command import half_black, layerlift, names

KEY = "sk-0123456789-very-secret"
LOCKED = "The system's keyring is locked"


@pytest.fixture
def user(tmp_path: Path, environ: dict[str, str]) -> dict[str, str]:
    """A user whose keyring counts."""
    kept = {name: value for name, value in environ.items() if not name.startswith("XDG_")}
    return {**kept, "LAYERLIFT_HOME": "", "HOME": str(tmp_path)}


@pytest.fixture
def locked(user: dict[str, str]) -> dict[str, str]:
    return with_keyring(user, rings.Locked)


def with_keyring(user: dict[str, str], kind: Any) -> dict[str, str]:
    rings.configure(Path(user["HOME"], ".config"), kind)
    return user


@pytest.mark.parametrize("engine", ["auto", "youcam"])
def test_behind_a_locked_keyring_nothing_is_done_offline_instead(
    locked: dict[str, str], photos: Path, engine: str
) -> None:
    half_black().save(photos / "a.png")
    result = layerlift(locked, "remove", "--engine", engine, photos)
    assert (result.status, result.output) == (2, "")
    assert LOCKED in result.errors and "YOUCAM_API_KEY" in result.errors
    assert names(photos) == ["a.png"]


def test_behind_a_locked_keyring_the_offline_engine_and_a_key_of_the_environment_work(
    locked: dict[str, str], twin: Twin, photos: Path
) -> None:
    half_black().save(photos / "a.png")
    assert layerlift(locked, "remove", "--engine", "offline", photos).status == 0
    environ = {**locked, "YOUCAM_API_URL": twin.url, "YOUCAM_API_KEY": twin.key}
    assert layerlift(environ, "balance").output == "1000 units\n"


@pytest.mark.parametrize("command", [["balance"], ["key", "show"], ["key", "forget"], ["doctor"]], ids=" ".join)
def test_no_command_takes_a_locked_keyring_for_none(locked: dict[str, str], command: list[str]) -> None:
    result = layerlift(locked, *command)
    assert result.status == (1 if command == ["doctor"] else 2)
    assert LOCKED in result.output + result.errors


def test_a_key_that_a_locked_keyring_does_not_take_is_stored_in_a_file_and_used(
    locked: dict[str, str], twin: Twin
) -> None:
    locked["YOUCAM_API_URL"] = twin.url
    stored = layerlift(locked, "key", "set", text=twin.key)
    assert stored.status == 0
    assert stored.errors.splitlines() == [
        f"{LOCKED}.",
        "The key is stored in the file that only you can read.",
        "It is used from now on.",
    ]
    assert layerlift(locked, "key", "show").output == f"...{twin.key[-4:]} (file)\n"
    assert layerlift(locked, "balance").output == "1000 units\n"
    forgotten = layerlift(locked, "key", "forget")
    assert forgotten.status == 2 and "the key in the file is forgotten, one in the keyring is not" in forgotten.errors


@pytest.mark.parametrize(
    ("kind", "said"), [(null.Keyring, ["The system's keyring is switched off and keeps nothing."]), (fail.Keyring, [])]
)
def test_a_keyring_that_keeps_nothing_is_told_and_none_is_not(user: dict[str, str], kind: Any, said: list[str]) -> None:
    stored = layerlift(with_keyring(user, kind), "key", "set", text=KEY)
    assert stored.errors.splitlines()[:-2] == said
    assert layerlift(user, "key", "show").output == "...cret (file)\n"
    assert layerlift(user, "key", "forget").status == 0
    assert "No API key is set" in layerlift(user, "key", "show").errors
    assert "so a key is kept in a file" in layerlift(user, "doctor").output


def test_a_key_of_the_environment_is_told_to_count_whatever_is_stored(environ: dict[str, str]) -> None:
    environ["YOUCAM_API_KEY"] = "sk-of-the-environment"
    for command in ("set", "forget"):
        last = layerlift(environ, "key", command, text=KEY).errors.splitlines()[-1]
        assert last == "YOUCAM_API_KEY is set in the environment: its key comes first and is used."


@pytest.mark.parametrize("command", ["balance", "key show", "key forget", "doctor", "remove photo.jpg"])
def test_no_command_waits_for_ever_for_a_keyring_that_does_not_answer(
    user: dict[str, str], command: str, tmp_path: Path
) -> None:
    half_black().save(tmp_path / "photo.jpg")
    impatient = (
        "import sys; from layerlift.command.main import main; from layerlift.store import keyrings; "
        "keyrings.LIMIT_SECONDS = 0.5; sys.exit(main())"
    )
    result = subprocess.run(
        [sys.executable, "-c", impatient, *command.split()],
        env=with_keyring(user, rings.Hanging),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    said = result.stdout + result.stderr
    assert result.returncode == (1 if command == "doctor" else 2), said
    assert "The system's keyring does not answer" in said and said.count("Password of the keyring:") <= 1


def test_ctrl_c_ends_the_wait_for_a_keyring(user: dict[str, str], terminal: Any) -> None:
    asked = terminal(with_keyring(user, rings.Hanging), "key", "show")
    asked.until("Password of the keyring:")
    asked.type("\x03")
    assert asked.end() == 1 and "Cancelled" in asked.text


def test_a_job_behind_a_locked_keyring_is_refused(start: Any, locked: dict[str, str]) -> None:
    host = start(**locked)
    host.send(type="balance", id="1", engine="auto")
    assert host.until_end("1")[1]["code"] == "keyring_locked"
    host.job("2")
    assert host.until_end("2")[1]["code"] == "keyring_locked"


def test_the_settings_of_a_host_tell_of_a_locked_keyring_and_keep_a_key_all_the_same(
    start: Any, locked: dict[str, str]
) -> None:
    host = start(**locked, YOUCAM_API_URL="https://service.example")

    def ask(**message: Any) -> tuple[Any, ...]:
        host.send(id="1", **message)
        end = host.until_end("1")[1]
        assert end["host"] == "service.example" and end["key_error"].startswith(LOCKED)
        return end["key"], end["key_place"], "is forgotten, one in the keyring is not" in end["key_error"]

    assert ask(type="settings") == (None, None, False)
    assert ask(type="key", key=KEY) == ("...cret", "file", False)
    assert ask(type="key", key=None) == (None, None, True)


def test_the_consent_is_told_and_changed_without_the_keyring(start: Any, user: dict[str, str]) -> None:
    host = start(**with_keyring(user, rings.Hanging), YOUCAM_API_URL="https://service.example")
    host.send(type="agree", id="1")
    assert host.until_end("1")[1]["host"] == "service.example"
    host.send(type="consent", id="2")
    assert host.until_end("2")[1]["agreed"] is True
    assert host.end() == 0
    host.close()
    assert "Password" not in host.errors


def test_a_job_that_waits_for_the_keyring_is_cancelled_and_ends_with_its_host(start: Any, user: dict[str, str]) -> None:
    host = start(**with_keyring(user, rings.Hanging))
    host.job("1")
    host.send(type="cancel", id="1")
    assert host.until_end("1")[1]["code"] == "cancelled"
    host.job("2")
    assert host.end() == 0


def test_a_key_in_the_keyring_is_not_read_where_the_offline_engine_is_chosen(start: Any, user: dict[str, str]) -> None:
    host = start(**with_keyring(user, rings.Hanging))
    host.send(type="balance", id="1", engine="offline")
    assert host.until_end("1")[1]["engine"] == "offline"
