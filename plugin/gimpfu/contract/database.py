"""pdb: the procedural database, one Python callable for each procedure. The back ends derive from these classes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Callable, Sequence

from ..values.types import READING, ParameterDefinition, type_name

RUN_NONINTERACTIVE = 1
Wrap = Callable[[int, int], Any]


class Procedure(ABC):
    """A procedure of the database. Call it as the classic pdb does: without its run-mode, which `run_mode=` sets.

    One return value comes as it is, several as a tuple, none as None. Raises TypeError for arguments that don't fit
    and RuntimeError with GIMP's own text when the procedure fails.
    """

    def __init__(
        self, name: str, params: Sequence[ParameterDefinition], return_vals: Sequence[ParameterDefinition],
        before_call: Callable[[bool], None],
    ) -> None:  # fmt: skip
        self.proc_name = name
        self.params, self.return_vals = params, return_vals
        self.nparams, self.nreturn_vals = len(params), len(return_vals)
        self._before_call = before_call
        self._only_reads = READING.match(name) is not None
        self._takes_run_mode = bool(params) and params[0].name == "run-mode"

    @abstractmethod
    def run(self, arguments: Sequence[Any]) -> tuple[Any, ...]:
        """Call with all arguments; TypeError for those that don't fit, RuntimeError if GIMP can't do it."""

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
        self._before_call(self._only_reads)
        try:
            values = self.run(arguments)
        except TypeError as failure:
            raise TypeError(f"{self.signature}: {failure}") from None
        if not values:
            return None
        return values[0] if len(values) == 1 else values


class Database(ABC):
    """The classic `pdb`: procedures by attribute (pdb.gimp_image_new) or by name (pdb["gimp-image-new"]).

    `wrap(pdb_type, id)` makes the object for an image, item or display; `before_call(only_reads)` is told of every
    call, so that nothing of ours is still on its way to GIMP.
    """

    def __init__(self, wrap: Wrap, before_call: Callable[[bool], None]) -> None:
        self._procedures: dict[str, Procedure] = {}
        self.wrap = wrap
        self.before_call = before_call

    @abstractmethod
    def look_up(self, name: str) -> Procedure:
        """The procedure of this name, with hyphens; raises ProcedureNotFound."""

    @abstractmethod
    def matching(self, name: str, *patterns: str) -> list[str]:
        """The names of the procedures that match the regular expressions."""

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
        patterns = [".*" if one is None else one for one in (name, blurb, help, author, copyright, date, proc_type)]
        return self.matching(*patterns)

    def __getitem__(self, name: str) -> Procedure:
        if not isinstance(name, str):
            raise TypeError("the name of a procedure must be a string")
        key = name.replace("_", "-")
        procedure = self._procedures.get(key)
        if procedure is None:
            procedure = self._procedures[key] = self.look_up(key)
        return procedure

    def __getattr__(self, name: str) -> Procedure:
        if name.startswith("_"):
            raise AttributeError(name)
        return self[name]

    def __dir__(self) -> list[str]:
        return ["query"] + [name.replace("-", "_") for name in self.query()]

    def __repr__(self) -> str:
        return "<gimp procedural database>"
