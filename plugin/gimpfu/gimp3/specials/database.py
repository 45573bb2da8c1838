"""GIMP itself: data for the session, progress, units, and what the database says of itself."""

from __future__ import annotations

from typing import Any

from ..arguments import native_parasite, parasite_data
from ..facts import path_of
from ..library import Gimp
from .registry import special

DATA = "gimpfu-data-"
BUILT_IN_UNITS = 5


@special("gimp-procedural-db-set-data identifier:STRING bytes:INT32 data:INT8ARRAY")
def set_data(identifier: str, data: bytes) -> bool:
    """Kept in a parasite of GIMP's own, which ends with the session. A byte in front, as a parasite can't be empty."""
    return bool(Gimp.attach_parasite(native_parasite(DATA + identifier, 0, b"\0" + data)))


@special("gimp-procedural-db-get-data identifier:STRING > bytes:INT32 data:INT8ARRAY")
def get_data(identifier: str) -> bytes:
    """What set_data has kept."""
    found = Gimp.get_parasite(DATA + identifier)
    if found is None:
        raise RuntimeError(f"Data for '{identifier}' not found")
    return parasite_data(found)[1:]


@special("gimp-procedural-db-get-data-size identifier:STRING > bytes:INT32")
def get_data_size(identifier: str) -> int:
    """The length of what set_data has kept."""
    return len(get_data(identifier))


@special("gimp-procedural-db-temp-name > temp-name:STRING", "gimp-temp-PDB-name > temp-name:STRING")
def temporary_name() -> str:
    """A name for a temporary procedure."""
    return str(Gimp.get_pdb().temp_procedure_name())


@special("gimp-progress-init message:STRING gdisplay:DISPLAY")
def progress_init(message: str | None, display: Any) -> None:
    """The progress bar is the display's that the plug-in was started from."""
    Gimp.progress_init(message or "")


@special("gimp-progress-update percentage:FLOAT")
def progress_update(fraction: float) -> None:
    """From 0 to 1."""
    Gimp.progress_update(fraction)


@special("gimp-progress-set-text message:STRING")
def progress_set_text(message: str | None) -> None:
    """Change the progress bar's text."""
    Gimp.progress_set_text(message or "")


@special("gimp-progress-pulse")
def progress_pulse() -> None:
    """Show that something moves."""
    Gimp.progress_pulse()


@special("gimp-progress-end")
def progress_end() -> None:
    """Take the progress bar away."""
    Gimp.progress_end()


@special("gimp-plugin-enable-precision")
def enable_precision() -> None:
    """Every plug-in sees all of the precision in GIMP 3."""


@special("gimp-plugin-precision-enabled > enabled:INT32")
def precision_enabled() -> bool:
    """See enable_precision."""
    return True


@special("gimp-plugin-set-pdb-error-handler handler:INT32")
def set_error_handler(handler: int) -> None:
    """Errors are always the plug-in's own."""


@special("gimp-context-get-transform-recursion > transform-recursion:INT32")
def transform_recursion() -> int:
    """GIMP has no use for it."""
    return 3


@special("gimp-context-set-transform-recursion transform-recursion:INT32")
def set_transform_recursion(level: int) -> None:
    """GIMP has no use for it."""


@special("gimp-get-icon-theme-dir > icon-theme-dir:STRING")
def icon_theme_folder() -> str | None:
    """The folder of the icons."""
    return path_of(Gimp.icon_theme_dir())


@special("gimp-get-color-configuration > config:STRING")
def color_configuration() -> str:
    """The colour settings, as a config file has them."""
    return str(Gimp.get_color_configuration().serialize_to_string(None))


@special("gimp-unit-get-number-of-units > num-units:INT32", "gimp-unit-get-number-of-built-in-units > num-units:INT32")
def units() -> int:
    """Pixels, inches, millimetres, points and picas."""
    return BUILT_IN_UNITS


def _unit(question: str, result: str, ask: Any) -> None:
    special(f"gimp-unit-get-{question} unit-id:INT32 > {result}")(lambda identity: ask(Gimp.Unit.get_by_id(identity)))


_unit("abbreviation", "abbreviation:STRING", lambda unit: unit.get_abbreviation())
_unit("deletion-flag", "deletion-flag:INT32", lambda unit: unit.get_deletion_flag())
_unit("digits", "digits:INT32", lambda unit: unit.get_digits())
_unit("factor", "factor:FLOAT", lambda unit: unit.get_factor())
_unit("identifier", "identifier:STRING", lambda unit: unit.get_name())
_unit("plural", "plural:STRING", lambda unit: unit.get_name())
_unit("singular", "singular:STRING", lambda unit: unit.get_name())
_unit("symbol", "symbol:STRING", lambda unit: unit.get_symbol())
