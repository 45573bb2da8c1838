"""gimp.Item, Drawable, Layer, GroupLayer, Channel: what an image is made of."""
from __future__ import annotations

import ctypes
from typing import Any, Dict, List, Optional, Tuple, Type, Union

from ..errors import GimpError
from . import arguments as types
from .colors import RGB
from .libgimp import LIBRARY
from .objects import Attribute, GimpObject, Method, ParasiteHolder, call, made_by
from .pixels import BYTES_PER_PIXEL, STORE, PixelRgn, Tile, tile_size

_is_layer, _is_channel, _is_vectors, _is_group, _is_valid = (
    LIBRARY.function("gimp_item_is_" + kind, ctypes.c_int, ctypes.c_int32)
    for kind in ("layer", "channel", "vectors", "group", "valid")
)


class Item(ParasiteHolder):
    """A layer, channel or path."""

    pdb_types = (types.ITEM,)
    _parasites = "item"
    _kinds: Dict[int, Type[Item]] = {}

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
    def from_id(identity: int) -> Optional[Item]:
        """The layer, group, channel or path with this ID; None if there is no such item."""
        return item_by_id(identity) if identity >= 0 and _is_valid(identity) else None

    @property
    def children(self) -> List[Optional[Item]]:
        """The items in this one, from the top; empty for anything but groups."""
        if not _is_group(self.ID):
            return []
        return [item_by_id(identity) for identity in call("gimp-item-get-children", self)[1]]

    def _transformed(self, clip_result: bool, procedure: str, *arguments: Any, **context: Any) -> Any:
        """The item that a transformation leaves, made with these context settings for this call alone."""
        call("gimp-context-push")
        try:
            call("gimp-context-set-transform-resize", int(clip_result))
            for name, value in context.items():
                call("gimp-context-set-" + name.replace("_", "-"), value)
            return call(procedure, self, *arguments)
        finally:
            call("gimp-context-pop")


class Drawable(Item):
    """An item with pixels."""

    pdb_types = (types.ITEM, types.DRAWABLE)
    is_channel = False

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

    def mask_intersect(self) -> Tuple[int, int, int, int]:
        """The selection's bounds on this drawable: x, y, width, height; gimp.error if they don't touch."""
        intersects, x, y, width, height = call("gimp-drawable-mask-intersect", self)
        if not intersects:
            raise GimpError("the selection does not touch the drawable %r" % self.name)
        return x, y, width, height

    def flush(self) -> None:
        """Send all pixels that were written to GIMP."""
        STORE.flush()

    def merge_shadow(self, undo: bool = False) -> None:
        """Make the shadow's pixels the drawable's own, inside the selection."""
        call("gimp-drawable-merge-shadow", self, int(undo))

    def get_pixel_rgn(self, x: int, y: int, width: int, height: int,
                      dirty: bool = True, shadow: bool = False) -> PixelRgn:  # fmt: skip
        """The pixels of a rectangle; a negative width or height reaches to the edge."""
        return PixelRgn(self, x, y, width, height, dirty, shadow)

    def get_tile(self, shadow: bool, row: int, col: int) -> Optional[Tile]:
        """A tile by its row and column; None beyond the edge."""
        return Tile.at(self, shadow, row, col)

    def get_tile2(self, shadow: bool, x: int, y: int) -> Optional[Tile]:
        """The tile that holds a pixel; None beyond the edge."""
        if not (0 <= x < self.width and 0 <= y < self.height):
            return None
        return Tile.at(self, shadow, y // tile_size(), x // tile_size())

    @property
    def bpp(self) -> int:
        """Bytes per pixel as pixel regions have it. The procedure counts a high-precision layer's own bytes."""
        return BYTES_PER_PIXEL[self.type]

    def get_pixel(self, *position: Any) -> Tuple[int, ...]:
        """get_pixel(x, y) or get_pixel((x, y)): the components of a pixel, 0 to 255."""
        x, y = position[0] if len(position) == 1 else position
        return tuple(PixelRgn(self, 0, 0, -1, -1)[x, y])

    def set_pixel(self, *arguments: Any) -> None:
        """set_pixel(x, y, values) or set_pixel((x, y), values): set the components, 0 to 255."""
        (x, y), values = (arguments[0], arguments[1]) if len(arguments) == 2 else (arguments[:2], arguments[2])
        PixelRgn(self, 0, 0, -1, -1)[x, y] = bytes(values)

    def transform_flip(self, x0: float, y0: float, x1: float, y1: float, transform_direction: int, interpolation: int,
                       supersample: bool = False, recursion_level: int = 3, clip_result: bool = False) -> Any:  # fmt: skip
        """Mirror about the axis from (x0, y0) to (x1, y1)."""
        return self._transformed(clip_result, "gimp-item-transform-flip", x0, y0, x1, y1,
                                 transform_direction=transform_direction, interpolation=interpolation)  # fmt: skip

    def transform_flip_simple(self, flip_type: int, auto_center: bool, axis: float, clip_result: bool = False) -> Any:
        """Mirror horizontally or vertically."""
        return self._transformed(clip_result, "gimp-item-transform-flip-simple", flip_type, int(auto_center), axis)

    def transform_flip_default(self, x0: float, y0: float, x1: float, y1: float,
                               interpolate: bool = False, clip_result: bool = False) -> Any:  # fmt: skip
        """Mirror about an axis with the user's interpolation, or none."""
        return self._transformed(clip_result, "gimp-item-transform-flip", x0, y0, x1, y1, **_default(interpolate))

    def transform_perspective(self, x0: float, y0: float, x1: float, y1: float, x2: float, y2: float, x3: float,
                              y3: float, transform_direction: int, interpolation: int, supersample: bool = False,
                              recursion_level: int = 3, clip_result: bool = False) -> Any:  # fmt: skip
        """Move the four corners to these points."""
        return self._transformed(clip_result, "gimp-item-transform-perspective", x0, y0, x1, y1, x2, y2, x3, y3,
                                 transform_direction=transform_direction, interpolation=interpolation)  # fmt: skip

    def transform_perspective_default(self, x0: float, y0: float, x1: float, y1: float, x2: float, y2: float,
                                      x3: float, y3: float, interpolate: bool = False,
                                      clip_result: bool = False) -> Any:  # fmt: skip
        """Move the four corners, with the user's interpolation or none."""
        return self._transformed(clip_result, "gimp-item-transform-perspective", x0, y0, x1, y1, x2, y2, x3, y3,
                                 **_default(interpolate))  # fmt: skip

    def transform_rotate(self, angle: float, auto_center: bool, center_x: int, center_y: int, transform_direction: int,
                         interpolation: int, supersample: bool = False, recursion_level: int = 3,
                         clip_result: bool = False) -> Any:  # fmt: skip
        """Rotate by an angle in radians."""
        return self._transformed(clip_result, "gimp-item-transform-rotate", angle, int(auto_center), center_x, center_y,
                                 transform_direction=transform_direction, interpolation=interpolation)  # fmt: skip

    def transform_rotate_simple(self, rotate_type: int, auto_center: bool, center_x: int, center_y: int,
                                clip_result: bool = False) -> Any:  # fmt: skip
        """Rotate by 90, 180 or 270 degrees."""
        return self._transformed(clip_result, "gimp-item-transform-rotate-simple", rotate_type, int(auto_center),
                                 center_x, center_y)  # fmt: skip

    def transform_rotate_default(self, angle: float, auto_center: bool, center_x: int, center_y: int,
                                 interpolate: bool = False, clip_result: bool = False) -> Any:  # fmt: skip
        """Rotate with the user's interpolation, or none."""
        return self._transformed(clip_result, "gimp-item-transform-rotate", angle, int(auto_center), center_x, center_y,
                                 **_default(interpolate))  # fmt: skip

    def transform_scale(self, x0: float, y0: float, x1: float, y1: float, transform_direction: int, interpolation: int,
                        supersample: bool = False, recursion_level: int = 3, clip_result: bool = False) -> Any:  # fmt: skip
        """Scale into the rectangle from (x0, y0) to (x1, y1)."""
        return self._transformed(clip_result, "gimp-item-transform-scale", x0, y0, x1, y1,
                                 transform_direction=transform_direction, interpolation=interpolation)  # fmt: skip

    def transform_scale_default(self, x0: float, y0: float, x1: float, y1: float,
                                interpolate: bool = False, clip_result: bool = False) -> Any:  # fmt: skip
        """Scale with the user's interpolation, or none."""
        return self._transformed(clip_result, "gimp-item-transform-scale", x0, y0, x1, y1, **_default(interpolate))

    def transform_shear(self, shear_type: int, magnitude: float, transform_direction: int, interpolation: int,
                        supersample: bool = False, recursion_level: int = 3, clip_result: bool = False) -> Any:  # fmt: skip
        """Shear horizontally or vertically."""
        return self._transformed(clip_result, "gimp-item-transform-shear", shear_type, magnitude,
                                 transform_direction=transform_direction, interpolation=interpolation)  # fmt: skip

    def transform_shear_default(self, shear_type: int, magnitude: float,
                                interpolate: bool = False, clip_result: bool = False) -> Any:  # fmt: skip
        """Shear with the user's interpolation, or none."""
        return self._transformed(clip_result, "gimp-item-transform-shear", shear_type, magnitude,
                                 **_default(interpolate))  # fmt: skip

    def transform_matrix(self, *arguments: Any, clip_result: bool = False, **named: Any) -> Any:
        """Transform by the nine coefficients of a matrix, then transform_direction and interpolation."""
        values = dict(zip((*_MATRIX, "transform_direction", "interpolation", "supersample", "recursion_level",
                           "clip_result"), arguments), **named)  # fmt: skip
        return self._transformed(values.get("clip_result", clip_result), "gimp-item-transform-matrix",
                                 *[values[name] for name in _MATRIX],
                                 transform_direction=values["transform_direction"],
                                 interpolation=values["interpolation"])  # fmt: skip

    def transform_matrix_default(self, *arguments: Any, **named: Any) -> Any:
        """Transform by the nine coefficients of a matrix, with the user's interpolation or none."""
        values = dict(zip((*_MATRIX, "interpolate", "clip_result"), arguments), **named)
        return self._transformed(values.get("clip_result", False), "gimp-item-transform-matrix",
                                 *[values[name] for name in _MATRIX],
                                 **_default(values.get("interpolate", False)))  # fmt: skip


_MATRIX = tuple("coeff_%d_%d" % (row, column) for row in range(3) for column in range(3))


def _default(interpolate: bool) -> Dict[str, int]:
    return {} if interpolate else {"interpolation": 0}


class Layer(Drawable):
    """A layer. A new one belongs to its image but is not in it until it is inserted."""

    pdb_types = (types.ITEM, types.DRAWABLE, types.LAYER)

    mask = Attribute("gimp-layer-get-mask")
    apply_mask = Attribute("gimp-layer-get-apply-mask", "gimp-layer-set-apply-mask", bool)
    edit_mask = Attribute("gimp-layer-get-edit-mask", "gimp-layer-set-edit-mask", bool)
    show_mask = Attribute("gimp-layer-get-show-mask", "gimp-layer-set-show-mask", bool)
    mode = Attribute("gimp-layer-get-mode", "gimp-layer-set-mode")
    opacity = Attribute("gimp-layer-get-opacity", "gimp-layer-set-opacity")
    lock_alpha = Attribute("gimp-layer-get-lock-alpha", "gimp-layer-set-lock-alpha", bool)
    preserve_trans = lock_alpha
    is_floating_sel = Attribute("gimp-layer-is-floating-sel", kind=bool)

    copy = Method("gimp-layer-copy", "add_alpha", (0,))
    add_alpha = Method("gimp-layer-add-alpha")
    add_mask = Method("gimp-layer-add-mask", "mask")
    create_mask = Method("gimp-layer-create-mask", "type")
    remove_mask = Method("gimp-layer-remove-mask", "mode")
    resize = Method("gimp-layer-resize", "width height offset_x offset_y", (0, 0))
    resize_to_image_size = Method("gimp-layer-resize-to-image-size")
    translate = Method("gimp-layer-translate", "offset_x offset_y")
    set_offsets = Method("gimp-layer-set-offsets", "offset_x offset_y")

    def __init__(self, image: GimpObject, name: str, width: int, height: int, type: int = 0,
                 opacity: float = 100.0, mode: int = 28) -> None:  # fmt: skip
        self.ID = call("gimp-layer-new", image, width, height, type, name, opacity, mode).ID

    def scale(self, width: int, height: int, local_origin: bool = False, interpolation: Optional[int] = None) -> None:
        """Scale the layer about its own or the image's origin."""
        if interpolation is None:
            call("gimp-layer-scale", self, width, height, int(local_origin))
        else:
            call("gimp-layer-scale-full", self, width, height, int(local_origin), interpolation)


class GroupLayer(Layer):
    """A layer group; its pixels are the projection of its layers and can't be written."""

    def __init__(self, image: GimpObject, name: str = "Layer Group", opacity: float = 100.0, mode: int = 28) -> None:
        self.ID = call("gimp-layer-group-new", image).ID
        self.name, self.opacity, self.mode = name, opacity, mode

    layers = Item.children


class Channel(Drawable):
    """A channel, a layer mask or the selection."""

    pdb_types = (types.ITEM, types.DRAWABLE, types.CHANNEL, types.SELECTION)
    is_channel = True

    color = Attribute("gimp-channel-get-color", "gimp-channel-set-color")
    colour = color
    opacity = Attribute("gimp-channel-get-opacity", "gimp-channel-set-opacity")
    show_masked = Attribute("gimp-channel-get-show-masked", "gimp-channel-set-show-masked", bool)

    copy = Method("gimp-channel-copy")
    combine_masks = Method("gimp-channel-combine-masks", "channel operation offset_x offset_y", (0, 0))

    def __init__(self, image: GimpObject, name: str, width: int, height: int, opacity: float,
                 color: Union[RGB, Tuple[float, ...], str]) -> None:  # fmt: skip
        self.ID = call("gimp-channel-new", image, width, height, name, opacity, color).ID


def item_by_id(identity: int) -> Optional[Item]:
    """The object for an item; what kind of item an ID stands for never changes, so it is asked for once."""
    kind = Item._kinds.get(identity)
    if kind is None:
        if _is_layer(identity):
            kind = GroupLayer if _is_group(identity) else Layer
        elif _is_channel(identity):
            kind = Channel
        elif _is_vectors(identity):
            from .vectors import Vectors

            kind = Vectors
        else:
            return None
        Item._kinds[identity] = kind
    item: Item = kind.by_id(identity)
    return item


made_by(item_by_id, types.ITEM, types.DRAWABLE, types.LAYER, types.CHANNEL, types.SELECTION, types.VECTORS)
