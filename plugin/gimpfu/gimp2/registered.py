"""The procedures that register() was told of, in GIMP 2.10: declaration, dialog, last values and run."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from ..contract.database import RUN_NONINTERACTIVE
from ..contract.process import Declaration, Process
from ..parameters import Parameter
from ..procedures import Registration, values_to_show
from . import facts

PLUGIN = 1
RUN_WITH_LAST_VALS = 2
RUN_MODE = (0, "run-mode", "The run mode { RUN-INTERACTIVE (0), RUN-NONINTERACTIVE (1) }")


class Registered:
    """The procedures of a plug-in, as GIMP asks for them."""

    def __init__(self, procedures: Mapping[str, Registration], process: Process) -> None:
        self._procedures, self._process = procedures, process

    def query(self) -> None:
        """Declare them all."""
        for procedure in self._procedures.values():
            definitions = [parameter.definition() for parameter in procedure.parameters]
            if procedure.takes_run_mode:
                definitions.insert(0, RUN_MODE)
            if procedure.domain:
                domain = procedure.domain
                self._process.domain_register(*((domain,) if isinstance(domain, str) else domain))
            self._process.declare(Declaration(
                procedure.name, *procedure.texts, procedure.label, procedure.imagetypes, PLUGIN, definitions,
                procedure.results,
            ))  # fmt: skip
            if procedure.menu:
                self._process.menu_register(procedure.name, procedure.menu)
            if procedure.on_query:
                procedure.on_query()

    def run(self, name: str, arguments: tuple[Any, ...]) -> Any:
        """Run one; what GIMP gives no arguments for is what it was last time, or what the user enters."""
        procedure = self._procedures[name]
        if not procedure.takes_run_mode:
            return procedure.function(*_received(procedure.parameters, arguments))
        run_mode, given = arguments[0], _received(procedure.parameters, arguments[1:])
        self._process.run_mode = run_mode
        missing = procedure.parameters[len(given) :]
        values: Sequence[Any] = ()
        if run_mode != RUN_NONINTERACTIVE and missing and procedure.asks:
            values = self._complete(procedure, given, missing, run_mode)
        result = procedure.function(*given, *values)
        if run_mode != RUN_NONINTERACTIVE:
            self._process.database["gimp-displays-flush"]()
        return result

    def _complete(
        self, procedure: Registration, given: Sequence[Any], missing: Sequence[Parameter], run_mode: int
    ) -> Sequence[Any]:
        """The values that GIMP did not give: the last ones, or what the user enters."""
        # Not needed while GIMP starts.
        from .dialog import ask
        from .lastvalues import LastValues

        remembered = LastValues(facts.folder("directory"))
        values: Sequence[Any] = remembered.load(procedure.name, missing)
        if run_mode == RUN_WITH_LAST_VALS:
            return values
        shown = values_to_show(procedure.on_run)
        values = [shown.get(parameter.name, value) for parameter, value in zip(missing, values)]
        translated = procedure.translated()
        fields = translated.parameters[-len(missing) :]
        values = ask(translated, fields, values, given, self._process.database)
        remembered.save(procedure.name, missing, values)
        return values


def _received(parameters: Sequence[Parameter], arguments: Sequence[Any]) -> list[Any]:
    return [parameter.received(value) for parameter, value in zip(parameters, arguments)]
