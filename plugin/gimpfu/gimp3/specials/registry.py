"""The table of special procedures, and the decorator that fills it."""

from __future__ import annotations

from typing import Any, Callable, NamedTuple

from ...values import types

Function = Callable[..., Any]


class Special(NamedTuple):
    """A function that stands for a procedure. An array has its count before it, which the function doesn't get.

    A test that is made of objects which may be gone gets their IDs (`by_id`).
    """

    name: str
    params: tuple[types.ParameterDefinition, ...]
    return_vals: tuple[types.ParameterDefinition, ...]
    function: Function
    by_id: bool = False


SPECIALS: dict[str, Special] = {}


def special(*signatures: str, by_id: bool = False) -> Callable[[Function], Function]:
    """Add a function under each "name argument:TYPE ... > result:TYPE ..."; the results as one value or a tuple."""

    def add(function: Function) -> Function:
        for signature in signatures:
            left, _, right = signature.partition(" >")
            name, *arguments = left.split()
            SPECIALS[name] = Special(name, _definitions(arguments), _definitions(right.split()), function, by_id)
        return function

    return add


def _definitions(entries: list[str]) -> tuple[types.ParameterDefinition, ...]:
    pairs = (entry.split(":") for entry in entries)
    return tuple(types.ParameterDefinition(types.TYPE_NAMES.index(kind), name, "") for name, kind in pairs)
