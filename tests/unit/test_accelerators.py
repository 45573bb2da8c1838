"""Graphics cards: what runs a model, and that the processor does it whatever fails there.

onnxruntime's build for processors has one provider besides, "Azure", which leaves all work to the processor: it stands
for a card that works. That for CUDA, which the build does not have, never starts.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from helpers import onnx_files
from helpers.onnx_files import PLAIN, put
from layerlift import errors
from layerlift.imaging.makers import read_maker
from layerlift.models import fetching, sessions
from layerlift.models.accelerators import ACCELERATORS, Accelerator, Accelerators
from layerlift.models.engine import OfflineEngine
from layerlift.models.sessions import Session
from layerlift.models.shelf import Shelf
from PIL import Image

WORKS = Accelerator("Card", "AzureExecutionProvider", {})
PICTURE = Image.linear_gradient("L").convert("RGB")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return put(tmp_path, "small", onnx_files.darkness())


def png() -> bytes:
    stream = io.BytesIO()
    PICTURE.save(stream, "PNG")
    return stream.getvalue()


def wanted(*known: Accelerator) -> Accelerators:
    return Accelerators(lambda: True, known)


@pytest.fixture
def has_cuda(monkeypatch: pytest.MonkeyPatch) -> Accelerator:
    """A build of onnxruntime that has CUDA's provider, on a computer without its libraries."""
    available = onnxruntime.get_available_providers()
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider", *available])
    monkeypatch.setattr(onnxruntime, "preload_dlls", lambda: print("Failed to load libcudart.so"), raising=False)
    return ACCELERATORS[0]


@pytest.fixture
def fail_on_card(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], None]:
    """Has the card do something else than to run a model."""

    def make(act: Callable[[], Any]) -> None:
        run = onnxruntime.InferenceSession.run

        def run_or_fail(self: Any, *arguments: Any) -> Any:
            return act() if WORKS.provider in self.get_providers() else run(self, *arguments)

        monkeypatch.setattr(onnxruntime.InferenceSession, "run", run_or_fail)

    return make


def raise_error(text: str) -> Callable[[], Any]:
    def act() -> Any:
        raise RuntimeError(text)

    return act


def test_a_card_that_works_makes_the_same_alpha_and_is_named(path: Path) -> None:
    session, plain = Session(path, wanted(WORKS)), Session(path)
    assert (session.processor, plain.processor) == ("Card", "")
    assert np.array_equal(session.run(PICTURE, PLAIN), plain.run(PICTURE, PLAIN))


def test_a_card_is_used_only_where_the_user_wants_it(path: Path) -> None:
    assert Session(path, Accelerators(lambda: False, (WORKS,))).processor == ""


def test_a_card_that_this_build_has_nothing_for_is_no_failure(path: Path) -> None:
    accelerators = wanted(ACCELERATORS[0])
    assert (Session(path, accelerators).processor, accelerators.failure) == ("", "")


@pytest.mark.filterwarnings("ignore:Specified provider")
def test_one_that_does_not_start_gives_way_to_the_next_and_is_not_tried_again(
    path: Path, has_cuda: Accelerator, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    accelerators = wanted(has_cuda, WORKS)
    assert Session(path, accelerators).processor == "Card"
    said = "The graphics card could not be used (CUDA: it does not start), so the processor was."
    assert accelerators.failure == said
    monkeypatch.setattr(sessions, "_find_libraries", lambda *_: pytest.fail("it is tried again"))
    accelerators._known = (has_cuda,)
    assert Session(path, accelerators).processor == ""
    assert capfd.readouterr() == ("", ""), "standard output may be a pipe to a host"


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        (raise_error("Failed to allocate memory for requested buffer of size 9"), "Failed to allocate memory"),
        (raise_error("cudaErrorLaunchFailure\n at line 3"), "cudaErrorLaunchFailure)"),
        (lambda: [np.full((1, 1, 32, 32), np.nan, np.float32)], "it returned values that are not numbers"),
    ],
)
def test_a_picture_that_fails_on_the_card_is_made_on_the_processor(
    path: Path, fail_on_card: Any, act: Callable[[], Any], reason: str
) -> None:
    fail_on_card(act)
    accelerators = wanted(WORKS)
    session = Session(path, accelerators)
    assert session.processor == "Card"
    assert np.array_equal(session.run(PICTURE, PLAIN), Session(path).run(PICTURE, PLAIN))
    assert (session.processor, reason in accelerators.failure) == ("", True)


def test_a_file_that_is_no_model_is_no_failure_of_the_processor(tmp_path: Path) -> None:
    broken = put(tmp_path, "broken", b"no model")
    with pytest.raises(errors.SetupError) as caught:
        Session(broken, wanted(WORKS))
    assert caught.value.code == "model_unfit"


def test_who_stops_a_picture_has_not_broken_the_card(path: Path) -> None:
    accelerators = wanted(WORKS)
    session = Session(path, accelerators)
    session.stop()
    with pytest.raises(errors.SetupError):
        session.run(PICTURE, PLAIN)
    session.resume()
    session.run(PICTURE, PLAIN)
    assert (session.processor, accelerators.failure) == ("Card", "")


def test_a_failure_is_told_once_beside_the_model_and_no_smaller_model_is_used(
    tmp_path: Path, fail_on_card: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_on_card(raise_error("out of memory"))
    models = (
        onnx_files.model("small", onnx_files.darkness(), rank=1, built_in=True),
        onnx_files.model("large", onnx_files.brightness(), rank=2),
    )
    small = put(tmp_path / "environment", "small", onnx_files.darkness())
    put(tmp_path / "models", "large", onnx_files.brightness())
    monkeypatch.setattr(fetching, "default_path", lambda: small)
    engine = OfflineEngine(Shelf(tmp_path / "models", models), accelerators=wanted(WORKS))
    first, second = read_maker(engine(png())), read_maker(engine(png()))
    engine.close()
    said = "The graphics card could not be used (Card: out of memory), so the processor was."
    assert (first, second) == (("large", said), ("large", None))
