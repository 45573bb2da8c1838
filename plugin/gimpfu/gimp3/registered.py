"""The procedures that register() was told of, in GIMP 3."""

from __future__ import annotations

from typing import Any, Iterable, Sequence

from ..contract.process import Process
from ..procedures import Registration
from .declared import Declared


def domain_of(procedures: Iterable[Registration]) -> tuple[str, str | None] | None:
    """The translation domain of the plug-in, which has one in GIMP 3, and where its catalogues are."""
    domain = next((procedure.domain for procedure in procedures if procedure.domain), None)
    return (domain, None) if isinstance(domain, str) else domain


def as_offered(procedure: Registration, process: Process) -> Declared:
    """The procedure with its dialog and menu."""

    def call(run_mode: int, values: Sequence[Any]) -> Any:
        process.run_mode = run_mode
        return procedure.function(*values)

    shown = procedure.translated()
    declared = Declared(
        procedure.name, shown.texts, shown.label, procedure.imagetypes, procedure.parameters,
        procedure.results, call, process.database.wrap, procedure.takes_run_mode, procedure.asks, procedure.on_run,
        procedure.on_query, shown.parameters, procedure.on_dialog, procedure.takes_each,
    )  # fmt: skip
    if shown.menu:
        declared.menus.append(shown.menu)
    return declared
