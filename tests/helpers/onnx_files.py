"""Models of a few hundred bytes that make exactly known alphas, in the form of the large ones; and what is none.

An ONNX file is a protocol buffer; these are written byte by byte, by the numbers of onnx.proto, of opset 13.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from pathlib import Path

from layerlift.models.table import File, Model, Recipe

SIDE = 32
PLAIN = Recipe(SIDE, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), scale=255.0)
"""Models get values of 0 to 1."""
FLOAT, INT64, HALF = 1, 7, 10


def graph(
    *nodes: tuple[str, str, str, dict[str, int | list[int]]],
    takes: Sequence[int | str] = (1, 3, SIDE, SIDE),
    gives: Sequence[int | str] = (1, 1, "h", "w"),
    type_in: int = FLOAT,
    inputs: Sequence[str] = ("x",),
    sizes: Sequence[int] = (),
    **numbers: float,
) -> bytes:
    """A model of nodes (operator, inputs, output, attributes), from "x" to "y". "one", "half", "forty" and those given
    are numbers, "sizes" are integers."""
    parts = [_field(1, _node(*node)) for node in nodes] + [_text(2, "g")]
    for name, value in {"one": 1.0, "half": 0.5, "forty": 40.0, **numbers}.items():
        parts.append(
            _field(5, _number(1, 1) + _number(2, FLOAT) + _text(8, name) + _field(9, struct.pack("<f", value)))
        )
    if sizes:
        values = struct.pack(f"<{len(sizes)}q", *sizes)
        parts.append(_field(5, _number(1, len(sizes)) + _number(2, INT64) + _text(8, "sizes") + _field(9, values)))
    parts += [_field(11, _value(name, type_in, takes)) for name in inputs]
    parts.append(_field(12, _value("y", FLOAT, gives)))
    return _number(1, 8) + _field(7, b"".join(parts)) + _field(8, _number(2, 13))


def _mean(source: str, target: str) -> tuple[str, str, str, dict[str, int | list[int]]]:
    return ("ReduceMean", source, target, {"axes": [1], "keepdims": 1})


def darkness(**form: object) -> bytes:
    """The darker, the more opaque."""
    return graph(_mean("x", "m"), ("Sub", "one m", "y", {}), **form)  # type: ignore[arg-type]


def brightness() -> bytes:
    """The brighter, the more opaque."""
    return graph(_mean("x", "y"))


def half_decided() -> bytes:
    """1 where it is white, a half where it is black."""
    return graph(_mean("x", "m"), ("Mul", "m half", "h", {}), ("Add", "h half", "y", {}))


def logits() -> bytes:
    """`darkness` before a sigmoid: 20 where it is black, -20 where it is white."""
    nodes = (_mean("x", "m"), ("Sub", "half m", "d", {}), ("Mul", "d forty", "y", {}))
    return graph(*nodes)


def halves() -> bytes:
    """`darkness` of 16-bit numbers."""
    return graph(("Cast", "x", "f", {"to": FLOAT}), _mean("f", "m"), ("Sub", "one m", "y", {}), type_in=HALF)


def no_numbers() -> bytes:
    """What is no number, all over."""
    return graph(("Sub", "x x", "z", {}), ("Div", "z z", "n", {}), _mean("n", "y"))


def gaps() -> bytes:
    """Opaque, and what is no number where it is black."""
    return graph(_mean("x", "m"), ("Div", "m m", "y", {}))


def slow() -> bytes:
    """What takes minutes, in steps of a fraction of a second."""
    nodes: list[tuple[str, str, str, dict[str, int | list[int]]]] = [
        ("Shape", "x", "s", {}),
        ("Mul", "s sizes", "big", {}),
        ("ConstantOfShape", "big", "m0", {}),
        *(("MatMul", f"m{step} m{step}", f"m{step + 1}", {}) for step in range(2000)),
        ("ReduceMean", "m2000", "y", {"axes": [1], "keepdims": 1}),
    ]
    return graph(*nodes, takes=(1, 3, "h", "w"), sizes=(1, 1, 40, 40))


def endless() -> bytes:
    """What no computer has the memory for, once it runs."""
    nodes = (
        ("Shape", "x", "s", {}),
        ("Mul", "s sizes", "big", {}),
        ("ConstantOfShape", "big", "h", {}),
        ("ReduceMean", "h", "y", {"axes": [1], "keepdims": 1}),
    )
    return graph(*nodes, takes=(1, 3, "h", "w"), sizes=(1, 1, 10**5, 10**5))


def model(
    name: str, data: bytes, *, rank: int = 2, memory: int = 10**6, recipe: Recipe = PLAIN, algorithm: str = "sha256",
    address: str = "", built_in: bool = False, second: str = "",
) -> Model:  # fmt: skip
    """An entry as the table has it for a model of that content."""
    file = File(f"{name}.onnx", len(data), digest(data, algorithm), recipe, address)
    return Model(name, "For tests.", (file,), "MIT", "https://example.org", memory, 0.1, rank, built_in, second)


def digest(data: bytes, algorithm: str = "sha256") -> str:
    """A hash as the table has it."""
    return f"{algorithm}:{hashlib.new(algorithm, data, usedforsecurity=False).hexdigest()}"


def put(folder: Path, name: str, data: bytes) -> Path:
    """Writes a file as it would have been fetched."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.onnx"
    path.write_bytes(data)
    return path


def _varint(value: int) -> bytes:
    found = bytearray()
    while True:
        found.append(value & 0x7F | (0x80 if value > 0x7F else 0))
        value >>= 7
        if not value:
            return bytes(found)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _field(field: int, data: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def _text(field: int, text: str) -> bytes:
    return _field(field, text.encode())


def _node(operator: str, inputs: str, output: str, attributes: dict[str, int | list[int]]) -> bytes:
    names = b"".join(_text(1, name) for name in inputs.split()) + _text(2, output) + _text(4, operator)
    return names + b"".join(_field(5, _attribute(name, value)) for name, value in attributes.items())


def _attribute(name: str, value: int | list[int]) -> bytes:
    if isinstance(value, int):
        return _text(1, name) + _number(3, value) + _number(20, 2)
    return _text(1, name) + b"".join(_number(8, one) for one in value) + _number(20, 7)


def _value(name: str, kind: int, shape: Sequence[int | str]) -> bytes:
    sides = b"".join(_field(1, _number(1, side) if isinstance(side, int) else _text(2, side)) for side in shape)
    return _text(1, name) + _field(2, _field(1, _number(1, kind) + _field(2, sides)))
