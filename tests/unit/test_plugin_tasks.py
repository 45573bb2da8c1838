"""What all hosts send of a task that is filled in, and what they say of it."""

from __future__ import annotations

from typing import Any

import pytest
from layerlift.service import tasks as table

from plugin.common import tasks, words


def told(slug: str, price: float | None = 1.0) -> dict[str, Any]:
    """A task as the worker tells it, as far as it is looked at."""
    fields = [{"name": field.name, "kind": field.kind} for field in table.find(slug).fields]
    return {"task": slug, "price": price, "fields": fields}


@pytest.mark.parametrize(
    ("entered", "sent"),
    [
        ({"prompt": " a beach ", "template_id": ""}, {"type": "prompt", "prompt": "a beach"}),
        ({"prompt": "", "template_id": "t1"}, {"type": "template", "template_id": "t1"}),
        ({"prompt": "a beach", "template_id": "t1"}, {"type": "template", "template_id": "t1"}),
    ],
)
def test_what_a_background_is_made_of_is_told_by_what_is_filled_in(
    entered: dict[str, str], sent: dict[str, str]
) -> None:
    task = told("bg-replace")
    assert [field["name"] for field in tasks.fields_shown(task)] == ["prompt", "template_id"]
    assert tasks.given(task, entered) == sent
    assert table.find("bg-replace").check(sent)


def test_a_mask_is_no_field_to_fill_in() -> None:
    for kind in (tasks.CLEAN_PLATE, tasks.NEW_BACKGROUND):
        assert table.find(tasks.TASKS[kind])
    assert tasks.takes_mask(told("obj-replace")) and not tasks.takes_mask(told("enhance"))
    assert [field["name"] for field in tasks.fields_shown(told("obj-replace"))] == ["prompt"]
    assert tasks.given(told("bg-blur"), {"intensity": " "}) == {}


@pytest.mark.parametrize(
    ("price", "held", "said"),
    [
        (2.0, 5.0, "Cost: 2 units. Balance: 5 units."),
        (1.0, None, "Cost: 1 unit. Balance: unknown."),
        (2.0, 1.0, f"Cost: 2 units. Balance: 1 unit.\n{words.NOT_ENOUGH}"),
        (None, 3.0, f"{tasks.NO_PRICE} Balance: 3 units."),
        (None, None, tasks.NO_ANSWER),
    ],
)
def test_what_a_task_costs_and_whether_there_is_enough_is_one_line(
    price: float | None, held: float | None, said: str
) -> None:
    assert tasks.cost(told("enhance", price), held) == said


def test_a_task_that_is_done_is_told_with_what_it_has_cost() -> None:
    done = {"cached": False, "units": 2}
    assert tasks.outcome("Enhance", "dog.png", done) == "Enhance of 'dog.png': YouCam, 2 units."
    assert tasks.outcome("Enhance", "dog.png", done, 7.0).endswith("2 units. Balance: 7 units.")
    free = tasks.outcome("Enhance", "dog.png", {"cached": True, "units": 0})
    assert free == "Enhance of 'dog.png': free, already paid for."


def test_new_layers_are_called_after_what_they_were_made_of() -> None:
    names = [
        tasks.layer_name(kind, "Dog", "Enhance") for kind in (tasks.CONTINUE, tasks.CLEAN_PLATE, tasks.NEW_BACKGROUND)
    ]
    assert names == ["Dog (Enhance)", "Dog clean plate", "Dog new background"]
