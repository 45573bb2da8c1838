"""register() and main(): a plug-in's own procedures, from their declaration to their run."""

from __future__ import annotations

import gettext
import string
from typing import Any, Callable, Mapping, NamedTuple, NoReturn, Sequence

from .errors import CancelError, error
from .parameters import LAST_PDB_TYPE, PDB_TYPES, PF_DRAWABLE, PF_IMAGE, PF_STRING, Parameter

PREFIXES = ("python-", "extension-", "plug-in-", "file-")
LETTERS = frozenset(string.ascii_letters + string.digits + "_-")
FILE_PARAMETERS = (
    (PF_STRING, "filename", "The name of the file", ""),
    (PF_STRING, "raw-filename", "The name of the file", ""),
)
DRAWABLE_PARAMETERS = (
    (PF_IMAGE, "image", "Input image", None),
    (PF_DRAWABLE, "drawable", "Input drawable", None),
)


class Registration(NamedTuple):
    """What register() was told of one procedure; `texts` are blurb, help, author, copyright and date."""

    name: str
    texts: tuple[str, str, str, str, str]
    label: str | None
    imagetypes: str | None
    parameters: tuple[Parameter, ...]
    results: tuple[tuple[int, str, str], ...]
    function: Callable[..., Any]
    menu: str | None
    domain: str | tuple[str, str] | None
    on_query: Callable[[], Any] | None
    on_run: Callable[[], Any] | None
    takes_run_mode: bool
    on_dialog: Callable[..., Any] | None
    takes_each: bool
    asks: bool

    def translated(self) -> Registration:
        """As the user reads it: what the catalogue of `domain` has of the menu, the label, the blurb, the help, and
        what parameters and their choices are called."""
        if not self.domain:
            return self
        name, folder = (self.domain, None) if isinstance(self.domain, str) else self.domain
        catalogue = gettext.translation(name, folder, fallback=True)

        def translate(text: str) -> str:
            # An empty text is the catalogue's head.
            return catalogue.gettext(text) if text else text

        blurb, help, author, copyright, date = self.texts
        return self._replace(
            texts=(translate(blurb), translate(help), author, copyright, date),
            label=self.label and translate(self.label),
            menu=self.menu and translate(self.menu),
            parameters=tuple(parameter.translated(translate) for parameter in self.parameters),
        )


def _check_name(name: str, what: str) -> None:
    if not set(name) <= LETTERS:
        raise error(f"{what} name contains illegal characters: {name!r}")


def _check_definitions(definitions: Sequence[Sequence[Any]], what: str, least: int) -> None:
    for entry in definitions:
        if len(entry) < least:
            raise error(f"{what} definition must contain at least {least} elements ({len(entry)} given: {entry!r})")
        if not isinstance(entry[0], int):
            raise error(f"{what} types must be integers")
        if entry[0] not in PDB_TYPES and not 0 <= entry[0] <= LAST_PDB_TYPE:
            raise error(f"{what} type {entry[0]} is unknown")
        _check_name(entry[1], what)


def _with_menu(label: str | None, menu: str | None) -> tuple[str | None, str | None, list[Any], list[Any]]:
    """The label, the menu, and the parameters that old plug-ins, with the whole menu path as label, don't declare."""
    if menu is not None or not label:
        return label, menu, [], []
    menu, _, label = label.rpartition("/")
    if menu.startswith("<Load>"):
        return label, menu, [], list(FILE_PARAMETERS)
    if menu.startswith("<Save>"):
        return label, menu, list(DRAWABLE_PARAMETERS), list(FILE_PARAMETERS)
    return label, menu or None, list(DRAWABLE_PARAMETERS) if menu.startswith("<Image>") else [], []


class PlugIn:
    """The procedures of one plug-in file; `serve(procedures)` answers the host for them."""

    def __init__(self, serve: Callable[[Mapping[str, Registration]], None]) -> None:
        self._serve = serve
        self._procedures: dict[str, Registration] = {}

    def register(
        self,
        proc_name: str,
        blurb: str,
        help: str,
        author: str,
        copyright: str,
        date: str,
        label: str | None,
        imagetypes: str | None,
        params: Sequence[Sequence[Any]],
        results: Sequence[Sequence[Any]],
        function: Callable[..., Any],
        menu: str | None = None,
        domain: str | tuple[str, str] | None = None,
        on_query: Callable[[], Any] | None = None,
        on_run: Callable[[], Any] | None = None,
        run_mode_param: bool = True,
        on_dialog: Callable[..., Any] | None = None,
        takes_each: bool = True,
        asks: bool = True,
    ) -> None:
        """Declare a procedure; raises gimpfu.error for a declaration that GIMP would not take.

        A name without one of the usual prefixes gets "python-fu-" in front. `params` are tuples (PF_ kind, name,
        description, default[, extra[, tool tip]]), `results` tuples (PF_ kind, name, description). Without `menu`, a
        label that is a whole menu path ("<Image>/Filters/Name") implies the image and drawable parameters. `domain` is
        the name of a gettext catalogue, or that and its folder: by it menu, label, blurb, help, descriptions and the
        labels of choices are translated where they are shown. `on_run` is called before the dialog opens; where it
        returns a dictionary, the dialog shows its values, by the parameters' names, instead of the last ones.
        `on_dialog` is called with the dialog (a `Form`) before it is shown, and with the values that are not asked for,
        such as image and drawable. Of several selected drawables GIMP 3 gives one after the other; without
        `takes_each` the first alone, but for scripts. Without `asks` no dialog opens, and the function, which asks for
        itself, gets no values beside image and drawable: the others are for scripts.
        """
        _check_name(proc_name, "procedure")
        _check_definitions(params, "parameter", 4)
        _check_definitions(results, "result", 3)
        name = proc_name.replace("_", "-")
        if not name.startswith(PREFIXES):
            name = "python-fu-" + name
        label, menu, first, files = _with_menu(label, menu)
        parameters = tuple(Parameter.declared(entry) for entry in [*first, *files, *params])
        returns = tuple(Parameter.declared((*entry[:3], None)).definition() for entry in results)
        self._procedures[name] = Registration(
            name, (blurb, help, author, copyright, date), label, imagetypes, parameters, returns,
            function, menu, domain, on_query, on_run, run_mode_param, on_dialog, takes_each, asks,
        )  # fmt: skip

    def main(self) -> None:
        """Answer GIMP: declare the procedures when it asks for them, or run one. Call it at the end of the file."""
        self._serve(self._procedures)


def fail(message: str) -> NoReturn:
    """Give up: the procedure ends in an error and GIMP shows the message, once."""
    raise error(message)


def values_to_show(on_run: Callable[[], Any] | None) -> dict[str, Any]:
    """Call what is to be called before a dialog opens; returns the values, by name, that the dialog has to show."""
    values = on_run() if on_run is not None else None
    return values if isinstance(values, dict) else {}


__all__ = ["CancelError", "PlugIn", "Registration", "fail"]
