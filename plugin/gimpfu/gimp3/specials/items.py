"""Items and layers: what kind they are, copies, links, text."""

from __future__ import annotations

from typing import Any

from ..buffers import Buffers
from ..library import Gimp
from .registry import special

LINK = "gimpfu-linked"


def _declare_test(old: str, new: str) -> None:
    special(f"gimp-item-is-{old} item:ITEM > {old}:INT32", by_id=True)(getattr(Gimp.Item, "id_is_" + new))


for _name in ("valid", "layer", "channel", "layer-mask", "drawable", "text-layer", "selection"):
    _declare_test(_name, _name.replace("-", "_"))
_declare_test("vectors", "path")
_declare_test("group", "group_layer")


@special("gimp-item-get-linked item:ITEM > linked:INT32")
def get_linked(item: Any) -> bool:
    """Linked items are gone from GIMP 3; what a plug-in sets is kept with the item and has no effect."""
    return bool(item.get_parasite(LINK) is not None)


@special("gimp-item-set-linked item:ITEM linked:INT32")
def set_linked(item: Any, linked: int) -> None:
    """See get_linked."""
    if linked:
        item.attach_parasite(Gimp.Parasite.new(LINK, 0, b"\1"))
    elif item.get_parasite(LINK) is not None:
        item.detach_parasite(LINK)


@special("gimp-layer-copy layer:LAYER add-alpha:INT32 > layer-copy:LAYER")
def copy_layer(layer: Any, add_alpha: int) -> Any:
    """A copy, with an alpha if asked."""
    copy = layer.copy()
    if add_alpha and not copy.has_alpha():
        copy.add_alpha()
    return copy


@special("gimp-layer-scale-full layer:LAYER new-width:INT32 new-height:INT32 local-origin:INT32 interpolation:INT32")
def scale_layer(layer: Any, width: int, height: int, local_origin: int, interpolation: int) -> bool:
    """Scale with an interpolation, which is the context's in GIMP 3."""
    return bool(_interpolated(interpolation, lambda: layer.scale(width, height, bool(local_origin))))


@special("gimp-image-scale-full image:IMAGE new-width:INT32 new-height:INT32 interpolation:INT32")
def scale_image(image: Any, width: int, height: int, interpolation: int) -> bool:
    """Scale with an interpolation, which is the context's in GIMP 3."""
    return bool(_interpolated(interpolation, lambda: image.scale(width, height)))


def _interpolated(interpolation: int, act: Any) -> Any:
    Gimp.context_push()
    try:
        Gimp.context_set_interpolation(Gimp.InterpolationType(interpolation))
        return act()
    finally:
        Gimp.context_pop()


@special("gimp-drawable-offset drawable:DRAWABLE wrap-around:INT32 fill-type:INT32 offset-x:INT32 offset-y:INT32")
def offset(drawable: Any, wrap_around: int, fill_type: int, x: int, y: int) -> bool:
    """The colour that moves in is the background's, as on 2.10."""
    kind = Gimp.OffsetType(fill_type)
    return bool(drawable.offset(bool(wrap_around), kind, Gimp.context_get_background(), x, y))


@special("gimp-channel-ops-offset drawable:DRAWABLE wrap-around:INT32 fill-type:INT32 offset-x:INT32 offset-y:INT32")
def channel_offset(drawable: Any, wrap_around: int, fill_type: int, x: int, y: int) -> bool:
    """The older name of gimp-drawable-offset."""
    return bool(offset(drawable, wrap_around, fill_type, x, y))


@special("gimp-text-layer-get-hinting layer:LAYER > hinting:INT32 autohint:INT32")
def get_hinting(layer: Any) -> tuple[bool, bool]:
    """Hinting in two flags."""
    style = int(layer.get_hint_style())
    return style != int(Gimp.TextHintStyle.NONE), style == int(Gimp.TextHintStyle.SLIGHT)


@special("gimp-text-layer-set-hinting layer:LAYER hinting:INT32 autohint:INT32")
def set_hinting(layer: Any, hinting: int, autohint: int) -> bool:
    """Hinting in two flags."""
    style = Gimp.TextHintStyle.SLIGHT if autohint else Gimp.TextHintStyle.FULL
    return bool(layer.set_hint_style(style if hinting else Gimp.TextHintStyle.NONE))


@special(
    "gimp-floating-sel-rigor floating-sel:LAYER undo:INT32", "gimp-floating-sel-relax floating-sel:LAYER undo:INT32"
)
def floating_selection(layer: Any, undo: int) -> None:
    """Nothing is left to do: GIMP keeps floating selections up to date itself."""


@special("gimp-drawable-get-format drawable:DRAWABLE > format:STRING")
def drawable_format(drawable: Any) -> str | None:
    """The babl format of the drawable's own pixels."""
    return Buffers().format_of(drawable.get_id())


@special("gimp-drawable-thumbnail drawable:DRAWABLE width:INT32 height:INT32 > actual-width:INT32 actual-height:INT32"
         " bpp:INT32 thumbnail-data-count:INT32 thumbnail-data:INT8ARRAY")  # fmt: skip
def thumbnail(drawable: Any, width: int, height: int) -> tuple[Any, ...]:
    """A small picture of the drawable."""
    data, *size = drawable.get_thumbnail_data(width, height)
    return (*size, data)


PIXEL_FORMATS = {3: "R'G'B' u8", 4: "R'G'B'A u8", 1: "Y' u8", 2: "Y'A u8"}


def _pixel_format(drawable: Any) -> tuple[str, int]:
    channels = (3 if drawable.is_rgb() else 1) + int(drawable.has_alpha())
    return PIXEL_FORMATS[channels], channels


@special("gimp-drawable-get-pixel drawable:DRAWABLE x:INT32 y:INT32 > num-channels:INT32 pixel:INT8ARRAY")
def get_pixel(drawable: Any, x: int, y: int) -> Any:
    """The components of a pixel in 8 bits."""
    form, channels = _pixel_format(drawable)
    buffer = Buffers().open(drawable.get_id(), False)
    return None if buffer is None else buffer.read((x, y, 1, 1), form, channels)


@special("gimp-drawable-set-pixel drawable:DRAWABLE x:INT32 y:INT32 num-channels:INT32 pixel:INT8ARRAY")
def set_pixel(drawable: Any, x: int, y: int, pixel: bytes) -> None:
    """Set the components of a pixel in 8 bits."""
    form, channels = _pixel_format(drawable)
    if len(pixel) != channels:
        raise TypeError(f"the pixel has {channels} channels")
    buffer = Buffers().open(drawable.get_id(), False)
    if buffer is not None:
        buffer.write((x, y, 1, 1), form, pixel)
        buffer.flush()
