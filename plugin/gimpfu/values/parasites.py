"""gimp.Parasite: named bytes that GIMP keeps with an image, an item or itself."""

from __future__ import annotations

PERSISTENT = 1
UNDOABLE = 2


class Parasite:
    """A parasite: `name`, `flags` (PARASITE_PERSISTENT, PARASITE_UNDOABLE) and `data`, which is bytes.

    Text given as data is stored as UTF-8.
    """

    def __init__(self, name: str, flags: int, data: bytes | str) -> None:
        self._name = name
        self._flags = flags
        self._data = encode_data(data)

    name = property(lambda self: self._name)
    flags = property(lambda self: self._flags)
    data = property(lambda self: self._data)
    is_persistent = property(lambda self: bool(self._flags & PERSISTENT))
    is_undoable = property(lambda self: bool(self._flags & UNDOABLE))

    def copy(self) -> Parasite:
        """An equal parasite of its own."""
        return Parasite(self._name, self._flags, self._data)

    def is_type(self, name: str) -> bool:
        """Whether the parasite has this name."""
        return bool(self._name == name)

    def has_flag(self, flag: int) -> bool:
        """Whether one of these flags is set."""
        return bool(self._flags & flag)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Parasite):
            return NotImplemented
        return (self._name, self._flags, self._data) == (other._name, other._flags, other._data)

    def __hash__(self) -> int:
        return hash((self._name, self._flags, self._data))

    def __repr__(self) -> str:
        return f"<parasite {self._name}>"

    def __str__(self) -> str:
        return self._data.decode("utf-8", "surrogateescape")


def encode_data(data: bytes | bytearray | memoryview | str) -> bytes:
    """Bytes as they are, text as UTF-8."""
    return data.encode("utf-8", "surrogateescape") if isinstance(data, str) else bytes(data)
