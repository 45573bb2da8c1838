"""The system's keyring, asked with a time limit.

A keyring may wait for its user to type a password, or for a service that never answers, and such a call can't be ended.
So each is made in a thread for which nobody has to wait. While one hangs, no other is begun.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent import futures
from concurrent.futures import Future
from typing import Any, TypeVar

from .. import errors
from ..language import _
from .threads import call_in_thread

LIMIT_SECONDS = 30.0
"""Long enough to type a password; less than hosts wait for a sign of life (`SILENCE_SECONDS` of the plug-ins)."""
_LOOK_SECONDS = 0.05
_SERVICE = "layerlift"
_USER = "api-key"

_T = TypeVar("_T")


class Keyring:
    """The back end that the `keyring` package finds or is configured to use. One object serves a whole process.

    Args:
        limit_seconds: how long a call may take.

    All methods raise KeyringUnusable: ``keyring_locked``, ``keyring_silent``, ``keyring_failed``; and whatever
    `sleep` raises, which is called with 0 between two looks.
    """

    def __init__(self, limit_seconds: float | None = None) -> None:
        self._limit = LIMIT_SECONDS if limit_seconds is None else limit_seconds
        self._guard = threading.Lock()
        self._call: Future[Any] | None = None
        self._began = 0.0

    def name(self, sleep: Callable[[float], None] = time.sleep) -> str:
        """The class of the back end, with its module."""

        def name(ring: Any) -> str:
            kind = type(ring.get_keyring())
            return f"{kind.__module__}.{kind.__qualname__}"

        return self._ask(name, sleep)

    def read(self, sleep: Callable[[float], None] = time.sleep) -> str | None:
        """The key, or None where the keyring has none, or there is no keyring."""
        return self._ask(_read, sleep)

    def store(self, value: str, sleep: Callable[[float], None] = time.sleep) -> bool:
        """Keeps the key; returns False where there is no keyring.

        Raises:
            KeyringUnusable: also ``keyring_null``, where the keyring keeps nothing.
        """

        def store(ring: Any) -> bool:
            try:
                ring.set_password(_SERVICE, _USER, value)
            except ring.errors.NoKeyringError:
                return False
            if _read(ring) != value:
                raise errors.make("keyring_null")
            return True

        return self._ask(store, sleep)

    def forget(self, sleep: Callable[[float], None] = time.sleep) -> bool:
        """Removes the key; returns whether there was one."""

        def forget(ring: Any) -> bool:
            if _read(ring) is None:
                return False
            ring.delete_password(_SERVICE, _USER)
            if _read(ring) is not None:
                raise errors.make("keyring_failed", _("it still has a key"))
            return True

        return self._ask(forget, sleep)

    def _ask(self, action: Callable[[Any], _T], sleep: Callable[[float], None]) -> _T:
        def call() -> _T:
            # Its first import, and the search for a back end, may hang too.
            import keyring

            try:
                return action(keyring)
            except errors.LayerliftError:
                raise
            except keyring.errors.KeyringLocked as error:
                raise errors.make("keyring_locked") from error
            except Exception as error:  # back ends also raise what their system's services raise
                # Not their words, in which the key may be.
                raise errors.make("keyring_failed", type(error).__name__) from error

        own = None
        while own is None:
            with self._guard:
                other = self._call
                if other is None or other.done():
                    self._began = time.monotonic()
                    self._call = own = call_in_thread(call)
            if own is None and other is not None:
                self._wait(other, sleep)
        self._wait(own, sleep)
        return own.result()

    def _wait(self, call: Future[Any], sleep: Callable[[float], None]) -> None:
        end = self._began + self._limit
        while not futures.wait([call], _LOOK_SECONDS).done:
            sleep(0)
            if time.monotonic() > end:
                raise errors.make("keyring_silent")


def _read(ring: Any) -> str | None:
    try:
        found: str | None = ring.get_password(_SERVICE, _USER)
    except ring.errors.NoKeyringError:
        return None
    return found or None
