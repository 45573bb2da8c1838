"""register(), main() and fail() of gimpfu, in a real GIMP: every classic form, every way to end."""

# ruff: noqa: F821 - the bodies run inside GIMP, with the names of gimpfu
from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .gimp import GIMPFU, Gimp


def test_the_example_of_the_shims_page_runs(gimp: Gimp) -> None:
    def body() -> Any:
        image = gimp.Image(8, 8)
        layer = gimp.Layer(image, "sky", 8, 8)
        image.insert_layer(layer)
        pdb.python_fu_glow(image, layer, 30.0)
        copy, original = image.layers
        return [copy.mode == LAYER_MODE_SCREEN, round(copy.opacity), original.name, pdb.python_fu_glow.nparams]

    assert gimp.python(body) == [True, 30, "sky", 4]


def test_every_form_of_register_arrives_in_the_database(gimp: Gimp) -> None:
    def body() -> Any:
        names = sorted(pdb.query(".*-forms-.*"))
        return {
            name: [
                [list(p[:2]) for p in pdb[name].params], [list(r[:2]) for r in pdb[name].return_vals],
                pdb[name].proc_blurb,
            ]
            for name in names
        }  # fmt: skip

    found = gimp.python(body)
    assert found["python-fu-forms-old-style"] == [
        [[0, "run-mode"], [13, "image"], [16, "drawable"], [4, "text"], [0, "number"]],
        [[0, "number"], [4, "text"]], "Blurb",
    ]  # fmt: skip
    assert [p[1] for p in found["python-fu-forms-toolbox"][0]] == ["run-mode", "one", "two"]
    assert [p[1] for p in found["python-fu-forms-menu"][0]] == ["run-mode", "image", "drawable"]
    assert found["plug-in-forms-keyword"][0] == [[0, "run-mode"], [3, "one"], [3, "two"]]
    assert found["python-fu-forms-bare"][0] == [[4, "text"]]
    assert found["python-fu-forms-no-menu"][0] == [[0, "run-mode"]]
    assert [p[0] for p in found["python-fu-forms-choose"][0]] == [0, 4, 0, 10, 3]
    assert (gimp.host.folder / "notes.txt").read_text() == "on_query\n"


def test_procedures_return_one_several_or_no_values(gimp: Gimp) -> None:
    def body() -> Any:
        image = gimp.Image(10, 10, RGB)
        layer = gimp.Layer(image, "x", 10, 10, RGB_IMAGE)
        image.insert_layer(layer)
        several = pdb.python_fu_forms_several()
        return [
            pdb.python_fu_forms_old_style(image, layer, "\u00fc", 7), pdb.python_fu_forms_toolbox(3, 4),
            pdb.python_fu_forms_menu(image, layer), layer.get_pixel(5, 5), pdb.plug_in_forms_keyword(0.5, 1),
            pdb.python_fu_forms_bare("ab"), several[0] == image, list(several[1]), several[2:],
            pdb.python_fu_forms_choose("1", 0, "blue", 0.75),
        ]  # fmt: skip

    assert gimp.python(body) == [
        [7, "\u00fc!"], 7, None, [255, 255, 255], 1.5, "abab", True, [255, 0, 0, 255], [2.5, 3, [1, 2, 3]],
        "(1, 0, (0, 0, 255, 255), 0.75)",
    ]  # fmt: skip


def test_a_failure_is_told_once_and_only_a_bug_leaves_a_traceback(gimp: Gimp) -> None:
    def body(name: str) -> Any:
        image = gimp.Image(10, 10, RGB)
        arguments = (image,) if name == "catches" else ()
        try:
            return pdb["python-fu-forms-" + name](*arguments)
        except RuntimeError as failure:
            return f"RuntimeError: {failure}"

    assert gimp.python(body, "fails") == "RuntimeError: Nothing to do: the layer is empty."
    assert "Traceback" not in gimp.stderr and "Nothing to do" not in gimp.stderr
    assert gimp.python(body, "breaks") == "RuntimeError: a bug in the plug-in"
    assert gimp.stderr.count("Traceback") == 1 and "ValueError: a bug" in gimp.stderr
    assert gimp.python(body, "short") == "RuntimeError: the procedure returned 1 values instead of 2"
    assert "cancel" in gimp.python(body, "gives_up").lower()
    assert gimp.python(body, "leaves").startswith("RuntimeError")
    assert gimp.python(body, "catches").startswith("caught: Procedure 'gimp-image-resize' has been called with value")
    assert "GIMP-Error" not in gimp.stderr, "an error that the plug-in has caught is not shown"


def test_a_failure_without_a_window_goes_to_standard_error(gimp: Gimp) -> None:
    stderr = gimp.batch(gimp.call("python-fu-forms-fails")).stderr
    # GIMP 3 tells it as the plug-in's message and as that of the batch.
    assert stderr.count("Nothing to do: the layer is empty.") in ((1,) if gimp.version.name == "2.10" else (1, 2))
    assert "Traceback" not in stderr


def test_a_run_with_all_values_needs_no_dialog(gimp: Gimp) -> None:
    def body() -> Any:
        image = gimp.Image(10, 10, RGB)
        layer = gimp.Layer(image, "x", 10, 10, RGB_IMAGE)
        image.insert_layer(layer)
        # GIMP 3 refuses the names of brushes that are not there, and shows its dialog whenever it is asked to.
        is_2 = gimp.version < (3, 0)
        resources = ("f", "b", "p", "g", "p") if is_2 else (None,) * 5
        modes = (RUN_NONINTERACTIVE, RUN_INTERACTIVE, RUN_WITH_LAST_VALS) if is_2 else (RUN_NONINTERACTIVE,)
        values = (1, 2, 3, 0.5, "s", "t", "red", 1, 0.5, 3, "b", 1, *resources, "", "", "", layer, None,
                  image, layer, None, layer, None)  # fmt: skip
        found = []
        for mode in modes:
            pdb.python_fu_every_kind(image, layer, *values, run_mode=mode)
            found.append(gimp.get_data("every-kind").decode())
        return found

    texts = gimp.python(body)
    assert len(set(texts)) == 1
    assert texts[0].startswith("(1, 2, 3, 0.5, 's', 't', gimpcolor.RGB(1.0, 0.0, 0.0, 1.0), 1, 0.5, 3, 'b', 1,")
    assert texts[0].endswith("<gimp.Layer 'x'>, None)")


def test_a_wrong_declaration_is_an_error_with_the_reason(tmp_path: Path) -> None:
    code = (
        "import sys; sys.argv = ['x', '-gimp', '3', '4', '-query', '1']\n"
        "from gimpfu import *\n"
        "about = ('b', 'h', 'a', 'c', 'd')\n"
        "for name, params in (('a b', []), ('ok', [(PF_INT, 'x', 'X')]), ('ok', [('int', 'x', 'X', 1)]),\n"
        "                     ('ok', [(PF_INT, 'x y', 'X', 1)])):\n"
        "    try:\n"
        "        register(name, *about, 'L', '', params, [], None, menu='<Image>/X')\n"
        "    except error as failure:\n"
        "        print(failure)\n"
    )
    output = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(GIMPFU.parent)},
        capture_output=True,
        text=True,
    )
    assert output.stderr == ""
    lines = output.stdout.splitlines()
    assert [line.split(":")[0] for line in lines] == [
        "procedure name contains illegal characters",
        "parameter definition must contain at least 4 elements (3 given",
        "parameter types must be integers",
        "parameter name contains illegal characters",
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "GIMP 2.10 or 3 has to start it"),
        (("-gimp", "1", "2"), "started by another GIMP"),
        (("-gimp", "277", "3", "4", "-query", "1"), "needs PyGObject"),
    ],
)
def test_what_a_plug_in_can_not_run_in_is_told_clearly(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    (tmp_path / "plug-in.py").write_text("from gimpfu import *\n")
    (tmp_path / "gi.py").write_text("raise ImportError('there is no gi')\n")
    output = subprocess.run(
        [sys.executable, str(tmp_path / "plug-in.py"), *arguments],
        env={**os.environ, "PYTHONPATH": str(GIMPFU.parent)}, capture_output=True, text=True,
    )  # fmt: skip
    assert output.returncode != 0
    assert words in output.stderr


def test_starting_loads_neither_gegl_nor_gtk(tmp_path: Path) -> None:
    code = (
        "import sys; sys.argv = ['x', '-gimp', '3', '4', '-query', '1']\n"
        "from gimpfu import *\n"
        "maps = open('/proc/self/maps').read()\n"
        "print('libgtk' in maps, 'libgegl' in maps and 'gegl-0.4/' in maps)\n"
    )
    output = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(GIMPFU.parent)},
        capture_output=True,
        text=True,
    )
    assert output.stdout == "False False\n", output.stderr


@pytest.mark.own_process("it has a plug-in of its own")
def test_plug_ins_that_import_gimp_first_find_it_with_the_stand_ins(gimp: Gimp, tmp_path: Path) -> None:
    source = tmp_path / "classic.py"
    source.write_text(
        "#!/usr/bin/env python3\n"
        "import gimp, gimpplugin\n"
        "from gimpenums import *\n"
        "from gimpshelf import shelf\n"
        "pdb = gimp.pdb\n"
        "class Classic(gimpplugin.plugin):\n"
        "    def query(self):\n"
        "        gimp.install_procedure('plug-in-classic', 'b', 'h', 'a', 'c', 'd', None, None, PLUGIN,\n"
        "                               [(PDB_INT32, 'run-mode', ''), (PDB_INT32, 'number', '')],\n"
        "                               [(PDB_INT32, 'double', '')])\n"
        "    def plug_in_classic(self, run_mode, number):\n"
        "        shelf['number'] = number\n"
        "        return 2 * shelf['number']\n"
        "Classic().start()\n"
    )
    gimp.add_plug_in(source, *(GIMPFU / "standins").glob("*.py"))

    def body() -> Any:
        return pdb.plug_in_classic(21)

    assert gimp.python(body) == 42


def extension(tmp_path: Path, *lines: str) -> Path:
    """A plug-in whose procedure `plug-in-outer` runs these lines and returns what they have put into `seen`."""
    source = tmp_path / "extension.py"
    source.write_text(
        "#!/usr/bin/env python3\n"
        "from gimpfu import *\n"
        "ABOUT = ('b', 'h', 'a', 'c', 'd')\n"
        "def query():\n"
        "    gimp.install_procedure('plug-in-outer', *ABOUT, None, None, PLUGIN, [], [(PDB_STRING, 'seen', '')])\n"
        "def run(name, arguments):\n"
        "    if name == 'plug-in-inner':\n"
        "        return arguments[0] + 1\n"
        "    seen = []\n" + "".join(f"    {line}\n" for line in lines) + "    return repr(seen)\n"
        "gimp.main(None, None, query, run)\n"
    )
    return source


def outer() -> Any:
    """Runs inside GIMP."""
    return pdb.plug_in_outer()


@pytest.mark.own_process("it has a plug-in of its own")
def test_temporary_procedures_are_called_back(gimp: Gimp, tmp_path: Path) -> None:
    gimp.add_plug_in(
        extension(
            tmp_path,
            "gimp.install_temp_proc('plug-in-inner', *ABOUT, None, None, TEMPORARY, [(PDB_INT32, 'n', '')],"
            " [(PDB_INT32, 'n', '')])",
            "gimp.extension_enable()",
            "seen.append(pdb.plug_in_inner(41))",
            "gimp.uninstall_temp_proc('plug-in-inner')",
        )
    )
    assert gimp.python(outer) == "[42]"


@pytest.mark.gimp("2.10", why="GIMP 3 can't send the progress of procedures to functions of a Python plug-in")
@pytest.mark.own_process("it has a plug-in of its own")
def test_progress_functions_are_called_back(gimp: Gimp, tmp_path: Path) -> None:
    gimp.add_plug_in(
        extension(
            tmp_path,
            "mine = gimp.progress_install(lambda t, c: seen.append('start'), lambda: seen.append('end'),"
            " lambda t: seen.append(t), lambda v: seen.append(round(v, 1)))",
            "image = gimp.Image(600, 600, RGB)",
            "layer = image.new_layer('x', fill_mode=FILL_WHITE)",
            "pdb.plug_in_plasma(image, layer, 1, 2.0)",
            "gimp.delete(image)",
            "gimp.progress_uninstall(mine)",
        )
    )
    seen = gimp.python(outer)
    assert seen.startswith("['start'") and seen.endswith("'end']")
