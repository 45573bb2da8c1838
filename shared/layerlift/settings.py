"""Folders, the API key, and what the user has agreed to.

The key is looked for in the environment (``YOUCAM_API_KEY``), in the system's keyring, and in a file that only the user
can read. With ``LAYERLIFT_HOME`` everything stays in that one folder, and the keyring is left alone.
"""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import platformdirs

from . import errors

DEFAULT_URL = "https://yce-api-01.makeupar.com"
DEFAULT_RATE = "250/300"
_APP = "layerlift"
_ACCOUNT = "api-key"


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


def check_key(value: str) -> None:
    """Raises SetupError `key_missing` for no key, AuthError `InvalidApiKey` for one that no header can hold."""
    if not value:
        raise errors.make("key_missing")
    if not value.isascii() or not value.isprintable() or " " in value:
        raise errors.make("InvalidApiKey", "it holds characters that no key has")


class Settings:
    """One user's settings.

    Args:
        environ: the process's environment.
    """

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        home = environ.get("LAYERLIFT_HOME")
        self._home = Path(home) if home else None
        self._environ = environ
        self.config_folder = self._home or Path(platformdirs.user_config_dir(_APP, appauthor=False))
        self.work_folder = (self._home or Path(platformdirs.user_cache_dir(_APP, appauthor=False))) / "work"
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
    def delete_delivered(self) -> bool:
        """Whether the service is to delete a picture and its result once the result is here."""
        return self._preferences().get("delete_delivered") is not False

    @property
    def rate(self) -> tuple[int, float]:
        """How many requests to the API, in how many seconds, all processes of this user may send.

        Raises:
            SetupError: ``bad_rate``.
        """
        requests, _, seconds = (self._environ.get("LAYERLIFT_RATE") or DEFAULT_RATE).partition("/")
        try:
            found = int(requests), float(seconds)
        except ValueError:
            found = 0, 0.0
        if found[0] < 2 or not 0 < found[1] < math.inf:
            raise errors.make("bad_rate")
        return found

    def key(self) -> Key | None:
        """The API key, or None where none is set."""
        value = self._environ.get("YOUCAM_API_KEY", "").strip()
        if value:
            return Key(value, "environment")
        value = self._from_keyring() or ""
        if value:
            return Key(value, "keyring")
        try:
            value = self._key_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            value = ""
        return Key(value, "file") if value else None

    def set_key(self, value: str) -> str:
        """Stores the key in the keyring, or in a file of mode 0600 where there is none. Returns "keyring" or "file".

        Raises:
            SetupError: what `check_key` raises; ``no_keyring``, where neither can be written; ``disk``, where an older
                file stays.
        """
        check_key(value)
        if self._with_keyring(lambda ring: ring.set_password(_APP, _ACCOUNT, value)):
            self._remove_key_file()
            return "keyring"
        try:
            self._write(self._key_file, value)
        except OSError as error:
            raise errors.make("no_keyring", str(error.strerror)) from error
        return "file"

    def forget_key(self) -> None:
        """Removes the stored key from the keyring and the file.

        Raises:
            SetupError: ``disk``, where the file can't be removed.
        """
        self._with_keyring(lambda ring: ring.delete_password(_APP, _ACCOUNT))
        self._remove_key_file()

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
        preferences = self._preferences()
        known = preferences.get("upload_agreed")
        others = [other for other in known if other != host] if isinstance(known, list) else []
        preferences["upload_agreed"] = [*others, host] if agreed else others
        try:
            self._write(self._preferences_file, json.dumps(preferences, indent=1))
        except OSError as error:
            raise errors.make("disk", str(error.strerror)) from error

    @property
    def _key_file(self) -> Path:
        return self.config_folder / "api-key"

    @property
    def _preferences_file(self) -> Path:
        return self.config_folder / "settings.json"

    def _remove_key_file(self) -> None:
        try:
            self._key_file.unlink(missing_ok=True)
        except OSError as error:
            raise errors.make("disk", f"{self._key_file} can't be removed ({error.strerror})") from error

    def _preferences(self) -> dict[str, Any]:
        try:
            found = json.loads(self._preferences_file.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    def _from_keyring(self) -> str | None:
        found: list[str | None] = []
        self._with_keyring(lambda ring: found.append(ring.get_password(_APP, _ACCOUNT)))
        return found[0] if found else None

    def _with_keyring(self, action: Callable[[Any], object]) -> bool:
        """Whether `action` worked on the system's keyring; a missing or locked one is no error."""
        if self._home:
            return False
        import keyring

        try:
            action(keyring)
        except Exception:  # noqa: BLE001 - backends also raise what their system's services raise
            return False
        return True

    def _write(self, path: Path, text: str) -> None:
        """Writes a file that only the user can read, by a temporary name (`mkstemp` makes it with mode 0600)."""
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
