"""Where the procedures of GIMP 2.10 are in GIMP 3, as far as names, order and constants tell.

A line of a table is `old = new`, where both take the same arguments, or

    old argument argument:TYPE ... = new argument argument=source argument=3 ...

with the old arguments in their order (the new one's type, unless another is written) and then where each new argument
comes from: an old one of its own name, another old one, or a constant.
"""

from __future__ import annotations

from typing import NamedTuple

# Nouns that were renamed; each pair stands for all procedures that begin so.
PREFIXES = {"gimp-vectors-": "gimp-path-"}
ITEM_KINDS = ("drawable", "layer", "channel", "vectors")
ITEM_VERBS = """
delete get-image get-name get-tattoo get-visible get-linked is-valid is-layer is-layer-mask is-channel is-text-layer
set-name set-tattoo set-visible set-linked parasite-attach parasite-detach parasite-find parasite-list
"""
PARASITES = {"attach": "attach-parasite", "detach": "detach-parasite", "find": "get-parasite",
             "list": "get-parasite-list"}  # fmt: skip

IMAGES = """
gimp-image-width = gimp-image-get-width
gimp-image-height = gimp-image-get-height
gimp-image-base-type = gimp-image-get-base-type
gimp-image-floating-selection = gimp-image-get-floating-sel
gimp-image-list = gimp-get-images
gimp-channel-ops-duplicate = gimp-image-duplicate
gimp-crop = gimp-image-crop
gimp-convert-rgb = gimp-image-convert-rgb
gimp-convert-grayscale = gimp-image-convert-grayscale
gimp-convert-indexed = gimp-image-convert-indexed
gimp-undo-push-group-start = gimp-image-undo-group-start
gimp-undo-push-group-end = gimp-image-undo-group-end
gimp-image-get-filename = gimp-image-get-file
gimp-image-add-layer image layer position = gimp-image-insert-layer image layer parent=None position
gimp-image-add-channel image channel position = gimp-image-insert-channel image channel parent=None position
gimp-image-add-vectors image path position = gimp-image-insert-path image path parent=None position
gimp-image-add-layer-mask image:IMAGE layer mask = gimp-layer-add-mask layer mask
gimp-image-remove-layer-mask image:IMAGE layer mode = gimp-layer-remove-mask layer mode
gimp-image-insert-vectors = gimp-image-insert-path
gimp-image-remove-vectors = gimp-image-remove-path
gimp-image-get-vectors = gimp-image-get-paths
gimp-image-get-vectors-by-name = gimp-image-get-path-by-name
gimp-image-get-vectors-by-tattoo = gimp-image-get-path-by-tattoo
gimp-image-freeze-vectors = gimp-image-freeze-paths
gimp-image-thaw-vectors = gimp-image-thaw-paths
gimp-image-get-layer-position = gimp-image-get-item-position
gimp-image-get-channel-position = gimp-image-get-item-position
gimp-image-get-vectors-position = gimp-image-get-item-position
gimp-image-raise-layer = gimp-image-raise-item
gimp-image-raise-channel = gimp-image-raise-item
gimp-image-raise-vectors = gimp-image-raise-item
gimp-image-lower-layer = gimp-image-lower-item
gimp-image-lower-channel = gimp-image-lower-item
gimp-image-lower-vectors = gimp-image-lower-item
gimp-image-raise-layer-to-top = gimp-image-raise-item-to-top
gimp-image-raise-vectors-to-top = gimp-image-raise-item-to-top
gimp-image-lower-layer-to-bottom = gimp-image-lower-item-to-bottom
gimp-image-lower-vectors-to-bottom = gimp-image-lower-item-to-bottom
gimp-image-merge-layer-group image:IMAGE group-layer = gimp-group-layer-merge group-layer
gimp-image-pick-color image drawable:DRAWABLE x y sample-merged sample-average average-radius \
    = gimp-image-pick-color image drawables=drawable x y sample-merged sample-average average-radius
gimp-color-picker image drawable:DRAWABLE x y sample-merged sample-average average-radius \
    = gimp-image-pick-color image drawables=drawable x y sample-merged sample-average average-radius
gimp-image-parasite-attach = gimp-image-attach-parasite
gimp-image-parasite-detach = gimp-image-detach-parasite
gimp-image-parasite-find = gimp-image-get-parasite
gimp-image-parasite-list = gimp-image-get-parasite-list
gimp-parasite-attach = gimp-attach-parasite
gimp-parasite-detach = gimp-detach-parasite
gimp-parasite-find = gimp-get-parasite
gimp-parasite-list = gimp-get-parasite-list
gimp-selection-clear = gimp-selection-none
gimp-rect-select image x y width height operation feather:INT32 feather-radius:FLOAT \
    = gimp-image-select-rectangle image operation x y width height
gimp-ellipse-select image x y width height operation antialias:INT32 feather:INT32 feather-radius:FLOAT \
    = gimp-image-select-ellipse image operation x y width height
gimp-path-import image filename:STRING merge scale = gimp-image-import-paths-from-file image file=filename merge scale
gimp-vectors-import-from-file image filename:STRING merge scale \
    = gimp-image-import-paths-from-file image file=filename merge scale
gimp-vectors-import-from-string = gimp-image-import-paths-from-string
gimp-vectors-export-to-file image filename:STRING path = gimp-image-export-path-to-file image file=filename path
gimp-vectors-export-to-string = gimp-image-export-path-to-string
"""

ITEMS = """
gimp-drawable-width = gimp-drawable-get-width
gimp-drawable-height = gimp-drawable-get-height
gimp-drawable-offsets = gimp-drawable-get-offsets
gimp-drawable-bpp = gimp-drawable-get-bpp
gimp-drawable-bytes = gimp-drawable-get-bpp
gimp-channel-new image width height name opacity color = gimp-channel-new image name width height opacity color
gimp-layer-new image width height type name opacity mode \
    = gimp-layer-new image name width height type opacity mode
gimp-layer-group-new image = gimp-group-layer-new image name=None
gimp-layer-mask = gimp-layer-get-mask
gimp-layer-get-preserve-trans = gimp-layer-get-lock-alpha
gimp-layer-set-preserve-trans = gimp-layer-set-lock-alpha
gimp-layer-translate layer:ITEM off-x off-y = gimp-item-transform-translate item=layer off-x off-y
gimp-vectors-new = gimp-path-new
gimp-vectors-new-from-text-layer = gimp-path-new-from-text-layer
gimp-vectors-stroke-translate = gimp-path-stroke-translate
"""

EDITING = """
gimp-edit-copy drawable:DRAWABLE = gimp-edit-copy drawables=drawable
gimp-edit-cut drawable:DRAWABLE = gimp-edit-cut drawables=drawable
gimp-edit-named-copy drawable:DRAWABLE buffer-name = gimp-edit-named-copy drawables=drawable buffer-name
gimp-edit-named-cut drawable:DRAWABLE buffer-name = gimp-edit-named-cut drawables=drawable buffer-name
gimp-edit-paste-as-new = gimp-edit-paste-as-new-image
gimp-edit-named-paste-as-new = gimp-edit-named-paste-as-new-image
gimp-edit-fill = gimp-drawable-edit-fill
gimp-edit-clear = gimp-drawable-edit-clear
gimp-edit-stroke = gimp-drawable-edit-stroke-selection
gimp-edit-stroke-vectors drawable path:ITEM = gimp-drawable-edit-stroke-item drawable item=path
gimp-invert drawable = gimp-drawable-invert drawable linear=0
gimp-desaturate drawable = gimp-drawable-desaturate drawable desaturate-mode=0
gimp-desaturate-full = gimp-drawable-desaturate
gimp-equalize = gimp-drawable-equalize
gimp-posterize = gimp-drawable-posterize
gimp-levels-stretch = gimp-drawable-levels-stretch
gimp-levels-auto = gimp-drawable-levels-stretch
gimp-color-balance = gimp-drawable-color-balance
gimp-colorize drawable hue saturation lightness = gimp-drawable-colorize-hsl drawable hue saturation lightness
gimp-hue-saturation drawable hue-range hue-offset lightness saturation \
    = gimp-drawable-hue-saturation drawable hue-range hue-offset lightness saturation overlap=0
gimp-file-load run-mode filename:STRING raw-filename:STRING = gimp-file-load run-mode file=filename
gimp-file-save run-mode image drawable:DRAWABLE filename:STRING raw-filename:STRING \
    = gimp-file-save run-mode image file=filename
gimp-xcf-load dummy-param:INT32 filename:STRING raw-filename:STRING = gimp-xcf-load run-mode=1 file=filename
gimp-xcf-save dummy-param:INT32 image drawable:DRAWABLE filename:STRING raw-filename:STRING \
    = gimp-xcf-save run-mode=1 image file=filename
gimp-file-save-thumbnail image filename:STRING = gimp-file-create-thumbnail image file=filename
file-png-save run-mode image drawable:DRAWABLE filename:STRING raw-filename:STRING interlaced compression bkgd \
    gama:INT32 offs phys time = file-png-export run-mode image file=filename interlaced compression bkgd offs phys time
file-png-save2 run-mode image drawable:DRAWABLE filename:STRING raw-filename:STRING interlaced compression bkgd \
    gama:INT32 offs phys time comment:INT32 svtrans:INT32 \
    = file-png-export run-mode image file=filename interlaced compression bkgd offs phys time include-comment=comment \
    save-transparent=svtrans
file-png-save-defaults run-mode image drawable:DRAWABLE filename:STRING raw-filename:STRING \
    = file-png-export run-mode image file=filename
file-jpeg-save run-mode image drawable:DRAWABLE filename:STRING raw-filename:STRING quality smoothing optimize \
    progressive comment:STRING subsmp:INT32 baseline restart dct:INT32 \
    = file-jpeg-export run-mode image file=filename quality smoothing optimize progressive baseline restart
file-tiff-save run-mode image drawable:DRAWABLE filename:STRING raw-filename:STRING compression:INT32 \
    = file-tiff-export run-mode image file=filename compression
file-bmp-save run-mode image drawable:DRAWABLE filename:STRING raw-filename:STRING \
    = file-bmp-export run-mode image file=filename
file-psd-save run-mode image drawable:DRAWABLE filename:STRING raw-filename:STRING compression:INT32 fill-order:INT32 \
    = file-psd-export run-mode image file=filename
file-gif-save run-mode image drawable:DRAWABLE filename:STRING raw-filename:STRING interlace loop \
    default-delay:INT32 default-dispose:INT32 \
    = file-gif-export run-mode image file=filename interlace loop default-delay
file-tga-save run-mode image drawable:DRAWABLE filename:STRING raw-filename:STRING rle origin:INT32 \
    = file-tga-export run-mode image file=filename rle
file-pnm-save run-mode image drawable:DRAWABLE filename:STRING raw-filename:STRING raw:INT32 \
    = file-pnm-export run-mode image file=filename
file-ppm-save run-mode image drawable:DRAWABLE filename:STRING raw-filename:STRING raw:INT32 \
    = file-ppm-export run-mode image file=filename
"""

CONTEXT = """
gimp-palette-get-foreground = gimp-context-get-foreground
gimp-palette-set-foreground = gimp-context-set-foreground
gimp-palette-get-background = gimp-context-get-background
gimp-palette-set-background = gimp-context-set-background
gimp-palette-set-default-colors = gimp-context-set-default-colors
gimp-palette-swap-colors = gimp-context-swap-colors
gimp-palette-refresh = gimp-palettes-refresh
gimp-palette-get-info = gimp-palette-get-color-count
gimp-palette-entry-get-color = gimp-palette-get-entry-color
gimp-palette-entry-set-color = gimp-palette-set-entry-color
gimp-palette-entry-get-name = gimp-palette-get-entry-name
gimp-palette-entry-set-name = gimp-palette-set-entry-name
gimp-palettes-set-palette = gimp-context-set-palette
gimp-brushes-set-brush = gimp-context-set-brush
gimp-brushes-list = gimp-brushes-get-list
gimp-brushes-get-opacity = gimp-context-get-opacity
gimp-brushes-set-opacity = gimp-context-set-opacity
gimp-brushes-get-paint-mode = gimp-context-get-paint-mode
gimp-brushes-set-paint-mode = gimp-context-set-paint-mode
gimp-patterns-list = gimp-patterns-get-list
gimp-patterns-set-pattern = gimp-context-set-pattern
gimp-gradients-get-gradient = gimp-context-get-gradient
gimp-gradients-get-active = gimp-context-get-gradient
gimp-gradients-set-gradient = gimp-context-set-gradient
gimp-gradients-set-active = gimp-context-set-gradient
gimp-context-get-dynamics = gimp-context-get-dynamics-name
gimp-context-set-dynamics = gimp-context-set-dynamics-name
gimp-dynamics-get-list = gimp-dynamics-get-name-list
gimp-buffers-get-list = gimp-buffers-get-name-list
gimp-plugins-query = gimp-plug-ins-query
gimp-text-get-extents-fontname text size size-type:INT32 font = gimp-text-get-extents-font text size font
gimp-text-fontname image drawable x y text border antialias size size-type:INT32 font \
    = gimp-text-font image drawable x y text border antialias size font
gimp-temp-name = gimp-temp-file
"""
RESOURCE_VERBS = """
gimp-KIND-delete name:STRING = gimp-resource-delete resource=name
gimp-KIND-duplicate name:STRING = gimp-resource-duplicate resource=name
gimp-KIND-is-editable name:STRING = gimp-resource-is-editable resource=name
gimp-KIND-rename name:STRING new-name = gimp-resource-rename resource=name new-name
"""
RESOURCE_KINDS = ("brush", "gradient", "palette")
# What only GEGL or other means can do in GIMP 3, for the message of what is not translated.
REPLACEMENTS = {
    "gimp-edit-blend": "gimp-drawable-edit-gradient-fill",
    "gimp-blend": "gimp-drawable-edit-gradient-fill",
    "gimp-text": "gimp-text-font",
    "gimp-text-get-extents": "gimp-text-get-extents-font",
    "gimp-image-get-uri": "gimp-image-get-file",
    "gimp-procedural-db-dump": "Gimp.PDB.dump_to_file",
    "gimp-brushes-get-brush-data": "gimp-brush-get-info",
    "gimp-patterns-get-pattern-data": "gimp-pattern-get-info",
    "gimp-path-get-points": "gimp-path-stroke-get-points",
    "gimp-path-set-points": "gimp-path-stroke-new-from-points",
    "gimp-image-get-metadata": "Gimp.Image.get_metadata",
    "gimp-image-set-metadata": "Gimp.Image.set_metadata",
}


class Translation(NamedTuple):
    """A line of a table: the old arguments with the types that are written, and the sources of the new ones."""

    target: str
    arguments: tuple[tuple[str, str], ...] | None
    sources: dict[str, str]


def _parsed(line: str) -> tuple[str, Translation]:
    left, _, right = line.partition(" = ")
    old, *arguments = left.split()
    new, *sources = right.split()
    if not arguments and not sources:
        return old, Translation(new, None, {})
    pairs = [source.partition("=") for source in sources]
    return old, Translation(
        new,
        tuple((name, kind) for name, _, kind in (argument.partition(":") for argument in arguments)),
        {name: source or name for name, _, source in pairs},
    )


def translations() -> dict[str, Translation]:
    """All lines of the tables by the old name."""
    table: dict[str, Translation] = {}
    for kind in ITEM_KINDS:
        for verb in ITEM_VERBS.split():
            target = "gimp-item-" + verb
            if verb.startswith("parasite-"):
                target = "gimp-item-" + PARASITES[verb[len("parasite-") :]]
            table[f"gimp-{kind}-{verb}"] = Translation(target, None, {})
    resources = "".join(RESOURCE_VERBS.replace("KIND", kind) for kind in RESOURCE_KINDS)
    lines = (IMAGES + ITEMS + EDITING + CONTEXT + resources).splitlines()
    table.update(_parsed(line) for line in lines if line)
    return table


def renamed(name: str) -> str | None:
    """The new name of a procedure whose noun alone was renamed; None for others."""
    for old, new in PREFIXES.items():
        if name.startswith(old):
            return new + name[len(old) :]
    return None
