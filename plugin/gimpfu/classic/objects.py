"""What all GIMP objects share: an ID, attributes and methods that are procedures of the database, and parasites."""

from __future__ import annotations

from typing import Any, Callable

from ..errors import GimpError
from ..host import HOST
from ..values.parasites import Parasite, encode_data
from ..values.types import ITEM, type_name
from .pixelstore import STORE

Factory = Callable[[int], Any]

_factories: dict[int, Factory] = {}


def wrap(pdb_type: int, identity: int) -> Any:
    """The Python object for an ID from the database; None for -1 and for objects that are gone."""
    return None if identity < 0 else _factories[pdb_type](identity)


pdb = HOST.make_database(wrap, STORE.settle)


def made_by(factory: Factory, *pdb_types: int) -> None:
    """Let `factory(id)` make the objects of these PDB types."""
    for pdb_type in pdb_types:
        _factories[pdb_type] = factory


def call(name: str, *arguments: Any) -> Any:
    """Call a procedure on behalf of a method or attribute; failures are gimp.error, as in the classic module."""
    try:
        return pdb[name](*arguments)
    except RuntimeError as failure:
        if isinstance(failure, GimpError):
            raise
        raise GimpError(str(failure)) from None


def list_items(procedure: str, *arguments: Any) -> list[Any]:
    """The items that a procedure lists, without those that have gone since."""
    found = (wrap(ITEM, identity) for identity in call(procedure, *arguments)[1])
    return [item for item in found if item is not None]


class Attribute:
    """An attribute that procedures read and, where there is a setter, write."""

    def __init__(self, getter: str, setter: str = "", kind: Callable[[Any], Any] = lambda value: value) -> None:
        self._getter, self._setter, self._kind = getter, setter, kind

    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        return self if instance is None else self._kind(call(self._getter, instance))

    def __set__(self, instance: Any, value: Any) -> None:
        if not self._setter:
            raise AttributeError("the attribute is read-only")
        call(self._setter, instance, value)


class Method:
    """A method that is one procedure; missing arguments take the defaults, and keywords have the classic names."""

    def __init__(self, procedure: str, names: str = "", defaults: tuple[Any, ...] = ()) -> None:
        self._procedure, self._names, self._defaults = procedure, tuple(names.split()), defaults

    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        if instance is None:
            return self

        def method(*arguments: Any, **keywords: Any) -> Any:
            return call(self._procedure, instance, *self._complete(arguments, keywords))

        method.__name__ = self._procedure
        return method

    def _complete(self, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> tuple[Any, ...]:
        names = self._names
        given = dict(zip(names[len(names) - len(self._defaults) :], self._defaults))
        given.update(zip(names, arguments))
        given.update(keywords)
        if len(arguments) > len(names) or set(given) != set(names):
            raise TypeError("{} takes the arguments ({})".format(self._procedure, ", ".join(names)))
        return tuple(given[name] for name in names)


class GimpObject:
    """An object in GIMP that we know by its ID. Two objects are equal if they stand for the same one."""

    pdb_types: tuple[int, ...] = ()
    ID: int

    @classmethod
    def by_id(cls, identity: int) -> Any:
        """The object with this ID, without asking GIMP whether there is one."""
        self = cls.__new__(cls)
        self.ID = identity
        return self

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, GimpObject):
            return NotImplemented
        return self.ID == other.ID and self._family == other._family

    def __hash__(self) -> int:
        return hash((self._family, self.ID))

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, memo: Any) -> Any:
        return self

    @property
    def _family(self) -> str:
        """Images, displays and items are numbered apart."""
        return type_name(self.pdb_types[0])

    def __repr__(self) -> str:
        try:
            name: str | None = getattr(self, "name", None)
        except GimpError:
            name = "(null)"
        return f"<gimp.{type(self).__name__} '{self.ID if name is None else name}'>"


class ParasiteHolder(GimpObject):
    """An object that parasites can live on; `_parasites` names their procedures."""

    _parasites = ""

    def parasite_find(self, name: str) -> Parasite | None:
        """The parasite of this name, or None."""
        return find_parasite(self._parasites, name, self)

    def parasite_attach(self, parasite: Parasite) -> None:
        """Attach a parasite; one of the same name is replaced."""
        call(f"gimp-{self._parasites}-attach-parasite", self, parasite)

    def attach_new_parasite(self, name: str, flags: int, data: bytes | str) -> None:
        """Make a parasite and attach it. A zero byte follows the data, as in the classic module."""
        self.parasite_attach(Parasite(name, flags, encode_data(data) + b"\0"))

    def parasite_detach(self, name: str) -> None:
        """Take the parasite of this name off."""
        call(f"gimp-{self._parasites}-detach-parasite", self, name)

    def parasite_list(self) -> tuple[str, ...]:
        """The names of all parasites."""
        return tuple(call(f"gimp-{self._parasites}-get-parasite-list", self)[1])


def find_parasite(holder: str, name: str, *target: GimpObject) -> Parasite | None:
    """The parasite of this name on an image, an item or (without target) GIMP itself; None if there is none."""
    try:
        found: Parasite = pdb["gimp-%sget-parasite" % (holder + "-" if holder else "")](*target, name)
    except RuntimeError:
        return None
    return found
