"""pdb: GIMP's procedural database, one Python callable for each procedure."""

from __future__ import annotations

import ctypes
from typing import Any, Callable

from ..classic.types import READING, STATUS, ParameterDefinition, type_name
from ..errors import ProcedureNotFound
from .arguments import Packer, unpack
from .libgimp import LIBRARY, Param, ParamDef, decode, take_string, take_strings

CALLING_ERROR, PASS_THROUGH, SUCCESS, CANCEL = 1, 2, 3, 4
RUN_NONINTERACTIVE = 1
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


class Procedure:
    """A procedure of the database. Call it as the classic pdb does: without its run-mode, which `run_mode=` sets.

    One return value comes as it is, several as a tuple, none as None. Raises TypeError for arguments that don't fit
    and RuntimeError with GIMP's own text when the procedure fails.
    """

    def __init__(self, name: str, database: Database) -> None:
        texts = [ctypes.c_void_p() for _ in range(5)]
        kind, nparams, nreturn = ctypes.c_int(), ctypes.c_int(), ctypes.c_int()
        params, returns = ctypes.POINTER(ParamDef)(), ctypes.POINTER(ParamDef)()
        outputs = [*texts, kind, nparams, nreturn, params, returns]
        if not _describe(name.encode("utf-8"), *map(ctypes.byref, outputs)):
            raise ProcedureNotFound(name)
        self.proc_name = name
        self.proc_blurb, self.proc_help, self.proc_author, self.proc_copyright, self.proc_date = (
            take_string(text.value) for text in texts
        )
        self.proc_type = kind.value
        self.nparams, self.nreturn_vals = nparams.value, nreturn.value
        self.params = _take_definitions(params, self.nparams)
        self.return_vals = _take_definitions(returns, self.nreturn_vals)
        self._database = database
        self._name = name.encode("utf-8")
        self._only_reads = READING.match(name) is not None
        self._takes_run_mode = bool(self.params) and self.params[0].name == "run-mode"

    def __repr__(self) -> str:
        return f"<pdb function '{self.proc_name}'>"

    @property
    def signature(self) -> str:
        """How the procedure is called, for messages."""
        shown = self.params[1:] if self._takes_run_mode else self.params
        arguments = [f"{param.name}: {type_name(param.type)}" for param in shown]
        return "{}({})".format(self.proc_name.replace("-", "_"), ", ".join(arguments))

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        run_mode = keywords.pop("run_mode", RUN_NONINTERACTIVE)
        if keywords:
            raise TypeError(f"only 'run_mode' keyword argument accepted: {self.signature}")
        if self._takes_run_mode:
            arguments = (run_mode, *arguments)
        if len(arguments) != self.nparams:
            raise TypeError(f"wrong number of parameters: {self.signature}")
        packer, params = Packer(), (Param * self.nparams)()
        try:
            packer.pack(params, self.params, arguments)
        except TypeError as failure:
            raise TypeError(f"{self.signature}: {failure}") from None
        self._database.before_call(self._only_reads)
        count = ctypes.c_int()
        results = _run(self._name, ctypes.byref(count), self.nparams, params)
        if not results:
            raise RuntimeError(f"no status returned by {self.proc_name}")
        try:
            if results[0].data.int32 != SUCCESS:
                raise RuntimeError(decode(_get_error()) or f"{self.proc_name} failed")
            values = (
                unpack(
                    ctypes.cast(ctypes.byref(results[1]), ctypes.POINTER(Param)), count.value - 1, self._database.wrap
                )
                if count.value > 1
                else ()
            )
        finally:
            _destroy(results, count.value)
        if not values:
            return None
        return values[0] if len(values) == 1 else values


class Database:
    """The classic `pdb`: procedures by attribute (pdb.gimp_image_new) or by name (pdb["gimp-image-new"]).

    `wrap(pdb_type, id)` makes the object for an image, item or display; `before_call(only_reads)` is told of every
    call, so that nothing of ours is still on its way to GIMP.
    """

    def __init__(self, wrap: Callable[[int, int], Any], before_call: Callable[[bool], None]) -> None:
        self._procedures: dict[str, Procedure] = {}
        self.wrap = wrap
        self.before_call = before_call

    def query(
        self,
        name: str = ".*",
        blurb: str = ".*",
        help: str = ".*",
        author: str = ".*",
        copyright: str = ".*",
        date: str = ".*",
        proc_type: str = ".*",
    ) -> list[str]:
        """The names of all procedures that match these regular expressions; None matches all."""
        count, names = ctypes.c_int(), ctypes.c_void_p()
        patterns = [
            (".*" if p is None else p).encode() for p in (name, blurb, help, author, copyright, date, proc_type)
        ]
        _query(*patterns, ctypes.byref(count), ctypes.byref(names))
        return take_strings(names.value, count.value)

    def __getitem__(self, name: str) -> Procedure:
        if not isinstance(name, str):
            raise TypeError("the name of a procedure must be a string")
        key = name.replace("_", "-")
        procedure = self._procedures.get(key)
        if procedure is None:
            procedure = self._procedures[key] = Procedure(key, self)
        return procedure

    def __getattr__(self, name: str) -> Procedure:
        if name.startswith("_"):
            raise AttributeError(name)
        return self[name]

    def __dir__(self) -> list[str]:
        return ["query"] + [name.replace("-", "_") for name in self.query()]

    def __repr__(self) -> str:
        return "<gimp procedural database>"


def pack_results(status: int, definitions: tuple[ParameterDefinition, ...], values: tuple[Any, ...]) -> tuple[Any, Any]:
    """A procedure's answer as a GimpParam array, and what must live as long as it."""
    params, packer = (Param * (len(definitions) + 1))(), Packer()
    params[0].type, params[0].data.int32 = STATUS, status
    if definitions:
        rest = ctypes.cast(ctypes.byref(params[1]), ctypes.POINTER(Param))
        packer.pack((rest[i] for i in range(len(definitions))), definitions, values)
    return params, packer
