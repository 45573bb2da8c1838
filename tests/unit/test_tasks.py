"""The table of the service's tasks: what of a call's fields is sent, and what is refused before anything is."""

from __future__ import annotations

import argparse
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from layerlift import errors
from layerlift.command import task as command
from layerlift.imaging.pictures import Picture, write_png
from layerlift.imaging.prepare import prepare_mask
from layerlift.service import answers, tasks
from PIL import Image

FULL = {
    "output_width": 40, "output_height": 30, "input_x": 0, "input_y": 1, "input_width": 20, "input_height": 20,
    "crop_input_x": 0, "crop_input_y": 0, "crop_input_width": 10, "crop_input_height": 10,
}  # fmt: skip


@pytest.mark.parametrize("task", tasks.TASKS, ids=lambda task: task.slug)
def test_each_task_is_found_and_says_what_it_is(task: tasks.Task) -> None:
    assert tasks.find(task.slug) is task
    assert task.purpose and task.page.startswith("https://")
    names = [field.name for field in task.fields]
    assert len(set(names)) == len(names)
    assert {name for group in task.together for name in group} <= set(names)


@pytest.mark.parametrize(
    ("slug", "given", "sent"),
    [
        ("lighting", {}, {}),
        ("enhance", {"scale": "2"}, {"scale": 2}),
        ("enhance", {"scale": 4}, {"scale": 4}),
        ("bg-blur", {}, {}),
        ("bg-blur", {"intensity": " 100 "}, {"intensity": 100}),
        ("bg-replace", {"prompt": "a beach, at dawn"}, {"prompt": "a beach, at dawn"}),
        ("bg-replace", {"type": "template", "template_id": "t-1"}, {"type": "template", "template_id": "t-1"}),
        ("obj-replace", {"msk_file_id": "m.png", "prompt": "x" * 1000}, {"msk_file_id": "m.png", "prompt": "x" * 1000}),
        ("out-paint", FULL, FULL),
        ("out-paint", {}, {}),
    ],
)
def test_what_a_task_takes_is_sent(slug: str, given: dict[str, Any], sent: dict[str, Any]) -> None:
    assert tasks.find(slug).check(given) == sent


@pytest.mark.parametrize(
    ("slug", "given", "said"),
    [
        ("lighting", {"scale": "2"}, "lighting has no field scale (it has: it takes none)"),
        ("enhance", {"sharpen": "2"}, "enhance has no field sharpen (it has: scale)"),
        ("enhance", {}, "enhance needs scale"),
        ("enhance", {"scale": "3"}, "scale of enhance has to be one of 1, 2, 4, not '3'"),
        ("bg-blur", {"intensity": "101"}, "has to be a whole number from 0 to 100, not '101'"),
        ("bg-blur", {"intensity": "-1"}, "has to be a whole number from 0 to 100, not '-1'"),
        ("bg-blur", {"intensity": "1e1"}, "has to be a whole number from 0 to 100"),
        ("bg-replace", {}, "bg-replace needs prompt"),
        ("bg-replace", {"prompt": ""}, "a text of up to 1000 letters on one line, not ''"),
        ("bg-replace", {"prompt": "x" * 10_000}, f"not '{'x' * 60}...'"),
        ("bg-replace", {"prompt": "two\nlines"}, "on one line"),
        ("bg-replace", {"type": "template"}, "bg-replace needs template_id"),
        ("bg-replace", {"type": "template", "template_id": "../x y"}, "the id of a template"),
        ("generative-fill", {}, "generative-fill needs msk_file_id"),
        ("obj-replace", {"msk_file_id": "m.png"}, "obj-replace needs prompt"),
        ("out-paint", {"output_width": 10}, "out-paint needs output_height besides output_width"),
        ("out-paint", {**FULL, "input_x": 4097}, "a whole number from 0 to 4096"),
        ("out-paint", {**FULL, "output_width": 0}, "a whole number from 1 to 4096"),
    ],
)
def test_what_it_does_not_take_is_refused_with_what_it_does(slug: str, given: dict[str, Any], said: str) -> None:
    with pytest.raises(errors.SetupError) as caught:
        tasks.find(slug).check(given)
    assert (caught.value.code, said in caught.value.message) == ("bad_field", True), caught.value.message


def test_a_task_that_there_is_not_is_refused_with_all_that_there_are() -> None:
    with pytest.raises(errors.SetupError) as caught:
        tasks.find("sharpen")
    assert caught.value.code == "task_unknown"
    assert all(task.slug in caught.value.message for task in tasks.TASKS)


# the command line


def test_a_text_may_have_commas_and_equals_signs() -> None:
    request = command.parse("bg-replace:type=prompt,prompt=a beach, at dawn, 1=1")
    assert request.fields == {"type": "prompt", "prompt": "a beach, at dawn, 1=1"}


@pytest.mark.parametrize("text", ["enhance:scale", "enhance:scale=1,scale=2", "sod:scale=2", "enhance:=2"])
def test_what_is_no_call_of_a_task_is_refused(text: str) -> None:
    with pytest.raises(errors.SetupError):
        command.parse(text)


def test_a_mask_is_read_and_its_name_is_no_field(tmp_path: Path) -> None:
    write_png(tmp_path / "mask.png", Picture(np.zeros((4, 6, 1), np.uint8)))
    request = command.parse(f"generative-fill:msk_file_id={tmp_path / 'mask.png'}")
    assert (request.fields, request.masks["msk_file_id"].pixels.shape) == ({}, (4, 6, 1))
    with pytest.raises(errors.PictureError):
        command.parse(f"generative-fill:msk_file_id={tmp_path / 'no.png'}")


def test_a_result_that_is_there_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = argparse.Namespace(output_dir=None, overwrite=False)
    (tmp_path / "a-enhance.jpg").touch()
    assert command._is_done(tmp_path / "a.png", "enhance", options)
    assert "to replace it, add --overwrite" in capsys.readouterr().err
    options.overwrite = True
    assert not command._is_done(tmp_path / "a.png", "enhance", options)


# masks


@pytest.mark.parametrize(
    ("pixels", "white"),
    [
        (np.full((40, 60, 1), 255, np.uint8), 255),
        (np.full((40, 60, 3), 255, np.uint8), 255),
        (np.full((40, 60, 2), (255, 0), np.uint8), 0),
        (np.full((40, 60, 4), (255, 255, 255, 128), np.uint8), 128),
        (np.full((40, 60, 1), 65535, np.uint16), 255),
    ],
)
def test_a_mask_has_the_uploads_size_and_is_black_where_it_is_transparent(pixels: Any, white: int) -> None:
    upload = prepare_mask(Picture(pixels), (30, 20))
    with Image.open(io.BytesIO(upload.data)) as image:
        assert (image.size, image.mode, image.getextrema()) == ((30, 20), "L", (white, white))
    assert (upload.width, upload.height, upload.content_type) == (30, 20, "image/png")


def test_a_mask_of_another_aspect_is_refused() -> None:
    with pytest.raises(errors.PictureError) as caught:
        prepare_mask(Picture(np.zeros((40, 40, 1), np.uint8)), (30, 20))
    assert caught.value.code == "mask_size"


# answers


def test_templates_come_in_each_form() -> None:
    entry = {"id": "t1", "title": "Beach", "thumb": "https://x/1.png"}
    for name in ("result", "results", "data"):
        body = {"status": 200, name: {"templates": [entry], "next_token": "n"}}
        assert answers.templates(body) == ([answers.Template("t1", "Beach", "https://x/1.png")], "n")


def test_several_results_have_several_addresses() -> None:
    output = [{"url": "https://x/1"}, {"url": "https://x/2"}]
    found = answers.task_state({"data": {"task_status": "success", "results": {"output": output}}})
    assert (found.result_urls, found.result_url) == (("https://x/1", "https://x/2"), "https://x/1")
