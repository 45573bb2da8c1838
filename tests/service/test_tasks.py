"""The service's other tasks, from a picture to files: rows of them, what they cost, and what is paid once."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import layerlift as api
import numpy as np
import pytest
from layerlift import errors
from layerlift.imaging.pictures import Picture
from layerlift.removal import running, tasks
from layerlift.removal.cancelling import Background
from layerlift.removal.engines import Engine
from layerlift.removal.running import Request
from layerlift.removal.stages import ignore
from layerlift.service import tasks as table
from layerlift.store.journal import Journal
from layerlift.twin import Fault, Twin
from PIL import Image

from . import command
from .command import key_of
from .removals import Hasty, half_dark
from .wire import client

BOTH = ("dst_id_in_data",)


def request(slug: str, price: float | None = 1.0, **fields: Any) -> Request:
    task = table.find(slug)
    masks = {name: value for name, value in fields.items() if isinstance(value, Picture)}
    checked = task.check({**fields, **dict.fromkeys(masks, "mask")})
    return Request(task, {name: value for name, value in checked.items() if name not in masks}, price, masks)


class Rows:
    """Rows of tasks on one picture, by processes that share a journal."""

    def __init__(self, twin: Twin, folder: Path) -> None:
        self.twin = twin
        self.folder = folder
        self.deleted: list[list[str]] = []

    def run(self, *requests: Request, picture: Any = None, **more: Any) -> list[running.Results]:
        import threading

        journal = Journal(self.folder)
        background = Background()
        engine = Engine("youcam", client(self.twin), 1, journal, "account", delete=self._delete)
        try:
            cancel = Hasty(threading.Event(), background)
            return running.run(picture or half_dark(64, 48), requests, engine, ignore, cancel, **more)
        finally:
            background.wait()
            journal.close()

    def _delete(self, entries: Any) -> None:
        self.deleted.append([entry.task for entry in entries])

    @property
    def counts(self) -> dict[str, int]:
        """Calls of each step, and units charged."""
        steps = {step: len(self.twin.calls(step)) for step in ("declare", "run")}
        return {**steps, "charged": int(self.twin.charged)}


@pytest.fixture
def rows(make_twin: Callable[..., Twin], tmp_path: Path) -> Rows:
    """A service that names its results."""
    return Rows(make_twin(forms=BOTH), tmp_path / "state")


def size(data: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(data)) as image:
        return image.size


MASK = Picture(np.tile(np.array([[[255]], [[0]]], np.uint8), (24, 64, 1)))


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (request("enhance", scale=2), (128, 96)),
        (request("lighting"), (64, 48)),
        (request("bg-blur", intensity=50), (64, 48)),
        (request("bg-replace", 2.0, prompt="a beach"), (64, 48)),
        (request("colorize"), (64, 48)),
        (request("colorize/color-correct"), (64, 48)),
        (request("generative-fill", msk_file_id=MASK), (64, 48)),
        (request("obj-replace", msk_file_id=MASK, prompt="a cat"), (64, 48)),
    ],
    ids=lambda value: value.task.slug if isinstance(value, Request) else "",
)
def test_each_task_is_run_and_is_free_the_next_time(rows: Rows, asked: Request, expected: tuple[int, int]) -> None:
    (result,) = rows.run(asked)
    assert {size(data) for data in result.files} == {expected}
    assert len(result.files) == (2 if asked.task.gives == "pictures" else 1)
    assert (result.units, result.cached, rows.twin.charged) == (asked.units, False, asked.price)
    (again,) = rows.run(asked)
    assert (again.files, again.units, again.cached) == (result.files, 0, True)
    assert rows.counts["run"] == 1
    assert rows.deleted == [[asked.task.slug], [asked.task.slug]]


def test_other_fields_another_mask_or_another_task_are_another_result(rows: Rows) -> None:
    inverted = Picture(255 - MASK.pixels)
    asked = [
        request("enhance", scale=1),
        request("enhance", scale=2),
        request("lighting"),
        request("colorize"),
        request("generative-fill", msk_file_id=MASK),
        request("generative-fill", msk_file_id=inverted),
    ]
    for one in asked:
        rows.run(one)
    assert rows.counts["run"] == len(asked)


def test_a_row_goes_on_with_what_the_service_has_and_deletes_it_at_its_end(rows: Rows) -> None:
    results = rows.run(request("sod"), request("enhance", scale=2), request("lighting"))
    assert [size(result.files[0]) for result in results] == [(64, 48), (128, 96), (128, 96)]
    assert rows.counts == {"declare": 1, "run": 3, "charged": 3}
    assert rows.deleted == [["sod", "enhance", "lighting"]]
    longer = rows.run(request("sod"), request("enhance", scale=2), request("lighting"), request("bg-blur"))
    assert [result.cached for result in longer] == [True, True, True, False]
    assert rows.counts == {"declare": 1, "run": 4, "charged": 4}


@pytest.mark.parametrize("is_read", [True, False])
def test_where_the_service_names_no_result_its_address_goes_on_or_the_result_is_uploaded(
    make_twin: Callable[..., Twin], tmp_path: Path, is_read: bool
) -> None:
    unread = Fault("run", "engine", after=1, code="error_download_image")
    rows = Rows(make_twin(faults=() if is_read else (unread,)), tmp_path)
    first, second = rows.run(request("lighting"), request("enhance", scale=2))
    assert size(second.files[0]) == (128, 96)
    declared, started = (1, 2) if is_read else (2, 3)
    assert rows.counts == {"declare": declared, "run": started, "charged": 2}
    assert (first.uploaded > 0, second.uploaded > 0) == (True, not is_read)


def test_a_kept_result_is_gone_on_with_by_its_id(rows: Rows) -> None:
    (kept,) = rows.run(request("lighting"), keep=True)
    assert kept.dst_id and rows.deleted == []
    (large,) = rows.run(request("enhance", scale=2), picture=kept.dst_id)
    assert (size(large.files[0]), large.units, large.uploaded) == ((128, 96), 1, 0)
    assert rows.counts == {"declare": 1, "run": 2, "charged": 2}
    again = rows.run(request("lighting"), request("enhance", scale=2))
    assert [result.cached for result in again] == [True, True]
    for asked in (request("sod"), request("generative-fill", msk_file_id=MASK)):
        with pytest.raises(errors.SetupError):
            rows.run(asked, picture=kept.dst_id)


def test_an_id_that_the_service_does_not_have_is_told_and_costs_nothing(rows: Rows) -> None:
    with pytest.raises(errors.PictureError) as caught:
        rows.run(request("lighting"), picture="of-another-account")
    assert (caught.value.code, rows.twin.charged) == ("source_gone", 0)


def test_what_is_to_be_kept_is_not_deleted_by_later_runs_either(rows: Rows) -> None:
    rows.run(request("lighting"), keep=True)
    assert rows.deleted == []
    journal = Journal(rows.folder)
    assert (journal.undeleted("account"), [entry.state for entry in journal.entries()]) == ([], ["kept"])
    rows.run(request("lighting"), request("enhance", scale=2))
    assert rows.counts == {"declare": 1, "run": 2, "charged": 2}


@pytest.mark.parametrize("form", ["404", "missing_file_500"])
def test_a_copy_that_is_gone_is_uploaded_again_or_in_doubt(
    make_twin: Callable[..., Twin], tmp_path: Path, form: str
) -> None:
    forms = {*BOTH, *({form} - {"404"})}
    rows = Rows(make_twin(forms=forms), tmp_path)
    (kept,) = rows.run(request("lighting"), keep=True)
    client(rows.twin).delete(kept.task_id)
    results = rows.run(request("lighting"), request("enhance", scale=2))
    if form == "404":
        assert rows.counts == {"declare": 2, "run": 2 + 1, "charged": 2}
        assert results[-1].task.slug == "enhance"
    else:
        # Nobody can know that nothing was begun.
        assert isinstance(results[-1].error, errors.MayBeCharged)
        assert rows.twin.charged == 1


def test_a_row_that_breaks_returns_what_it_has_made_and_goes_on_from_there(
    make_twin: Callable[..., Twin], tmp_path: Path
) -> None:
    fault = Fault("run", "engine", code="error_nsfw_content_detected", after=1, times=1)
    rows = Rows(make_twin(forms=BOTH, faults=(fault,)), tmp_path)
    asked = request("lighting"), request("enhance", scale=2)
    (made,) = rows.run(*asked)
    assert (made.task.slug, made.error is not None, rows.twin.charged) == ("lighting", True, 1)
    assert isinstance(made.error, errors.PictureError)
    results = rows.run(*asked)
    assert ([result.cached for result in results], results[-1].error) == ([True, False], None)
    assert rows.twin.charged == 2


def test_what_a_dead_process_has_started_is_polled_at_its_own_task(rows: Rows) -> None:
    service = client(rows.twin).of(table.find("enhance"), {"scale": 2})
    journal = Journal(rows.folder)
    engine = Engine("youcam", client(rows.twin), 1, journal, "account").of(table.find("enhance"), {"scale": 2}, 1, {})
    from layerlift.imaging import prepare

    upload = prepare.prepare(half_dark(64, 48))
    with engine.claim(upload, lambda seconds: None) as record:
        from .wire import uploaded

        record.mark_starting()
        task = service.run(uploaded(service, upload.data), sleep=lambda seconds: None)
        record.mark_running(task.task_id, None)
    plain = Engine("youcam", client(rows.twin), 1, journal, "account")
    background = Background()
    ((entry, end),) = tasks.resume(plain, background, tell_user=True)
    end.result()
    assert entry.task == "enhance"
    (result,) = rows.run(request("enhance", scale=2))
    assert (result.cached, size(result.files[0]), rows.counts["run"]) == (True, (128, 96), 1)


# the command


def photo(folder: Path) -> Path:
    path = folder / "a.png"
    command.half_black().save(path)
    return path


@pytest.fixture
def named(make_twin: Callable[..., Twin], tmp_path: Path, environ: dict[str, str]) -> tuple[Twin, dict[str, str]]:
    twin = make_twin(forms=BOTH)
    return twin, {**environ, **key_of(twin)}


def test_the_command_runs_a_row_and_tells_what_it_costs(named: tuple[Twin, dict[str, str]], tmp_path: Path) -> None:
    twin, environ = named
    end = command.layerlift(environ, "run", "lighting", photo(tmp_path), "--then", "enhance:scale=2", "--json", "--yes")
    (told,) = end.pictures
    assert (end.status, told["status"], told["outputs"]) == (0, "done", [str(tmp_path / "a-lighting-enhance.png")])
    assert [(one["task"], one["units"]) for one in told["tasks"]] == [("lighting", 1), ("enhance", 1)]
    assert "lighting: price not listed\nenhance: 1 unit\n" in end.errors
    with Image.open(tmp_path / "a-lighting-enhance.png") as image:
        assert image.size == (128, 64)
    skipped = command.layerlift(environ, "run", "lighting", photo(tmp_path), "--then", "enhance:scale=2", "--yes")
    assert (skipped.status, "to replace it, add --overwrite" in skipped.errors) == (0, True)
    assert twin.charged == 2


def test_a_removal_goes_on_with_other_tasks(named: tuple[Twin, dict[str, str]], tmp_path: Path) -> None:
    twin, environ = named
    end = command.layerlift(environ, "remove", photo(tmp_path), "--then", "enhance:scale=2", "--json", "--yes")
    removed, row = end.pictures
    assert (end.status, removed["status"], row["status"]) == (0, "done", "done")
    assert (tmp_path / "a-cutout.png").exists() and row["outputs"] == [str(tmp_path / "a-enhance.png")]
    assert (twin.charged, len(twin.calls("declare"))) == (2, 1)


def test_a_cut_out_stays_one_and_a_kept_result_is_a_source(named: tuple[Twin, dict[str, str]], tmp_path: Path) -> None:
    twin, environ = named
    command.layerlift(environ, "remove", photo(tmp_path), "--yes")
    end = command.layerlift(environ, "run", "lighting", tmp_path / "a-cutout.png", "--keep", "--json", "--yes")
    with Image.open(tmp_path / "a-cutout-lighting.png") as image:
        assert image.mode == "RGBA" and image.getchannel("A").getextrema() == (0, 255)
    kept = end.pictures[0]["tasks"][0]["dst_id"]
    end = command.layerlift(environ, "run", "enhance:scale=2", f"dst:{kept}", "--output-dir", tmp_path, "--yes")
    assert (end.status, (tmp_path / f"{kept}-enhance.png").exists()) == (0, True), end.errors
    gone = command.layerlift(environ, "run", "enhance:scale=2", "dst:nothing", "--output-dir", tmp_path, "--yes")
    assert gone.status == 1 and "The service does not have this result" in gone.errors
    assert twin.charged == 3


def test_who_wants_to_work_offline_uploads_nothing_by_a_row(named: tuple[Twin, dict[str, str]], tmp_path: Path) -> None:
    twin, environ = named
    end = command.layerlift(environ, "remove", photo(tmp_path), "--engine", "offline", "--then", "lighting", "--yes")
    assert (end.status, twin.requests, "offline there is only the removal" in end.errors) == (2, [], True)


def test_without_a_yes_nothing_is_done_that_costs(named: tuple[Twin, dict[str, str]], tmp_path: Path) -> None:
    twin, environ = named
    end = command.layerlift(environ, "run", "lighting", photo(tmp_path))
    assert (end.status, twin.charged, twin.calls("declare")) == (2, 0, [])


@pytest.mark.parametrize(
    "arguments", [["sharpen"], ["enhance"], ["enhance:scale=3"], ["lighting"] + ["--then", "lighting"] * 5]
)
def test_what_can_not_be_run_is_refused_before_anything_is_sent(
    named: tuple[Twin, dict[str, str]], tmp_path: Path, arguments: list[str]
) -> None:
    twin, environ = named
    end = command.layerlift(environ, "run", arguments[0], photo(tmp_path), *arguments[1:], "--yes")
    assert (end.status, twin.charged, twin.calls("declare")) == (2, 0, [])


def test_the_list_has_all_tasks_with_their_prices_and_one_has_its_fields_and_templates(
    named: tuple[Twin, dict[str, str]],
) -> None:
    _twin, environ = named
    said = command.layerlift(environ, "tasks").output
    assert "enhance: makes a picture larger and sharper (1 unit)" in said
    assert "lighting: mends the light of a picture (price not listed)" in said
    said = command.layerlift(environ, "tasks", "bg-replace").output
    assert "prompt=TEXT  what the background shows" in said
    assert said.count("template_id=") == 25


def test_jobs_show_which_task_each_run_was_of(named: tuple[Twin, dict[str, str]], tmp_path: Path) -> None:
    _twin, environ = named
    command.layerlift(environ, "run", "enhance:scale=2", photo(tmp_path), "--yes")
    assert 'enhance {"scale": 2}  task ' in command.layerlift(environ, "jobs").output


# Python


def test_python_programs_run_tasks_and_go_on_with_results(
    named: tuple[Twin, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    twin, environ = named
    for name in ("LAYERLIFT_HOME", "YOUCAM_API_KEY", "YOUCAM_API_URL"):
        monkeypatch.setenv(name, environ[name])
    with api.Client() as client:
        large = client.run("enhance", command.half_black(), scale=2)
        assert (large.image().pixels.shape[:2], large.units, large.cached) == ((64, 128), 1, False)
        light = large.then("lighting")
        assert (light.task, light.units, light.image().pixels.shape[:2]) == ("lighting", 1, (64, 128))
        replaced = client.remove(command.half_black()).then("bg-replace", prompt="a beach")
        assert (replaced.units, twin.charged) == (2, 5)
        with pytest.raises(api.SetupError):
            client.run("enhance", command.half_black(), scale=3)
