#!/usr/bin/env python3
"""Remove the background of a layer: the subject goes to a new layer above the original.

A thin adapter. It writes the layer's pixels to a file, asks Layerlift's worker for an alpha of the same size, and puts
that on a copy of the layer. The copy keeps the layer's precision, profile, place and opacity; its colours never leave
the image.
"""

# mypy: disable-error-code="name-defined"
# gimpfu's constants come from GIMP, when it runs.
from __future__ import annotations

from pathlib import Path
from typing import Any

import bridge
from gimpfu import *

STRIP = 512
EXPORT_SHARE = 0.1
AS_ALPHA, AS_MASK = 0, 1
ENGINES = ("auto", "youcam", "offline")


def remove_background(
    image: Any, drawable: Any, result: int, clean_edges: bool, hide_original: bool, engine: int
) -> None:
    """Put the subject of a layer on a new layer above it, in one undo step."""
    layer = layer_of(drawable)
    gimp.progress_init("Removing the background")
    with bridge.Worker() as worker:
        job = export(layer, Path(worker.folder, "layer.raw"))
        answer = worker.remove(dict(job, engine=ENGINES[engine]), show_progress)
        alpha = Path(worker.folder, answer["file"]).read_bytes()
    if not pdb.gimp_item_is_valid(layer):
        fail("The layer was deleted meanwhile. Nothing was changed.")
    if (layer.width, layer.height) != (job["width"], job["height"]):
        fail("The layer's size was changed meanwhile. Nothing was changed: run it again.")
    pdb.gimp_image_undo_group_start(image)
    try:
        insert(image, layer, alpha, result)
        if hide_original:
            layer.visible = False
    finally:
        pdb.gimp_image_undo_group_end(image)
    gimp.displays_flush()


def layer_of(drawable: Any) -> Any:
    """The layer that is meant: the one whose mask is being edited, where it is a mask."""
    if pdb.gimp_item_is_layer_mask(drawable):
        return pdb.gimp_layer_from_mask(drawable)
    if not pdb.gimp_item_is_layer(drawable):
        fail("A channel has no background. Choose a layer.")
    if pdb.gimp_layer_is_floating_sel(drawable):
        fail("Anchor the floating selection first, or make it a layer.")
    return drawable


def export(layer: Any, path: Path) -> dict[str, Any]:
    """Write what the layer shows (mask applied, groups and texts rendered) as rows of 8-bit sRGB; return its size."""
    width, height = layer.width, layer.height
    scratch = gimp.Image(width, height, RGB)
    try:
        copy = flat_copy(layer, scratch)
        region = copy.get_pixel_rgn(0, 0, width, height, False, False)
        with path.open("wb") as file:
            for top in range(0, height, STRIP):
                bottom = min(top + STRIP, height)
                file.write(region[0:width, top:bottom])
                gimp.progress_update(EXPORT_SHARE * bottom / height)
        return {"pixels": path.name, "width": width, "height": height, "channels": copy.bpp}
    finally:
        pdb.gimp_image_delete(scratch)


def flat_copy(layer: Any, scratch: Any) -> Any:
    """The layer as plain pixels, the only layer of a scratch image of its size."""
    copy = pdb.gimp_layer_new_from_drawable(layer, scratch)
    unlock(copy)
    scratch.insert_layer(copy)
    copy.set_offsets(0, 0)
    if is_plain(layer) and copy.mask is None:
        return copy
    copy.visible, copy.opacity, copy.mode = True, 100.0, LAYER_MODE_NORMAL
    return pdb.gimp_image_merge_visible_layers(scratch, CLIP_TO_IMAGE)


def is_plain(layer: Any) -> bool:
    """Whether a copy of the layer is pixels, and not a group or a text that is rendered anew."""
    return not pdb.gimp_item_is_group(layer) and not pdb.gimp_item_is_text_layer(layer)


def insert(image: Any, layer: Any, alpha: bytes, result: int) -> None:
    """Insert a copy of the layer above it, with the alpha on it or in a mask; if that fails, the image is as it was."""
    copy = pdb.gimp_layer_copy(layer, True) if is_plain(layer) else rendered(image, layer)
    copy.name = layer.name + " cut-out"
    copy.visible = True
    unlock(copy)
    place = pdb.gimp_image_get_item_position(image, layer)
    # Outside of groups first: in a locked one GIMP kills whoever writes to the copy.
    image.insert_layer(copy, None, 0 if layer.parent else place)
    try:
        if copy.mask is not None:
            pdb.gimp_layer_remove_mask(copy, MASK_APPLY)
        mask = copy.create_mask(ADD_WHITE_MASK)
        copy.add_mask(mask)
        region = mask.get_pixel_rgn(0, 0, copy.width, copy.height, True, False)
        region[0 : copy.width, 0 : copy.height] = alpha
        mask.flush()
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
    scratch = pdb.gimp_image_new_with_precision(layer.width, layer.height, image.base_type, image.precision)
    try:
        profile = image.parasite_find("icc-profile")
        if profile is not None:
            scratch.parasite_attach(profile)
        copy = pdb.gimp_layer_new_from_drawable(flat_copy(layer, scratch), image)
    finally:
        pdb.gimp_image_delete(scratch)
    copy.add_alpha()
    copy.set_offsets(*layer.offsets)
    copy.opacity, copy.mode = layer.opacity, layer.mode
    return copy


def show_progress(text: str, fraction: float) -> None:
    """The worker's part of the bar comes after the export's."""
    pdb.gimp_progress_set_text(text)
    gimp.progress_update(EXPORT_SHARE + (1 - EXPORT_SHARE) * fraction)


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
        (PF_OPTION, "engine", "_Engine", 0, ("Automatic", "YouCam service", "Offline engine")),
    ],
    [],
    remove_background,
    menu="<Image>/Filters/Remove Background",
)

main()
