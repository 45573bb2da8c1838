"""Layerlift removes the background of pictures: the subject comes back with real transparency.

The work is done by the YouCam service with your API key, or offline, by a quick draft::

    import layerlift

    with layerlift.Client() as client:
        cutout = client.remove("dog.jpg")  # or bytes, a file, a Pillow image, an array
        cutout.save("dog.png")             # at the picture's own size, depth and profile
        print(cutout.alpha.shape, cutout.engine, cutout.units)

`Client.remove_all` does many pictures side by side and tells of each by a `Cutout` or a `Failure`; `Client.run` and
`Cutout.then` run the service's other tasks, and give a `TaskResult`; `Client.balance` has the units that are left.
Nothing is uploaded before you have agreed to it, once, by `layerlift uploads allow`. Pixels that were paid for are free
the next time.

All errors are of one tree. They are named by what to do next, have a stable `code`, and say what happened and what to
do in `str()`::

    LayerliftError
    +-- SetupError           mend the installation or the settings
    |   +-- AuthError        set another API key
    |   +-- ConsentNeeded    agree to uploads
    |   +-- KeyringUnusable  unlock or mend the system's keyring
    +-- TopUpError           buy units
    +-- PictureError         use another picture
    +-- ServiceError         try again later
    |   +-- RateLimited      wait a few minutes
    +-- NetworkError         mend the connection, try again
    +-- MayBeCharged         look at the unit history before paying again
    +-- Cancelled            nothing: you asked for it

Importing this changes nothing in your process, and numpy and the like are imported at the first use of `Client`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .errors import (
    AuthError,
    Cancelled,
    ConsentNeeded,
    KeyringUnusable,
    LayerliftError,
    MayBeCharged,
    NetworkError,
    PictureError,
    RateLimited,
    ServiceError,
    SetupError,
    TopUpError,
)

if TYPE_CHECKING:
    from .client import Client
    from .imaging.pictures import Picture
    from .removal.results import Cutout, Failure, TaskResult

__all__ = [
    "AuthError",
    "Cancelled",
    "Client",
    "ConsentNeeded",
    "Cutout",
    "Failure",
    "KeyringUnusable",
    "LayerliftError",
    "MayBeCharged",
    "NetworkError",
    "Picture",
    "PictureError",
    "RateLimited",
    "ServiceError",
    "SetupError",
    "TaskResult",
    "TopUpError",
    "__version__",
]
__version__ = "0.1.0"

_RESULTS = "removal.results"
_LATE = dict(Client="client", Cutout=_RESULTS, Failure=_RESULTS, Picture="imaging.pictures", TaskResult=_RESULTS)
"""What is imported at its first use, and the modules that have it."""


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_LATE[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
