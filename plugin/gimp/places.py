"""Where a task works in an image: which layer it reads, and where its results go."""

# mypy: disable-error-code="attr-defined"
# gimpfu's constants come from GIMP, when it runs.
from __future__ import annotations

from typing import Any, NamedTuple

from common import tasks
from common.language import _
from common.marks import IMAGE_MARK, LAYER_MARK
from cutout import flat, layer_of, mark_of
from gimpfu import INDEXED, fail, pdb

INDEXED_IMAGE = _("The result has colours that an indexed image can't hold. Choose Image > Mode > RGB first.")


class Pair(NamedTuple):
    """A cut-out, and the layer that it was made of."""

    cutout: Any
    original: Any


class Place(NamedTuple):
    """`picture` is the layer that is read, `subject` the one whose alpha hides what is to be filled in, if any; results
    are called after `named`, and inserted above `anchor`, or `beneath` it."""

    picture: Any
    subject: Any
    named: Any
    anchor: Any
    beneath: bool


def place_of(kind: str, image: Any, drawable: Any) -> Place:
    """Where a task works, of a kind of `common.tasks`. Raises gimpfu.error where it can't."""
    layer = layer_of(drawable)
    if image.base_type == INDEXED:
        fail(INDEXED_IMAGE)
    if kind == tasks.CONTINUE:
        return Place(layer, None, layer, layer, False)
    pair = pair_of(image, layer)
    if kind == tasks.CLEAN_PLATE and pair:
        return Place(pair.original, pair.cutout, pair.original, pair.cutout, True)
    if kind == tasks.NEW_BACKGROUND and pair:
        return Place(pair.cutout, None, pair.original, pair.cutout, True)
    if kind == tasks.NEW_BACKGROUND and (layer.has_alpha or layer.mask is not None):
        return Place(layer, None, layer, layer, True)
    fail(tasks.NO_CUT_OUT)


def check_selection(image: Any, layer: Any) -> None:
    """Raise gimpfu.error where nothing of a layer is selected."""
    if pdb.gimp_selection_is_empty(image) or not pdb.gimp_drawable_mask_intersect(layer)[0]:
        fail(tasks.NO_SELECTION)


def pair_of(image: Any, layer: Any) -> Pair | None:
    """The pair that a layer belongs to, as its cut-out or else as its original."""
    found = image.parasite_find(IMAGE_MARK)
    if found is None:
        return None
    layers = list(flat(image.layers))
    own = layer.parasite_find(LAYER_MARK)
    if own is not None:
        original = next((one for one in layers if mark_of(found, one) == own), None)
        if original is not None:
            return Pair(layer, original)
    mark = mark_of(found, layer)
    cutout = next((one for one in layers if one.parasite_find(LAYER_MARK) == mark), None)
    return None if cutout is None else Pair(cutout, layer)
