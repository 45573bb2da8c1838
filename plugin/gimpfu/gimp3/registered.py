"""The procedures that register() was told of, in GIMP 3."""

from __future__ import annotations

from typing import Any, Sequence

from ..procedures import Procedure
from .declared import Declared


def serve(procedures: dict[str, Procedure], gimp: Any) -> None:
    """Answer GIMP for these procedures; `gimp` is the classic module."""
    domains = [procedure.domain for procedure in procedures.values() if procedure.domain]
    domain = (domains[0], None) if domains and isinstance(domains[0], str) else domains[0] if domains else None
    gimp.PROCESS.offer([_declared(procedure, gimp.PROCESS) for procedure in procedures.values()], domain)


def _declared(procedure: Procedure, process: Any) -> Declared:
    def call(run_mode: int, values: Sequence[Any]) -> Any:
        process.run_mode = run_mode
        return procedure.function(*values)

    texts = (procedure.blurb, procedure.help, procedure.author, procedure.copyright, procedure.date)
    declared = Declared(
        procedure.name, texts, procedure.label, procedure.imagetypes, procedure.parameters, procedure.results, call,
        procedure.takes_run_mode, True, procedure.on_run, procedure.on_query,
    )  # fmt: skip
    if procedure.menu:
        declared.menus.append(procedure.menu)
    return declared
