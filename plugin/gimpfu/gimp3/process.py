"""gimp.main: this process as a GIMP 3 plug-in."""

from __future__ import annotations

import sys
from typing import Any, Callable, Mapping, Sequence, final

from ..contract.database import Database
from ..contract.process import Declaration, Hook, Process, Run, as_declared, guarded, no_procedure, print_failure
from ..errors import CancelError, GimpError, error
from ..parameters import Parameter
from ..procedures import Registration
from .arguments import native_value
from .declared import Declared
from .library import Gimp, GLib, GObject
from .registered import as_offered, domain_of

MODE_ARGUMENT = 5
QUERY = "-query"
STATUS = Gimp.PDBStatusType


@final
class PlugInProcess(Process):
    """See the contract."""

    def __init__(self, database: Database, settle: Callable[[], None]) -> None:
        super().__init__(database, settle)
        self._declared: dict[str, Declared] = {}
        self._run: Run = no_procedure
        self._query: Hook = None
        self._domain: tuple[str, str | None] | None = None

    # What classic plug-ins call

    def converse(self, init: Hook, quit: Hook, query: Callable[[], Any], run: Run) -> None:
        """See the contract."""
        self._run, self._query = run, query
        self._serve(init, quit)

    def serve(self, procedures: Mapping[str, Registration]) -> None:
        """See the contract."""
        self._declared = {name: as_offered(procedure, self) for name, procedure in procedures.items()}
        self._domain = domain_of(procedures.values())
        self._serve(None, None)

    def declare(self, declaration: Declaration) -> None:
        """See the contract."""
        self._declared[declaration.name] = self._installed(declaration)

    def declare_temporary(self, declaration: Declaration) -> None:
        """See the contract."""
        declared = self._declared[declaration.name] = self._installed(declaration)
        plug_in = Gimp.get_plug_in()
        plug_in.add_temp_procedure(self._native(plug_in, declared, Gimp.PDBProcType.TEMPORARY))

    def uninstall_temp_proc(self, name: str) -> None:
        """See the contract."""
        Gimp.get_plug_in().remove_temp_procedure(name)

    def menu_register(self, name: str, path: str) -> None:
        """See the contract."""
        if name not in self._declared:
            raise GimpError(f"could not register procedure '{name}' in menu '{path}'")
        self._declared[name].menus.append(path)

    def domain_register(self, name: str, path: str | None = None) -> None:
        """See the contract."""
        self._domain = name, path

    def register_load_handler(self, name: str, extensions: str, prefixes: str) -> None:
        """See the contract."""
        self._declared[name].file_type = {"extensions": extensions, "prefixes": prefixes}

    def register_magic_load_handler(self, name: str, extensions: str, prefixes: str, magics: str) -> None:
        """See the contract."""
        self._declared[name].file_type = {"extensions": extensions, "prefixes": prefixes, "magics": magics}

    def register_save_handler(self, name: str, extensions: str, prefixes: str) -> None:
        """See the contract."""
        self._declared[name].file_type = {"extensions": extensions, "prefixes": prefixes}

    def extension_ack(self) -> None:
        """Nothing is left to do: GIMP 3 knows by itself."""

    def extension_enable(self) -> None:
        """See the contract."""
        Gimp.get_plug_in().persistent_enable()

    def extension_process(self, timeout: int) -> None:
        """See the contract."""
        Gimp.get_plug_in().persistent_process(timeout)

    # What GIMP calls

    def _serve(self, init: Hook, quit: Hook) -> None:
        plug_in_class = _plug_in_class(
            self, init, quit
        )  # without this name, its methods are gone before they are called
        Gimp.main(plug_in_class.__gtype__, sys.argv)

    def names(self) -> list[str]:
        """The names of all procedures, which are declared when they are first asked for."""
        query, self._query = self._query, None
        if query is not None:
            query()
        return list(self._declared)

    def queried(self) -> None:
        """What is to be done when GIMP asks for the procedures, and at no other time."""
        for declared in self._declared.values():
            if declared.on_query is not None:
                declared.on_query()

    def create(self, plug_in: Any, name: str) -> Any:
        """The native procedure of a name; None if there is none."""
        self.names()
        declared = self._declared.get(name)
        return None if declared is None else self._native(plug_in, declared, Gimp.PDBProcType.PLUGIN)

    def domain(self) -> tuple[bool, str | None, str | None]:
        """Whether labels are translated, by which domain, and where its catalogues are."""
        self.names()
        return (False, None, None) if self._domain is None else (True, *self._domain)

    def _installed(self, declaration: Declaration) -> Declared:
        name, *texts, label, imagetypes, _, params, results = declaration
        parameters = [Parameter.declared((*entry, None)) for entry in params]
        takes_run_mode = bool(parameters) and parameters[0].name.replace("_", "-") == "run-mode"

        def call(run_mode: int, values: Sequence[Any]) -> Any:
            return self._run(name, (run_mode, *values) if takes_run_mode else tuple(values))

        rest = tuple(parameters[1:] if takes_run_mode else parameters)
        return Declared(name, texts, label, imagetypes, rest, results, call, self.database.wrap, takes_run_mode)

    def _native(self, plug_in: Any, declared: Declared, kind: Any) -> Any:
        has_resources = len(sys.argv) <= MODE_ARGUMENT or sys.argv[MODE_ARGUMENT] != QUERY
        return declared.create(plug_in, kind, self._answer, has_resources)

    def _answer(self, procedure: Any, declared: Declared, runs: Callable[[], Any]) -> Any:
        """Run a procedure; whatever happens becomes a status, and for an error the text that GIMP shows."""
        Gimp.get_plug_in().set_pdb_error_handler(Gimp.PDBErrorHandler.PLUGIN)
        try:
            try:
                result = runs()
            finally:
                self._settle()
            return _returned(declared, result)
        except CancelError:
            return procedure.new_return_values(STATUS.CANCEL, None)
        except error as failure:
            said = str(failure)
        except SystemExit as leaving:
            if not leaving.code:
                return procedure.new_return_values(STATUS.SUCCESS, None)
            said = f"the plug-in left with status {leaving.code}"
        except BaseException as failure:  # noqa: BLE001 - no Python exception can pass through C
            print_failure()
            said = str(failure) or type(failure).__name__
        return procedure.new_return_values(STATUS.EXECUTION_ERROR, GLib.Error(said))


def _returned(declared: Declared, result: Any) -> Any:
    values = as_declared(result, len(declared.results))
    try:
        natives = declared.native_results(values, lambda value, pdb_type: native_value(pdb_type, value))
    except (TypeError, ValueError, OverflowError) as failure:
        sys.stderr.write(f"{declared.name} returned a wrong result: {failure}\n")
        raise error(f"wrong result: {failure}") from None
    return Gimp.ValueArray.new_from_values([GObject.Value(STATUS, STATUS.SUCCESS), *natives])


def _plug_in_class(process: PlugInProcess, init: Hook, quit: Hook) -> Any:
    """A subclass of Gimp.PlugIn; GIMP runs one with an init function at every start, so only then it has one."""

    class GimpfuPlugIn(Gimp.PlugIn):  # type: ignore[misc]
        def do_query_procedures(self) -> list[str]:
            names = process.names()
            guarded(process.queried)
            return names

        def do_create_procedure(self, name: str) -> Any:
            return process.create(self, name)

        def do_set_i18n(self, name: str) -> tuple[bool, str | None, str | None]:
            return process.domain()

        def do_quit(self) -> None:
            if quit is not None:
                guarded(quit)

    if init is None:
        return GimpfuPlugIn
    initialize = init

    class GimpfuExtension(GimpfuPlugIn):
        def do_init_procedures(self) -> list[str]:
            guarded(initialize)
            return []

    return GimpfuExtension
