"""The worker as a plug-in starts it and talks to it: beside its worker.json, real workers and such as misbehave."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from array import array
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from helpers.plug_ins import COMMON, load_common
from layerlift.store.keyrings import LIMIT_SECONDS
from layerlift.twin import Twin

SIZE = {"width": 64, "height": 32, "channels": 3}
HELLO = '{"type": "hello", "protocol": 1, "version": "0.1.0", "folder": "/nowhere"}'


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A plug-in's folder with the shared parts, set up for this environment; the user has a home, and no key."""
    folder = tmp_path / "plug-ins für GIMP"
    folder.mkdir()
    shutil.copytree(COMMON, folder / "common", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "worker.json").write_text(json.dumps({"python": sys.executable}), encoding="utf-8")
    for name in ("YOUCAM_API_URL", "YOUCAM_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LAYERLIFT_HOME", str(tmp_path / "home"))
    return folder


@pytest.fixture
def plug_in(place: Path) -> ModuleType:
    load_common(place, "worker")
    return sys.modules["common"]


@pytest.fixture
def misbehave(place: Path) -> Callable[[str], None]:
    """Puts a shell script in the place of the worker's Python."""

    def put(script: str) -> None:
        program = place / "python"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        (place / "worker.json").write_text(json.dumps({"python": str(program)}))

    return put


@pytest.fixture
def with_twin(twin: Twin, monkeypatch: pytest.MonkeyPatch) -> Twin:
    monkeypatch.setenv("YOUCAM_API_URL", twin.url)
    monkeypatch.setenv("YOUCAM_API_KEY", twin.key)
    return twin


def black(folder: str) -> dict[str, Any]:
    """Writes the pixels of a black layer; the job for it."""
    Path(folder, "layer.raw").write_bytes(bytes(64 * 32 * 3))
    return {"pixels": "layer.raw", "engine": "auto", **SIZE}


def refusal(plug_in: Any) -> Any:
    """The error of a worker that does not start."""
    with pytest.raises(plug_in.protocol.WorkerError) as caught:
        plug_in.worker.Worker({})
    return caught.value


def test_a_job_goes_through_with_growing_progress_and_nothing_is_left(plug_in: Any, with_twin: Twin) -> None:
    said: list[tuple[str, float]] = []
    with plug_in.worker.Worker({}) as worker:
        answer = worker.remove(black(worker.folder), lambda text, fraction: said.append((text, fraction)))
        alpha = Path(worker.folder, answer["file"]).read_bytes()
    assert alpha == b"\xff" * 64 * 32
    fractions = [fraction for _, fraction in said]
    assert fractions == sorted(fractions) and fractions[0] > 0 and fractions[-1] < 1
    assert any(text.startswith("Uploading (") and text.endswith("YouCam)") for text, _ in said)
    assert not Path(worker.folder).exists()


def test_edges_are_cleaned_after_a_job_at_the_layers_own_depth_and_progress_goes_on(
    plug_in: Any, with_twin: Twin
) -> None:
    said: list[tuple[str, float]] = []
    grays = array("H", [0] * 24 + [30_000] * 16 + [65_535] * 24) * 32
    with plug_in.worker.Worker({}) as worker:
        job = black(worker.folder)
        Path(worker.folder, "layer.raw").write_bytes(bytes(gray >> 8 for gray in grays for _ in range(3)))
        answer = worker.remove(job, lambda text, fraction: said.append((text, fraction)))
        alphas = Path(worker.folder, answer["file"]).read_bytes()
        Path(worker.folder, "copy.raw").write_bytes(array("H", [sample for gray in grays for sample in (gray, 65_535)]))
        cut = worker.cut(
            {"pixels": "copy.raw", "alpha": answer["file"], **SIZE, "channels": 2, "depth": "u16", "clean": True},
            lambda text, fraction: said.append((text, fraction)),
        )
        samples = array("H", Path(worker.folder, cut["file"]).read_bytes())
    assert [sample // 257 for sample in samples[1::2]] == list(alphas)
    changed = {alpha for alpha, gray, now in zip(alphas, grays, samples[::2], strict=True) if now != gray}
    assert changed and not changed & {0, 255}
    fractions = [fraction for _, fraction in said]
    assert fractions == sorted(fractions) and fractions[-1] < 1
    assert said[-1][0] == "Cutting out the subject"


def test_the_users_agreement_is_kept_and_names_the_host(plug_in: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YOUCAM_API_URL", "https://service.example")
    stored = Path(os.environ["LAYERLIFT_HOME"], "settings.json")
    with plug_in.worker.Worker({}) as worker:
        assert not worker.has_agreed()
        for agreed, hosts in ((True, ["service.example"]), (False, [])):
            assert worker.agree(agreed) == "service.example"
            assert json.loads(stored.read_text(encoding="utf-8")) == {"upload_agreed": hosts}
            assert worker.has_agreed() is agreed


def test_an_error_of_the_worker_is_told_with_what_to_do(plug_in: Any, with_twin: Twin) -> None:
    with plug_in.worker.Worker({}) as worker:
        Path(worker.folder, "layer.raw").write_bytes(b"\xff" * 64 * 32 * 3)
        with pytest.raises(plug_in.protocol.WorkerError) as caught:
            worker.remove({"pixels": "layer.raw", "engine": "auto", **SIZE}, lambda text, fraction: None)
    assert caught.value.kind == "other_picture"
    assert str(caught.value).startswith("No subject was found in the picture")
    assert "Use a picture with a clear subject." in str(caught.value)


def test_an_error_names_the_way_out_that_this_plug_in_has(
    plug_in: Any, make_twin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YOUCAM_API_URL", make_twin().url)
    monkeypatch.setenv("YOUCAM_API_KEY", "sk-of-nobody-0123456789")
    ways = {"set_key": "Turn the big key.", "agree": "Nod."}
    with plug_in.worker.Worker(ways) as worker, pytest.raises(plug_in.protocol.WorkerError) as caught:
        worker.remove(black(worker.folder), lambda text, fraction: None)
    assert caught.value.kind == "set_key" and "Turn the big key. (request " in str(caught.value)
    assert "layerlift" not in str(caught.value) and "Nod" not in str(caught.value)


def test_a_refused_request_is_told_with_its_id(plug_in: Any, make_twin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    twin = make_twin(units=0)
    monkeypatch.setenv("YOUCAM_API_URL", twin.url)
    monkeypatch.setenv("YOUCAM_API_KEY", twin.key)
    refused = pytest.raises(plug_in.protocol.WorkerError, match=r"no units left.*\(request [0-9a-f]{32}\)")
    with plug_in.worker.Worker({}) as worker, refused:
        worker.remove(black(worker.folder), lambda text, fraction: None)


def test_the_worker_does_not_see_what_the_host_sets_for_itself(
    plug_in: Any, misbehave: Any, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_the_host = ["PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "LD_LIBRARY_PATH", "LD_PRELOAD", "GI_TYPELIB_PATH"]
    of_the_host += ["QT_PLUGIN_PATH", "QT_QPA_PLATFORM", "DYLD_LIBRARY_PATH", "VIRTUAL_ENV"]
    for name in of_the_host:
        monkeypatch.setenv(name, "of the host")
    of_the_user = ["HTTPS_PROXY", "PYTHON_KEYRING_BACKEND"]
    for name in of_the_user:
        monkeypatch.setenv(name, "of the user")
    misbehave(f"env > '{place}/seen'\necho '{HELLO}'\ncat")
    plug_in.worker.Worker({}).close()
    seen = dict(line.partition("=")[::2] for line in (place / "seen").read_text().splitlines())
    assert [name for name in of_the_host if name in seen] == []
    assert [seen[name] for name in of_the_user] == ["of the user"] * 2
    assert seen["LAYERLIFT_HOME"] == os.environ["LAYERLIFT_HOME"]


def test_the_keyring_answers_within_the_time_in_which_a_host_waits_for_its_worker(plug_in: Any) -> None:
    # Storing a key asks it twice.
    assert 2 * LIMIT_SECONDS < plug_in.protocol.SILENCE_SECONDS


def test_a_hosts_own_python_home_does_not_break_the_worker(plug_in: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    with plug_in.worker.Worker({}) as worker:
        assert Path(worker.folder).is_dir()


@pytest.mark.parametrize("text", [None, "", "{", "[]", "{}", '{"other": 1}', b"\xff\xfe"], ids=str)
def test_without_a_set_up_the_user_is_told_to_install(plug_in: Any, place: Path, text: Any) -> None:
    (place / "worker.json").unlink()
    if text is not None:
        (place / "worker.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    error = refusal(plug_in)
    assert (error.kind, str(error)) == ("reinstall", "Layerlift is not set up. Run 'python3 install.py' again.")


@pytest.mark.parametrize("python", ["/gone/bin/python", None, "a\0b", "x" * 5000])
def test_an_environment_that_is_gone_is_told(plug_in: Any, place: Path, python: Any) -> None:
    (place / "worker.json").write_text(json.dumps({"python": python}))
    error = refusal(plug_in)
    assert error.kind == "reinstall" and "is gone" in str(error) and "install.py" in str(error)


def test_a_python_that_can_not_be_run_is_told(plug_in: Any, place: Path) -> None:
    (place / "worker.json").write_text(json.dumps({"python": str(place)}))
    error = refusal(plug_in)
    assert error.kind == "reinstall" and "can't be started" in str(error)


def test_a_worker_that_dies_at_its_start_is_told_with_its_last_words(plug_in: Any, misbehave: Any) -> None:
    misbehave("echo 'Traceback:' >&2; echo 'ImportError: no numpy.' >&2; echo >&2; exit 1")
    error = refusal(plug_in)
    assert isinstance(error, plug_in.protocol.WorkerGone)
    assert str(error).endswith("ended unexpectedly: ImportError: no numpy. Run 'python3 install.py' again.")


def test_a_worker_that_dies_without_a_word_is_told(plug_in: Any, misbehave: Any) -> None:
    misbehave("exit 3")
    assert "it left no message" in str(refusal(plug_in))


def test_a_worker_that_dies_in_the_middle_is_told(plug_in: Any, misbehave: Any) -> None:
    misbehave(f"echo '{HELLO}'\nread line\necho 'out of memory' >&2")
    with plug_in.worker.Worker({}) as worker, pytest.raises(
        plug_in.protocol.WorkerError, match="out of memory"
    ) as caught:
        worker.remove({}, lambda text, fraction: None)
    assert isinstance(caught.value, plug_in.protocol.WorkerGone)
    assert str(caught.value).endswith("ended unexpectedly: out of memory. Try again: what was paid for is kept.")


def test_a_worker_that_is_killed_in_a_job_is_told(plug_in: Any, with_twin: Twin) -> None:
    with plug_in.worker.Worker({}) as worker, pytest.raises(plug_in.protocol.WorkerError) as caught:
        worker.remove(black(worker.folder), lambda text, fraction: worker._process.send_signal(signal.SIGKILL))
    assert isinstance(caught.value, plug_in.protocol.WorkerGone)


def test_a_worker_that_died_before_the_job_is_told(plug_in: Any, misbehave: Any) -> None:
    misbehave(f"echo '{HELLO}'\nexec <&-\necho 'no more' >&2")
    with plug_in.worker.Worker({}) as worker:
        worker._process.wait()
        with pytest.raises(plug_in.protocol.WorkerError, match="no more"):
            worker.remove({}, lambda text, fraction: None)


@pytest.mark.parametrize(
    "hello", ['{"type": "hello", "protocol": 2, "folder": "/x"}', '{"type": "hello", "protocol": 1}', "{}"]
)
def test_a_worker_of_another_version_is_not_used(plug_in: Any, misbehave: Any, hello: str) -> None:
    misbehave(f"echo '{hello}'\ncat > /dev/null")
    assert "different versions" in str(refusal(plug_in))


def test_what_is_no_message_is_passed_over(plug_in: Any, misbehave: Any) -> None:
    misbehave(f"echo noise\nprintf '\\377\\n'\necho 7\necho '{HELLO}'\nread line\necho '{{\"type\": \"result\"}}'\ncat")
    with plug_in.worker.Worker({}) as worker:
        assert worker.remove({}, lambda text, fraction: None) == {"type": "result"}


def test_a_worker_that_is_silent_at_its_start_is_given_up_and_ended(
    plug_in: Any, misbehave: Any, monkeypatch: pytest.MonkeyPatch, place: Path
) -> None:
    monkeypatch.setattr(plug_in.protocol, "HELLO_SECONDS", 0.3)
    monkeypatch.setattr(plug_in.protocol, "END_SECONDS", 0.3)
    misbehave(f"echo $$ > '{place}/pid'\nexec sleep 600")
    assert isinstance(refusal(plug_in), plug_in.protocol.WorkerGone)
    with pytest.raises(ProcessLookupError):
        os.kill(int((place / "pid").read_text()), 0)


def test_a_worker_that_falls_silent_in_a_job_is_given_up(
    plug_in: Any, misbehave: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    misbehave(f"echo '{HELLO}'\ncat > /dev/null")
    with plug_in.worker.Worker({}) as worker:
        monkeypatch.setattr(plug_in.protocol, "SILENCE_SECONDS", 0.1)
        with pytest.raises(plug_in.protocol.WorkerError, match="does not answer"):
            worker.remove({}, lambda text, fraction: None)


def pythons() -> list[Any]:
    """Interpreters before the core's own 3.10, or this one where there are none."""
    folders = [str(path) for path in Path.home().glob(".pyenv/versions/*/bin")]
    folders += os.environ.get("PATH", os.defpath).split(os.pathsep)
    found = []
    for minor in (8, 9):
        name = f"python3.{minor}"
        programs = [program for folder in folders if (program := shutil.which(name, path=folder))]
        python = next((program for program in programs if is_python(program, minor)), None)
        if python:
            found.append(pytest.param(python, id=name))
        elif programs:
            silent = pytest.mark.skip(reason=f"{name} is on the PATH and does not start (a shim of pyenv?)")
            found.append(pytest.param(name, id=name, marks=silent))
    return found or [pytest.param(sys.executable, id=Path(sys.executable).name)]


def is_python(program: str, minor: int) -> bool:
    """Whether it starts and tells that version."""
    try:
        told = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return told.returncode == 0 and f"Python 3.{minor}." in told.stdout


@pytest.mark.parametrize("python", pythons())
def test_it_runs_on_the_pythons_of_old_hosts(place: Path, with_twin: Twin, python: str) -> None:
    program = """
import pathlib, sys
from common.worker import Worker
with Worker({}) as worker:
    pathlib.Path(worker.folder, "a.raw").write_bytes(bytes(600))
    job = {"pixels": "a.raw", "width": 20, "height": 10, "channels": 3, "engine": "auto"}
    answer = worker.remove(job, lambda text, fraction: None)
    print(pathlib.Path(worker.folder, answer["file"]).read_bytes() == bytes([255]) * 200)
"""
    outcome = subprocess.run(
        [python, "-c", program], cwd=place, env={**os.environ, "PYTHONPATH": str(place)}, capture_output=True, text=True
    )
    assert (outcome.stdout, outcome.stderr) == ("True\n", "")
