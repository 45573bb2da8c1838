"""The command that runs the offline service on its own."""

from __future__ import annotations

import argparse
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from layerlift.command import serve
from layerlift.twin import Fault

PROGRAM = "import argparse, sys; from layerlift.command import serve; parser = argparse.ArgumentParser(); \
serve.add_arguments(parser); sys.exit(serve.run(parser.parse_args()))"


@pytest.fixture
def served() -> Iterator[Callable[..., Any]]:
    """Starts the command; gives its process, the address and the key that it prints."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> Any:
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout
        lines = [process.stdout.readline().strip() for _ in range(2)]
        assert [line.partition("=")[0] for line in lines] == ["YOUCAM_API_URL", "YOUCAM_API_KEY"]
        return (process, *(line.partition("=")[2] for line in lines))

    yield start
    for process in started:
        process.kill()
        process.communicate()


def parsed(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    serve.add_arguments(parser)
    return parser.parse_args(arguments)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_told_to_end(served: Any, number: int) -> None:
    process, url, key = served("--engine", "luma-key", "--units", "3")
    answer = requests.get(f"{url}/s2s/v1.0/client/credit", headers={"Authorization": f"Bearer {key}"}, timeout=10)
    assert answer.json()["results"][0]["amount"] == 3
    process.send_signal(number)
    output, errors = process.communicate(timeout=10)
    assert (process.returncode, output, errors) == (0, "", "")


def test_it_behaves_as_it_is_told_to(served: Any) -> None:
    _, url, key = served(
        "--engine", "luma-key", "--rate", "2/300", "--fault", "balance:503=Busy", "--form", "numeric_ids"
    )
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {key}"
    answers = [session.get(f"{url}/s2s/v1.0/client/credit", timeout=10) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [503, 200, 200, 429]
    assert answers[0].json()["error_code"] == "Busy"
    assert isinstance(answers[1].json()["results"][0]["id"], int)


def test_it_listens_on_the_port_that_it_is_given_or_says_that_it_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [sys.executable, "-c", PROGRAM, "--engine", "luma-key", "--port", str(port)]
        outcome = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert (outcome.returncode, outcome.stdout) == (2, "")
    assert f"Port {port} can't be used" in outcome.stderr
    assert "Traceback" not in outcome.stderr


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("poll:hang", Fault("poll", "hang")),
        ("poll:hang:3=1.5", Fault("poll", "hang", times=3, seconds=1.5)),
        ("run:reset_after:2", Fault("run", "reset_after", times=2)),
        ("run:500=unknown_internal_error", Fault("run", "500", code="unknown_internal_error")),
        ("run:engine=error_pose", Fault("run", "engine", code="error_pose")),
        ("download:redirect=http://127.0.0.1:9/x", Fault("download", "redirect", location="http://127.0.0.1:9/x")),
    ],
)
def test_a_fault_is_written_as_step_and_kind(text: str, fault: Fault) -> None:
    assert parsed("--fault", text).fault == [fault]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--fault", "poll"),
        ("--fault", "nowhere:hang"),
        ("--fault", "poll:nonsense"),
        ("--fault", "run:engine"),
        ("--fault", "poll:hang=long"),
        ("--form", "nonsense"),
        ("--rate", "250"),
        ("--rate", "0/300"),
        ("--port", "65536"),
        ("--engine", "nonsense"),
    ],
    ids=" ".join,
)
def test_what_makes_no_sense_is_refused_with_the_reason(capsys: pytest.CaptureFixture[str], arguments: Any) -> None:
    with pytest.raises(SystemExit) as caught:
        parsed(*arguments)
    assert caught.value.code == 2
    assert arguments[0] in capsys.readouterr().err
