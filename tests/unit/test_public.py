"""The front door for Python: what `import layerlift` offers, says, and leaves alone."""

from __future__ import annotations

import importlib.resources
import json
import pydoc
import subprocess
import sys
from pathlib import Path

import layerlift
import pytest
from layerlift import errors

CHECKOUT = Path(__file__).resolve().parents[2]
HEAVY = {"numpy", "requests", "urllib3", "pyvips", "PIL", "keyring", "platformdirs", "sqlite3", "onnxruntime"}
IN_A_NEW_PROCESS = """
import json, logging, os, signal, sys, threading, warnings

def state():
    return [
        dict(os.environ),
        os.getcwd(),
        [len(logging.getLogger(name).handlers) for name in ("", "layerlift", "pyvips")],
        [repr(signal.getsignal(number)) for number in (signal.SIGINT, signal.SIGTERM)],
        threading.active_count(),
        len(warnings.filters),
        repr(sys.excepthook),
    ]

before, modules = state(), set(sys.modules)
import layerlift
dir(layerlift)
print(json.dumps({"same": state() == before, "modules": sorted(set(sys.modules) - modules)}))
"""


def test_the_public_names_are_those_that_are_promised() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    tree = {kind.__name__ for kind in kinds}
    assert set(layerlift.__all__) == {"Client", "Cutout", "Failure", "Picture", "TaskResult", "__version__"} | tree


def test_the_public_names_are_sorted() -> None:
    assert layerlift.__all__ == sorted(layerlift.__all__)


@pytest.mark.parametrize("name", sorted(layerlift.__all__))
def test_each_public_name_is_there_and_says_what_it_is(name: str) -> None:
    found = getattr(layerlift, name)
    assert name in dir(layerlift)
    if name != "__version__":
        assert found.__doc__ and not found.__doc__.startswith(f"{name}(")


@pytest.mark.parametrize("name", ["Client", "Cutout", "Failure", "Picture", "TaskResult"])
def test_each_public_method_says_what_it_does(name: str) -> None:
    found = getattr(layerlift, name)
    silent = [member for member in vars(found) if not member.startswith("_") and not getattr(found, member).__doc__]
    # Fields are told of in the docstring of their class.
    assert [member for member in silent if f"{member}:" not in found.__doc__] == []


def test_a_name_that_there_is_not_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Clinet'"):
        _ = layerlift.Clinet


def test_help_shows_the_door_and_draws_the_tree_of_errors() -> None:
    text = pydoc.plain(pydoc.render_doc(layerlift))
    for words in ("with layerlift.Client() as client:", "remove_all(self", "balance(self", "save(self", "class Cutout"):
        assert words in text
    drawn = [line.strip(" |").removeprefix("+-- ").split()[0] for line in text.splitlines() if "+-- " in line]
    tree = [name for name in layerlift.__all__ if hasattr(errors, name) and name != "LayerliftError"]
    assert sorted(drawn[: len(tree)]) == tree
    assert text.isascii()


def test_importing_it_changes_nothing_in_the_process_and_imports_nothing_heavy() -> None:
    told = json.loads(subprocess.check_output([sys.executable, "-c", IN_A_NEW_PROCESS], text=True))
    assert told["same"]
    assert not {name.split(".")[0] for name in told["modules"]} & HEAVY
    ours = {name for name in told["modules"] if name.startswith("layerlift")}
    assert ours == {
        "layerlift",
        "layerlift.errors",
        "layerlift.errors.kinds",
        "layerlift.errors.reported",
        "layerlift.errors.table",
        "layerlift.language",
    }


def test_type_checkers_are_told_that_it_is_typed() -> None:
    assert importlib.resources.files(layerlift).joinpath("py.typed").is_file()
    project = (CHECKOUT / "pyproject.toml").read_text(encoding="utf-8")
    assert '[tool.setuptools.package-data]\nlayerlift = ["py.typed", ' in project


def test_type_checkers_see_what_users_see(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(
        "from typing import assert_type\n"
        "import layerlift\n"
        "with layerlift.Client('auto', key='k') as client:\n"
        "    assert_type(client.remove('a.jpg'), layerlift.Cutout)\n"
        "    for end in client.remove_all([b'', 'a.jpg']):\n"
        "        if isinstance(end, layerlift.Failure):\n"
        "            assert_type(end.error, layerlift.LayerliftError)\n"
        "        else:\n"
        "            assert_type(end, layerlift.Cutout)\n"
        "            assert_type(end.image(), layerlift.Picture)\n"
        "    assert_type(client.balance(), float)\n"
    )
    outcome = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--python-version", "3.11", "program.py"],
        cwd=tmp_path,
        env={"MYPYPATH": str(CHECKOUT / "shared")},
        capture_output=True,
        text=True,
    )
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
