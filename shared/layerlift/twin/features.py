"""The tasks of the offline service as a table: what each costs, which fields it takes, and what it makes.

One that is added is a row here. The fields are checked on their own, by what the service's pages say of them: not by
what any client thinks of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from . import pictures

COST = 1.0
SOURCES = ("src_file_id", "src_file_url")
MASK = "msk_file_id"

Fields = dict[str, Any]


@dataclass(frozen=True)
class Template:
    """A background that is ready; the storage has a small picture of it."""

    id: str
    title: str

    @property
    def thumb_path(self) -> str:
        return f"/template/{self.id}.png"


TEMPLATES = tuple(
    Template(f"{place}-{time}", f"{place} {time}".title())
    for place in ("beach", "city", "desert", "forest", "mountains", "studio")
    for time in ("morning", "noon", "evening", "night")
)


@dataclass(frozen=True)
class Field:
    """A field of a task; `takes` says whether a JSON value is one of it, `wanted` which are."""

    name: str
    wanted: str
    takes: Callable[[Any], bool]
    required: bool = False


@dataclass(frozen=True)
class Feature:
    """A task.

    Attributes:
        slug: its name in paths.
        title: its name in the list of prices.
        engine: makes its results; raises EngineError.
        fields: what it takes besides its source.
        rule: says what is wrong with fields that are right by themselves, "" where nothing is.
        results: how many pictures it gives.
        price: units.
        listed: whether the list of prices has it.
        alias: its name in the history; empty: its slug.
        lenient: whether fields that it does not know are let pass: live, the removal lets them.
        templates: those that its `template_id` may name.
    """

    slug: str
    title: str
    engine: Callable[[pictures.Job], list[bytes]]
    fields: tuple[Field, ...] = ()
    rule: Callable[[Fields], str] = lambda fields: ""
    results: int = 1
    price: float = COST
    listed: bool = False
    alias: str = ""
    lenient: bool = False
    templates: tuple[Template, ...] = ()

    @property
    def action(self) -> str:
        """What the history calls it."""
        return f"api_{self.alias or self.slug}".replace("/", "_").replace("-", "_")

    def check(self, body: Mapping[str, Any]) -> Fields:
        """Its own fields of a request. Raises ValueError for what is unknown, missing or wrong."""
        known = {field.name: field for field in self.fields}
        unknown = [name for name in body if name not in known and name not in SOURCES]
        if unknown and not self.lenient:
            raise ValueError(f"{unknown[0]} is not a field of {self.slug}")
        given = {name: value for name, value in body.items() if name in known}
        for field in self.fields:
            if field.name not in given:
                if field.required:
                    raise ValueError(f"{field.name} is required")
            elif not field.takes(given[field.name]):
                raise ValueError(f"{field.name} has to be {field.wanted}")
        if wrong := self.rule(given):
            raise ValueError(wrong)
        return given


def _number(name: str, lowest: int, highest: int | None = None) -> Field:
    wanted = f"a whole number, at least {lowest}" if highest is None else f"a whole number from {lowest} to {highest}"

    def takes(value: Any) -> bool:
        # a JSON true is no 1
        return type(value) is int and value >= lowest and (highest is None or value <= highest)

    return Field(name, wanted, takes)


def _choice(name: str, *choices: int | str, required: bool = False) -> Field:
    wanted = f"one of {', '.join(map(str, choices))}"
    return Field(name, wanted, lambda value: type(value) in (int, str) and value in choices, required)


def _text(name: str, required: bool = False) -> Field:
    return Field(name, "a text", lambda value: isinstance(value, str) and bool(value.strip()), required)


def _name_background(fields: Fields) -> str:
    needed = "template_id" if fields.get("type") == "template" else "prompt"
    return "" if needed in fields else f"{needed} is required"


def _complete_boxes(fields: Fields) -> str:
    for group in _BOXES:
        missing = [field.name for field in group if field.name not in fields]
        if missing and len(missing) < len(group):
            return f"{missing[0]} is required"
    return ""


def _box(*names: str) -> tuple[Field, ...]:
    return tuple(_number(name, 0 if name.endswith(("_x", "_y")) else 1) for name in names)


_BOXES = (
    _box("output_width", "output_height"),
    _box("input_x", "input_y", "input_width", "input_height"),
    _box("crop_input_x", "crop_input_y", "crop_input_width", "crop_input_height"),
)
_MASK = Field(MASK, "the id of a file", lambda value: isinstance(value, str) and bool(value), required=True)
_TEMPLATE_IDS = tuple(template.id for template in TEMPLATES)
_ROWS = (
    Feature("enhance", "AI Photo Enhance", pictures.enhance, (_choice("scale", 1, 2, 4, required=True),), listed=True),
    Feature(
        "sod",
        "AI Photo Background Removal",
        pictures.remove,
        listed=True,
        alias="background-removal",
        lenient=True,
    ),
    Feature("lighting", "AI Photo Lighting", pictures.lighting),
    Feature("bg-blur", "AI Photo Background Blur", pictures.blur_background, (_number("intensity", 0, 100),)),
    Feature(
        "bg-replace",
        "AI Photo Background Change",
        pictures.replace_background,
        (
            _choice("type", "prompt", "template"),
            _text("prompt"),
            Field("template_id", "the id of a template", lambda value: value in _TEMPLATE_IDS),
        ),
        _name_background,
        price=2.0,
        listed=True,
        templates=TEMPLATES,
    ),
    Feature("colorize", "AI Photo Colorize", pictures.colorize, results=2, listed=True),
    Feature("colorize/color-correct", "AI Photo Color Correction", pictures.correct_color, results=2),
    Feature("generative-fill", "AI Photo Object Removal", pictures.fill, (_MASK,), listed=True),
    Feature(
        "obj-replace", "AI Photo Object Replacement", pictures.replace_object, (_MASK, _text("prompt", required=True))
    ),
    Feature(
        "out-paint",
        "AI Photo Out-Painting",
        pictures.extend,
        tuple(field for group in _BOXES for field in group),
        _complete_boxes,
    ),
)
FEATURES = {feature.slug: feature for feature in _ROWS}
"""All tasks by their slugs."""
THUMBS = {template.thumb_path: template for template in TEMPLATES}
"""All templates by where their small pictures are."""
