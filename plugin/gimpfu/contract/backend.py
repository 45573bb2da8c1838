"""What the classic modules ask of a back end, which is a package for one kind of GIMP: `gimp2`, `gimp3`.

mypy holds both to it: where `host` chooses one, and where they derive final classes from Database and Process. IDs are
GIMP's own numbers for images, items and displays. Unless it says otherwise, what fails in GIMP raises RuntimeError with
GIMP's text.
"""

from __future__ import annotations

from typing import Any, Callable, Collection, Mapping, Protocol, Sequence, Tuple

from ..parameters import Parameter
from .database import Database, Wrap
from .form import Form
from .process import Callback, Process

Area = Tuple[int, int, int, int]
"""A rectangle of pixels: x and y from the drawable's own corner, width, height."""


class Buffer(Protocol):
    """The open GEGL buffer of a drawable. `form` is a babl format's name, None stands for the drawable's own."""

    def read(self, area: Area, form: str | None, size: int) -> bytes:
        """The pixels of an area, row by row without gaps; they are `size` bytes. ValueError for an unknown format."""

    def write(self, area: Area, form: str | None, pixels: Any) -> None:
        """Set the pixels of an area from a bytes-like object, which the caller has checked is of the right size."""

    def flush(self) -> None:
        """Send what was written to GIMP."""

    def close(self) -> None:
        """Let go of the buffer and of its cached tiles."""


class Buffers(Protocol):
    """The way to drawables' pixels. GEGL starts at the first call."""

    def format_of(self, drawable: int) -> str | None:
        """The babl format of a drawable's own pixels, without its colour space; None if there is no such drawable."""

    def pixel_size(self, name: str) -> int:
        """Bytes per pixel of a babl format; ValueError if there is none of that name."""

    def open(self, drawable: int, shadow: bool) -> Buffer | None:
        """A drawable's buffer, or that of its shadow; None if there is no such drawable."""


class Facts(Protocol):
    """The module `facts` of a back end: what libgimp knows about itself, this GIMP, and its objects."""

    @property
    def version(self) -> tuple[int, ...]:
        """Major, minor and micro version of GIMP."""

    @property
    def FOLDERS(self) -> Collection[str]:
        """The names that `folder` knows: "directory", "data_directory", and so on, as gimp has them."""

    def folder(self, name: str) -> str:
        """The path of one of `FOLDERS`; "" if GIMP has none."""

    def personal_rc_file(self, basename: str) -> str | None:
        """The path of a file in the user's GIMP folder."""

    def user_directory(self, type: int) -> str | None:
        """One of the user's own folders, by GLib's numbers; None if it is not set."""

    def gtkrc(self) -> str | None:
        """The file of GTK's settings."""

    def tile_width(self) -> int:
        """The width of a tile in pixels."""

    def tile_height(self) -> int:
        """The height of a tile in pixels."""

    def gamma(self) -> float:
        """The display's gamma."""

    def show_tool_tips(self) -> bool:
        """Whether tool tips are shown."""

    def show_help_button(self) -> bool:
        """Whether dialogs have a help button."""

    def check_size(self) -> int:
        """The size of the checks that stand for transparency, a CHECK_SIZE_ constant."""

    def check_type(self) -> int:
        """The shades of the checks that stand for transparency, a CHECK_TYPE_ constant."""

    def checks_get_shades(self, type: int) -> tuple[int, int]:
        """The two grays of a CHECK_TYPE_, 0 to 255."""

    def monitor_number(self) -> int:
        """The monitor that GIMP is on."""

    def wm_class(self) -> str | None:
        """The window class of GIMP's windows."""

    def display_name(self) -> str | None:
        """The screen that GIMP is on; None without one."""

    def get_progname(self) -> str | None:
        """The plug-in's own file."""

    def default_display(self) -> int:
        """The ID of the display that the plug-in was started from; 0 or less if there is none."""

    def end_plug_in(self) -> None:
        """End this process as GIMP's plug-in."""

    def is_display(self, identity: int) -> bool:
        """Whether there is a display with this ID."""

    def is_item(self, identity: int) -> bool:
        """Whether there is a layer, channel or path with this ID."""

    def kind_of_item(self, identity: int) -> str | None:
        """What an ID stands for: "layer", "group", "channel" or "vectors"; None if there is no such item."""

    def is_rendered(self, layer: int) -> bool:
        """Whether GIMP renders what a layer shows, so that its own pixels aren't that: a group, a text, and so on."""


class Dialogs(Protocol):
    """GIMP's own windows. Each loads GTK when it opens, and raises gimpfu.error where there is no display."""

    def start_toolkit(self) -> None:
        """Start GTK with GIMP's theme."""

    def form(
        self, title: str, rows: Sequence[Parameter], answers: Mapping[str, str], cancel: str, default: str | None,
        wrap: Wrap,
    ) -> Form:  # fmt: skip
        """A window of these rows, of `form.KINDS`; see gimpui.Form."""

    def copy(self, text: str) -> None:
        """Put a text on the clipboard, at least for as long as this process shows windows."""

    def export(self, image: int, drawable: int, format_name: str | None, capabilities: int) -> tuple[int, int, int]:
        """As gimp.export_image: an EXPORT_ constant, and the IDs of the image and drawable to write."""


class BackEnd(Protocol):
    """The package itself. Importing it loads neither GEGL nor GTK: a plug-in starts at every call of a procedure."""

    def make_database(self, wrap: Wrap, before_call: Callable[[bool], None]) -> Database:
        """The classic pdb; see its class for the arguments."""

    def make_process(self, database: Database, settle: Callable[[], None]) -> Process:
        """This process as GIMP's plug-in; see its class for the arguments."""

    def make_buffers(self) -> Buffers:
        """The way to pixels."""

    def dialogs(self) -> Dialogs:
        """GIMP's own windows, loaded only now."""

    def constants(self) -> Mapping[str, float]:
        """gimpenums: all constants by their classic names, without GIMP_ in front."""

    def progress_init(self, text: str | None = None) -> None:
        """Show the progress bar, empty, with this text."""

    def progress_update(self, fraction: float) -> None:
        """Fill the progress bar to this fraction, 0 to 1."""

    def progress_set_text(self, text: str) -> None:
        """Change the progress bar's text."""

    def progress_install(
        self, start: Callback, end: Callback, text: Callback, value: Callback, data: Any = None
    ) -> str:
        """Send the progress of procedures that this plug-in calls to its own functions; gimp.error if GIMP can't.

        They are called as start(text, cancelable), end(), text(text) and value(fraction), each with `data` after
        these if it is given. Returns the name that progress_uninstall takes.
        """

    def progress_uninstall(self, name: str) -> None:
        """Give progress back to GIMP; gimp.error for a name that is not installed."""
