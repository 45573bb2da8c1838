"""What the user can do next about an error: the buttons that each host offers, by the worker's kinds of errors."""

from __future__ import annotations

from typing import Iterable

from .language import _

KEY_PAGE = "https://yce.perfectcorp.com/api-console/en/api-keys/"
"""Where the service's users make an API key."""
UNITS_PAGE = "https://yce.perfectcorp.com/ai-api/api-pricing"
"""Where they buy units."""

SETTINGS, AGAIN, PAY_AGAIN, OFFLINE, BUY = "settings", "again", "pay_again", "offline", "buy"
LABELS = {
    SETTINGS: _("_Settings..."),
    AGAIN: _("_Try Again"),
    PAY_AGAIN: _("_Pay Again"),
    OFFLINE: _("Work _Offline"),
    BUY: _("_Buy Units"),
}
"""What the buttons say; the letter behind the underscore presses them."""
UPLOAD_ONCE, UPLOAD_ALWAYS = "once", "always"
CONSENT = {
    UPLOAD_ONCE: _("_Upload This Time"),
    UPLOAD_ALWAYS: _("_Always Upload"),
    OFFLINE: LABELS[OFFLINE],
}
"""The answers to the question whether something may be uploaded, besides Cancel."""
_BY_KIND = {
    "set_key": (SETTINGS, OFFLINE),
    "unlock": (AGAIN, SETTINGS, OFFLINE),
    "buy": (BUY, AGAIN, OFFLINE),
    "pay_again": (PAY_AGAIN,),
    "retry": (AGAIN, OFFLINE),
    "wait": (AGAIN, OFFLINE),
    "mend": (AGAIN,),
    "report": (AGAIN,),
}


def out_of_all(kinds: Iterable[str], engine: str) -> tuple[str, ...]:
    """The ways out of errors of many pictures, where paying again is asked for one at a time."""
    found = {way for kind in kinds for way in out_of(kind, engine)}
    return tuple(way for way in LABELS if way in found and way != PAY_AGAIN)


def out_of(kind: str, engine: str) -> tuple[str, ...]:
    """The ways out of an error of this kind, where this engine was chosen."""
    return tuple(way for way in _BY_KIND.get(kind, ()) if way != OFFLINE or engine != "offline")
