"""How a call of the classic pdb is carried out: by a procedure of GIMP 3, with or without a translation, or a function.

A plan knows its classic arguments and results, and `run(arguments)` takes and gives classic values.
"""

from __future__ import annotations

from typing import Any, Iterable, Sequence

from ..contract.database import Wrap
from ..errors import GimpError
from ..values import types
from .arguments import (
    NUMBER_ARRAYS,
    OBJECT_ARRAY,
    OPTIONS,
    OutOfRange,
    Slot,
    array_value,
    classic_value,
    identity_of,
    native_value,
    refused,
    without_counts,
)
from .library import Gimp
from .names import Translation
from .specials import Special

SUCCESS, CANCEL = int(Gimp.PDBStatusType.SUCCESS), int(Gimp.PDBStatusType.CANCEL)
CONSTANTS = {"None": None}
# What introspection can't take out of a procedure's results.
METHODS_ONLY = (OBJECT_ARRAY, "GimpColorArray")
CLASSES = ("text_layer", "group_layer", "image", "layer", "channel", "drawable", "item", "path", "selection", "brush",
           "gradient", "palette", "pattern", "font", "display")  # fmt: skip

Definitions = Sequence[types.ParameterDefinition]


class Plan:
    """A way to carry out a call."""

    params: tuple[types.ParameterDefinition, ...] = ()
    return_vals: tuple[types.ParameterDefinition, ...] = ()

    def run(self, arguments: Sequence[Any]) -> tuple[Any, ...]:
        """Call with classic values; TypeError for those that don't fit, RuntimeError if GIMP can't do it."""
        raise NotImplementedError


def with_counts(definitions: Definitions, values: Iterable[Any], wrap: Wrap) -> tuple[Any, ...]:
    """Classic values for native ones: an array gets its length in front of it."""
    found: list[Any] = []
    left = iter(values)
    for index, definition in enumerate(definitions):
        if index + 1 < len(definitions) and definitions[index + 1].type in types.ARRAYS:
            continue
        value = classic_value(next(left, None), definition.type, wrap)
        if definition.type in types.ARRAYS:
            value = tuple(value) if isinstance(value, bytes) else value
            found.append(len(value))
        found.append(value)
    return tuple(found)


def _kinds(definitions: Definitions) -> list[int]:
    return [definition.type for definition in definitions]


class SpecialPlan(Plan):
    """A function of ours."""

    def __init__(self, special: Special, wrap: Wrap) -> None:
        self._special, self._wrap = special, wrap
        self.params, self.return_vals = special.params, special.return_vals

    def run(self, arguments: Sequence[Any]) -> tuple[Any, ...]:
        """See Plan."""
        name = self._special.name
        convert = identity_of if self._special.by_id else native_value
        natives = [
            _fitting(definition, lambda d=definition, v=value: convert(d.type, v), value, name)
            for definition, value in zip(self.params, arguments)
        ]
        result = self._special.function(*without_counts(_kinds(self.params), natives))
        if not self.return_vals:
            if result is False:
                raise last_error(name)
            return ()
        count = len(without_counts(_kinds(self.return_vals), self.return_vals))
        return with_counts(self.return_vals, result if count > 1 else (result,), self._wrap)


def _fitting(definition: types.ParameterDefinition, convert: Any, value: Any, procedure: str) -> Any:
    """The converted value, or an error that names the argument."""
    try:
        return convert()
    except OutOfRange as failure:
        raise refused(procedure, failure) from None
    except (TypeError, ValueError, OverflowError) as failure:
        kind = types.type_name(definition.type)
        raise TypeError(f"{definition.name} must be {kind}, not {value!r} ({failure})") from None


class DirectPlan(Plan):
    """A procedure of GIMP 3, with its own arguments in their order."""

    def __init__(self, procedure: Any, wrap: Wrap) -> None:
        self._native, self._wrap = NativeProcedure(procedure), wrap
        self.params = tuple(definition for slot in self._native.slots for definition in slot.definitions())
        self.return_vals = self._native.return_vals

    def run(self, arguments: Sequence[Any]) -> tuple[Any, ...]:
        """See Plan."""
        values = without_counts(_kinds(self.params), arguments)
        given = {slot.name: self._native.value(slot, value) for slot, value in zip(self._native.slots, values)}
        return with_counts(self.return_vals, self._native.run(given), self._wrap)


class TranslatedPlan(Plan):
    """A procedure of GIMP 3 whose old arguments had another order, other names, or more of them."""

    def __init__(self, procedure: Any, translation: Translation, wrap: Wrap) -> None:
        self._native, self._wrap, self._sources = NativeProcedure(procedure), wrap, translation.sources
        by_source = {source: self._native.slot(name) for name, source in translation.sources.items()}
        self._names = [name for name, _ in translation.arguments or ()]
        self.params = tuple(
            types.ParameterDefinition(types.TYPE_NAMES.index(kind) if kind else by_source[name].pdb_type, name, "")
            for name, kind in translation.arguments or ()
        )
        self.return_vals = self._native.return_vals

    def run(self, arguments: Sequence[Any]) -> tuple[Any, ...]:
        """See Plan."""
        old = dict(zip(self._names, arguments))
        given = {}
        for name, source in self._sources.items():
            value = old[source] if source in old else CONSTANTS[source] if source in CONSTANTS else int(source)
            given[name] = self._native.value(self._native.slot(name), value)
        return with_counts(self.return_vals, self._native.run(given), self._wrap)


class NativeProcedure:
    """A procedure of GIMP 3, by its arguments' names."""

    def __init__(self, procedure: Any) -> None:
        self._procedure = procedure
        self.name: str = procedure.get_name()
        self.slots = [slot for slot in map(Slot.of, procedure.get_arguments()) if slot.gtype != OPTIONS]
        self._results = [Slot.of(spec) for spec in procedure.get_return_values()]
        self.return_vals = tuple(one for slot in self._results for one in slot.definitions(is_result=True))
        self._function: Any = self._find_function() if self._needs_function() else None

    def slot(self, name: str) -> Slot:
        """The argument of this name."""
        return next(slot for slot in self.slots if slot.name == name)

    def value(self, slot: Slot, value: Any) -> Any:
        """The native value of an argument."""
        return _fitting(slot.definitions()[-1], lambda: slot.native(value), value, self.name)

    def _needs_function(self) -> bool:
        return any(slot.gtype in METHODS_ONLY for slot in self._results)

    def _find_function(self) -> Any:
        """libgimp's function for a procedure of GIMP's own, which has the same name."""
        if not self.name.startswith("gimp-"):
            return None
        words = self.name[len("gimp-") :].replace("-", "_")
        for name in CLASSES:
            owner = getattr(Gimp, "".join(word.title() for word in name.split("_")))
            if words.startswith(name + "_") and hasattr(owner, words[len(name) + 1 :]):
                return getattr(owner, words[len(name) + 1 :])
        return getattr(Gimp, words, None)

    def run(self, given: dict[str, Any]) -> Sequence[Any]:
        """The native results."""
        return self._by_function(given) if self._function else self._by_config(given)

    def _by_function(self, given: dict[str, Any]) -> Sequence[Any]:
        result = self._function(*[given[slot.name] for slot in self.slots])
        if not self._results:
            if not result:
                raise last_error(self.name)
            return ()
        if len(self._results) == 1 and not isinstance(result, tuple):
            return (result,)
        values = tuple(result)
        if len(values) > len(self._results):
            if not values[0]:
                raise last_error(self.name)
            values = values[1:]
        return values

    def _by_config(self, given: dict[str, Any]) -> Sequence[Any]:
        config = self._procedure.create_config()
        for slot in self.slots:
            if slot.name in given:
                set_property(config, slot, given[slot.name])
        outcome = self._procedure.run(config)
        if outcome is None or outcome.length() == 0:
            raise GimpError(f"no status returned by {self.name}")
        status = int(outcome.index(0))
        if status != SUCCESS:
            said = outcome.index(1) if outcome.length() > 1 else None
            if status == CANCEL:
                raise GimpError(f"{self.name} was cancelled")
            raise RuntimeError(said) if isinstance(said, str) and said else last_error(self.name)
        return [_kept(outcome.index(index)) for index in range(1, len(self._results) + 1)]


def set_property(config: Any, slot: Slot, value: Any) -> None:
    """Set an argument of a procedure's config."""
    if slot.gtype == OBJECT_ARRAY:
        config.set_core_object_array(slot.name, value)
    elif slot.gtype == "GimpColorArray":
        config.set_color_array(slot.name, value)
    elif slot.gtype in NUMBER_ARRAYS:
        config.set_property(slot.name, array_value(slot.gtype, value).get_value())
    else:
        config.set_property(slot.name, value)


def _kept(value: Any) -> Any:
    """A copy of what lives no longer than the results that it is one of."""
    return value.copy() if isinstance(value, (Gimp.Parasite, Gimp.DoubleArray, Gimp.Int32Array)) else value


def last_error(procedure: str) -> RuntimeError:
    """What GIMP has said of its last failure."""
    return RuntimeError(Gimp.get_pdb().get_last_error() or f"{procedure} failed")
