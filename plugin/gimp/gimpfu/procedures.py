"""register() and main(): a plug-in's own procedures, from their declaration to their run."""

from __future__ import annotations

import string
from typing import Any, Callable, NamedTuple, NoReturn, Sequence

from .errors import CancelError, error
from .parameters import LAST_PDB_TYPE, PDB_TYPES, PF_DRAWABLE, PF_IMAGE, PF_STRING, Parameter

PLUGIN = 1
RUN_INTERACTIVE, RUN_NONINTERACTIVE, RUN_WITH_LAST_VALS = range(3)
RUN_MODE = (0, "run-mode", "The run mode { RUN-INTERACTIVE (0), RUN-NONINTERACTIVE (1) }")
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


class Procedure(NamedTuple):
    """What register() was told of one procedure."""

    name: str
    blurb: str
    help: str
    author: str
    copyright: str
    date: str
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
    """The procedures of one plug-in file, and the host that runs them.

    `gimp` is the host's gimp module and `ask(procedure, parameters, values)` its dialog, which returns the values the
    user has chosen or raises CancelError.
    """

    def __init__(
        self, gimp: Any, ask: Callable[[Procedure, Sequence[Parameter], Sequence[Any]], Sequence[Any]]
    ) -> None:
        self._gimp, self._ask = gimp, ask
        self._procedures: dict[str, Procedure] = {}

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
    ) -> None:
        """Declare a procedure; raises gimpfu.error for a declaration that GIMP would not take.

        A name without one of the usual prefixes gets "python-fu-" in front. `params` are tuples (PF_ kind, name,
        description, default[, extra]), `results` tuples (PF_ kind, name, description). Without `menu`, a label that is
        a whole menu path ("<Image>/Filters/Name") implies the image and drawable parameters.
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
        self._procedures[name] = Procedure(
            name,
            blurb,
            help,
            author,
            copyright,
            date,
            label,
            imagetypes,
            parameters,
            returns,
            function,
            menu,
            domain,
            on_query,
            on_run,
            run_mode_param,
        )

    def main(self) -> None:
        """Answer GIMP: declare the procedures when it asks for them, or run one. Call it at the end of the file."""
        self._gimp.main(None, None, self._query, self._run)

    def _query(self) -> None:
        for procedure in self._procedures.values():
            definitions = [parameter.definition() for parameter in procedure.parameters]
            if procedure.takes_run_mode:
                definitions.insert(0, RUN_MODE)
            if procedure.domain:
                domain = procedure.domain
                self._gimp.domain_register(*((domain,) if isinstance(domain, str) else domain))
            self._gimp.install_procedure(
                procedure.name,
                procedure.blurb,
                procedure.help,
                procedure.author,
                procedure.copyright,
                procedure.date,
                procedure.label,
                procedure.imagetypes,
                PLUGIN,
                definitions,
                procedure.results,
            )
            if procedure.menu:
                self._gimp.menu_register(procedure.name, procedure.menu)
            if procedure.on_query:
                procedure.on_query()

    def _run(self, name: str, arguments: tuple[Any, ...]) -> Any:
        procedure = self._procedures[name]
        if not procedure.takes_run_mode:
            return procedure.function(*_received(procedure.parameters, arguments))
        run_mode, given = arguments[0], _received(procedure.parameters, arguments[1:])
        missing = procedure.parameters[len(given) :]
        values: Sequence[Any] = ()
        if run_mode != RUN_NONINTERACTIVE and missing:
            values = self._complete(procedure, missing, run_mode)
        result = procedure.function(*given, *values)
        if run_mode != RUN_NONINTERACTIVE:
            self._gimp.displays_flush()
        return result

    def _complete(self, procedure: Procedure, missing: Sequence[Parameter], run_mode: int) -> Sequence[Any]:
        """The values that GIMP did not give: the last ones, or what the user enters."""
        from .lastvalues import LastValues  # not needed while GIMP starts

        remembered = LastValues(self._gimp.directory)
        values: Sequence[Any] = remembered.load(procedure.name, missing)
        if run_mode == RUN_WITH_LAST_VALS:
            return values
        if procedure.on_run:
            procedure.on_run()
        values = self._ask(procedure, missing, values)
        remembered.save(procedure.name, missing, values)
        return values


def _received(parameters: Sequence[Parameter], arguments: Sequence[Any]) -> list[Any]:
    return [parameter.received(value) for parameter, value in zip(parameters, arguments)]


def fail(message: str) -> NoReturn:
    """Give up: the procedure ends in an error and GIMP shows the message, once."""
    raise error(message)


__all__ = ["CancelError", "PlugIn", "Procedure", "fail"]
