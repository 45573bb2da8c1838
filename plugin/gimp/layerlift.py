#!/usr/bin/env python3
"""Remove the background of a layer: the subject goes to a new layer above the original.

A thin adapter. It writes the layer's pixels to a file, asks Layerlift's worker for an alpha of the same size, and puts
that on a copy of the layer. The copy keeps the layer's precision, profile, place and opacity, and but for the edges its
colours, bit for bit.
"""

# mypy: disable-error-code="name-defined"
# gimpfu's constants come from GIMP, when it runs.
from __future__ import annotations

from pathlib import Path
from typing import Any

import bridge
from gimpfu import *
from strips import STRIP, clean, cut, fill, is_opaque, save, show_progress

AS_ALPHA, AS_MASK = 0, 1
ENGINES = ("auto", "youcam", "offline", "youcam")
PAY_AGAIN = 3


def remove_background(
    image: Any, drawable: Any, result: int, clean_edges: bool, hide_original: bool, engine: int
) -> None:
    """Put the subject of a layer on a new layer above it, in one undo step."""
    layer = layer_of(drawable)
    state = state_of(layer)
    gimp.progress_init("Removing the background")
    with bridge.Worker() as worker:
        folder = Path(worker.folder)
        job = export(image, layer, folder / "layer.raw")
        answer = worker.remove(dict(job, engine=ENGINES[engine], again=engine == PAY_AGAIN), show_progress)
        if answer["cached"]:
            pdb.gimp_progress_set_text("Free: this picture was paid for already")
        check_unchanged(layer, state)
        show_progress(*bridge.step("copy", 0))
        copy, alpha = copy_of(image, layer), folder / answer["file"]
        if clean_edges and result == AS_ALPHA and not layer.is_indexed:
            clean(copy, worker, alpha.name)
        mask = None
        if result == AS_ALPHA and not layer.is_indexed and is_opaque(layer):
            cut(copy, alpha)
        else:
            mask = copy.create_mask(ADD_WHITE_MASK)
            fill(mask, alpha)
        show_progress(*bridge.step("insert", 1))
        check_unchanged(layer, state)
        pdb.gimp_image_undo_group_start(image)
        try:
            insert(image, layer, copy, mask, result)
            if hide_original:
                layer.visible = False
        finally:
            pdb.gimp_image_undo_group_end(image)
        gimp.displays_flush()
    if answer["full"]:
        gimp.message("All of the picture was taken for the subject: nothing was cut away.")


def state_of(layer: Any) -> tuple[Any, ...]:
    """What must not change while the worker works; the document can be edited and closed meanwhile."""
    if not pdb.gimp_item_is_valid(layer):
        fail("The layer was deleted meanwhile. Nothing was changed.")
    return layer.width, layer.height, layer.format


def check_unchanged(layer: Any, state: tuple[Any, ...]) -> None:
    if state_of(layer) != state:
        fail("The layer's size or mode was changed meanwhile. Nothing was changed: run it again.")


def layer_of(drawable: Any) -> Any:
    """The layer that is meant: the one whose mask is being edited, where it is a mask."""
    if pdb.gimp_item_is_layer_mask(drawable):
        return pdb.gimp_layer_from_mask(drawable)
    if not pdb.gimp_item_is_layer(drawable):
        fail("A channel has no background. Choose a layer.")
    if pdb.gimp_layer_is_floating_sel(drawable):
        fail("Anchor the floating selection first, or make it a layer.")
    return drawable


def export(image: Any, layer: Any, path: Path) -> dict[str, Any]:
    """Write what the layer shows (mask applied, groups and texts rendered) as rows of 8-bit sRGB; return its size."""
    if layer.is_rgb and not layer.is_rendered and layer.mask is None:
        if image.parasite_find("icc-profile") is None:
            return save(layer, path, "export")
        return export_by_profile(image, layer, path)
    scratch = gimp.Image(layer.width, layer.height, RGB)
    try:
        return save(flat_copy(layer, scratch), path, "export")
    finally:
        pdb.gimp_image_delete(scratch)


def export_by_profile(image: Any, layer: Any, path: Path) -> dict[str, Any]:
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

        return save(layer, path, "export", form, in_srgb)
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
    return pdb.gimp_image_merge_visible_layers(scratch, CLIP_TO_IMAGE)


def copy_of(image: Any, layer: Any) -> Any:
    """A copy that can be written to, of the layer's pixels at full precision; not yet in the image."""
    copy = rendered(image, layer) if layer.is_rendered else pdb.gimp_layer_copy(layer, True)
    copy.name = layer.name + " cut-out"
    copy.visible = True
    unlock(copy)
    return copy


def insert(image: Any, layer: Any, copy: Any, mask: Any, result: int) -> None:
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


def allow_uploads(agree: bool) -> None:
    """Remember that the user agrees to uploads."""
    if not agree:
        fail("Nothing is uploaded until you agree.")
    with bridge.Worker() as worker:
        gimp.message(f"Layers that you choose go to {worker.agree()} from now on.")


register(
    "python-fu-layerlift",
    "Put the subject of the layer on a new layer without the background",
    "The layer's picture goes to the YouCam background removal service, or without an API key to the offline engine on "
    "this computer, which is a quick draft. What comes back is an alpha; the colours stay as they are.",
    "Layerlift",
    "GPL-3.0-or-later",
    "2026",
    "_Remove Background...",
    "*",
    [
        (PF_IMAGE, "image", "The image", None),
        (PF_DRAWABLE, "drawable", "The layer", None),
        (PF_OPTION, "result", "_Result", AS_ALPHA, ("New layer with alpha", "New layer with a layer mask")),
        (PF_TOGGLE, "clean-edges", "_Clean edge colours", True),
        (PF_TOGGLE, "hide-original", "_Hide the original layer", True),
        (PF_OPTION, "engine", "_Engine", 0, ("Automatic", "YouCam service", "Offline engine", "YouCam, pay again")),
    ],
    [],
    remove_background,
    menu="<Image>/Filters/Remove Background",
)
register(
    "python-fu-layerlift-settings",
    "Allow pictures to be uploaded to the background removal service",
    "Layers that you choose are then uploaded to the YouCam service, which charges a unit for each. Without this, "
    "nothing leaves this computer.",
    "Layerlift",
    "GPL-3.0-or-later",
    "2026",
    "_Allow Uploads...",
    "",
    [(PF_TOGGLE, "agree", "I _agree that layers I choose are uploaded", False)],
    [],
    allow_uploads,
    menu="<Image>/Filters/Remove Background",
)

main()
