"""The installer where it makes nothing: what it refuses, and what it names as missing."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from helpers import catalogues
from installer.users import User, copy_checkout
from layerlift.models.table import MODELS

from install import find_python, uninstall
from plugin.installer import gpu
from plugin.installer.environment import Environment
from plugin.installer.process import Problem
from plugin.installer.record import Record, missing_folders


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout, at a path with spaces and letters that are not ASCII."""
    folder = tmp_path_factory.mktemp("Müller & Söhne") / "check out"
    copy_checkout(folder)
    return folder


@pytest.fixture(scope="session")
def brackets(checkout: Path) -> str:
    """A language that has every text in brackets."""
    texts = catalogues.collect()
    for message in texts:
        forms = message.id
        message.string = tuple(f"【{form}】" for form in forms) if isinstance(forms, tuple) else f"【{forms}】"
    folder = checkout / catalogues.mo("eo").relative_to(catalogues.CHECKOUT).parent
    folder.mkdir(parents=True)
    (folder / "layerlift.mo").write_bytes(catalogues.compiled(texts))
    return "eo"


@pytest.fixture
def user(tmp_path: Path, checkout: Path) -> User:
    """A user who has not installed anything yet."""
    return User(tmp_path, checkout)


def test_without_an_install_the_doctor_fails_and_says_what_to_do(user: User) -> None:
    said = user.install("--check", status=1)
    assert "it is not there or not complete: run `python3 install.py`" in said
    assert "no GIMP 2.10, 3.0 or 3.2, or Krita 5.1 or later, was found" in said


def test_a_dry_run_changes_nothing(user: User) -> None:
    user.profile.mkdir(parents=True)
    user.kritarc.touch()
    before = user.snapshot()
    said = user.install("--dry-run")
    assert f"would make the environment {user.data / 'env'}" in said
    assert f"would put the plug-in into {user.folder}" in said
    assert f"would put the plug-in into {user.pykrita / 'layerlift'}" in said
    assert "would fetch the offline model isnet" in user.install("--dry-run", "--model", "isnet")
    user.install("--uninstall", "--dry-run")
    assert user.snapshot() == before


def test_a_data_folder_that_can_not_be_written_is_named(user: User) -> None:
    file = user.home / "file"
    file.write_text("")
    said = user.install(status=1, LAYERLIFT_HOME=str(file / "layerlift"))
    assert f"{file / 'layerlift'} can't be written" in said
    assert "LAYERLIFT_HOME" in said


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(text)


def test_a_photo_that_is_not_there_is_refused_before_anything_is_made(user: User) -> None:
    assert "There is no photo" in user.install("--try", "no such.jpg", status=1)
    assert user.snapshot() == {}


def test_a_model_that_there_is_not_is_refused_before_anything_is_made(user: User) -> None:
    names = ", ".join(model.name for model in MODELS)
    for arguments in (["--model", "<nope>"], ["--model", ""], ["--model", "<nope>", "--dry-run"]):
        said = user.install(*arguments, status=1)
        assert f"There is no offline model {arguments[1]}. There are: {names}" in said
    assert user.snapshot() == {}


@pytest.mark.parametrize("task", ["--check", "--uninstall"])
def test_a_model_is_refused_where_nothing_is_installed(user: User, task: str) -> None:
    assert "--model is for an installation" in user.install(task, "--model", "isnet", status=2)


@pytest.mark.parametrize(
    ("driver", "vendor", "kind"),
    [(True, "0x8086", "cuda"), (False, "0x8086", "openvino"), (False, "0x1002", "off"), (False, "", "off")],
)
def test_the_graphics_card_is_found_by_its_driver_or_its_maker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, driver: bool, vendor: str, kind: str
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    if driver:
        put(tmp_path / "proc/driver/nvidia/version", "NVRM version: NVIDIA UNIX x86_64 Kernel Module")
    if vendor:
        put(tmp_path / "sys/class/drm/card0/device/vendor", f"{vendor}\n")
    assert gpu.find(tmp_path) == kind


def test_where_no_graphics_card_is_found_that_is_told_before_anything_is_made(user: User) -> None:
    # The machines that tests run on have none.
    assert "--gpu cuda, --gpu openvino" in user.install("--gpu", status=1)
    assert "invalid choice: 'directml'" in user.install("--gpu", "directml", status=2)
    assert "--gpu is for an installation" in user.install("--check", "--gpu", status=2)
    assert "would make the environment" in user.install("--gpu", "cuda", "--dry-run")
    assert user.snapshot() == {}


@pytest.mark.parametrize("kept", [False, True])
def test_an_uninstall_leaves_no_folder_of_models_that_is_empty(
    user: User, capsys: pytest.CaptureFixture[str], kept: bool
) -> None:
    record = Record(user.data)
    record.folders = missing_folders(user.data)
    record.environments = [user.data / "env"]
    models = user.data / "models"
    models.mkdir(parents=True)
    record.save()
    if kept:
        (models / "isnet-fp16.onnx").touch()
    uninstall(user.system, dry_run=False)
    assert (user.data.exists(), "are kept in" in capsys.readouterr().out) == (kept, kept)


def test_an_environment_that_is_not_ours_is_not_touched(user: User) -> None:
    other = user.data / "env" / "something"
    other.mkdir(parents=True)
    assert "is not from this installer" in user.install(status=1)
    assert other.exists()


def test_a_python_without_ensurepip_gets_the_name_of_the_missing_package(user: User) -> None:
    # What Debian's Python prints without python3-venv, with its line break.
    user.has_program(
        "python3",
        "echo 'The virtual environment was not created successfully because ensurepip is not'\n"
        "echo 'available.  On Debian/Ubuntu systems, you need to install'\nexit 1",
    )
    environment = Environment(user.data / "env", str(user.programs / "python3"))
    with pytest.raises(Problem, match="sudo apt install python3-venv"):
        environment.make(user.checkout)
    assert not environment.folder.exists()


def test_an_old_python_looks_for_a_newer_one_that_works(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 8, 18))
    monkeypatch.setenv("PATH", str(user.programs))
    user.has_program("python3.13", "exit 127")
    with pytest.raises(Problem, match=r"needs Python 3\.10 or later"):
        find_python()
    user.has_program("python3.11", f'exec "{sys.executable}" "$@"')
    assert find_python() == str(user.programs / "python3.11")


def test_a_shim_without_a_python_behind_it_is_passed_over(
    user: User, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 8, 18))
    shims = tmp_path / "shims"
    shims.mkdir()
    monkeypatch.setenv("PATH", f"{shims}{os.pathsep}{user.programs}")
    for name, script in (
        ("python3.12", "#!/bin/sh\necho 'pyenv: python3.12: command not found' >&2\nexit 127\n"),
        ("python3.11", "#!/no/such/interpreter\n"),
    ):
        (shims / name).write_text(script)
        (shims / name).chmod(0o755)
    with pytest.raises(Problem, match=r"needs Python 3\.10 or later"):
        find_python()
    user.has_program("python3.12", f'exec "{sys.executable}" "$@"')
    assert find_python() == str(user.programs / "python3.12")


def test_a_record_that_can_not_be_read_is_named_and_nothing_is_removed(user: User) -> None:
    user.data.mkdir(parents=True)
    (user.data / "installed.json").write_text("{")
    with pytest.raises(Problem, match=r"installed\.json can't be read"):
        uninstall(user.system, dry_run=False)


# The user's language


def test_help_is_in_the_users_language(user: User, brackets: str) -> None:
    said = " ".join(user.install("--help", LANGUAGE=brackets).split())
    assert "【Set up Layerlift for this user.】" in said
    assert "【check the installation and say how to fix it】" in said


@pytest.mark.parametrize(
    ("arguments", "status"),
    [(["--check"], 1), (["--dry-run"], 0), (["--uninstall"], 0), (["--try", "no such.jpg"], 1), (["--model", "no"], 1)],
)
def test_every_line_is_in_the_users_language(user: User, brackets: str, arguments: list[str], status: int) -> None:
    user.profile.mkdir(parents=True)
    user.kritarc.touch()
    lines = user.install(*arguments, status=status, LANGUAGE=brackets).splitlines()
    assert lines and [line for line in lines if not (line.startswith("【") and line.endswith("】"))] == []


def test_a_language_without_a_catalogue_is_english(user: User) -> None:
    assert user.install("--uninstall", LANGUAGE="tlh") == "Layerlift is not installed: nothing to remove.\n"


def test_letters_that_the_terminal_does_not_have_stop_nothing(user: User, brackets: str) -> None:
    assert "\\u3010Set up" in user.install("--help", LANGUAGE=brackets, PYTHONIOENCODING="ascii")
