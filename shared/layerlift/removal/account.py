"""What a host's settings dialog shows and changes: the key, the consent, the balance."""

from __future__ import annotations

from typing import Any

from .. import errors
from ..store.settings import Settings
from .cancelling import Cancel
from .engines import Engines


def describe(settings: Settings, refused: errors.KeyringUnusable | None = None) -> dict[str, Any]:
    """The key redacted and the place where it is kept, None where there is none; consent; the API's host.

    Args:
        refused: why the keyring did not do what was asked before.
    """
    try:
        key = settings.key()
    except errors.KeyringUnusable as error:
        key, refused = None, refused or error
    return {
        "key": key.redacted if key else None,
        "key_place": key.source if key else None,
        "key_error": str(refused) if refused else None,
        "agreed": settings.has_agreed(settings.api_host),
        "host": settings.api_host,
    }


def change_key(settings: Settings, key: str | None) -> dict[str, Any]:
    """Stores the key, or forgets the one that is stored; returns what `describe` tells then."""
    refused = None
    if key is not None:
        refused = settings.set_key(key).refused
    else:
        try:
            settings.forget_key()
        except errors.KeyringUnusable as error:
            refused = error
    return describe(settings, refused)


def ask_balance(engines: Engines, choice: str, cancel: Cancel) -> dict[str, Any]:
    """Asks an engine for the account's units, which tells whether it can be used, and costs nothing.

    `host` is None where nothing leaves this computer.
    """
    engine = engines.open(choice, cancel.sleep, uploads=False)
    try:
        units = cancel.run(lambda: engine.service.balance(sleep=cancel.sleep))
    finally:
        engines.close(engine)
    host = engines.settings.api_host if engine.name == "youcam" else None
    return {"engine": engine.name, "units": units, "host": host}
