"""From a layer to its cut-out above it: what is done with a layer before and after Layerlift's worker has it."""

# mypy: disable-error-code="attr-defined"
# gimpfu's constants come from GIMP, when it runs.
from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterator
from uuid import uuid4

from common.language import _
from common.marks import IMAGE_MARK, LAYER_MARK
from common.options import AS_ALPHA, Options
from common.stages import step
from common.words import DELETED, cut_out
from gimpfu import (
    ADD_WHITE_MASK,
    LAYER_MODE_NORMAL,
    MASK_APPLY,
    PARASITE_PERSISTENT,
    RGB,
    fail,
    gimp,
    pdb,
)
from strips import STRIP, Show, cut, fill, save


class CutOut:
    """A layer, and the cut-out that is made of it.

    Meanwhile the document can be edited and closed: what is done late raises gimpfu.error where the layer is gone, or
    of another size or mode.
    """

    def __init__(self, image: Any, drawable: Any) -> None:
        self._image, self._layer = image, layer_of(drawable)
        self._state = self._now()
        self._copy: Any = None
        self._mask: Any = None

    def is_there(self) -> bool:
        """Whether the layer is a cut-out, or has its own in the image."""
        if self._layer.parasite_find(LAYER_MARK) is not None:
            return True
        image = self._image.parasite_find(IMAGE_MARK)
        return image is not None and mark_of(image, self._layer) in [
            layer.parasite_find(LAYER_MARK) for layer in flat(self._image.layers)
        ]

    def export(self, path: Path, show: Show) -> dict[str, Any]:
        """Write what the layer shows to a file; return what the worker needs to know."""
        return export(self._image, self._layer, path, show)

    def make(self, worker: Any, alpha: str, options: Options, show: Show) -> None:
        """Make the cut-out, not yet in the image, of the alpha in a file of the worker's folder."""
        self.check_unchanged()
        show(*step("copy", 0))
        copy = copy_of(self._image, self._layer)
        if options.result == AS_ALPHA and not self._layer.is_indexed:
            cut(copy, worker, alpha, bool(options.clean_edges), show)
        else:
            self._mask = copy.create_mask(ADD_WHITE_MASK)
            fill(self._mask, Path(worker.folder, alpha), show)
        self._copy = copy
        show(*step("insert", 1))

    def insert(self, options: Options) -> None:
        """Insert the cut-out above its layer; call it in an undo step."""
        if self._image.parasite_find(IMAGE_MARK) is None:
            self._image.parasite_attach(gimp.Parasite(IMAGE_MARK, PARASITE_PERSISTENT, uuid4().hex))
        self._copy.parasite_attach(mark_of(self._image.parasite_find(IMAGE_MARK), self._layer))
        insert(self._image, self._layer, self._copy, self._mask, options.result)
        if options.hide_original:
            self._layer.visible = False

    def check_unchanged(self) -> None:
        """Raise gimpfu.error where the cut-out does not fit any more."""
        if self._now() != self._state:
            fail(_("The layer's size or mode changed in the meantime. Nothing was done: run it again."))

    def _now(self) -> tuple[Any, ...]:
        if self._image.ID not in [image.ID for image in gimp.image_list()]:
            fail(_("The image was closed in the meantime."))
        if not pdb.gimp_item_is_valid(self._layer):
            fail(DELETED)
        return self._layer.width, self._layer.height, self._layer.format


def mark_of(image: Any, layer: Any) -> Any:
    """The parasite of a layer's cut-out, by that of the image."""
    return gimp.Parasite(LAYER_MARK, PARASITE_PERSISTENT, f"{image} {layer.tattoo}")


def flat(layers: Any) -> Iterator[Any]:
    """All layers, and those in groups."""
    for layer in layers:
        yield layer
        yield from flat(layer.children)


@contextmanager
def undo_step(image: Any) -> Iterator[None]:
    """What is done to the image in this block is one step for undo."""
    pdb.gimp_image_undo_group_start(image)
    try:
        yield
    finally:
        pdb.gimp_image_undo_group_end(image)


def selected_of(image: Any) -> list[Any]:
    """What is selected in an image: in GIMP 3 that may be many layers."""
    if not hasattr(pdb, "gimp_image_get_selected_drawables"):
        return [image.active_drawable]
    return [gimp.Item.from_id(identity) for identity in pdb.gimp_image_get_selected_drawables(image)[1]]


def layer_of(drawable: Any) -> Any:
    """The layer that is meant: the one whose mask is being edited, where it is a mask."""
    if pdb.gimp_item_is_layer_mask(drawable):
        return pdb.gimp_layer_from_mask(drawable)
    if not pdb.gimp_item_is_layer(drawable):
        fail(_("A channel has no background. Choose a layer."))
    if pdb.gimp_layer_is_floating_sel(drawable):
        fail(_("Anchor the floating selection first, or make it a layer."))
    return drawable


def export(image: Any, layer: Any, path: Path, show: Show) -> dict[str, Any]:
    """Write what the layer shows (mask applied, groups and texts rendered) as rows of 8-bit sRGB; return its size."""
    if layer.is_rgb and not layer.is_rendered and layer.mask is None:
        if image.parasite_find("icc-profile") is None:
            return save(layer, path, show, "export")
        return export_by_profile(image, layer, path, show)
    scratch = gimp.Image(layer.width, layer.height, RGB)
    try:
        return save(flat_copy(layer, scratch), path, show, "export")
    finally:
        pdb.gimp_image_delete(scratch)


def export_by_profile(image: Any, layer: Any, path: Path, show: Show) -> dict[str, Any]:
    """As `export`, of plain pixels; GIMP is deaf for seconds when it converts a large layer in one piece."""
    width, form = layer.width, layer.format
    scratch, shown = like(image, width, STRIP), gimp.Image(width, STRIP, RGB)
    try:
        strip = pdb.gimp_layer_new(scratch, width, STRIP, layer.type, "strip", 100, LAYER_MODE_NORMAL)

        def in_srgb(pixels: bytes) -> bytes:
            region = strip.get_pixel_rgn(0, 0, width, STRIP, True, False, form)
            rows = slice(0, len(pixels) // (width * region.bpp))
            region[0:width, rows] = pixels
            copy = pdb.gimp_layer_new_from_drawable(strip, shown)
            converted: bytes = copy.get_pixel_rgn(0, 0, width, STRIP, False, False)[0:width, rows]
            pdb.gimp_item_delete(copy)
            return converted

        return save(layer, path, show, "export", form, in_srgb)
    finally:
        pdb.gimp_image_delete(scratch)
        pdb.gimp_image_delete(shown)


def flat_copy(layer: Any, scratch: Any) -> Any:
    """The layer as plain pixels, the only layer of a scratch image of its size."""
    copy = pdb.gimp_layer_new_from_drawable(layer, scratch)
    unlock(copy)
    scratch.insert_layer(copy)
    copy.set_offsets(0, 0)
    if not layer.is_rendered and copy.mask is None:
        return copy
    copy.visible, copy.opacity, copy.mode = True, 100.0, LAYER_MODE_NORMAL
    # Not merged: GIMP would tell the user of that.
    return pdb.gimp_layer_new_from_visible(scratch, scratch, copy.name)


def copy_of(image: Any, layer: Any) -> Any:
    """A copy that can be written to, of the layer's pixels at full precision; not yet in the image."""
    copy = rendered(image, layer) if layer.is_rendered else pdb.gimp_layer_copy(layer, True)
    copy.name = cut_out(layer.name)
    copy.visible = True
    unlock(copy)
    return copy


def insert(image: Any, layer: Any, copy: Any, mask: Any, result: str) -> None:
    """Insert the copy above its layer, and what masks are to do; if that fails, the image is as it was."""
    place = pdb.gimp_image_get_item_position(image, layer)
    # Outside of groups first: in a locked one no mask can be applied.
    image.insert_layer(copy, None, 0 if layer.parent else place)
    try:
        if copy.mask is not None:
            pdb.gimp_layer_remove_mask(copy, MASK_APPLY)
        if mask is not None:
            copy.add_mask(mask)
            if result == AS_ALPHA:
                pdb.gimp_layer_remove_mask(copy, MASK_APPLY)
        if layer.parent:
            pdb.gimp_image_reorder_item(image, copy, layer.parent, place)
    except BaseException:
        image.remove_layer(copy)
        raise


def unlock(layer: Any) -> None:
    """Take off the locks that a copy has from its original. What a group can't lock it can't unlock either."""
    if layer.lock_content:
        layer.lock_content = False
    if layer.lock_alpha:
        layer.lock_alpha = False
    if pdb.gimp_item_get_lock_position(layer):
        pdb.gimp_item_set_lock_position(layer, False)


def rendered(image: Any, layer: Any) -> Any:
    """A group's or a text's pixels as a layer of the image, at full precision and in the same place."""
    scratch = like(image, layer.width, layer.height)
    try:
        copy = pdb.gimp_layer_new_from_drawable(flat_copy(layer, scratch), image)
    finally:
        pdb.gimp_image_delete(scratch)
    copy.add_alpha()
    copy.set_offsets(*layer.offsets)
    copy.opacity, copy.mode = layer.opacity, layer.mode
    return copy


def like(image: Any, width: int, height: int) -> Any:
    """An empty image of the same kind, precision and profile."""
    scratch = pdb.gimp_image_new_with_precision(width, height, image.base_type, image.precision)
    profile = image.parasite_find("icc-profile")
    if profile is not None:
        scratch.parasite_attach(profile)
    return scratch
