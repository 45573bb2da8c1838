"""The kinds of errors, named by what the caller does next."""

from __future__ import annotations

from typing import Literal
from unicodedata import category

from ..language import N_, _

__all__ = [
    "AuthError",
    "Cancelled",
    "ConsentNeeded",
    "KeyringUnusable",
    "Kind",
    "LayerliftError",
    "MayBeCharged",
    "NetworkError",
    "PictureError",
    "RateLimited",
    "ServiceError",
    "SetupError",
    "TopUpError",
    "plain",
]


def plain(text: object) -> str:
    """One line that does nothing to a terminal, whatever is in a file's name. The spaces of all languages stay."""
    return "".join(letter if letter.isprintable() or category(letter) == "Zs" else "?" for letter in str(text))


Kind = Literal[
    "set_key", "agree", "unlock", "mend", "reinstall", "buy", "wait", "retry", "pay_again", "other_picture", "report",
    "cancelled",
]  # fmt: skip
"""What the user can do next, for whoever offers it: set an API key, agree to uploads, unlock the keyring, mend a
setting or make room, install anew, buy units, wait, try again, pay again, use another picture, report it, or nothing.
"""
_WAYS: dict[Kind, str] = {
    "set_key": N_("Set a valid API key with 'layerlift key set'."),
    "agree": N_("Agree with 'layerlift uploads allow' or --yes, or use the offline engine."),
    "pay_again": N_("To pay again, add --again."),
}
"""The command's ways out, of which each plug-in has its own."""


class LayerliftError(Exception):
    """The root of all errors that a user can meet.

    Attributes:
        code: stable identifier, a key of `TABLE` or a code that the service sent and no list knows.
        message: what happened, one sentence for a person, whose names are `plain`.
        detail: the fact in the message that the table does not have, "" where there is none.
        kind: what the user can do next, for programs.
        advice: what the user can do about it, wherever they are.
        action: the same, with the way that the command has.
        retry: whether the same step may succeed without the user.
        status: HTTP status of the answer, None where there was none.
        request_id: the service's `x-request-id`, None where there was none.
        refused: whether the answer proves that nothing was begun.
    """

    kind: Kind = "report"

    def __init__(
        self,
        code: str,
        message: str,
        advice: str,
        *,
        kind: Kind | None = None,
        retry: bool = False,
        status: int | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.message = plain(message)
        self.detail = ""
        self.kind = kind or self.kind
        self.advice = advice
        way = _WAYS.get(self.kind)
        self.action = " ".join(filter(None, (advice, way and _(way))))
        self.retry = retry
        self.status = status
        self.request_id = request_id
        self.refused = False

    def __str__(self) -> str:
        text = f"{self.message} {self.action}"
        if not self.request_id:
            return text
        # Translators: what went wrong and what to do, and the service's name for the request.
        return _("{text} (request {request_id})").format(text=text, request_id=self.request_id)


class SetupError(LayerliftError):
    """The installation or the settings have to be mended first."""

    kind: Kind = "mend"


class AuthError(SetupError):
    """The service does not accept the API key."""

    kind: Kind = "set_key"


class ConsentNeeded(SetupError):
    """Nobody has agreed to the upload yet."""

    kind: Kind = "agree"


class KeyringUnusable(SetupError):
    """The system's keyring can't be used, so whether it has an API key is not known."""

    kind: Kind = "unlock"


class TopUpError(LayerliftError):
    """The account has no units left."""

    kind: Kind = "buy"


class PictureError(LayerliftError):
    """This picture can't be processed; others may."""

    kind: Kind = "other_picture"


class ServiceError(LayerliftError):
    """The service failed or answered with something that it should not."""

    kind: Kind = "retry"


class RateLimited(ServiceError):
    """Too many requests in the last second or minutes."""

    kind: Kind = "wait"


class NetworkError(LayerliftError):
    """The service was not reached, or the connection broke."""

    kind: Kind = "retry"


class MayBeCharged(LayerliftError):
    """The outcome of a request that costs units is unknown."""

    kind: Kind = "pay_again"


class Cancelled(LayerliftError):
    """The user cancelled."""

    kind: Kind = "cancelled"
