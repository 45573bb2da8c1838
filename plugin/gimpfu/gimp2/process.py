"""gimp.main: the conversation with GIMP that a plug-in process lives for."""

from __future__ import annotations

import ctypes
import os
import sys
from typing import Any, Callable, Mapping, Sequence, Tuple, final

from ..contract.process import Hook, Run, as_declared, guarded, print_failure
from ..errors import CancelError, error
from ..procedures import Registration
from ..values.types import STRING, ParameterDefinition
from .arguments import unpack
from .database import CANCEL, SUCCESS, pack_results
from .installation import Installation
from .libgimp import LIBRARY, InitCallback, Param, PlugInInfo, RunCallback, decode
from .registered import Registered

EXECUTION_ERROR = 0
ERRORS_ARE_OURS = 1
MESSAGE = (ParameterDefinition(STRING, "error", ""),)

_main = LIBRARY.function(
    "gimp_main", ctypes.c_int, ctypes.POINTER(PlugInInfo), ctypes.c_int, ctypes.POINTER(ctypes.c_char_p)
)
_set_error_handler = LIBRARY.function("gimp_plugin_set_pdb_error_handler", ctypes.c_int, ctypes.c_int)

Answer = Tuple[int, Sequence[ParameterDefinition], Tuple[Any, ...]]


@final
class PlugInProcess(Installation):
    """See the contract."""

    _kept: tuple[Any, ...] = ()

    def converse(self, init: Hook, quit: Hook, query: Callable[[], Any], run: Run) -> None:
        """See the contract."""
        self.run_callback = self._guarded(run)
        info = PlugInInfo(_hook(init), _hook(quit), _hook(query), self.run_callback)
        arguments = [os.fsencode(argument) for argument in sys.argv]
        _main(ctypes.byref(info), len(arguments), (ctypes.c_char_p * (len(arguments) + 1))(*arguments, None))

    def serve(self, procedures: Mapping[str, Registration]) -> None:
        """See the contract."""
        registered = Registered(procedures, self)
        self.converse(None, None, registered.query, registered.run)

    def _guarded(self, run: Run) -> Any:
        def on_run(name: bytes, count: int, arguments: Any, result_count: Any, results: Any) -> None:
            status, definitions, values = self._answer(run, decode(name) or "", arguments, count)
            try:
                params, kept = pack_results(status, definitions, values)
            except TypeError as failure:
                sys.stderr.write(f"{decode(name)} returned a wrong result: {failure}\n")
                params, kept = pack_results(EXECUTION_ERROR, MESSAGE, (f"wrong result: {failure}",))
            # libgimp reads the array after this callback has returned.
            self._kept = params, kept
            result_count[0] = len(params)
            results[0] = ctypes.cast(params, ctypes.POINTER(Param))

        return RunCallback(on_run)

    def _answer(self, run: Run, name: str, arguments: Any, count: int) -> Answer:
        """Run the procedure; whatever happens becomes a status, and for an error the text that GIMP shows."""
        try:
            _set_error_handler(ERRORS_ARE_OURS)
            try:
                result = run(name, unpack(arguments, count, self.database.wrap))
            finally:
                self._settle()
            definitions = self.database[name].return_vals
            return SUCCESS, definitions, as_declared(result, len(definitions))
        except CancelError:
            return CANCEL, (), ()
        except error as failure:
            return EXECUTION_ERROR, MESSAGE, (str(failure),)
        except SystemExit as leaving:
            return (EXECUTION_ERROR if leaving.code else SUCCESS), (), ()
        except BaseException as failure:  # noqa: BLE001 - no Python exception can pass through C
            print_failure()
            return EXECUTION_ERROR, MESSAGE, (str(failure) or type(failure).__name__,)


def _hook(function: Hook) -> Any:
    if function is None:
        return InitCallback()
    hook = function
    return InitCallback(lambda: guarded(hook))
