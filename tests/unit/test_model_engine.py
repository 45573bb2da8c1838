"""The offline engine on models of a few hundred bytes: which one is used, and what is made of pictures."""

from __future__ import annotations

import io
import logging
import math
import os
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import onnx_files
from helpers.onnx_files import PLAIN, SIDE, put
from helpers.waiting import PATIENCE, wait_for
from layerlift import errors
from layerlift.imaging.makers import Maker, read_maker
from layerlift.models import engine as engines
from layerlift.models import fetching, memory, own, sessions
from layerlift.models.engine import OfflineEngine
from layerlift.models.sessions import Session
from layerlift.models.shelf import Shelf
from layerlift.models.table import Model, Recipe
from layerlift.twin import EngineError
from PIL import Image

GB = 10**9


class Timers:
    """Stands in for `threading.Timer`: nothing passes until the test says so."""

    def __init__(self) -> None:
        self.running: list[Any] = []

    def __call__(self, seconds: float, act: Callable[[], None]) -> Any:
        timers = self.running

        class Timer:
            daemon = False

            def start(self) -> None:
                assert (self.daemon, seconds) == (True, engines.IDLE_SECONDS)
                timers.append(act)

            def cancel(self) -> None:
                timers.remove(act)

        return Timer()


def png(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def half_black(width: int = 64, height: int = 48) -> bytes:
    """The left half is black."""
    image = Image.new("RGB", (width, height), "white")
    image.paste("black", (0, 0, width // 2, height))
    return png(image)


def sides(result: bytes) -> tuple[int, int]:
    """The alpha at the left and at the right of the middle."""
    alpha = np.asarray(Image.open(io.BytesIO(result)).getchannel("A"))
    return int(alpha[alpha.shape[0] // 2, 2]), int(alpha[alpha.shape[0] // 2, -3])


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., OfflineEngine]:
    """An engine with the files of these models; the first is the built-in one."""

    def build(*files: tuple[Model, bytes], **options: Any) -> OfflineEngine:
        paths = [
            put(tmp_path / ("models" if number else "environment"), model.name, data)
            for number, (model, data) in enumerate(files)
        ]
        monkeypatch.setattr(fetching, "default_path", lambda: paths[0])
        models = [model for model, _data in files]
        options = {"free": lambda: 100 * GB, "timer": Timers(), **options}
        return OfflineEngine(Shelf(tmp_path / "models", models), **options)

    return build


def entry(name: str, data: bytes, **fields: Any) -> tuple[Model, bytes]:
    return onnx_files.model(name, data, **fields), data


SMALL = entry("small", onnx_files.darkness(), rank=1, built_in=True)
LARGE = entry("large", onnx_files.brightness(), rank=2, memory=5 * GB)


def test_the_best_model_that_fits_the_free_memory_makes_the_alpha_and_its_name(make: Any) -> None:
    result = make(SMALL, LARGE)(half_black())
    assert (sides(result), read_maker(result)) == ((0, 255), Maker("large"))


def test_where_the_free_memory_is_unknown_the_best_one_is_tried(make: Any) -> None:
    assert make(SMALL, LARGE, free=lambda: None).choose().maker == Maker("large")


def test_a_model_that_does_not_fit_the_free_memory_gives_way_and_that_is_told(make: Any) -> None:
    engine = make(SMALL, LARGE, free=lambda: 4 * GB)
    said = "There is not enough memory for the model large, so small was used."
    assert engine.choose().maker == Maker("small", said)
    result = engine(half_black())
    assert (sides(result), read_maker(result)) == ((255, 0), Maker("small", said))


def test_the_smallest_model_is_used_however_little_memory_there_is(make: Any) -> None:
    assert make(SMALL, free=lambda: 0).choose().maker == Maker("small")


def test_a_loaded_model_is_used_again_though_it_has_taken_the_free_memory(make: Any) -> None:
    free = [6 * GB]
    engine = make(SMALL, LARGE, free=lambda: free[0])
    engine(half_black())
    free[0] = 1 * GB
    assert (engine.choose().maker, read_maker(engine(half_black()))) == (Maker("large"), Maker("large"))


def test_a_session_that_runs_out_of_memory_gives_way_to_the_smaller_model(make: Any) -> None:
    huge = entry("huge", onnx_files.endless(), rank=3)
    engine = make(SMALL, LARGE, huge)
    said = "There is not enough memory for the model huge, so large was used."
    for _again in range(2):
        result = engine(half_black())
        assert (sides(result), read_maker(result)) == ((0, 255), Maker("large", said))
    assert engine.choose().maker == Maker("large", said)


def test_where_no_model_has_the_memory_the_picture_fails(make: Any) -> None:
    with pytest.raises(EngineError, match="not enough memory") as caught:
        make(entry("huge", onnx_files.endless(), rank=1, built_in=True))(half_black())
    assert caught.value.code == "error_inference"


def test_what_the_user_has_chosen_is_used_whatever_is_better(make: Any) -> None:
    assert make(SMALL, LARGE, chosen=lambda: "small").choose().maker == Maker("small")


def test_a_chosen_model_that_does_not_fit_the_free_memory_gives_way_too(make: Any) -> None:
    engine = make(SMALL, LARGE, free=lambda: 4 * GB, chosen=lambda: "large")
    said = "There is not enough memory for the model large, so small was used."
    assert read_maker(engine(half_black())) == Maker("small", said)


def test_once_the_memory_is_there_the_better_model_is_used(make: Any) -> None:
    free = [4 * GB]
    engine = make(SMALL, LARGE, free=lambda: free[0])
    assert read_maker(engine(half_black())).model == "small"
    free[0] = 5 * GB - SMALL[0].memory
    assert engine.choose().maker == Maker("large"), "what is loaded gives its memory back"
    assert read_maker(engine(half_black())) == Maker("large")


def test_an_idle_model_that_is_just_asked_again_stays(make: Any) -> None:
    timers = Timers()
    engine = make(SMALL, timer=timers)
    engine(half_black())
    (drop,) = timers.running
    engine(half_black())
    session = engine._session
    drop()
    assert engine._session is session
    assert len(timers.running) == 1


def test_a_chosen_model_that_runs_out_of_memory_gives_way_to_a_smaller_and_to_no_better_one(make: Any) -> None:
    best = entry("best", onnx_files.brightness(), rank=9)
    huge = entry("huge", onnx_files.endless(), rank=3)
    engine = make(SMALL, huge, best, chosen=lambda: "huge")
    assert read_maker(engine(half_black())).model == "small"


def test_a_model_for_some_pictures_alone_is_used_where_it_is_chosen(make: Any) -> None:
    special = entry("special", onnx_files.brightness(), rank=0)
    chosen = ["auto"]
    engine = make(SMALL, special, chosen=lambda: chosen[0])
    assert read_maker(engine(half_black())) == Maker("small")
    chosen[0] = "special"
    assert read_maker(engine(half_black())) == Maker("special"), "the choice counts for the next picture"


@pytest.mark.parametrize("chosen", ["large", {"path": "/gone.onnx"}, {"path": 5}, {}], ids=str)
def test_a_chosen_model_that_is_not_there_is_said_to_be_missing(make: Any, chosen: Any) -> None:
    missing = onnx_files.model("large", b"")
    engine = make(SMALL, chosen=lambda: chosen)
    engine._shelf.models = [SMALL[0], missing]
    with pytest.raises(errors.SetupError) as caught:
        engine.choose()
    assert caught.value.code == "model_missing"


def test_a_chosen_model_that_the_table_does_not_have_is_unknown(make: Any) -> None:
    with pytest.raises(errors.SetupError) as caught:
        make(SMALL, chosen=lambda: "rmbg").choose()
    assert caught.value.code == "model_unknown"


def test_a_file_that_was_changed_is_not_run_and_that_is_told(make: Any, tmp_path: Path) -> None:
    engine = make(SMALL, LARGE)
    path = tmp_path / "models" / "large.onnx"
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    said = "The file of the model large is damaged, so small was used."
    assert read_maker(engine(half_black())) == Maker("small", said)


@pytest.mark.parametrize("algorithm", ["sha256", "md5"])
def test_a_hash_names_its_algorithm(make: Any, algorithm: str) -> None:
    known = entry("known", onnx_files.brightness(), rank=2, algorithm=algorithm)
    assert read_maker(make(SMALL, known)(half_black())) == Maker("known")


def test_a_model_that_idles_is_dropped_and_the_next_picture_loads_one_again(make: Any) -> None:
    timers, free = Timers(), [6 * GB]
    engine = make(SMALL, LARGE, timer=timers, free=lambda: free[0])
    for _picture in range(3):
        engine(half_black())
    assert len(timers.running) == 1, "each picture begins the minute anew"
    assert engine._session is not None
    timers.running[0]()
    assert (engine._session, timers.running) == (None, [])
    free[0] = 0
    assert read_maker(engine(half_black())).model == "small", "what is free is looked at again"


def test_pictures_are_made_one_at_a_time(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    engine, inside, most = make(SMALL), threading.Semaphore(1), []
    run = Session.run

    def watched(self: Session, *arguments: Any) -> Any:
        most.append(inside.acquire(blocking=False))
        try:
            return run(self, *arguments)
        finally:
            inside.release()

    monkeypatch.setattr(Session, "run", watched)
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(engine, [half_black()] * 8))
    assert (most, len(set(results))) == ([True] * 8, 1)


def test_a_model_is_gone_before_the_next_one_is_loaded(
    make: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "layerlift")  # what is logged is kept meanwhile
    monkeypatch.setattr(logging.getLogger("layerlift"), "propagate", True)
    alive: weakref.WeakSet[Session] = weakref.WeakSet()
    left = []
    load = Session.__init__

    def watched(self: Session, path: Path, accelerators: object) -> None:
        left.append(len(alive))
        load(self, path)
        alive.add(self)

    monkeypatch.setattr(Session, "__init__", watched)
    chosen = ["auto"]
    engine = make(SMALL, LARGE, entry("huge", onnx_files.endless(), rank=3), chosen=lambda: chosen[0])
    engine(half_black())
    chosen[0] = "small"
    engine(half_black())
    assert left == [0, 0, 0], "the one that ran out of memory, the one in its place, and the one that was chosen"


def test_a_picture_that_nobody_wants_is_not_made_to_its_end_and_others_are(make: Any) -> None:
    chosen = ["slow"]
    models = (SMALL, entry("slow", onnx_files.slow()))
    engine = make(*models, chosen=lambda: chosen[0])
    first, second, third = half_black(), half_black(66), half_black(68)
    with ThreadPoolExecutor(3) as pool:
        running = pool.submit(engine, first)
        wait_for(lambda: engine._session is not None)
        waiting = pool.submit(engine, second)
        wait_for(lambda: len(engine._pictures) == 2)
        for picture in (third, second, first):
            engine.abandon(picture)
        ends = [running, waiting, pool.submit(engine, third)]
        try:
            found = [type(end.exception(PATIENCE / 6)) for end in ends]
        finally:
            # Else the pool waits for a model that takes minutes.
            engine.close()
        assert set(found) <= {EngineError, errors.SetupError}
    chosen[0] = "small"
    assert sides(engine(third)) == (255, 0), "it was asked for again"
    assert (engine._pictures, engine._unwanted) == ([], [])


def test_a_model_that_was_stopped_makes_the_next_picture(make: Any) -> None:
    engine = make(SMALL)
    engine(half_black())
    engine._session.stop()
    assert sides(engine(half_black())) == (255, 0)


def test_the_end_of_the_engine_is_the_end_of_a_picture_that_takes_minutes(make: Any) -> None:
    engine = make(entry("slow", onnx_files.slow(), rank=1, built_in=True))
    with ThreadPoolExecutor(1) as pool:
        picture = pool.submit(engine, half_black())
        wait_for(lambda: engine._session is not None)
        engine.close()
        assert isinstance(picture.exception(PATIENCE), (EngineError, errors.SetupError))
    assert engine._session is None


def test_a_session_has_no_arena_and_a_thread_for_each_core(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import onnxruntime

    seen = []
    original = onnxruntime.InferenceSession

    def watched(path: str, options: Any, **more: Any) -> Any:
        seen.append((options.enable_cpu_mem_arena, options.intra_op_num_threads))
        return original(path, options, **more)

    monkeypatch.setattr(onnxruntime, "InferenceSession", watched)
    monkeypatch.setattr(sessions, "_cores", lambda: 3)
    make(SMALL)(half_black())
    assert seen == [(False, 3)]


# outputs


@pytest.mark.parametrize(
    ("data", "recipe"),
    [
        (onnx_files.darkness(), PLAIN),
        (onnx_files.halves(), PLAIN),
        (onnx_files.logits(), Recipe(SIDE, (0.0,) * 3, (1.0,) * 3, 255.0, logits=True)),
        (onnx_files.darkness(), Recipe(SIDE, (0.0,) * 3, (255.0,) * 3, 1.0)),
        (onnx_files.darkness(), Recipe(SIDE, (0.0,) * 3, (1.0,) * 3)),
        (onnx_files.darkness(takes=(1, 3, "h", "w")), PLAIN),
        (onnx_files.darkness(gives=("n", 1, "h", "w")), PLAIN),
    ],
)
def test_each_form_of_a_model_makes_the_same_alpha(make: Any, data: bytes, recipe: Recipe) -> None:
    engine = make(entry("it", data, recipe=recipe, built_in=True))
    assert sides(engine(half_black())) == (255, 0)


def test_what_is_no_number_is_no_subject(make: Any) -> None:
    with pytest.raises(EngineError) as caught:
        make(entry("it", onnx_files.no_numbers(), built_in=True))(half_black())
    assert caught.value.code == "error_no_subject"


@pytest.mark.filterwarnings("error")
def test_what_is_no_number_in_a_part_of_the_picture_is_transparent(make: Any) -> None:
    assert sides(make(entry("it", onnx_files.gaps(), built_in=True))(half_black())) == (0, 255)


@pytest.mark.parametrize(
    ("dark", "gray", "found"),
    [
        (1.0, 0, True),
        (1.0, 120, True),
        (1.0, 135, False),  # nothing is above a half
        (0.06, 0, True),
        (0.05, 0, False),  # a speck: less than 0.3 % of the picture
    ],
)
def test_no_subject_is_where_nothing_is_sure_or_hardly_anything(make: Any, dark: float, gray: int, found: bool) -> None:
    recipe = Recipe(400, *((0.0,) * 3, (1.0,) * 3), scale=255.0)
    engine = make(entry("it", onnx_files.darkness(takes=(1, 3, "h", "w")), recipe=recipe, built_in=True))
    image = Image.new("RGB", (400, 400), "white")
    side = round(400 * dark)
    image.paste((gray,) * 3, (0, 0, side, side))
    if found:
        assert engine(png(image))
    else:
        with pytest.raises(EngineError) as caught:
            engine(png(image))
        assert caught.value.code == "error_no_subject"


# files of the user's own


def test_what_a_file_takes_is_guessed_and_what_it_gives_is_seen(tmp_path: Path) -> None:
    for data, expected in ((onnx_files.darkness(), False), (onnx_files.logits(), True)):
        found = own.examine(put(tmp_path, "mine", data), None, (0.0,) * 3, (1.0,) * 3)
        assert (found.name, found.recipe.side, found.recipe.logits) == ("own/mine.onnx", SIDE, expected)
        assert own.from_setting(own.as_setting(found)) == found


def scaled(factor: float, shift: float) -> bytes:
    """`darkness` times a factor, after a shift: 0.2 of dark and 0.9 of bright become these first."""
    nodes = (("ReduceMean", "x", "m", {"axes": [1], "keepdims": 1}), ("Sub", "one m", "d", {}))
    return onnx_files.graph(
        *nodes, ("Sub", "d shift", "s", {}), ("Mul", "s factor", "y", {}), factor=factor, shift=shift
    )


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (scaled(1.6, 0.1), False),
        (scaled(1.6, 0.25), False),
        (scaled(8.0, 0.5), True),
        (scaled(255.0, 0.0), None),
        (scaled(8.0, 2.0), None),
        (onnx_files.no_numbers(), None),
        (scaled(math.inf, 0.5), None),
    ],
)
def test_what_a_file_gives_is_an_alpha_or_logits_or_refused(tmp_path: Path, data: bytes, expected: bool | None) -> None:
    def examine() -> Any:
        return own.examine(put(tmp_path, "mine", data), None, (0.0,) * 3, (1.0,) * 3)

    if expected is None:
        with pytest.raises(
            errors.SetupError, match="it returns neither an alpha from 0 to 1 nor one before the sigmoid"
        ):
            examine()
    else:
        assert examine().recipe.logits is expected


@pytest.mark.parametrize("name", ["small", "small.onnx", "<b>\n"])
def test_a_file_of_the_users_own_never_passes_for_one_of_the_table(make: Any, tmp_path: Path, name: str) -> None:
    path = put(tmp_path, "mine", onnx_files.brightness()).rename(tmp_path / name)
    setting = own.as_setting(own.examine(path, None, (0.0,) * 3, (1.0,) * 3))
    maker = read_maker(make(SMALL, chosen=lambda: setting)(half_black()))
    assert maker is not None and maker.model.startswith("own/") and "\n" not in maker.model


def test_a_setting_that_no_number_holds_is_no_file(tmp_path: Path) -> None:
    setting = own.as_setting(own.examine(put(tmp_path, "mine", onnx_files.darkness()), None, (0.0,) * 3, (1.0,) * 3))
    for wrong in ({"mean": [10**400, 1, 1]}, {"side": float("inf")}):
        with pytest.raises(errors.SetupError) as caught:
            own.from_setting(setting | wrong)
        assert caught.value.code == "model_missing"


def test_a_file_that_takes_any_size_needs_to_be_told_one(tmp_path: Path) -> None:
    path = put(tmp_path, "mine", onnx_files.darkness(takes=(1, 3, "h", "w")))
    assert own.examine(path, 48).recipe.side == 48
    with pytest.raises(errors.SetupError) as caught:
        own.examine(path)
    assert "so its side has to be given" in caught.value.message


def two_inputs() -> bytes:
    nodes = (("Add", "x z", "s", {}), ("ReduceMean", "s", "y", {"axes": [1], "keepdims": 1}))
    return onnx_files.graph(*nodes, inputs=("x", "z"))  # type: ignore[arg-type]


UNFIT: Sequence[tuple[str, bytes, dict[str, Any]]] = [
    ("nothing", b"", {}),
    ("a web page", b"<!DOCTYPE html><html></html>", {}),
    ("half a file", onnx_files.darkness()[:100], {}),
    ("gray", onnx_files.darkness(takes=(1, 1, SIDE, SIDE)), {}),
    ("a batch", onnx_files.darkness(takes=(4, 3, SIDE, SIDE)), {}),
    ("other channels last", onnx_files.darkness(takes=(1, SIDE, SIDE, 3)), {}),
    ("no square", onnx_files.darkness(takes=(1, 3, SIDE, 2 * SIDE)), {}),
    ("two inputs", two_inputs(), {}),
    ("classes", onnx_files.graph(("ReduceMean", "x", "y", {"axes": [2, 3], "keepdims": 0}), gives=(1, 3)), {}),
    ("three maps", onnx_files.graph(("Identity", "x", "y", {}), gives=(1, 3, "h", "w")), {}),
    ("too large", onnx_files.endless(), {"side": SIDE}),
    ("another side", onnx_files.darkness(), {"side": 64}),
    ("a tiny side", onnx_files.darkness(takes=(1, 3, "h", "w")), {"side": 1}),
    ("a huge side", onnx_files.darkness(takes=(1, 3, "h", "w")), {"side": 10**6}),
    ("no deviation", onnx_files.darkness(), {"deviation": (0.2, 0.0, 0.2)}),
    ("no mean", onnx_files.darkness(), {"mean": (float("nan"), 0.0, 0.2)}),
]


@pytest.mark.parametrize(("data", "told"), [case[1:] for case in UNFIT], ids=[case[0] for case in UNFIT])
def test_a_file_that_does_not_fit_is_refused_with_the_reason(tmp_path: Path, data: bytes, told: dict[str, Any]) -> None:
    with pytest.raises(errors.SetupError) as caught:
        own.examine(put(tmp_path, "mine", data), **told)
    assert caught.value.code == "model_unfit"
    assert caught.value.message.startswith("This file can't be used as an offline model: ")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "gone.onnx", tmp_path):
        with pytest.raises(errors.SetupError, match="there is no file"):
            own.examine(path)


def test_a_file_of_the_users_own_is_used_until_it_is_changed(make: Any, tmp_path: Path) -> None:
    path = put(tmp_path, "mine", onnx_files.brightness())
    setting = own.as_setting(own.examine(path, None, (0.0,) * 3, (1.0,) * 3))
    engine = make(SMALL, chosen=lambda: setting)
    assert read_maker(engine(half_black())) == Maker("own/mine.onnx")
    engine.drop()
    path.write_bytes(onnx_files.logits())
    said = "The file of the model own/mine.onnx is damaged, so small was used."
    assert read_maker(engine(half_black())) == Maker("small", said)


# the computer

DROPPED = """
import pathlib, sys
from layerlift.models.engine import OfflineEngine
from layerlift.models.shelf import Shelf

def resident() -> int:
    return int(pathlib.Path("/proc/self/statm").read_text().split()[1])

engine = OfflineEngine(Shelf(pathlib.Path("none")))
engine(pathlib.Path(sys.argv[1]).read_bytes())
before = resident()
engine.drop()
print(before - resident())
"""


def test_the_memory_of_a_model_that_is_dropped_goes_back_to_the_system() -> None:
    photo = Path(__file__).resolve().parents[1] / "photos" / "astronaut.jpg"
    pages = subprocess.check_output([sys.executable, "-c", DROPPED, str(photo)], text=True)
    assert int(pages) * os.sysconf("SC_PAGE_SIZE") > 5_000_000


def test_the_free_memory_is_read() -> None:
    found = memory.free()
    assert found is not None and 10**7 < found < 10**14


@pytest.mark.parametrize("content", ["", "MemTotal: 5 kB\n", None], ids=str)
def test_free_memory_that_the_system_does_not_tell_is_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    file = tmp_path / "meminfo"
    if content is not None:
        file.write_text(content)
    monkeypatch.setattr(memory, "_MEMINFO", file)
    assert memory.free() is None


def test_the_limit_of_a_container_is_heeded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    group = tmp_path / "groups" / "box" / "program"
    group.mkdir(parents=True)
    for folder, limit in ((group, "max"), (group.parent, "1000000")):
        for name, text in (("max", limit), ("current", "900000"), ("stat", "anon 5\ninactive_file 300000\n")):
            (folder / f"memory.{name}").write_text(f"{text}\n")
    (tmp_path / "cgroup").write_text("1:name=other:/\n0::/box/program\n")
    monkeypatch.setattr(memory, "_GROUP", tmp_path / "cgroup")
    monkeypatch.setattr(memory, "_GROUPS", tmp_path / "groups")
    assert memory.free() == 400_000


DOUBTFUL = onnx_files.half_decided()
ADVISED = entry("advised", DOUBTFUL, rank=2, second="small")


def test_where_a_model_is_undecided_over_an_area_its_second_is_asked(make: Any) -> None:
    assert sides(make(SMALL, entry("alone", DOUBTFUL, rank=2))(half_black())) == (128, 255)
    assert sides(make(SMALL, ADVISED)(half_black())) == (255, 255)


def test_a_second_that_can_not_be_asked_is_done_without(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = make(SMALL, ADVISED)
    fetching.default_path().write_bytes(b"")
    assert sides(engine(half_black())) == (128, 255)
