"""Colour profiles that a picture can be told by."""

from __future__ import annotations

from PIL import ImageCms


def swapped_profile() -> bytes:
    """sRGB, with the colours of red and blue exchanged."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile.replace(b"rXYZ", b"----").replace(b"bXYZ", b"rXYZ").replace(b"----", b"bXYZ")
