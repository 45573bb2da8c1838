"""Keyrings that can't be used, for `keyring.set_keyring` and for the configuration of the `keyring` package."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import NoReturn

from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked


class _Useless(KeyringBackend):
    # Never found by itself.
    priority = -1.0  # type: ignore[assignment]

    def get_password(self, service: str, username: str) -> str | None:
        return self._refuse()

    def set_password(self, service: str, username: str, password: str) -> None:
        self._refuse()

    def delete_password(self, service: str, username: str) -> None:
        self._refuse()

    def _refuse(self) -> None:
        raise NotImplementedError


class Locked(_Useless):
    """One that its user does not unlock."""

    def _refuse(self) -> NoReturn:
        raise KeyringLocked("Failed to unlock the collection!")


class Broken(_Useless):
    """One whose service fails in its own way."""

    def _refuse(self) -> NoReturn:
        raise ValueError("what the bus says")


class Hanging(_Useless):
    """One that asks for a password until it is released, and has nothing then."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0
        self.released = threading.Event()

    def _refuse(self) -> None:
        self.calls += 1
        print("Password of the keyring:", file=sys.stderr, flush=True)
        self.released.wait()


def configure(config: Path, kind: type[KeyringBackend]) -> None:
    """Has programs whose XDG_CONFIG_HOME is `config` use a keyring of that kind, which is one of these or their own."""
    folder = config / "python_keyring"
    folder.mkdir(parents=True)
    module = kind.__module__.removeprefix(f"{__package__}.")
    path = Path(__file__).parent
    (folder / "keyringrc.cfg").write_text(
        f"[backend]\ndefault-keyring={module}.{kind.__qualname__}\nkeyring-path={path}\n"
    )
