"""The service's picture tasks: what each does, which fields it takes, and what it gives.

One that is added is added here and nowhere else. Sources: the service's OpenAPI documents and reference pages, and what
public clients report of live calls.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from .. import errors
from ..imaging.prepare import SERVICE_LIMITS
from ..language import N_, _

Value: TypeAlias = int | str
Fields: TypeAlias = dict[str, Value]
"""What a task is run with, besides its picture."""

PAGES = "https://docs.perfectcorp.com/reference/"
LONGEST_PROMPT = 1000
"""Letters; the service tells no limit of its own, and a longer one says no more to its models."""
_TEMPLATE = re.compile(r"[\w.:-]{1,200}")


@dataclass(frozen=True)
class Field:
    """A field of a task.

    Attributes:
        kind: "number": a whole one from `lowest` to `highest`; "choice": one of `choices`; "text": a sentence for a
            model; "template": the id of one that the service lists; "mask": a gray picture of the picture's own size,
            white where the task is to work, which is uploaded as a file of its own.
        default: what the service takes where it is not given, as far as it says.
    """

    name: str
    kind: Literal["number", "choice", "text", "template", "mask"]
    purpose: str
    required: bool = False
    lowest: int = 0
    highest: int = 0
    choices: tuple[Value, ...] = ()
    default: Value | None = None


@dataclass(frozen=True)
class Task:
    """A task.

    Attributes:
        slug: its name on the wire, which is also what users of the command call it.
        title: what a menu calls it.
        gives: "alpha": a cut-out; "picture": one; "pictures": several.
        keeps_alpha: whether what it gives shows the same at the same places, so that what was transparent stays so.
        together: groups of fields of which a call has all or none.
        page: of the service's documentation.
    """

    slug: str
    title: str
    purpose: str
    page: str
    fields: tuple[Field, ...] = ()
    gives: Literal["alpha", "picture", "pictures"] = "picture"
    keeps_alpha: bool = False
    together: tuple[tuple[str, ...], ...] = field(default=())

    def check(self, given: Mapping[str, object]) -> Fields:
        """What is sent of these fields; numbers may come as texts, and a mask is named by any text.

        Raises SetupError `bad_field` where one is unknown, missing, or not what it takes.
        """
        known = {known.name: known for known in self.fields}
        unknown = [name for name in given if name not in known]
        if unknown:
            names = ", ".join(known) or _("it takes none")
            text = _("{task} has no field {name} (it has: {names})")
            raise errors.make("bad_field", text.format(task=self.slug, name=unknown[0], names=names))
        found = {name: self._value(known[name], value) for name, value in given.items()}
        for one in self.fields:
            if one.required and one.name not in found:
                raise errors.make("bad_field", _("{task} needs {name}").format(task=self.slug, name=one.name))
        for group in self.together:
            missing = [name for name in group if name not in found]
            if missing and len(missing) < len(group):
                text = _("{task} needs {name} besides {others}")
                others = ", ".join(name for name in group if name in found)
                raise errors.make("bad_field", text.format(task=self.slug, name=missing[0], others=others))
        self._check_template(found)
        return found

    def _check_template(self, found: Fields) -> None:
        """A background is made of a text or of a template: what the other one needs has to be there."""
        if not any(one.kind == "template" for one in self.fields):
            return
        needed = "template_id" if found.get("type") == "template" else "prompt"
        if needed not in found:
            raise errors.make("bad_field", _("{task} needs {name}").format(task=self.slug, name=needed))

    def _value(self, one: Field, value: object) -> Value:
        said = str(value).strip()
        if one.kind == "number":
            number = int(said) if re.fullmatch(r"[+-]?\d{1,9}", said) else None
            if number is not None and one.lowest <= number <= one.highest:
                return number
            wanted = _("a whole number from {lowest} to {highest}").format(lowest=one.lowest, highest=one.highest)
        elif one.kind == "choice":
            for choice in one.choices:
                if said == str(choice):
                    return choice
            wanted = _("one of {choices}").format(choices=", ".join(map(str, one.choices)))
        elif one.kind == "text":
            if 0 < len(said) <= LONGEST_PROMPT and said.isprintable():
                return said
            wanted = _("a text of up to {count} letters on one line").format(count=LONGEST_PROMPT)
        elif one.kind == "template":
            if _TEMPLATE.fullmatch(said):
                return said
            wanted = _("the id of a template")
        elif said:
            return said
        else:
            wanted = _("a picture")
        shown = said if len(said) <= 60 else f"{said[:60]}..."
        text = _("{name} of {task} has to be {wanted}, not '{value}'")
        raise errors.make("bad_field", text.format(name=one.name, task=self.slug, wanted=wanted, value=shown))


_MASK = Field("msk_file_id", "mask", N_("white where the task is to work"), required=True)


def _number(name: str, purpose: str, highest: int = SERVICE_LIMITS.max_side, lowest: int = 0) -> Field:
    return Field(name, "number", purpose, lowest=lowest, highest=highest)


_OUTPUT = ("output_width", "output_height")
_INPUT = ("input_x", "input_y", "input_width", "input_height")
_CROP = ("crop_input_x", "crop_input_y", "crop_input_width", "crop_input_height")

REMOVAL = Task(
    "sod",
    N_("Remove Background"),
    N_("puts the subject on a transparent background"),
    PAGES + "ai_photo_background_removal",
    gives="alpha",
)
TASKS = (
    REMOVAL,
    Task(
        "enhance",
        N_("Enhance"),
        N_("makes a picture larger and sharper"),
        PAGES + "ai_photo_enhance",
        (Field("scale", "choice", N_("how many times as wide and high"), required=True, choices=(1, 2, 4)),),
        keeps_alpha=True,
    ),
    Task(
        "lighting",
        N_("Correct Lighting"),
        N_("mends the light of a picture"),
        PAGES + "ai_photo_lighting",
        keeps_alpha=True,
    ),
    Task(
        "bg-blur",
        N_("Blur Background"),
        N_("blurs all but the subject"),
        PAGES + "ai_photo_background_blur",
        (_number("intensity", N_("how much"), 100),),
    ),
    Task(
        "bg-replace",
        N_("Replace Background"),
        N_("puts the subject before another background"),
        PAGES + "ai_photo_background_change",
        (
            Field(
                "type", "choice", N_("what the background is made of"), choices=("prompt", "template"), default="prompt"
            ),
            Field("prompt", "text", N_("what the background shows")),
            Field("template_id", "template", N_("one of the service's templates")),
        ),
    ),
    Task(
        "colorize",
        N_("Colorize"),
        N_("gives a gray picture colours"),
        PAGES + "ai_photo_colorize",
        gives="pictures",
        keeps_alpha=True,
    ),
    Task(
        "colorize/color-correct",
        N_("Correct Colours"),
        N_("mends the colours of a picture"),
        PAGES + "ai_photo_colorize",
        gives="pictures",
        keeps_alpha=True,
    ),
    Task(
        "generative-fill",
        N_("Remove Object"),
        N_("fills what a mask covers as if nothing had been there"),
        PAGES + "ai_photo_object_removal",
        (_MASK,),
    ),
    Task(
        "obj-replace",
        N_("Replace Object"),
        N_("puts something else where a mask covers the picture"),
        PAGES + "ai_photo_object_replacement",
        (_MASK, Field("prompt", "text", N_("what is to be there"), required=True)),
    ),
    Task(
        "out-paint",
        N_("Extend Picture"),
        N_("paints on beyond the edges of a picture"),
        PAGES + "ai_photo_out_painting",
        (
            _number(_OUTPUT[0], N_("width of the result"), lowest=1),
            _number(_OUTPUT[1], N_("height of the result"), lowest=1),
            _number(_INPUT[0], N_("where the picture is in the result, from the left")),
            _number(_INPUT[1], N_("where the picture is in the result, from the top")),
            _number(_INPUT[2], N_("width of the picture in the result"), lowest=1),
            _number(_INPUT[3], N_("height of the picture in the result"), lowest=1),
            _number(_CROP[0], N_("the part of the picture that is used, from the left")),
            _number(_CROP[1], N_("the part of the picture that is used, from the top")),
            _number(_CROP[2], N_("width of the part that is used"), lowest=1),
            _number(_CROP[3], N_("height of the part that is used"), lowest=1),
        ),
        together=(_OUTPUT, _INPUT, _CROP),
    ),
)
"""All tasks; the removal is the one that everything else here is built around."""


def find(slug: str) -> Task:
    """The task of that name. Raises SetupError `task_unknown`."""
    for task in TASKS:
        if task.slug == slug:
            return task
    names = ", ".join(task.slug for task in TASKS)
    raise errors.make("task_unknown", _("{name} (there are: {names})").format(name=slug, names=names))
