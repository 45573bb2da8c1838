"""One removal as a whole: progress, cancelling, and what happens when a step fails."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from layerlift import errors
from layerlift.removal import tasks
from layerlift.removal.cancelling import Cancel
from layerlift.removal.engines import Engine, Engines
from layerlift.removal.stages import Stage
from layerlift.store.settings import Settings
from layerlift.twin import Fault, engines
from PIL import Image

from .removals import Removal, half_dark, is_exact

MENDED = ("unknown_internal_error", "error_inference", "error_download_image", "error_upload")
FINAL = (
    "exceed_max_filesize",
    "error_exceed_max_image_size",
    "invalid_parameter",
    "error_download_mask",
    "error_decode_image",
    "error_decode_mask",
    "error_download_video",
    "error_decode_video",
    "error_nsfw_content_detected",
    "error_no_face",
    "error_pose",
    "error_face_parsing",
    "exceed_nsfw_retry_limits",
    "error_multiple_people",
    "error_no_shoulder",
    "error_large_face_angle",
    "error_hair_too_short",
    "error_unexpected_video_duration",
    "error_bald_image",
    "error_unsupport_ratio",
    "error_no_subject",
    "some_code_of_tomorrow",
)


@pytest.fixture
def removing(make_twin: Callable[..., Any]) -> Callable[..., Removal]:
    return lambda *faults, **options: Removal(make_twin(faults=faults, **options))


def test_the_outcome_is_the_exact_alpha_and_says_what_it_cost(removing: Callable[..., Removal]) -> None:
    job = removing(forms=["dst_id_in_data"])
    outcome = job.run()
    assert is_exact(outcome)
    assert (outcome.engine, outcome.units, job.counts) == ("youcam", 1, (1, 1.0))
    assert outcome.task_id == job.twin.ledger[0].task_id
    assert outcome.dst_id
    assert outcome.seconds > 0


def test_a_picture_above_the_services_limit_gets_its_alpha_at_its_own_size(removing: Callable[..., Removal]) -> None:
    outcome = removing().run(half_dark(5000, 40))
    assert outcome.alpha.shape == (40, 5000)
    assert (outcome.alpha[:, 0].min(), outcome.alpha[:, -1].max()) == (255, 0)


def test_progress_comes_in_order_with_fractions_from_nought_to_one(removing: Callable[..., Removal]) -> None:
    job = removing(run_seconds=0.4)
    job.run()
    stages = [stage for stage, _, _ in job.reports]
    order = [Stage.PREPARE, Stage.UPLOAD, Stage.WAITING, Stage.DOWNLOAD, Stage.REFINE]
    assert stages == sorted(stages, key=order.index)
    assert set(stages) == set(order)
    for stage in order:
        fractions = [fraction for found, fraction, _ in job.reports if found is stage]
        assert fractions == sorted(fractions)
        assert 0 <= fractions[0] < 0.01
        assert fractions[-1] == 1.0 or (stage is Stage.WAITING and fractions[-1] < 1)
    assert any(text.endswith("MB") for _, _, text in job.reports)
    assert any(text.endswith(" s") for _, _, text in job.reports)


@pytest.mark.parametrize("code", MENDED)
def test_an_engine_failure_in_passing_is_mended_by_a_new_task(removing: Callable[..., Removal], code: str) -> None:
    job = removing(Fault("run", "engine", code=code))
    assert is_exact(job.run())
    assert job.counts == (2, 1.0)


def test_an_engine_that_goes_on_failing_is_given_up_and_costs_nothing(removing: Callable[..., Removal]) -> None:
    job = removing(Fault("run", "engine", code="error_inference", times=99))
    assert job.fails("error_inference").retry
    assert job.counts == (tasks.TASKS, 0.0)


@pytest.mark.parametrize("code", FINAL)
def test_an_engine_failure_that_needs_the_user_is_told_at_once(removing: Callable[..., Removal], code: str) -> None:
    job = removing(Fault("run", "engine", code=code, times=99))
    error = job.fails(code)
    assert not error.retry
    assert error.message == (errors.TABLE[code].message if code in errors.TABLE else f"The service reported '{code}'.")
    assert error.action
    assert job.counts == (1, 0.0)


def test_a_code_of_the_engine_cannot_pass_for_the_users_wish(removing: Callable[..., Removal]) -> None:
    assert not isinstance(removing(Fault("run", "engine", code="cancelled")).fails("cancelled"), errors.Cancelled)


def test_the_engines_own_words_are_shown(removing: Callable[..., Removal]) -> None:
    def engine(picture: bytes) -> bytes:
        raise engines.EngineError("error_pose", "left arm\nmissing")

    assert "left arm missing" in removing(engine=engine).fails("error_pose").message


def answering(alpha: int) -> Callable[[bytes], bytes]:
    """An engine whose cut-out has the same alpha all over."""

    def engine(picture: bytes) -> bytes:
        image = engines.decode(picture)
        return engines.cut_out(image, Image.new("L", image.size, alpha))

    return engine


@pytest.mark.parametrize("alpha", [0, 7])
def test_a_cut_out_in_which_nothing_can_be_seen_is_an_error(removing: Callable[..., Removal], alpha: int) -> None:
    job = removing(engine=answering(alpha))
    assert isinstance(job.fails("result_empty"), errors.PictureError)


@pytest.mark.parametrize(("alpha", "full"), [(255, True), (248, True), (247, False), (8, False)])
def test_a_cut_out_from_which_nothing_is_missing_is_said_to_be_full(
    removing: Callable[..., Removal], alpha: int, full: bool
) -> None:
    outcome = removing(engine=answering(alpha)).run()
    assert outcome.full is full
    assert (outcome.alpha == alpha).all()


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("other_size", "result_size"),
        ("bomb", "result_size"),
        ("no_alpha", "result_no_alpha"),
        ("bad_picture", "result_broken"),
    ],
)
def test_a_result_that_does_not_fit_is_an_error(removing: Callable[..., Removal], kind: str, code: str) -> None:
    job = removing(Fault("download", kind, times=99))
    job.fails(code)
    assert len(job.twin.calls("run")) == 1


@pytest.mark.parametrize("kind", ["expired", "bad_picture", "wrong_length", "truncated", "reset_after", "500", "html"])
def test_a_result_that_was_paid_for_is_fetched_again(removing: Callable[..., Removal], kind: str) -> None:
    job = removing(Fault("download", kind))
    assert is_exact(job.run())
    assert job.counts == (1, 1.0)


def test_an_address_that_has_expired_is_renewed_once(removing: Callable[..., Removal]) -> None:
    job = removing(Fault("download", "expired", times=99))
    job.fails("result_expired")
    first, second = job.twin.calls("download")
    assert first.path != second.path
    assert job.counts == (1, 1.0)


def test_the_renewal_of_an_address_goes_on_through_network_errors(removing: Callable[..., Removal]) -> None:
    job = removing(Fault("download", "expired"))
    faults = iter([Fault("poll", "reset_before", times=3)])

    def on_report(stage: Stage) -> None:
        for fault in faults if stage is Stage.DOWNLOAD else ():
            job.twin.inject(fault)

    job.on_report = on_report
    assert is_exact(job.run())


@pytest.mark.parametrize(("step", "code"), [("upload", "upload_refused"), ("run", "not_found")])
def test_an_upload_that_has_expired_is_an_error_before_anything_is_charged(
    removing: Callable[..., Removal], step: str, code: str
) -> None:
    job = removing(Fault(step, "expired"))
    job.fails(code)
    assert job.twin.charged == 0


def test_a_run_that_may_have_started_is_not_started_again(removing: Callable[..., Removal]) -> None:
    job = removing(Fault("run", "reset_after", times=99))
    assert isinstance(job.fails("may_be_charged"), errors.MayBeCharged)
    assert len(job.twin.calls("run")) == 1


@pytest.mark.parametrize("step", ["declare", "upload", "run", "poll", "download"])
def test_a_cancel_does_not_wait_for_an_answer_that_never_comes(removing: Callable[..., Removal], step: str) -> None:
    job = removing(Fault(step, "hang", times=99, seconds=600.0))

    def cancel() -> None:
        while not job.twin.calls(step):
            time.sleep(0.005)
        job.wish.set()

    threading.Thread(target=cancel, daemon=True).start()
    job.fails("cancelled")


@pytest.mark.parametrize(
    ("stage", "never"),
    [
        (Stage.PREPARE, "declare"),
        (Stage.UPLOAD, "run"),
        (Stage.WAITING, "download"),
        (Stage.DOWNLOAD, "delete"),
        (Stage.REFINE, "delete"),
    ],
)
def test_a_cancel_is_seen_at_every_stage(removing: Callable[..., Removal], stage: Stage, never: str) -> None:
    job = removing(run_seconds=0.05)
    job.on_report = lambda found: job.wish.set() if found is stage else None
    error = job.fails("cancelled")
    assert isinstance(error, errors.Cancelled)
    assert job.twin.calls(never) == []


def test_a_cancel_ends_the_wait_for_the_rate_limit(make_twin: Callable[..., Any]) -> None:
    job = Removal(make_twin(faults=(Fault("declare", "429", times=99),)))
    paused = threading.Event()

    class Pausing(Cancel):
        def sleep(self, seconds: float) -> None:
            paused.set()
            super().sleep(seconds)

    job.cancel = Pausing(job.wish)

    def cancel() -> None:
        paused.wait()
        job.wish.set()

    threading.Thread(target=cancel, daemon=True).start()
    job.fails("cancelled")


def test_what_was_cancelled_before_it_began_sends_nothing(removing: Callable[..., Removal]) -> None:
    job = removing()
    job.wish.set()
    job.fails("cancelled")
    assert (job.twin.requests, job.reports) == ([], [])


def test_the_next_removal_works_after_a_cancelled_one(removing: Callable[..., Removal]) -> None:
    job = removing(Fault("poll", "hang", seconds=600.0))
    job.on_report = lambda stage: job.wish.set() if stage is Stage.WAITING else None
    job.fails("cancelled")
    job.wish.clear()
    job.on_report = lambda stage: None
    assert is_exact(job.run())


def settings(folder: Path, **variables: str) -> Settings:
    return Settings({"LAYERLIFT_HOME": str(folder), **variables})


def opened(found: Settings, choice: str) -> Engine:
    with Engines(found) as engines_:
        return engines_.open(choice, time.sleep)


def test_youcam_needs_a_key(tmp_path: Path) -> None:
    with pytest.raises(errors.SetupError) as caught:
        opened(settings(tmp_path), "youcam")
    assert caught.value.code == "no_key"


def test_auto_is_youcam_where_a_key_is_set_and_this_computer_needs_no_consent(tmp_path: Path, twin: Any) -> None:
    found = settings(tmp_path, YOUCAM_API_KEY=twin.key, YOUCAM_API_URL=twin.url)
    with Engines(found) as engines_:
        engine = engines_.open("auto", time.sleep)
        assert (engine.name, engine.units, engine.service.balance(sleep=time.sleep)) == ("youcam", 1, 1000.0)


def test_nothing_leaves_this_computer_before_the_user_has_agreed(tmp_path: Path) -> None:
    found = settings(tmp_path, YOUCAM_API_KEY="sk-some", YOUCAM_API_URL="https://api.example")
    with pytest.raises(errors.ConsentNeeded) as caught:
        opened(found, "auto")
    assert "api.example" in caught.value.message
    with Engines(found) as engines_:
        found.agree("api.example")
        assert engines_.open("auto", time.sleep).name == "youcam"


def test_consent_to_one_engine_is_for_that_alone_and_one_that_is_remembered_can_be_taken_back(tmp_path: Path) -> None:
    found = settings(tmp_path, YOUCAM_API_KEY="sk-some", YOUCAM_API_URL="https://api.example")
    with Engines(found) as engines_:
        engines_.open("auto", time.sleep, agreed=True).check_consent()
        with pytest.raises(errors.ConsentNeeded):
            engines_.open("auto", time.sleep)
        found.agree("api.example")
        engine = engines_.open("auto", time.sleep, agreed=True)
        engine.check_consent()
        found.agree("api.example", False)
        with pytest.raises(errors.ConsentNeeded):
            engine.check_consent()


@pytest.mark.parametrize(
    ("url", "code"), [("http://api.example", "insecure_url"), ("http://[", "bad_url"), ("api.example", "bad_url")]
)
def test_an_address_that_cannot_be_used_is_an_error_of_the_set_up(tmp_path: Path, url: str, code: str) -> None:
    found = settings(tmp_path, YOUCAM_API_KEY="sk-some", YOUCAM_API_URL=url)
    with pytest.raises(errors.SetupError) as caught:
        opened(found, "auto")
    assert caught.value.code == code
