"""The plug-in as one of GIMP 3's own: named arguments, chosen layers, last values, and the search for actions."""

# ruff: noqa: F821 - bodies run inside GIMP
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from layerlift import __version__
from layerlift.twin import Options, Twin

from .gimp import Gimp
from .layerlift_in_gimp import install
from .window import wait_for

pytestmark = pytest.mark.gimp("3.0", "3.2", why="GIMP 2.10 has one active layer, and neither names nor a search")

LAYERS = """
    (image (car (gimp-image-new 64 48 RGB)))
    (first (car (gimp-layer-new image "first" 64 48 RGB-IMAGE 100 LAYER-MODE-NORMAL)))
    (second (car (gimp-layer-new image "second" 64 48 RGB-IMAGE 100 LAYER-MODE-NORMAL)))
"""
FILLED = """
    (gimp-image-insert-layer image first 0 -1)
    (gimp-image-insert-layer image second 0 -1)
    (gimp-drawable-fill first FILL-WHITE)
    (gimp-drawable-fill second FILL-WHITE)
    (gimp-image-select-rectangle image CHANNEL-OP-REPLACE 0 0 32 48)
    (gimp-drawable-edit-fill first FILL-FOREGROUND)
    (gimp-drawable-edit-fill second FILL-FOREGROUND)
    (gimp-selection-none image)
"""
NAMES = """
    (gimp-message (apply string-append "layers:"
      (map (lambda (layer) (string-append " " (car (gimp-item-get-name layer))
             (if (= (car (gimp-layer-get-mask layer)) -1) "" " masked")
             (if (= (car (gimp-item-get-visible layer)) TRUE) "" " hidden")))
           (vector->list (car (gimp-image-get-layers image))))))
"""


@pytest.fixture
def twin() -> Iterator[Twin]:
    with Twin(Options(rate=(10_000, 1.0))) as twin:
        yield twin


@pytest.fixture
def ready(gimp: Gimp, tmp_path: Path, twin: Twin) -> Gimp:
    """A GIMP with the plug-in, and the service behind it."""
    install(gimp, tmp_path / "state", twin)
    return gimp


def layers_after(gimp: Gimp, call: str) -> str:
    """A Script-Fu call on an image of two layers, half white and half black; what layers there are then."""
    run = gimp.script_fu(f"(let* ({LAYERS}) {FILLED} {call} {NAMES})")
    told = [line for line in (run.stdout + run.stderr).splitlines() if "layers:" in line]
    assert told, run
    return told[-1].partition("layers: ")[2]


def test_script_fu_calls_it_by_named_arguments_the_others_have_their_defaults(ready: Gimp, twin: Twin) -> None:
    call = '(python-fu-layerlift #:run-mode RUN-NONINTERACTIVE #:image image #:drawables (vector first) #:engine "{}")'
    found = layers_after(ready, call.format("youcam-service"))
    assert found == "second first cut-out first hidden"
    assert twin.charged == 1


def test_every_selected_layer_gets_its_result(ready: Gimp, twin: Twin) -> None:
    call = """(python-fu-layerlift #:run-mode RUN-NONINTERACTIVE #:image image #:drawables (vector first second)
               #:result "new-layer-with-a-layer-mask" #:hide-original FALSE)"""
    found = layers_after(ready, call)
    assert found == "second cut-out masked second first cut-out masked first"
    assert twin.charged == 1, "the second layer shows the very same pixels"


def test_python_fu_eval_calls_it_by_named_arguments(ready: Gimp, twin: Twin) -> None:
    code = """
image = Gimp.Image.new(64, 48, Gimp.ImageBaseType.RGB)
layer = Gimp.Layer.new(image, "photo", 64, 48, Gimp.ImageType.RGB_IMAGE, 100, Gimp.LayerMode.NORMAL)
image.insert_layer(layer, None, 0)
layer.fill(Gimp.FillType.FOREGROUND)
procedure = Gimp.get_pdb().lookup_procedure("python-fu-layerlift")
config = procedure.create_config()
config.set_property("image", image)
config.set_core_object_array("drawables", [layer])
config.set_property("hide-original", False)
status = int(procedure.run(config).index(0))
print("found:", status, [[one.get_name(), one.get_visible()] for one in image.get_layers()])
"""
    run = ready.start("-i", "-d", "-f", "--quit", "--batch-interpreter=python-fu-eval", "-b", code)
    assert "found: 3 [['photo cut-out', True], ['photo', True]]" in run.stdout, run
    assert twin.charged == 1


def test_every_argument_is_documented_and_choices_have_names(ready: Gimp) -> None:
    def body() -> Any:
        from gi.repository import Gimp

        procedure = Gimp.get_pdb().lookup_procedure("python-fu-layerlift")
        described = {}
        for argument in procedure.get_arguments():
            kind = argument.value_type.name
            described[argument.name] = [kind, bool(argument.blurb), argument.get_default_value()
                                        if kind in ("gchararray", "gboolean") else None]  # fmt: skip
        return [described, procedure.get_image_types(), procedure.get_authors(), bool(procedure.get_blurb())]

    described, *rest = ready.python(body)
    assert list(described)[:3] == ["run-mode", "image", "drawables"]
    assert described["result"] == ["gchararray", True, "new-layer-with-alpha"]
    assert described["clean-edges"] == ["gboolean", True, True]
    assert described["hide-original"] == ["gboolean", True, True]
    assert described["engine"] == ["gchararray", True, "automatic"]
    assert rest == ["*", f"Layerlift {__version__}", True]


@pytest.mark.own_process("the last values are kept over restarts")
def test_the_search_for_actions_finds_it_and_it_is_repeated_with_its_last_values(
    ready: Gimp, gimp_on_a_screen: Gimp, twin: Twin, tmp_path: Path
) -> None:
    def make() -> None:
        image = gimp.Image(64, 48, RGB)
        layer = gimp.Layer(image, "photo", 64, 48, RGB_IMAGE, 100.0, LAYER_MODE_NORMAL)
        image.insert_layer(layer)
        pdb.gimp_drawable_fill(layer, FILL_FOREGROUND)
        gimp.Display(image)

    def layers() -> Any:
        return [[layer.name, layer.visible, layer.mask is not None] for layer in gimp.image_list()[0].layers]

    def choose(name: str) -> None:
        image = gimp.image_list()[0]
        image.active_layer = next(layer for layer in image.layers if layer.name == name)

    with ready.window() as window:
        window.key("F9")
        window.python(make)
        assert not window.find("^Remove Background$"), "without an image there is nothing to be done"
        wait_for(lambda: window.find("photo|Untitled"), "the image")
        search = window.summon("slash", "Search Actions")
        window.type("Remove Background...", search)
        dialog = window.insist(
            lambda: window.key("Return", search), lambda: window.find("^Remove Background$"), "the dialog"
        )
        window.screenshot(tmp_path / "dialog.png")
        window.key("alt+h", dialog)
        window.dismiss("alt+o", dialog)
        once = [["photo cut-out", True, False], ["photo", True, False]]
        wait_for(lambda: window.glimpse(layers) == once, "the new layer, and the original still shown")
        window.python(choose, "photo")
        window.key("ctrl+f")
        again = [once[0], ["photo cut-out #1", True, False], once[1]]
        wait_for(lambda: sorted(window.glimpse(layers) or []) == sorted(again), "the second result")
        assert not window.find("^Remove Background$")
    assert twin.charged == 1
    last = "(python-fu-layerlift #:run-mode RUN-WITH-LAST-VALS #:image image #:drawables (vector first))"
    assert layers_after(ready, last) == "second first cut-out first", "kept over restarts"
