"""The procedures that register() was told of, in GIMP 2.10: declaration, dialog, last values and run."""

from __future__ import annotations

from typing import Any, Sequence

from ..parameters import Parameter
from ..procedures import Procedure, values_to_show

PLUGIN = 1
RUN_INTERACTIVE, RUN_NONINTERACTIVE, RUN_WITH_LAST_VALS = range(3)
RUN_MODE = (0, "run-mode", "The run mode { RUN-INTERACTIVE (0), RUN-NONINTERACTIVE (1) }")


def serve(procedures: dict[str, Procedure], gimp: Any) -> None:
    """Answer GIMP for these procedures; `gimp` is the classic module."""
    Registered(procedures, gimp).main()


class Registered:
    """The procedures of a plug-in, as GIMP asks for them."""

    def __init__(self, procedures: dict[str, Procedure], gimp: Any) -> None:
        self._procedures, self._gimp = procedures, gimp

    def main(self) -> None:
        """Talk to GIMP until it lets the plug-in go."""
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
        self._gimp.PROCESS.run_mode = run_mode
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
        # Not needed while GIMP starts.
        from .dialog import ask
        from .lastvalues import LastValues

        remembered = LastValues(self._gimp.directory)
        values: Sequence[Any] = remembered.load(procedure.name, missing)
        if run_mode == RUN_WITH_LAST_VALS:
            return values
        shown = values_to_show(procedure.on_run)
        values = [shown.get(parameter.name, value) for parameter, value in zip(missing, values)]
        values = ask(procedure, missing, values)
        remembered.save(procedure.name, missing, values)
        return values


def _received(parameters: Sequence[Parameter], arguments: Sequence[Any]) -> list[Any]:
    return [parameter.received(value) for parameter, value in zip(parameters, arguments)]
