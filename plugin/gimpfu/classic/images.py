"""gimp.Image and gimp.Display."""

from __future__ import annotations

from typing import Any

from ..errors import GimpError
from ..values import types
from .items import Channel, Item, Layer
from .objects import Attribute, GimpObject, Method, ParasiteHolder, call, list_items, made_by

HORIZONTAL, VERTICAL = 0, 1


class Image(ParasiteHolder):
    """An image. A new one is empty and has no display."""

    pdb_types: tuple[int, ...] = (types.IMAGE,)
    _parasites = "image"

    width = Attribute("gimp-image-width")
    height = Attribute("gimp-image-height")
    base_type = Attribute("gimp-image-base-type")
    precision = Attribute("gimp-image-get-precision")
    name = Attribute("gimp-image-get-name")
    uri = Attribute("gimp-image-get-uri")
    filename = Attribute("gimp-image-get-filename", "gimp-image-set-filename")
    dirty = Attribute("gimp-image-is-dirty", kind=bool)
    active_layer = Attribute("gimp-image-get-active-layer", "gimp-image-set-active-layer")
    active_channel = Attribute("gimp-image-get-active-channel", "gimp-image-set-active-channel")
    active_vectors = Attribute("gimp-image-get-active-vectors", "gimp-image-set-active-vectors")
    active_drawable = Attribute("gimp-image-get-active-drawable")
    selection = Attribute("gimp-image-get-selection")
    floating_selection = Attribute("gimp-image-get-floating-sel")
    floating_sel_attached_to = Attribute("gimp-image-floating-sel-attached-to")
    tattoo_state = Attribute("gimp-image-get-tattoo-state", "gimp-image-set-tattoo-state")
    unit = Attribute("gimp-image-get-unit", "gimp-image-set-unit")

    clean_all = Method("gimp-image-clean-all")
    disable_undo = undo_disable = Method("gimp-image-undo-disable")
    enable_undo = undo_enable = Method("gimp-image-undo-enable")
    undo_freeze = Method("gimp-image-undo-freeze")
    undo_thaw = Method("gimp-image-undo-thaw")
    undo_group_start = Method("gimp-image-undo-group-start")
    undo_group_end = Method("gimp-image-undo-group-end")
    flatten = Method("gimp-image-flatten")
    duplicate = Method("gimp-image-duplicate")
    lower_channel = Method("gimp-image-lower-item", "channel")
    raise_channel = Method("gimp-image-raise-item", "channel")
    lower_layer = Method("gimp-image-lower-item", "layer")
    raise_layer = Method("gimp-image-raise-item", "layer")
    lower_layer_to_bottom = Method("gimp-image-lower-item-to-bottom", "layer")
    raise_layer_to_top = Method("gimp-image-raise-item-to-top", "layer")
    merge_visible_layers = Method("gimp-image-merge-visible-layers", "merge")
    merge_down = Method("gimp-image-merge-down", "layer merge")
    pick_correlate_layer = Method("gimp-image-pick-correlate-layer", "x y")
    remove_channel = Method("gimp-image-remove-channel", "channel")
    remove_layer = Method("gimp-image-remove-layer", "layer")
    resize = Method("gimp-image-resize", "width height offset_x offset_y", (0, 0))
    resize_to_layers = Method("gimp-image-resize-to-layers")
    crop = Method("gimp-image-crop", "width height offset_x offset_y", (0, 0))
    unset_active_channel = Method("gimp-image-unset-active-channel")
    free_shadow = Method("gimp-image-free-shadow")
    get_layer_by_tattoo = Method("gimp-image-get-layer-by-tattoo", "tattoo")
    get_channel_by_tattoo = Method("gimp-image-get-channel-by-tattoo", "tattoo")
    set_component_active = Method("gimp-image-set-component-active", "component active")
    set_component_visible = Method("gimp-image-set-component-visible", "component visible")
    add_hguide = Method("gimp-image-add-hguide", "position")
    add_vguide = Method("gimp-image-add-vguide", "position")
    delete_guide = Method("gimp-image-delete-guide", "guide")
    find_next_guide = Method("gimp-image-find-next-guide", "guide")
    get_guide_orientation = Method("gimp-image-get-guide-orientation", "guide")
    get_guide_position = Method("gimp-image-get-guide-position", "guide")

    def __init__(self, width: int, height: int, type: int = 0) -> None:
        self.ID = call("gimp-image-new", width, height, type).ID

    @property
    def layers(self) -> list[Item]:
        """The layers at the top level, from the top."""
        return list_items("gimp-image-get-layers", self)

    @property
    def channels(self) -> list[Item]:
        """The channels, from the top."""
        return list_items("gimp-image-get-channels", self)

    @property
    def vectors(self) -> list[Item]:
        """The paths, from the top."""
        return list_items("gimp-image-get-vectors", self)

    @property
    def colormap(self) -> bytes:
        """The palette of an indexed image: R, G, B for each colour."""
        return bytes(call("gimp-image-get-colormap", self)[1])

    @colormap.setter
    def colormap(self, colors: bytes) -> None:
        call("gimp-image-set-colormap", self, len(colors), colors)

    @property
    def resolution(self) -> tuple[float, float]:
        """Pixels per inch, horizontally and vertically."""
        x, y = call("gimp-image-get-resolution", self)
        return x, y

    @resolution.setter
    def resolution(self, resolution: tuple[float, float]) -> None:
        call("gimp-image-set-resolution", self, *resolution)

    def undo_is_enabled(self) -> bool:
        """Whether changes are put on the undo stack."""
        return bool(call("gimp-image-undo-is-enabled", self))

    def get_component_active(self, component: int) -> bool:
        """Whether a colour component is written."""
        return bool(call("gimp-image-get-component-active", self, component))

    def get_component_visible(self, component: int) -> bool:
        """Whether a colour component is shown."""
        return bool(call("gimp-image-get-component-visible", self, component))

    def add_layer(self, layer: Layer, position: int = -1) -> None:
        """Insert a layer at the top level; -1 is above the active layer."""
        self.insert_layer(layer, None, position)

    def insert_layer(self, layer: Layer, parent: Layer | None = None, position: int = -1) -> None:
        """Insert a layer into a group, or at the top level."""
        call("gimp-image-insert-layer", self, layer, parent, position)

    def add_channel(self, channel: Channel, position: int = -1) -> None:
        """Insert a channel."""
        self.insert_channel(channel, None, position)

    def insert_channel(self, channel: Channel, parent: Channel | None = None, position: int = -1) -> None:
        """Insert a channel."""
        call("gimp-image-insert-channel", self, channel, parent, position)

    def new_layer(
        self,
        name: str = "New Layer",
        width: int = -1,
        height: int = -1,
        offset_x: int = 0,
        offset_y: int = 0,
        alpha: bool = True,
        pos: int = -1,
        opacity: float = 100.0,
        mode: int = 28,
        fill_mode: int = -1,
    ) -> Layer:
        """Make a layer of the image's own type and size, fill it if asked, and insert it."""
        width, height = (self.width if width == -1 else width), (self.height if height == -1 else height)
        layer = Layer(self, name, width, height, self.base_type * 2 + int(alpha), opacity, mode)
        if fill_mode != -1:
            layer.fill(fill_mode)
        self.insert_layer(layer, None, pos)
        if offset_x or offset_y:
            layer.set_offsets(offset_x, offset_y)
        return layer

    def scale(self, width: int, height: int, interpolation: int | None = None) -> None:
        """Scale the image."""
        if interpolation is None:
            call("gimp-image-scale", self, width, height)
        else:
            call("gimp-image-scale-full", self, width, height, interpolation)


class Display(GimpObject):
    """A view of an image in a window. Without a graphical GIMP there is none to make."""

    pdb_types: tuple[int, ...] = (types.DISPLAY,)

    def __init__(self, image: Image) -> None:
        display = call("gimp-display-new", image)
        if display is None:
            raise GimpError(f"could not make a display for {image!r}")
        self.ID = display.ID


def image_by_id(identity: int) -> Image | None:
    """The image with this ID, without asking GIMP whether there is one."""
    image: Image = Image.by_id(identity)
    return image


def display_by_id(identity: int) -> Display | None:
    """The display with this ID, without asking GIMP whether there is one."""
    display: Display = Display.by_id(identity)
    return display


def image_list() -> list[Any]:
    """All open images, the newest first."""
    return [image_by_id(identity) for identity in call("gimp-image-list")[1]]


def delete(thing: Image | Item | Display) -> None:
    """Delete an image, an item that is in no image, or a display."""
    procedure = {types.IMAGE: "gimp-image-delete", types.DISPLAY: "gimp-display-delete"}
    call(procedure.get(thing.pdb_types[0], "gimp-item-delete"), thing)


made_by(image_by_id, types.IMAGE)
made_by(display_by_id, types.DISPLAY)
