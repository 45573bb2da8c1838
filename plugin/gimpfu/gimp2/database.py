"""GIMP 2.10's procedural database, by C calls."""

from __future__ import annotations

import ctypes
from typing import Any, Sequence, final

from ..contract import database
from ..errors import ProcedureNotFound
from ..values.types import STATUS, ParameterDefinition
from .arguments import Packer, unpack
from .libgimp import LIBRARY, Param, ParamDef, decode, take_string, take_strings

CALLING_ERROR, PASS_THROUGH, SUCCESS, CANCEL = 1, 2, 3, 4
_P_INT = ctypes.POINTER(ctypes.c_int)
_P_TEXT = ctypes.POINTER(ctypes.c_void_p)
_P_DEFS = ctypes.POINTER(ctypes.POINTER(ParamDef))
_run = LIBRARY.function(
    "gimp_run_procedure2", ctypes.POINTER(Param), ctypes.c_char_p, _P_INT, ctypes.c_int, ctypes.POINTER(Param)
)
_destroy = LIBRARY.function("gimp_destroy_params", None, ctypes.POINTER(Param), ctypes.c_int)
_destroy_definitions = LIBRARY.function("gimp_destroy_paramdefs", None, ctypes.POINTER(ParamDef), ctypes.c_int)
_get_error = LIBRARY.function("gimp_get_pdb_error", ctypes.c_char_p)
_describe = LIBRARY.function(
    "gimp_procedural_db_proc_info",
    ctypes.c_int,
    ctypes.c_char_p,
    _P_TEXT,
    _P_TEXT,
    _P_TEXT,
    _P_TEXT,
    _P_TEXT,
    _P_INT,
    _P_INT,
    _P_INT,
    _P_DEFS,
    _P_DEFS,
)
_query = LIBRARY.function(
    "gimp_procedural_db_query", ctypes.c_int, *[ctypes.c_char_p] * 7, _P_INT, ctypes.POINTER(ctypes.c_void_p)
)


def _take_definitions(address: Any, count: int) -> tuple[ParameterDefinition, ...]:
    definitions = tuple(
        ParameterDefinition(d.type, decode(d.name) or "", decode(d.description) or "") for d in address[:count]
    )
    _destroy_definitions(address, count)
    return definitions


class Procedure(database.Procedure):
    """A procedure as GIMP describes it; raises ProcedureNotFound."""

    def __init__(self, name: str, pdb: Database) -> None:
        texts = [ctypes.c_void_p() for _ in range(5)]
        kind, nparams, nreturn = ctypes.c_int(), ctypes.c_int(), ctypes.c_int()
        params, returns = ctypes.POINTER(ParamDef)(), ctypes.POINTER(ParamDef)()
        outputs = [*texts, kind, nparams, nreturn, params, returns]
        if not _describe(name.encode("utf-8"), *map(ctypes.byref, outputs)):
            raise ProcedureNotFound(name)
        definitions = (_take_definitions(params, nparams.value), _take_definitions(returns, nreturn.value))
        super().__init__(name, *definitions, pdb.before_call)
        self.proc_blurb, self.proc_help, self.proc_author, self.proc_copyright, self.proc_date = (
            take_string(text.value) for text in texts
        )
        self.proc_type = kind.value
        self._name, self._wrap = name.encode("utf-8"), pdb.wrap

    def run(self, arguments: Sequence[Any]) -> tuple[Any, ...]:
        """See the contract."""
        packer, params = Packer(), (Param * self.nparams)()
        packer.pack(params, self.params, arguments)
        count = ctypes.c_int()
        results = _run(self._name, ctypes.byref(count), self.nparams, params)
        if not results:
            raise RuntimeError(f"no status returned by {self.proc_name}")
        try:
            if results[0].data.int32 != SUCCESS:
                raise RuntimeError(decode(_get_error()) or f"{self.proc_name} failed")
            if count.value < 2:
                return ()
            rest = ctypes.cast(ctypes.byref(results[1]), ctypes.POINTER(Param))
            return unpack(rest, count.value - 1, self._wrap)
        finally:
            _destroy(results, count.value)


@final
class Database(database.Database):
    """See the contract."""

    def look_up(self, name: str) -> Procedure:
        """See the contract."""
        return Procedure(name, self)

    def matching(self, name: str, *patterns: str) -> list[str]:
        """See the contract."""
        count, names = ctypes.c_int(), ctypes.c_void_p()
        encoded = [pattern.encode() for pattern in (name, *patterns)]
        _query(*encoded, ctypes.byref(count), ctypes.byref(names))
        return take_strings(names.value, count.value)


def pack_results(status: int, definitions: Sequence[ParameterDefinition], values: tuple[Any, ...]) -> tuple[Any, Any]:
    """A procedure's answer as a GimpParam array, and what must live as long as it."""
    params, packer = (Param * (len(definitions) + 1))(), Packer()
    params[0].type, params[0].data.int32 = STATUS, status
    if definitions:
        rest = ctypes.cast(ctypes.byref(params[1]), ctypes.POINTER(Param))
        packer.pack((rest[i] for i in range(len(definitions))), definitions, values)
    return params, packer
