"""What a host's settings dialog shows and changes: the key, the consent, the balance."""

from __future__ import annotations

from typing import Any

from .cancelling import Cancel
from .engines import Engines
from .settings import Settings


def shown(settings: Settings) -> dict[str, Any]:
    """The key redacted and the place where it is kept, None where there is none; consent; the API's host."""
    key = settings.key()
    return {
        "key": key.redacted if key else None,
        "key_place": key.source if key else None,
        "agreed": settings.has_agreed(settings.api_host),
        "host": settings.api_host,
    }


def change_key(settings: Settings, key: str | None) -> None:
    """Stores the key, or forgets the one that is stored."""
    if key is None:
        settings.forget_key()
    else:
        settings.set_key(key)


def balance(engines: Engines, choice: str, cancel: Cancel) -> dict[str, Any]:
    """Asks an engine for the account's units, which tells whether it can be used, and costs nothing.

    `host` is None where nothing leaves this computer.
    """
    engine = engines.open(choice, cancel.sleep, uploads=False)
    try:
        units = cancel.during(engine.service.balance)
    finally:
        engine.service.close()
    host = engines.settings.api_host if engine.name == "youcam" else None
    return {"engine": engine.name, "units": units, "host": host}
