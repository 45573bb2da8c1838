"""Folders, the API key, and what the user has agreed to.

The key is looked for in the environment (``YOUCAM_API_KEY``), in a file that only the user can read, and in the
system's keyring. There is a file only where the keyring could not be used when the key was set, so the key that was set
last counts. With ``LAYERLIFT_HOME`` everything stays in that one folder, and the keyring is left alone.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import platformdirs

from .. import atomic, errors
from ..language import _
from .keyrings import Keyring
from .locks import Lock

DEFAULT_URL = "https://yce-api-01.makeupar.com"
DEFAULT_RATE = "250/300"
_APP = "layerlift"
AUTOMATIC = "auto"
"""In place of the name of an offline model: the best one that there is."""
_VARIABLES = ("YOUCAM_API_KEY", "YOUCAM_API_URL", "LAYERLIFT_HOME", "LAYERLIFT_RATE")


@dataclass(frozen=True)
class Key:
    """An API key and where it was found. It never shows in text: print `redacted`."""

    value: str
    source: str

    @property
    def redacted(self) -> str:
        return f"...{self.value[-4:]}" if len(self.value) >= 16 else "..."

    def __repr__(self) -> str:
        return f"Key({self.redacted!r}, {self.source!r})"


class Stored(NamedTuple):
    """Where a key was stored, "keyring" or "file", and why a keyring that there is could not take it."""

    place: str
    refused: errors.KeyringUnusable | None = None


def check_key(value: str) -> None:
    """Raises SetupError `key_missing` for no key, AuthError `InvalidApiKey` for one that no header can hold."""
    if not value:
        raise errors.make("key_missing")
    if not value.isascii() or not value.isprintable() or " " in value:
        raise errors.make("InvalidApiKey", _("it holds characters that no key has"))


class Settings:
    """One user's settings.

    Args:
        environ: the process's environment.
        keyring: the system's keyring.
    """

    def __init__(self, environ: Mapping[str, str] = os.environ, keyring: Keyring | None = None) -> None:
        home = environ.get("LAYERLIFT_HOME")
        self._home = Path(home) if home else None
        self._environ = environ
        self.keyring = None if home else keyring or Keyring()
        """None where it is left alone."""
        self.config_folder = self._home or Path(platformdirs.user_config_dir(_APP, appauthor=False))
        self.work_folder = (self._home or Path(platformdirs.user_cache_dir(_APP, appauthor=False))) / "work"
        self.models_folder = (self._home or Path(platformdirs.user_data_dir(_APP, appauthor=False))) / "models"
        self.models_url = environ.get("LAYERLIFT_MODELS_URL") or ""
        """An address that has the offline models' files, which is asked before those of the table."""
        self.state_folder = self._home or Path(platformdirs.user_state_dir(_APP, appauthor=False))
        self.api_url = environ.get("YOUCAM_API_URL") or DEFAULT_URL

    @property
    def api_host(self) -> str:
        """The host that gets the pictures, as it is named to the user.

        Raises:
            SetupError: ``bad_url``.
        """
        try:
            host = urlsplit(self.api_url).hostname
        except ValueError:
            host = None
        if not host:
            raise errors.make("bad_url")
        return host

    @property
    def passed_on(self) -> dict[str, str]:
        """The variables that make another process of this user have the same settings, the key among them where it is
        one of them: for a pipe alone."""
        return {name: self._environ[name] for name in _VARIABLES if name in self._environ}

    @property
    def delete_delivered(self) -> bool:
        """Whether the service is to delete a picture and its result once the result is here."""
        return self._preferences().get("delete_delivered") is not False

    @property
    def model(self) -> str | dict[str, Any]:
        """The offline model that the user has chosen: `AUTOMATIC`, a name, or what is remembered of a file."""
        found = self._preferences().get("model")
        return found if isinstance(found, (str, dict)) else AUTOMATIC

    def choose_model(self, model: str | dict[str, Any]) -> None:
        """Remembers the offline model to use. Raises SetupError `disk`."""
        if self.model != model:
            with self._changing_preferences() as preferences:
                preferences["model"] = model

    @property
    def gpu(self) -> bool:
        """Whether offline models are to run on a graphics card, where there is one that they can run on."""
        return self._preferences().get("gpu") is True

    def use_gpu(self, wanted: bool) -> None:
        """Remembers whether a graphics card is to be used. Raises SetupError `disk`."""
        if self.gpu != wanted:
            with self._changing_preferences() as preferences:
                preferences["gpu"] = wanted

    @property
    def rate(self) -> tuple[int, float]:
        """How many requests to the API, in how many seconds, all processes of this user may send.

        Raises:
            SetupError: ``bad_rate``.
        """
        requests, _slash, seconds = (self._environ.get("LAYERLIFT_RATE") or DEFAULT_RATE).partition("/")
        try:
            found = int(requests), float(seconds)
        except ValueError:
            found = 0, 0.0
        if found[0] < 2 or not 0 < found[1] < math.inf:
            raise errors.make("bad_rate")
        return found

    @property
    def environment_key(self) -> Key | None:
        """The API key of the environment, which comes before a stored one."""
        value = self._environ.get("YOUCAM_API_KEY", "").strip()
        return Key(value, "environment") if value else None

    def key(self, sleep: Callable[[float], None] = time.sleep) -> Key | None:
        """The API key, or None where none is set.

        Args:
            sleep: is called with 0 while the keyring is waited for, and may raise `Cancelled`.

        Raises:
            KeyringUnusable: nobody knows whether there is one.
        """
        if (key := self.environment_key) is not None:
            return key
        try:
            value = self.key_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            value = ""
        if value:
            return Key(value, "file")
        value = (self.keyring.read(sleep) if self.keyring else None) or ""
        return Key(value, "keyring") if value else None

    def set_key(self, value: str) -> Stored:
        """Stores the key in the keyring, or in a file of mode 0600 where that can't be used.

        Raises:
            SetupError: what `check_key` raises; ``no_keyring``, where neither can be written; ``older_key``, where an
                older file stays.
        """
        check_key(value)
        refused = None
        try:
            if self.keyring and self.keyring.store(value):
                try:
                    self.key_file.unlink(missing_ok=True)
                except OSError as error:
                    raise errors.make("older_key", f"{self.key_file} ({error.strerror})") from error
                return Stored("keyring")
        except errors.KeyringUnusable as error:
            refused = error
        try:
            self._write(self.key_file, value)
        except OSError as error:
            raise errors.make("no_keyring", str(error.strerror)) from error
        return Stored("file", refused)

    def forget_key(self) -> list[str]:
        """Removes the stored key from the file and the keyring; returns in which of "file" and "keyring" one was.

        Raises:
            SetupError: ``disk``, where the file can't be removed; then the keyring is left alone.
            KeyringUnusable: the file is removed, and whether the keyring has a key is not known.
        """
        places = []
        try:
            self.key_file.unlink()
            places.append("file")
        except FileNotFoundError:
            pass
        except OSError as error:
            found = _("{path} can't be removed ({reason})").format(path=self.key_file, reason=error.strerror)
            raise errors.make("disk", found) from error
        try:
            if self.keyring and self.keyring.forget():
                places.append("keyring")
        except errors.KeyringUnusable as error:
            in_file, none = _("the key in the file is forgotten, one in the keyring is not"), _("no key is forgotten")
            raise errors.make(error.code, in_file if places else none) from error
        return places

    def has_agreed(self, host: str) -> bool:
        """Whether the user has agreed that pictures are uploaded to that host."""
        agreed = self._preferences().get("upload_agreed", [])
        return isinstance(agreed, list) and host in agreed

    def agree(self, host: str, agreed: bool = True) -> None:
        """Remembers that the user has agreed to uploads to that host, or does no longer.

        Raises:
            SetupError: ``disk``, where it can't be written.
        """
        if self.has_agreed(host) == agreed:
            return
        with self._changing_preferences() as preferences:
            known = preferences.get("upload_agreed")
            others = [other for other in known if other != host] if isinstance(known, list) else []
            preferences["upload_agreed"] = [*others, host] if agreed else others

    def advise_key(self) -> bool:
        """Whether the user is to be told that the service gives better results than the offline engine. They are told
        once: from then on, not any more.

        Raises:
            SetupError: ``disk``, where that can't be remembered.
        """
        if self._preferences().get("key_advised") is True:
            return False
        with self._changing_preferences() as preferences:
            is_first = preferences.get("key_advised") is not True
            preferences["key_advised"] = True
        return is_first

    @property
    def key_file(self) -> Path:
        """Where the key is kept where no keyring can be used."""
        return self.config_folder / "api-key"

    @property
    def _preferences_file(self) -> Path:
        return self.config_folder / "settings.json"

    def _preferences(self) -> dict[str, Any]:
        try:
            found = json.loads(self._preferences_file.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    @contextmanager
    def _changing_preferences(self) -> Iterator[dict[str, Any]]:
        """The preferences, which are written at the end of the block as they are then, and that nobody else changes
        meanwhile: a consent that another process takes back must not come back."""
        try:
            self.config_folder.mkdir(parents=True, exist_ok=True)
            with Lock(self._preferences_file.with_suffix(".lock"), time.sleep):
                preferences = self._preferences()
                yield preferences
                self._write(self._preferences_file, json.dumps(preferences, indent=1))
        except OSError as error:
            raise errors.make("disk", str(error.strerror)) from error

    def _write(self, path: Path, text: str) -> None:
        """Writes a file that only the user can read."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic.replacing(path, private=True) as part:
            part.write_text(text, encoding="utf-8")
