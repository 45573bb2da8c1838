"""GIMP 3's libraries, through GObject introspection. GTK and GimpUi are not among them: see dialog."""

# mypy: disable-error-code="import-untyped, import-not-found"
from __future__ import annotations

try:
    import gi

    gi.require_version("Babl", "0.1")
    gi.require_version("Gegl", "0.4")
    gi.require_version("Gimp", "3.0")
    from gi.repository import Babl, Gegl, Gimp, Gio, GLib, GObject
except (ImportError, ValueError) as failure:
    raise ImportError(
        f"This plug-in needs PyGObject and GIMP 3's introspection files ({failure}). "
        "On Debian and Ubuntu: apt install python3-gi gir1.2-gimp-3.0"
    ) from failure

__all__ = ["Babl", "GLib", "GObject", "Gegl", "Gimp", "Gio"]
