"""Where the key is looked for and kept, what the user has agreed to, and what survives broken files."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import keyring
import pytest
from helpers.rings import Broken, Hanging, Locked
from helpers.waiting import PATIENCE, wait_for
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeyring
from keyring.backends.null import Keyring as NullKeyring
from keyring.errors import PasswordDeleteError, PasswordSetError
from layerlift import errors
from layerlift.removal.cancelling import Cancel
from layerlift.store.keyrings import Keyring
from layerlift.store.settings import DEFAULT_URL, Key, Settings, Stored

SHORT = 0.1
"""Seconds until a keyring is given up."""
KEY = "sk-0123456789abcdef"


class Memory(KeyringBackend):
    """A keyring that keeps its entries in memory."""

    priority = 1.0  # type: ignore[assignment]

    def __init__(self) -> None:
        self.entries: dict[tuple[str, str], str] = {}
        self.refuses = False
        self.deletes = True

    def get_password(self, service: str, username: str) -> str | None:
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if self.refuses:
            raise PasswordSetError("it is read-only")
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.refuses or (service, username) not in self.entries:
            raise PasswordDeleteError("nothing is there, or it is read-only")
        if self.deletes:
            del self.entries[service, username]


@pytest.fixture(autouse=True)
def ring() -> Iterator[Memory]:
    before, memory = keyring.get_keyring(), Memory()
    keyring.set_keyring(memory)
    yield memory
    keyring.set_keyring(before)


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of a user without LAYERLIFT_HOME; where the settings go in it."""
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """An environment with LAYERLIFT_HOME."""
    return {"LAYERLIFT_HOME": str(tmp_path / "all of it")}


def files(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_with_a_home_all_stays_in_that_folder_and_the_keyring_is_left_alone(home: Any, ring: Memory) -> None:
    ring.entries["layerlift", "api-key"] = "of another time"
    settings, folder = Settings(home), Path(home["LAYERLIFT_HOME"])
    assert settings.work_folder.parent == settings.config_folder == folder
    assert settings.set_key(KEY) == Stored("file")
    settings.agree("service.example")
    assert files(folder).keys() == {"api-key", "settings.json"}
    assert settings.key() == Key(KEY, "file")
    settings.forget_key()
    assert settings.key() is None and files(folder).keys() == {"settings.json"}
    assert ring.entries == {("layerlift", "api-key"): "of another time"}


def test_without_a_home_the_systems_folders_of_the_user_are_used(user: Path) -> None:
    settings = Settings({})
    assert user in settings.config_folder.parents and user in settings.work_folder.parents
    assert settings.config_folder != settings.work_folder.parent


def test_the_environment_comes_before_the_file_and_that_before_the_keyring(user: Path, ring: Memory) -> None:
    ring.entries["layerlift", "api-key"] = "of the keyring"
    assert Settings({"YOUCAM_API_KEY": "  "}).key() == Key("of the keyring", "keyring")
    keyring.set_keyring(NoKeyring())
    assert Settings({}).set_key("of-the-file") == Stored("file")
    keyring.set_keyring(ring)
    assert Settings({"YOUCAM_API_KEY": "  "}).key() == Key("of-the-file", "file")
    assert Settings({"YOUCAM_API_KEY": " of the environment \n"}).key() == Key("of the environment", "environment")


def test_a_key_in_the_keyring_leaves_none_in_a_file(user: Path, ring: Memory) -> None:
    keyring.set_keyring(NoKeyring())
    Settings({}).set_key("older")
    keyring.set_keyring(ring)
    assert Settings({}).set_key(KEY) == Stored("keyring")
    assert files(user) == {} and Settings({}).key() == Key(KEY, "keyring")
    assert Settings({}).forget_key() == ["keyring"]
    assert ring.entries == {} and Settings({}).key() is None


REFUSING = {
    "keyring_locked": Locked,
    "keyring_silent": Hanging,
    "keyring_failed": Broken,
}


@pytest.mark.parametrize("code", REFUSING)
def test_a_keyring_that_can_not_be_read_is_never_taken_for_no_key(user: Path, code: str) -> None:
    keyring.set_keyring(REFUSING[code]())
    settings = Settings({}, Keyring(SHORT))
    with pytest.raises(errors.KeyringUnusable) as caught:
        settings.key()
    assert caught.value.code == code and "YOUCAM_API_KEY" in caught.value.action
    assert Settings({"YOUCAM_API_KEY": KEY}, settings.keyring).key() == Key(KEY, "environment")


@pytest.mark.parametrize("code", REFUSING)
def test_a_key_that_the_keyring_does_not_take_is_kept_in_a_file_and_used(user: Path, ring: Memory, code: str) -> None:
    Settings({}).set_key("older")
    keyring.set_keyring(REFUSING[code]())
    stored = Settings({}, Keyring(SHORT)).set_key(KEY)
    assert stored.place == "file" and stored.refused is not None and stored.refused.code == code
    assert Settings({}, Keyring(SHORT)).key() == Key(KEY, "file")
    keyring.set_keyring(ring)
    assert Settings({}).key() == Key(KEY, "file")


def test_a_keyring_that_keeps_nothing_is_told_and_the_key_goes_to_a_file(user: Path) -> None:
    keyring.set_keyring(NullKeyring())
    assert Settings({}).key() is None
    stored = Settings({}).set_key(KEY)
    assert stored.place == "file" and stored.refused is not None and stored.refused.code == "keyring_null"
    assert Settings({}).key() == Key(KEY, "file")
    assert Settings({}).forget_key() == ["file"]


def test_a_keyring_that_can_be_read_alone_keeps_no_key_and_forgets_none(user: Path, ring: Memory) -> None:
    ring.entries["layerlift", "api-key"] = "older"
    ring.refuses = True
    settings = Settings({})
    assert settings.set_key(KEY).place == "file" and settings.key() == Key(KEY, "file")
    with pytest.raises(errors.KeyringUnusable) as caught:
        settings.forget_key()
    assert caught.value.code == "keyring_failed" and "one in the keyring is not" in caught.value.message
    assert settings.key() == Key("older", "keyring")


@pytest.mark.parametrize("code", REFUSING)
def test_what_a_keyring_may_still_have_is_not_called_forgotten(user: Path, code: str) -> None:
    keyring.set_keyring(REFUSING[code]())
    settings = Settings({}, Keyring(SHORT))
    settings.set_key(KEY)
    for said in ("one in the keyring is not", "no key is forgotten"):
        with pytest.raises(errors.KeyringUnusable) as caught:
            settings.forget_key()
        assert caught.value.code == code and said in caught.value.message
        assert files(user) == {}


def test_a_key_that_a_keyring_only_seems_to_forget_is_told(user: Path, ring: Memory) -> None:
    Settings({}).set_key(KEY)
    ring.deletes = False
    with pytest.raises(errors.KeyringUnusable) as caught:
        Settings({}).forget_key()
    assert "still has a key" not in caught.value.action and caught.value.code == "keyring_failed"


def test_an_older_file_that_stays_is_told_to_come_first(user: Path) -> None:
    settings = Settings({})
    settings.key_file.mkdir(parents=True)
    with pytest.raises(errors.SetupError) as caught:
        settings.set_key(KEY)
    assert caught.value.code == "older_key" and str(settings.key_file) in caught.value.message


def test_while_a_call_hangs_no_other_begins_and_once_it_has_ended_the_keyring_is_asked_again(
    user: Path, ring: Memory
) -> None:
    hanging = Hanging()
    keyring.set_keyring(hanging)
    system = Keyring(SHORT)
    settings = Settings({}, system)
    for ask in (settings.key, system.name, settings.key):
        with pytest.raises(errors.KeyringUnusable):
            ask()
    assert hanging.calls == 1
    keyring.set_keyring(ring)
    ring.entries["layerlift", "api-key"] = KEY
    hanging.released.set()
    assert settings.key() == Key(KEY, "keyring")


def test_two_that_ask_at_once_share_one_wait(user: Path, ring: Memory) -> None:
    hanging = Hanging()
    keyring.set_keyring(hanging)
    settings = Settings({}, Keyring())
    found: list[Key | None] = []
    threads = [threading.Thread(target=lambda: found.append(settings.key())) for _ in range(2)]
    for thread in threads:
        thread.start()
    wait_for(lambda: hanging.calls)
    keyring.set_keyring(ring)
    hanging.released.set()
    for thread in threads:
        thread.join(PATIENCE)
    assert (found, hanging.calls) == ([None, None], 1)


def test_a_wait_for_the_keyring_can_be_cancelled(user: Path) -> None:
    keyring.set_keyring(Hanging())
    event = threading.Event()
    event.set()
    with pytest.raises(errors.Cancelled):
        Settings({}).key(Cancel(event).sleep)


def test_the_key_file_is_for_the_user_alone_also_where_another_was_there(home: Any) -> None:
    path = Path(home["LAYERLIFT_HOME"], "api-key")
    path.parent.mkdir()
    path.write_text("older")
    path.chmod(0o644)
    Settings(home).set_key(KEY)
    assert (path.read_text(), path.stat().st_mode & 0o777) == (KEY, 0o600)
    assert list(path.parent.iterdir()) == [path]


def test_a_key_that_can_be_stored_nowhere_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(errors.SetupError) as caught:
        Settings({"LAYERLIFT_HOME": str(tmp_path / "file")}).set_key(KEY)
    assert caught.value.code == "no_keyring" and "YOUCAM_API_KEY" in caught.value.action


def test_a_key_file_that_can_not_be_removed_is_told(home: Any) -> None:
    (Path(home["LAYERLIFT_HOME"]) / "api-key").mkdir(parents=True)
    with pytest.raises(errors.SetupError) as caught:
        Settings(home).forget_key()
    assert caught.value.code == "disk" and "api-key" in caught.value.message


def test_forgetting_what_is_not_there_is_no_error(home: Any) -> None:
    Settings(home).forget_key()


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b" \n"], ids=str)
def test_a_key_file_without_a_key_is_none(home: Any, content: bytes) -> None:
    path = Path(home["LAYERLIFT_HOME"], "api-key")
    path.parent.mkdir()
    path.write_bytes(content)
    assert Settings(home).key() is None


def test_the_key_shows_in_no_text() -> None:
    key = Key(KEY, "file")
    for text in (repr(key), str(key), f"{key}", repr([key]), f"{key!r:>40}", key.redacted):
        assert KEY not in text and KEY[:8] not in text
    assert key.redacted == "...cdef"
    assert Key("short-key", "file").redacted == "..."


def test_an_agreement_is_remembered_for_its_host_alone(home: Any) -> None:
    Settings(home).agree("a.example")
    Settings(home).agree("b.example")
    Settings(home).agree("a.example")
    settings = Settings(home)
    assert [settings.has_agreed(host) for host in ("a.example", "b.example", "c.example", "example")] == [
        True,
        True,
        False,
        False,
    ]
    stored = json.loads((settings.config_folder / "settings.json").read_text())
    assert stored == {"upload_agreed": ["a.example", "b.example"]}


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000, b'{"upload_agreed": "a.example"}', b'{"upload_agreed": {"a": 1}}'],
    ids=lambda content: str(content[:20]),
)
def test_broken_settings_mean_that_nobody_has_agreed_and_can_be_written_anew(home: Any, content: bytes) -> None:
    path = Path(home["LAYERLIFT_HOME"], "settings.json")
    path.parent.mkdir()
    path.write_bytes(content)
    assert not Settings(home).has_agreed("a.example")
    Settings(home).agree("a.example")
    assert Settings(home).has_agreed("a.example")


def test_other_preferences_stay_when_the_user_agrees(home: Any) -> None:
    path = Path(home["LAYERLIFT_HOME"], "settings.json")
    path.parent.mkdir()
    path.write_text('{"other": 1}')
    Settings(home).agree("a.example")
    assert json.loads(path.read_text()) == {"other": 1, "upload_agreed": ["a.example"]}


def test_what_several_processes_remember_at_once_is_all_kept(home: Any) -> None:
    hosts = [f"{number}.example" for number in range(24)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda host: Settings(home).agree(host), hosts))
        advised = list(pool.map(lambda _: Settings(home).advise_key(), hosts))
        list(pool.map(lambda host: Settings(home).agree(host, False), hosts[1:]))
    assert [host for host in hosts if Settings(home).has_agreed(host)] == hosts[:1]
    assert sum(advised) == 1


def test_an_agreement_that_can_not_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(errors.SetupError) as caught:
        Settings({"LAYERLIFT_HOME": str(tmp_path / "file")}).agree("a.example")
    assert caught.value.code == "disk"


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("", "yce-api-01.makeupar.com"),
        ("https://Eu.Example:8443/api", "eu.example"),
        ("http://127.0.0.1:5", "127.0.0.1"),
    ],
)
def test_the_host_that_gets_the_pictures_is_known_by_name(url: str, host: str) -> None:
    settings = Settings({"YOUCAM_API_URL": url})
    assert (settings.api_host, settings.api_url) == (host, url or DEFAULT_URL)


@pytest.mark.parametrize("url", ["nonsense", "https://", "http://[bad", "https://[::1"])
def test_an_address_without_a_host_is_refused(url: str) -> None:
    with pytest.raises(errors.SetupError) as caught:
        _ = Settings({"YOUCAM_API_URL": url}).api_host
    assert caught.value.code == "bad_url"


def test_the_state_is_in_the_users_state_folder_or_in_the_home_that_is_set(user: Path, tmp_path: Path) -> None:
    assert Settings({}).state_folder == user / ".local" / "state" / "layerlift"
    assert Settings({"LAYERLIFT_HOME": str(tmp_path)}).state_folder == tmp_path


def test_the_rate_is_the_services_own_or_another(tmp_path: Path) -> None:
    assert Settings({}).rate == (250, 300.0)
    assert Settings({"LAYERLIFT_RATE": "12/2.5"}).rate == (12, 2.5)


@pytest.mark.parametrize("rate", ["250", "1/300", "a/b", "5/0", "5/-1", "5/nan", "5/inf", "/", "5.5/3"])
def test_a_rate_that_makes_no_sense_is_an_error(rate: str) -> None:
    with pytest.raises(errors.SetupError) as caught:
        _ = Settings({"LAYERLIFT_RATE": rate}).rate
    assert caught.value.code == "bad_rate"


@pytest.mark.parametrize(
    ("text", "deletes"),
    [("", True), ("{}", True), ('{"delete_delivered": false}', False), ('{"delete_delivered": "broken"}', True)],
)
def test_delivered_pictures_are_deleted_unless_the_settings_say_no(tmp_path: Path, text: str, deletes: bool) -> None:
    (tmp_path / "settings.json").write_text(text)
    assert Settings({"LAYERLIFT_HOME": str(tmp_path)}).delete_delivered is deletes
