"""The GIMP that tests share: none sees what another has left, and one that harms it fails alone."""

# ruff: noqa: F821 - bodies run inside GIMP
from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .console import HostDied
from .gimp import Gimp, Host
from .window import HostTimeout, wait_for

CHECKOUT = Path(__file__).resolve().parents[2]
KILLED_RUN = """
import os, signal, subprocess, sys
from tests.hosts.versions import VERSIONS
from tests.hosts.window import mortal
command = VERSIONS[sys.argv[1]].command("sh", "-c", "echo $$; exec sleep 600")
host = subprocess.Popen(mortal(*command), stdout=subprocess.PIPE)
print(host.stdout.readline().decode(), end="", flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def look(leaving: bool = False) -> Any:
    """Runs inside GIMP: all that a body could find there of another, or could leave there."""
    import os

    import gimpenums

    if leaving:
        image = gimp.Image(30, 20, RGB)
        image.insert_layer(gimp.Layer(image, "left", 30, 20, RGB_IMAGE))
        gimp.set_foreground(255, 0, 0)
        pdb.gimp_context_set_opacity(12.5)
        pdb.gimp_message_set_handler(ERROR_CONSOLE)
        gimp.attach_new_parasite("note", 0, "left")
        gimpenums.RGB = 77
    return {
        "images": len(gimp.image_list()),
        "colour": list(gimp.get_foreground())[:3],
        "opacity": pdb.gimp_context_get_opacity(),
        "handler": int(pdb.gimp_message_get_handler()),
        "parasites": "note" in gimp.parasite_list(),
        "module": gimpenums.RGB,
        "key": os.environ.get("YOUCAM_API_KEY"),
        "home": os.environ["HOME"],
    }


def test_nothing_that_a_body_leaves_is_there_for_the_next(gimp: Gimp) -> None:
    fresh = gimp.python(look)
    gimp.environment["YOUCAM_API_KEY"] = "sk-left"
    left = gimp.python(look, True)
    assert [name for name in fresh if left[name] == fresh[name]] == ["home"], "each of them was left"
    del gimp.environment["YOUCAM_API_KEY"]
    assert gimp.python(look) == fresh


def test_each_test_has_an_environment_and_a_home_of_its_own(resident: Host, tmp_path: Path) -> None:
    one, other = (Gimp(tmp_path / name, resident.version, host=resident) for name in ("one", "other"))
    one.environment["YOUCAM_API_KEY"] = 'it\'s a "key" of $HOME'
    assert one.python(look)["key"] == 'it\'s a "key" of $HOME'
    assert other.python(look)["key"] is None
    assert [gimp.python(look)["home"] for gimp in (one, other)] == [str(one.home), str(other.home)]


def test_what_a_body_writes_on_standard_error_is_its_own(gimp: Gimp) -> None:
    def body(word: str) -> None:
        import sys

        gimp.message(f"message {word}")
        print(f"printed {word}", file=sys.stderr, flush=True)

    for word in ("one", "two"):
        gimp.python(body, word)
        assert gimp.stderr.count(f"message {word}") == gimp.stderr.count(f"printed {word}") == 1
    assert "one" not in gimp.stderr


def test_tests_share_one_process_and_a_plug_in_of_ones_own_needs_the_mark(gimp: Gimp, tmp_path: Path) -> None:
    assert gimp.python(host_process) == gimp.python(host_process)
    with pytest.raises(AssertionError, match="own_process"):
        gimp.add_plug_in(tmp_path / "another.py")


def host_process() -> int:
    """Runs inside GIMP."""
    import os

    return os.getppid()


def kill_the_host() -> None:
    """Runs inside GIMP."""
    import os
    import signal
    import sys

    print("the last words", file=sys.stderr, flush=True)
    os.kill(os.getppid(), signal.SIGKILL)
    signal.pause()


def hang() -> None:
    """Runs inside GIMP."""
    import signal
    import sys

    print("the last words", file=sys.stderr, flush=True)
    signal.pause()


@pytest.mark.own_process("it dies, and dies again")
def test_a_body_that_ends_gimp_or_hangs_fails_with_what_was_written_and_the_next_finds_another_gimp(
    gimp: Gimp, resident: Host, tmp_path: Path
) -> None:
    first = gimp.python(host_process)
    assert Gimp(tmp_path / "shared", resident.version, host=resident).python(host_process) != first
    with pytest.raises(HostDied, match="the last words"):
        gimp.python(kill_the_host)
    assert gimp.python(host_process) != first
    with pytest.raises(HostTimeout, match="the last words"):
        gimp.python(hang, timeout=6.0)


def test_a_killed_test_run_leaves_no_host_behind(gimp: Gimp) -> None:
    command = [sys.executable, "-c", KILLED_RUN, gimp.version.name]
    run = subprocess.run(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True, check=False, timeout=60)
    process = int(run.stdout)
    wait_for(lambda: not Path(f"/proc/{process}").exists(), "its end")
