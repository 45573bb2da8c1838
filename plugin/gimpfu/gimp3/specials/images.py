"""Images: the active item of each kind, palettes, profiles, files, and what has to do with displays."""

from __future__ import annotations

from typing import Any

from ..arguments import channels, file, gegl_color
from ..library import Gimp, GLib
from .registry import special

XCF = (".xcf", ".xcf.gz", ".xcf.bz2", ".xcf.xz", ".xcfgz", ".xcfbz2", ".xcfxz")


def _only(items: Any) -> Any:
    return items[0] if items else None


special("gimp-image-is-valid image:IMAGE > valid:INT32", by_id=True)(Gimp.Image.id_is_valid)
special("gimp-display-is-valid display:DISPLAY > valid:INT32", by_id=True)(Gimp.Display.id_is_valid)


def _declare_active(name: str, native: str) -> None:
    """The active layer, channel or path is the first of those that are selected."""
    selected, select = f"get_selected_{native}s", f"set_selected_{native}s"
    signature = f"active-{name}:{name.upper()}"

    @special(f"gimp-image-get-active-{name} image:IMAGE > {signature}")
    def get(image: Any) -> Any:
        return _only(getattr(image, selected)())

    @special(f"gimp-image-set-active-{name} image:IMAGE {signature}")
    def set(image: Any, item: Any) -> bool:
        return bool(getattr(image, select)([item]))


for _name, _native in (("layer", "layer"), ("channel", "channel"), ("vectors", "path")):
    _declare_active(_name, _native)


@special("gimp-image-unset-active-channel image:IMAGE > channel:CHANNEL")
def unset_active_channel(image: Any) -> Any:
    """Select no channel; returns the one that was selected."""
    before = _only(image.get_selected_channels())
    image.set_selected_channels([])
    return before


@special("gimp-image-get-active-drawable image:IMAGE > drawable:DRAWABLE",
         "gimp-image-active-drawable image:IMAGE > drawable:DRAWABLE")  # fmt: skip
def active_drawable(image: Any) -> Any:
    """The first of the selected drawables: a layer's mask where it is being edited."""
    return _only(image.get_selected_drawables())


@special("gimp-image-get-colormap image:IMAGE > num-bytes:INT32 colormap:INT8ARRAY",
         "gimp-image-get-cmap image:IMAGE > num-bytes:INT32 colormap:INT8ARRAY")  # fmt: skip
def colormap(image: Any) -> bytes:
    """The palette of an indexed image, R, G, B for each colour."""
    palette = image.get_palette()
    if palette is None:
        return b""
    shares = [share for color in palette.get_colors() for share in channels(color)[:3]]
    return bytes(int(min(max(share, 0.0), 1.0) * 255 + 0.5) for share in shares)


@special("gimp-image-set-colormap image:IMAGE num-bytes:INT32 colormap:INT8ARRAY",
         "gimp-image-set-cmap image:IMAGE num-bytes:INT32 colormap:INT8ARRAY")  # fmt: skip
def set_colormap(image: Any, colors: bytes) -> None:
    """Give an indexed image these colours: by a palette, which is made for that alone."""
    palette = Gimp.Palette.new("gimpfu colormap")
    try:
        for start in range(0, len(colors) - 2, 3):
            palette.add_entry(None, gegl_color([int(byte) for byte in colors[start : start + 3]]))
        image.set_palette(palette)
    finally:
        palette.delete()


def _icc(profile: Any) -> bytes:
    return b"" if profile is None else bytes(profile.get_icc_profile())


@special("gimp-image-get-color-profile image:IMAGE > num-bytes:INT32 profile-data:INT8ARRAY")
def color_profile(image: Any) -> bytes:
    """The image's own ICC profile, empty if it has none."""
    return _icc(image.get_color_profile())


@special("gimp-image-get-effective-color-profile image:IMAGE > num-bytes:INT32 profile-data:INT8ARRAY")
def effective_color_profile(image: Any) -> bytes:
    """The ICC profile that the image's numbers are meant by."""
    return _icc(image.get_effective_color_profile())


@special("gimp-image-set-color-profile image:IMAGE num-bytes:INT32 color-profile:INT8ARRAY")
def set_color_profile(image: Any, data: bytes) -> bool:
    """Attach an ICC profile; without one, sRGB is meant."""
    return bool(image.set_color_profile(_profile(data) if data else None))


@special("gimp-image-convert-color-profile image:IMAGE num-bytes:INT32 color-profile:INT8ARRAY intent:INT32 bpc:INT32")
def convert_color_profile(image: Any, data: bytes, intent: int, bpc: int) -> bool:
    """Convert the pixels to an ICC profile."""
    return bool(image.convert_color_profile(_profile(data), Gimp.ColorRenderingIntent(intent), bool(bpc)))


def _profile(data: bytes) -> Any:
    try:
        return Gimp.ColorProfile.new_from_icc_profile(data)
    except GLib.Error as failure:
        raise RuntimeError(failure.message) from None


@special("gimp-image-set-color-profile-from-file image:IMAGE uri:STRING")
def set_color_profile_from_file(image: Any, uri: str) -> bool:
    """Attach the ICC profile of a file, named by URI or path."""
    return bool(image.set_color_profile_from_file(file(uri)))


def _uri(file: Any) -> str | None:
    return None if file is None else str(file.get_uri())


@special("gimp-image-set-filename image:IMAGE filename:STRING")
def set_filename(image: Any, name: str) -> bool:
    """GIMP 3 takes XCF files alone; for others, which a loader names, it knows itself what it has loaded."""
    return not name.lower().endswith(XCF) or bool(image.set_file(file(name)))


@special("gimp-image-get-uri image:IMAGE > uri:STRING")
def uri(image: Any) -> str | None:
    """The URI of the image's file."""
    return _uri(image.get_file())


@special("gimp-image-get-xcf-uri image:IMAGE > uri:STRING")
def xcf_uri(image: Any) -> str | None:
    """The URI of the image's XCF file."""
    return _uri(image.get_xcf_file())


@special("gimp-image-get-imported-uri image:IMAGE > uri:STRING")
def imported_uri(image: Any) -> str | None:
    """The URI that the image was imported from."""
    return _uri(image.get_imported_file())


@special("gimp-image-get-exported-uri image:IMAGE > uri:STRING")
def exported_uri(image: Any) -> str | None:
    """The URI that the image was exported to."""
    return _uri(image.get_exported_file())


@special("gimp-image-thumbnail image:IMAGE width:INT32 height:INT32 > actual-width:INT32 actual-height:INT32"
         " bpp:INT32 thumbnail-data-count:INT32 thumbnail-data:INT8ARRAY")  # fmt: skip
def thumbnail(image: Any, width: int, height: int) -> tuple[Any, ...]:
    """A small picture of the image."""
    data, *size = image.get_thumbnail_data(width, height)
    return (*size, data)


@special("gimp-image-free-shadow image:IMAGE")
def free_shadow(image: Any) -> None:
    """Images have had no shadow for long."""
