"""The worker as a host sees it: a process, its lines, its folder."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.programs import WORKER
from helpers.waiting import PATIENCE, wait_for
from layerlift import __version__
from layerlift.removal.offline import Offline
from layerlift.twin import Fault, Twin
from layerlift.worker import private, progress
from PIL import Image

from .proxy import Proxy
from .worker_host import HEIGHT, WIDTH, expected, said, steps

TESTS = Path(__file__).resolve().parents[1]
STAGES = ["prepare", "upload", "waiting", "download", "refine"]
AT_ONCE = """
import subprocess, sys
from pathlib import Path
from helpers.programs import forked_python
worker = [forked_python(Path(sys.argv[1])), "-I", "-m", "layerlift.worker"]
sys.exit(subprocess.run(worker, stdin=subprocess.DEVNULL).returncode)
"""


def test_it_says_hello_with_its_version_and_a_folder_that_only_the_user_can_see(start: Any) -> None:
    host = start(None, *WORKER)
    assert host.hello == {"type": "hello", "protocol": 1, "version": __version__, "folder": str(host.folder)}
    assert host.folder.stat().st_mode & 0o777 == 0o700
    assert host.end() == 0
    assert not host.folder.exists()


def test_a_forked_worker_starts_also_before_the_server_that_forks_it_is_ready(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", AT_ONCE, str(tmp_path)],
        env={**os.environ, "LAYERLIFT_HOME": str(tmp_path / "home"), "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["type"] == "hello"


def test_a_job_ends_with_the_exact_alpha_after_progress_in_order(start: Any, twin: Twin) -> None:
    host = start(twin)
    host.job()
    progress, end = host.until_end()
    assert {key: end[key] for key in ("type", "id", "file", "engine", "units")} == {
        "type": "result",
        "id": "1",
        "file": "1.alpha",
        "engine": "youcam",
        "units": 1,
    }
    assert end["task_id"] and end["seconds"] > 0 and end["full"] is False
    assert (host.folder / end["file"]).read_bytes() == expected()
    assert not (host.folder / "1.raw").exists()
    assert [stage for stage in dict.fromkeys(line["stage"] for line in progress)] == STAGES
    for stage in STAGES:
        fractions = [line["fraction"] for line in progress if line["stage"] == stage]
        assert fractions == sorted(fractions) and fractions[0] >= 0 and fractions[-1] <= 1
    assert all(line["engine"] == "youcam" for line in progress)
    assert any("MB" in line["text"] for line in progress if line["stage"] == "upload")


def test_a_picture_that_is_all_subject_is_told_to_be_full_also_when_it_is_free(start: Any, twin: Twin) -> None:
    host = start(twin)
    for name, cached in (("1", False), ("2", True)):
        host.job(name, bytes(WIDTH * HEIGHT * 3))
        _, end = host.until_end(name)
        assert (end["full"], end["cached"]) == (True, cached)
        assert set((host.folder / end["file"]).read_bytes()) == {255}


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_gray_and_alpha_layers_are_taken(start: Any, twin: Twin, channels: int) -> None:
    pixels = np.repeat(steps()[:, :, :1], channels, axis=2).copy()
    if channels in (2, 4):
        pixels[:, :, -1] = 255
    host = start(twin)
    host.job(pixels=pixels.tobytes(), channels=channels)
    _, end = host.until_end()
    assert (host.folder / end["file"]).read_bytes() == expected()


@pytest.mark.parametrize("channels", [3, 4])
def test_a_picture_whose_blue_comes_first_is_the_same_picture_and_paid_for_once(
    start: Any, twin: Twin, channels: int
) -> None:
    host = start(twin)
    pixels = np.random.default_rng(1).integers(1, 256, (HEIGHT, WIDTH, channels), np.uint8)
    swapped = pixels[..., [2, 1, 0, 3][:channels]]
    for name, samples, order in (("1", pixels, "rgb"), ("2", swapped, "bgr")):
        host.job(name, samples.tobytes(), channels=channels, order=order)
        assert host.until_end(name)[1]["cached"] == (order == "bgr")
    host.job("3", swapped.tobytes(), channels=channels)
    assert not host.until_end("3")[1]["cached"]
    assert (len(twin.calls("run")), twin.charged) == (2, 2.0)


def test_the_offline_engine_is_used_without_a_key_and_charges_nothing(start: Any) -> None:
    photo = Image.open(Path(__file__).parents[1] / "photos" / "astronaut.jpg").convert("RGB")
    host = start()
    host.job(pixels=photo.tobytes(), width=photo.width, height=photo.height)
    progress, end = host.until_end()
    assert {line["engine"] for line in progress} == {"offline"}
    assert (end["type"], end["engine"], end["units"]) == ("result", "offline", 0)
    alpha = np.fromfile(host.folder / end["file"], np.uint8).reshape(photo.height, photo.width)
    assert alpha[photo.height // 2, photo.width // 3] > 200 and alpha[0, 0] < 50


@pytest.fixture
def is_advised(tmp_path: Path, make_twin: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., bool | None]:
    """Whether a worker advises a key after one picture, where the offline engine is a quick one; None at an error."""
    monkeypatch.setattr(Offline, "open", lambda self: make_twin())

    def ask(kind: str, engine: str = "auto", pixels: bytes = steps().tobytes(), twin: Twin | None = None) -> Any:
        (tmp_path / "1.raw").write_bytes(pixels)
        picture = {"name": "a", "pixels": "1.raw", "width": WIDTH, "height": HEIGHT, "channels": 3}
        question = {"type": kind, "id": "1", "engine": engine}
        question |= picture if kind == "job" else {"pictures": [picture]}
        return said([json.dumps(question)], tmp_path, twin)[-1].get("advise_key")

    return ask


@pytest.mark.parametrize("kind", ["job", "batch"])
def test_who_comes_to_the_offline_engine_is_told_of_the_service_once(
    is_advised: Callable[..., bool | None], twin: Twin, kind: str
) -> None:
    assert not is_advised(kind, twin=twin), "they have a key"
    assert not is_advised(kind, "offline"), "it was their wish"
    assert not is_advised(kind, pixels=b"too short"), "there is no draft to speak of"
    assert is_advised(kind)
    for other in ("job", "batch"):
        assert not is_advised(other)


def test_what_can_not_be_remembered_to_be_said_once_is_not_said(
    is_advised: Callable[..., bool | None], tmp_path: Path
) -> None:
    (tmp_path / "home" / "settings.json").mkdir(parents=True)
    assert is_advised("job") is False


def test_several_jobs_wait_in_line(start: Any, twin: Twin) -> None:
    host = start(twin)
    for name in ("a", "b", "c"):
        host.job(name)
    ends = [host.until_end(name)[1] for name in ("a", "b", "c")]
    assert [end["file"] for end in ends] == ["a.alpha", "b.alpha", "c.alpha"]


def test_garbage_between_the_lines_is_ignored(start: Any, twin: Twin) -> None:
    host = start(twin)
    for line in (
        b"",
        b"\xff\xfe\x00",
        b"no json",
        b"[" * 100_000,
        b"[1]",
        b"7",
        b'"text"',
        b"{}",
        b'{"type": "nonsense"}',
    ):
        host.write(line)
    host.send(type="cancel", id="of nobody")
    host.job()
    assert host.until_end()[1]["type"] == "result"


@pytest.mark.parametrize(
    "changes",
    [
        {"pixels": None},
        {"pixels": ""},
        {"pixels": 5},
        {"pixels": "a\0b"},
        {"pixels": "\ud800"},
        {"width": "wide"},
        {"width": 1.5},
        {"width": float("inf")},
        {"height": None},
        {"height": True},
        {"channels": 0},
        {"channels": 5},
        {"engine": None},
        {"engine": "other"},
        {"engine": ["auto"]},
        {"order": "grb"},
        {"order": None},
        {"order": "bgr", "channels": 2},
    ],
    ids=str,
)
def test_a_malformed_job_is_refused(changes: dict[str, Any]) -> None:
    job = {"pixels": "1.raw", "width": 1, "height": 1, "channels": 3, "engine": "auto", **changes}
    answers = said([json.dumps({"type": "job", "id": "1", **job})], Path("unused"))
    assert [(answer["type"], answer.get("code")) for answer in answers] == [("hello", None), ("error", "bad_job")]
    assert answers[1]["message"] and answers[1]["action"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"pixels": "gone.raw"}, "pixels_missing"),
        ({"width": WIDTH + 1}, "pixels_missing"),
        ({"width": 10**30}, "pixels_missing"),
        ({"pixels": ".."}, "pixels_missing"),
        ({"pixels": "."}, "bad_job"),
        ({"width": 0}, "picture_empty"),
        ({"height": -1}, "picture_empty"),
    ],
    ids=str,
)
def test_pixels_that_are_not_there_as_told_are_missed(
    tmp_path: Path, twin: Twin, changes: dict[str, Any], code: str
) -> None:
    (tmp_path / "1.raw").write_bytes(steps().tobytes())
    job = {"pixels": "1.raw", "width": WIDTH, "height": HEIGHT, "channels": 3, "engine": "auto", **changes}
    answers = said([json.dumps({"type": "job", "id": "1", **job})], tmp_path, twin)
    assert answers[-1].get("code") == code
    assert twin.requests == []


@pytest.mark.parametrize("name", ["../secret.raw", "/{outside}/secret.raw", "sub/../../secret.raw"])
def test_no_path_leads_out_of_the_folder(tmp_path: Path, twin: Twin, name: str) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    secret = tmp_path / "secret.raw"
    secret.write_bytes(steps().tobytes())
    name = name.replace("{outside}", str(tmp_path))
    job = {"pixels": name, "width": WIDTH, "height": HEIGHT, "channels": 3, "engine": "auto"}
    answers = said([json.dumps({"type": "job", "id": "1", **job})], folder, twin)
    assert answers[-1]["code"] == "pixels_missing"
    assert secret.exists() and twin.requests == [] and [path.name for path in folder.iterdir()] == ["home"]


def test_pixels_may_have_the_name_of_the_result(tmp_path: Path, twin: Twin) -> None:
    (tmp_path / "1.alpha").write_bytes(steps().tobytes())
    job = {"pixels": "1.alpha", "width": WIDTH, "height": HEIGHT, "channels": 3, "engine": "auto"}
    answers = said([json.dumps({"type": "job", "id": "1", **job})], tmp_path, twin)
    assert (tmp_path / answers[-1]["file"]).read_bytes() == expected()


def test_a_step_without_news_says_the_last_of_it_again(
    tmp_path: Path, make_twin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "BEAT_SECONDS", 0.02)
    twin = make_twin(faults=[Fault("declare", "hang", seconds=0.5)])
    (tmp_path / "1.raw").write_bytes(steps().tobytes())
    job = {"pixels": "1.raw", "width": WIDTH, "height": HEIGHT, "channels": 3, "engine": "auto"}
    answers = said([json.dumps({"type": "job", "id": "1", **job})], tmp_path, twin)
    assert sum(answer.get("stage") == "upload" and answer["fraction"] == 0 for answer in answers) > 3
    assert answers[-1]["type"] == "result"


def test_the_youcam_engine_without_a_key_says_how_to_set_one(start: Any) -> None:
    host = start()
    host.job(engine="youcam")
    _, end = host.until_end()
    assert (end["type"], end["code"], end["request_id"]) == ("error", "no_key", None)
    assert end["kind"] == "set_key" and "layerlift" not in end["action"]


def test_a_failure_of_the_service_carries_its_request_id(start: Any, make_twin: Any) -> None:
    twin = make_twin(units=0)
    host = start(twin)
    host.job()
    _, end = host.until_end()
    assert end["code"] == "CreditInsufficiency" and len(end["request_id"]) == 32
    assert twin.key not in json.dumps(end)


def test_nothing_is_sent_before_the_user_has_agreed(start: Any, proxy: Proxy) -> None:
    host = start(**proxy.environ)
    host.job()
    _, end = host.until_end()
    assert (end["code"], proxy.seen) == ("consent_needed", 0)
    assert "service.example" in end["message"]
    host.send(type="agree", id="2")
    assert host.until_end("2")[1] == {"type": "result", "id": "2", "host": "service.example"}
    host.job("3")
    wait_for(lambda: proxy.seen)
    host.send(type="cancel", id="3")
    assert host.until_end("3")[1]["code"] == "cancelled"


@pytest.mark.parametrize("step", ["start", "declare", "upload", "run", "poll", "download"])
def test_a_cancel_is_answered_at_every_stage_and_the_next_job_works(start: Any, twin: Twin, step: str) -> None:
    host, until = start(twin), threading.Event()
    if step != "start":
        twin.inject(Fault(step, "hang", seconds=600, until=until))
    host.job()
    if step != "start":
        wait_for(lambda: twin.calls(step))
    host.send(type="cancel", id="1")
    assert host.until_end()[1]["code"] == "cancelled"
    until.set()
    host.job("2")
    end = host.until_end("2")[1]
    assert (host.folder / end["file"]).read_bytes() == expected()
    assert end["cached"] == (step in ("run", "poll", "download"))
    assert (len(twin.calls("run")), twin.charged) == (1, 1.0)


def test_a_cancel_before_the_task_is_started_does_not_keep_the_next_job_waiting(start: Any, twin: Twin) -> None:
    host = start(twin)
    twin.inject(Fault("upload", "hang", seconds=60))
    host.job()
    wait_for(lambda: twin.calls("upload"))
    host.send(type="cancel", id="1")
    assert host.until_end()[1]["code"] == "cancelled"
    host.job("2")
    assert host.until_end("2")[1]["type"] == "result"


def test_a_job_that_waits_in_line_can_be_cancelled(start: Any, twin: Twin) -> None:
    host = start(twin)
    twin.inject(Fault("declare", "hang", seconds=60))
    host.job("a")
    host.job("b")
    wait_for(lambda: twin.calls("declare"))
    host.send(type="cancel", id="b")
    host.send(type="cancel", id="a")
    assert [host.until_end(name)[1]["code"] for name in ("a", "b")] == ["cancelled", "cancelled"]
    assert len(twin.calls("declare")) == 1


@pytest.mark.parametrize("step", ["idle", "declare", "upload"])
def test_the_end_of_its_input_ends_it_before_anything_is_paid_and_removes_its_folder(
    start: Any, twin: Twin, step: str
) -> None:
    host = start(twin)
    if step != "idle":
        twin.inject(Fault(step, "hang", seconds=60))
        host.job()
        host.job("2")
        wait_for(lambda: twin.calls(step))
    assert host.end() == 0
    assert not host.folder.exists()
    assert twin.calls("run") == []


@pytest.mark.parametrize("step", ["run", "poll", "download"])
def test_what_is_paid_for_when_the_host_dies_is_finished_and_the_next_run_is_free(
    start: Any, twin: Twin, step: str
) -> None:
    host, until = start(twin), threading.Event()
    twin.inject(Fault(step, "hang", seconds=600, until=until))
    host.job()
    wait_for(lambda: twin.calls(step))
    host.process.stdin.close()
    wait_for(lambda: not host.folder.exists())
    while host.next():
        continue
    assert host.process.poll() is None
    until.set()
    assert host.process.wait(PATIENCE) == 0
    following = start(twin)
    following.job()
    end = following.until_end()[1]
    assert (end["cached"], end["units"]) == (True, 0)
    assert (following.folder / end["file"]).read_bytes() == expected()
    assert (len(twin.calls("run")), twin.charged, twin.late_polls) == (1, 1.0, 0)


def test_the_end_of_the_session_ends_it_as_the_end_of_its_host_does(start: Any, twin: Twin) -> None:
    host = start(twin)
    twin.inject(Fault("poll", "hang", seconds=1))
    host.job()
    wait_for(lambda: twin.calls("poll"))
    host.process.send_signal(signal.SIGTERM)
    assert host.process.wait(PATIENCE) == 0
    following = start(twin)
    following.job()
    assert following.until_end()[1]["cached"]
    assert (len(twin.calls("run")), twin.charged, twin.late_polls) == (1, 1.0, 0)


@pytest.mark.parametrize("step", ["poll", "download"])
def test_the_next_worker_goes_on_with_what_a_killed_one_has_started(start: Any, twin: Twin, step: str) -> None:
    host = start(twin)
    twin.inject(Fault(step, "hang", seconds=60))
    host.job()
    wait_for(lambda: twin.calls(step))
    host.close()
    following = start(twin)
    wait_for(lambda: [call for call in twin.calls("download") if not call.fault])
    following.job()
    end = following.until_end()[1]
    assert (end["cached"], end["units"]) == (True, 0)
    assert (len(twin.calls("run")), twin.charged, twin.late_polls) == (1, 1.0, 0)


def test_two_workers_with_the_same_picture_pay_once(start: Any, make_twin: Any) -> None:
    twin = make_twin(run_seconds=0.5)
    hosts = [start(twin), start(twin)]
    for host in hosts:
        host.job()
    ends = [host.until_end()[1] for host in hosts]
    assert sorted(end["cached"] for end in ends) == [False, True]
    assert [(host.folder / end["file"]).read_bytes() for host, end in zip(hosts, ends)] == [expected()] * 2
    assert (len(twin.calls("run")), twin.charged) == (1, 1.0)


def test_the_end_of_its_input_cancels_what_it_does_and_what_waits(tmp_path: Path, make_twin: Any) -> None:
    twin = make_twin(faults=[Fault("declare", "hang", seconds=5)])
    (tmp_path / "1.raw").write_bytes(steps().tobytes())
    job = {"type": "job", "pixels": "1.raw", "width": WIDTH, "height": HEIGHT, "channels": 3, "engine": "auto"}
    lines = [json.dumps({**job, "id": name}) for name in ("1", "2")]
    answers = said(lines, tmp_path, twin, until=lambda: wait_for(lambda: twin.calls("declare")))
    ends = [answer for answer in answers if answer["type"] in ("result", "error")]
    assert [(end["id"], end.get("code")) for end in ends] == [("1", "cancelled"), ("2", "cancelled")]
    assert len(twin.calls("declare")) == 1


def test_a_killed_workers_folder_is_swept_by_the_next_and_a_living_ones_stays(start: Any) -> None:
    killed, living = start(), start()
    (killed.folder / "1.raw").write_bytes(b"pixels")
    (living.folder / "1.raw").write_bytes(b"pixels")
    killed.process.kill()
    killed.process.wait()
    assert killed.folder.exists()
    other = killed.folder.parent / "notes.txt"
    other.write_text("not a folder")
    own = killed.folder.parent / "of the user" / "drawing.kra"
    own.parent.mkdir()
    own.write_text("hours of work")
    (own.parent / ".lock").touch()
    following = start()
    assert not killed.folder.exists()
    assert (living.folder / "1.raw").exists() and following.folder.exists() and other.exists() and own.exists()


def test_workers_that_start_at_once_do_not_sweep_each_others_folders(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        folders = list(pool.map(private.Folder, [tmp_path] * 60))
    assert [folder for folder in folders if not (folder.path / ".lock").exists()] == []
    for folder in folders:
        folder.remove()
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]


def test_ctrl_c_in_the_hosts_terminal_does_not_end_it(start: Any, twin: Twin) -> None:
    host = start(twin, options={"session": True})
    os.killpg(host.process.pid, signal.SIGINT)
    host.job()
    assert host.until_end()[1]["type"] == "result"
    assert host.end() == 0 and host.errors == ""


NOISY = """
import os, sys
from layerlift.imaging import prepare
from layerlift.worker.__main__ import main
quiet = prepare.prepare
def noisy(*arguments, **options):
    print("printed")
    sys.__stdout__.flush()
    os.write(1, b'{"type": "written"}' + os.linesep.encode())
    os.system("echo from a child")
    return quiet(*arguments, **options)
prepare.prepare = noisy
sys.exit(main())
"""


def test_a_library_that_prints_does_not_break_the_protocol(start: Any, twin: Twin) -> None:
    host = start(twin, sys.executable, "-c", NOISY)
    host.job()
    assert host.until_end()[1]["type"] == "result"
    host.end()
    host.close()
    assert [part in host.errors for part in ("printed", "written", "from a child")] == [True] * 3


BROKEN = NOISY.split("def noisy")[0] + "prepare.prepare = lambda *_, **__: 1 / 0\nsys.exit(main())"


def test_a_failure_that_nobody_foresaw_is_an_answer_too(start: Any, twin: Twin) -> None:
    host = start(twin, sys.executable, "-c", BROKEN)
    host.job()
    _, end = host.until_end()
    assert end["code"] == "internal" and "ZeroDivisionError" in end["message"]
    host.end()
    host.close()
    assert "Traceback" in host.errors


def test_a_disk_that_takes_no_more_is_told_and_leaves_no_half_alpha(start: Any, twin: Twin) -> None:
    host = start(twin, options={"limit": 1000})
    host.job()
    _, end = host.until_end()
    assert (end["type"], end["code"]) == ("error", "disk")
    assert not (host.folder / "1.alpha").exists()


def test_where_home_takes_nothing_the_folder_is_among_the_temporary_files(start: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    host = start(LAYERLIFT_HOME=str(tmp_path / "file" / "home"), TMPDIR=str(tmp_path))
    assert host.folder.parent == tmp_path / f"layerlift-{os.getuid()}"
    assert host.folder.stat().st_mode & 0o777 == 0o700


def test_where_nothing_can_be_written_it_says_so_and_ends(start: Any, tmp_path: Path) -> None:
    (tmp_path / f"layerlift-{os.getuid()}").write_text("no folder")
    host = start(LAYERLIFT_HOME=str(tmp_path / f"layerlift-{os.getuid()}"), TMPDIR=str(tmp_path))
    assert (host.hello, host.process.wait(PATIENCE)) == ({}, 2)
    host.close()
    assert host.errors.startswith("No folder for the pixels can be made") and host.errors.count("\n") == 1


def test_another_users_folder_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = tmp_path.stat().st_uid
    monkeypatch.setattr(os, "getuid", lambda: owner + 1)
    with pytest.raises(PermissionError):
        private.Folder(tmp_path)
