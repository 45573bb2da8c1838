"""gimp.Item, Drawable, Layer, GroupLayer, Channel: what an image is made of."""

from __future__ import annotations

from array import array
from typing import Any

from ..errors import GimpError
from ..host import FACTS
from ..values import types
from ..values.colors import RGB
from .objects import Attribute, GimpObject, Method, ParasiteHolder, call, list_items, wrap
from .pixels import BYTES_PER_PIXEL, PixelRgn, Tile
from .pixelstore import STORE, tile_size
from .transforms import Transforms


class Item(ParasiteHolder):
    """A layer, channel or path."""

    pdb_types: tuple[int, ...] = (types.ITEM,)
    _parasites = "item"

    name = Attribute("gimp-item-get-name", "gimp-item-set-name")
    image = Attribute("gimp-item-get-image")
    parent = Attribute("gimp-item-get-parent")
    visible = Attribute("gimp-item-get-visible", "gimp-item-set-visible", bool)
    linked = Attribute("gimp-item-get-linked", "gimp-item-set-linked", bool)
    tattoo = Attribute("gimp-item-get-tattoo", "gimp-item-set-tattoo")
    lock_content = Attribute("gimp-item-get-lock-content", "gimp-item-set-lock-content", bool)
    lock_position = Attribute("gimp-item-get-lock-position", "gimp-item-set-lock-position", bool)
    color_tag = Attribute("gimp-item-get-color-tag", "gimp-item-set-color-tag")

    @staticmethod
    def from_id(identity: int) -> Item | None:
        """The layer, group, channel or path with this ID; None if there is no such item."""
        return wrap(types.ITEM, identity) if identity >= 0 and FACTS.is_item(identity) else None

    @property
    def children(self) -> list[Item]:
        """The items in this one, from the top; empty for anything but groups."""
        if not isinstance(self, GroupLayer):
            return []
        return list_items("gimp-item-get-children", self)


class Drawable(Transforms, Item):
    """An item with pixels."""

    pdb_types: tuple[int, ...] = (types.ITEM, types.DRAWABLE)
    is_channel = is_group = False

    width = Attribute("gimp-drawable-width")
    height = Attribute("gimp-drawable-height")
    offsets = Attribute("gimp-drawable-offsets")
    type = Attribute("gimp-drawable-type")
    type_with_alpha = Attribute("gimp-drawable-type-with-alpha")
    has_alpha = Attribute("gimp-drawable-has-alpha", kind=bool)
    is_rgb = Attribute("gimp-drawable-is-rgb", kind=bool)
    is_gray = Attribute("gimp-drawable-is-gray", kind=bool)
    is_grey = is_gray
    is_indexed = Attribute("gimp-drawable-is-indexed", kind=bool)
    is_layer_mask = Attribute("gimp-item-is-layer-mask", kind=bool)
    mask_bounds = Attribute("gimp-drawable-mask-bounds", kind=lambda bounds: tuple(bounds[1:]))

    free_shadow = Method("gimp-drawable-free-shadow")
    update = Method("gimp-drawable-update", "x y width height")
    fill = Method("gimp-drawable-fill", "fill", (0,))
    offset = Method("gimp-drawable-offset", "wrap_around fill_type offset_x offset_y")

    def mask_intersect(self) -> tuple[int, int, int, int]:
        """The selection's bounds on this drawable: x, y, width, height; gimp.error if they don't touch."""
        intersects, x, y, width, height = call("gimp-drawable-mask-intersect", self)
        if not intersects:
            raise GimpError(f"the selection does not touch the drawable {self.name!r}")
        return x, y, width, height

    def flush(self) -> None:
        """Send all pixels that were written to GIMP."""
        STORE.flush()

    def merge_shadow(self, undo: bool = False) -> None:
        """Make the shadow's pixels the drawable's own, inside the selection."""
        call("gimp-drawable-merge-shadow", self, int(undo))

    def get_pixel_rgn(
        self,
        x: int,
        y: int,
        width: int,
        height: int,
        dirty: bool = True,
        shadow: bool = False,
        format: str | None = None,
    ) -> PixelRgn:
        """The pixels of a rectangle; a negative width or height reaches to the edge.

        The bytes are in the babl format, ValueError if there is none of that name; as ever, in 8 bits, without one.
        """
        return PixelRgn(self, x, y, width, height, dirty, shadow, format)

    def get_tile(self, shadow: bool, row: int, col: int) -> Tile | None:
        """A tile by its row and column; None beyond the edge."""
        return Tile.at(self, shadow, row, col)

    def get_tile2(self, shadow: bool, x: int, y: int) -> Tile | None:
        """The tile that holds a pixel; None beyond the edge."""
        if not (0 <= x < self.width and 0 <= y < self.height):
            return None
        return Tile.at(self, shadow, y // tile_size(), x // tile_size())

    @property
    def format(self) -> str:
        """The babl format of the drawable's own pixels, such as "R'G'B'A u16"; an indexed layer's has any name."""
        return STORE.format_name(self)

    @property
    def bpp(self) -> int:
        """Bytes per pixel as pixel regions have it. The procedure counts a high-precision layer's own bytes."""
        return BYTES_PER_PIXEL[self.type]

    def get_data(self, format: str = "RGBA float") -> array[Any]:
        """All pixels as an array of numbers, in a babl format such as "R'G'B'A u8" or "Y float"."""
        kind = {"double": "d", "float": "f", "u16": "H"}.get(format.rpartition(" ")[2], "B")
        return array(kind, STORE.read_format(self.ID, self.width, self.height, format))

    def get_pixel(self, *position: Any) -> tuple[int, ...]:
        """get_pixel(x, y) or get_pixel((x, y)): the components of a pixel, 0 to 255."""
        x, y = position[0] if len(position) == 1 else position
        return tuple(PixelRgn(self, 0, 0, -1, -1)[x, y])

    def set_pixel(self, *arguments: Any) -> None:
        """set_pixel(x, y, values) or set_pixel((x, y), values): set the components, 0 to 255."""
        (x, y), values = (arguments[0], arguments[1]) if len(arguments) == 2 else (arguments[:2], arguments[2])
        PixelRgn(self, 0, 0, -1, -1)[x, y] = bytes(values)


class Layer(Drawable):
    """A layer. A new one belongs to its image but is not in it until it is inserted."""

    pdb_types: tuple[int, ...] = (types.ITEM, types.DRAWABLE, types.LAYER)

    mask = Attribute("gimp-layer-get-mask")
    apply_mask = Attribute("gimp-layer-get-apply-mask", "gimp-layer-set-apply-mask", bool)
    edit_mask = Attribute("gimp-layer-get-edit-mask", "gimp-layer-set-edit-mask", bool)
    show_mask = Attribute("gimp-layer-get-show-mask", "gimp-layer-set-show-mask", bool)
    mode = Attribute("gimp-layer-get-mode", "gimp-layer-set-mode")
    opacity = Attribute("gimp-layer-get-opacity", "gimp-layer-set-opacity")
    lock_alpha = Attribute("gimp-layer-get-lock-alpha", "gimp-layer-set-lock-alpha", bool)
    preserve_trans = lock_alpha
    is_floating_sel = Attribute("gimp-layer-is-floating-sel", kind=bool)

    @property
    def is_rendered(self) -> bool:
        """Whether GIMP renders what the layer shows, so that its own pixels, or a copy's, aren't that.

        A group, a text, and from GIMP 3 on a vector or link layer, or one with filters.
        """
        return FACTS.is_rendered(self.ID)

    copy = Method("gimp-layer-copy", "add_alpha", (0,))
    add_alpha = Method("gimp-layer-add-alpha")
    add_mask = Method("gimp-layer-add-mask", "mask")
    create_mask = Method("gimp-layer-create-mask", "type")
    remove_mask = Method("gimp-layer-remove-mask", "mode")
    resize = Method("gimp-layer-resize", "width height offset_x offset_y", (0, 0))
    resize_to_image_size = Method("gimp-layer-resize-to-image-size")
    translate = Method("gimp-layer-translate", "offset_x offset_y")
    set_offsets = Method("gimp-layer-set-offsets", "offset_x offset_y")

    def __init__(self, image: GimpObject, name: str, width: int, height: int,
                 type: int = 0, opacity: float = 100.0, mode: int = 28) -> None:  # fmt: skip
        self.ID = call("gimp-layer-new", image, width, height, type, name, opacity, mode).ID

    def scale(self, width: int, height: int, local_origin: bool = False, interpolation: int | None = None) -> None:
        """Scale the layer about its own or the image's origin."""
        if interpolation is None:
            call("gimp-layer-scale", self, width, height, int(local_origin))
        else:
            call("gimp-layer-scale-full", self, width, height, int(local_origin), interpolation)


class GroupLayer(Layer):
    """A layer group; its pixels are the projection of its layers and can't be written."""

    is_group = True

    def __init__(self, image: GimpObject, name: str = "Layer Group", opacity: float = 100.0, mode: int = 28) -> None:
        self.ID = call("gimp-layer-group-new", image).ID
        self.name, self.opacity, self.mode = name, opacity, mode

    layers = Item.children


class Channel(Drawable):
    """A channel, a layer mask or the selection."""

    pdb_types: tuple[int, ...] = (types.ITEM, types.DRAWABLE, types.CHANNEL, types.SELECTION)
    is_channel = True

    color = Attribute("gimp-channel-get-color", "gimp-channel-set-color")
    colour = color
    opacity = Attribute("gimp-channel-get-opacity", "gimp-channel-set-opacity")
    show_masked = Attribute("gimp-channel-get-show-masked", "gimp-channel-set-show-masked", bool)

    layer = Attribute("gimp-layer-from-mask")

    copy = Method("gimp-channel-copy")
    combine_masks = Method("gimp-channel-combine-masks", "channel operation offset_x offset_y", (0, 0))

    def __init__(self, image: GimpObject, name: str, width: int, height: int,
                 opacity: float, color: RGB | tuple[float, ...] | str) -> None:  # fmt: skip
        self.ID = call("gimp-channel-new", image, width, height, name, opacity, color).ID
