"""gimpshelf: Python objects that live as long as GIMP does, whichever plug-in stores or reads them."""

from __future__ import annotations

import pickle
from typing import Any

from ..errors import GimpError
from .application import get_data, set_data

DELETED = b"\0"  # GIMP can neither forget data nor keep none


class Shelf:
    """A mapping from names to anything that can be pickled; GIMP objects are kept by their ID."""

    def __getitem__(self, key: str) -> Any:
        try:
            data = get_data(key)
        except GimpError:
            raise KeyError(key) from None
        if data == DELETED:
            raise KeyError(key)
        return pickle.loads(data)

    def __setitem__(self, key: str, value: Any) -> None:
        set_data(key, pickle.dumps(value, protocol=2))

    def __delitem__(self, key: str) -> None:
        set_data(key, DELETED)

    def __contains__(self, key: str) -> bool:
        try:
            return get_data(key) != DELETED
        except GimpError:
            return False

    def has_key(self, key: str) -> bool:
        """Whether there is a value under this name."""
        return key in self


shelf = Shelf()
