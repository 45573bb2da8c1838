"""pdb: the classic procedural database over GIMP 3: the procedures of 2.10 by their names, and GIMP 3's own."""

from __future__ import annotations

import re
from typing import Any, Callable, Sequence

from ..classic.types import READING, ParameterDefinition, type_name
from ..errors import ProcedureNotFound
from . import names
from .library import Gimp
from .plans import DirectPlan, Plan, SpecialPlan, TranslatedPlan
from .specials import load

RUN_NONINTERACTIVE = 1
FILE_ARGUMENTS = (("run-mode", ""), ("filename", "STRING"), ("raw-filename", "STRING"))
WRITER_ARGUMENTS = (("run-mode", ""), ("image", ""), ("drawable", "DRAWABLE"), *FILE_ARGUMENTS[1:])
WRITER_SOURCES = {"run-mode": "run-mode", "image": "image", "file": "filename"}
LOADER, WRITER = re.compile("file-.*-load$"), re.compile("file-.*-save$")


class Catalogue:
    """Finds the plan for a name. The tables are read when they are first needed."""

    def __init__(self, wrap: Callable[[int, int], Any]) -> None:
        self._wrap = wrap
        self._specials, self._translations = load(), names.translations()

    def plan(self, name: str) -> Plan | None:
        """How to carry out a procedure, by its old name or its new one; None if there is no such procedure."""
        if name in self._specials:
            return SpecialPlan(self._specials[name], self._wrap)
        translation = self._translations.get(name)
        if translation is not None:
            if translation.arguments is None:
                return self.plan(translation.target)
            procedure = Gimp.get_pdb().lookup_procedure(translation.target)
            return TranslatedPlan(procedure, translation, self._wrap) if procedure else None
        procedure = Gimp.get_pdb().lookup_procedure(name)
        if procedure is None:
            new = names.renamed(name)
            return self.plan(new) if new else None
        if LOADER.match(name):
            translation = names.Translation(name, FILE_ARGUMENTS, {"run-mode": "run-mode", "file": "filename"})
            return TranslatedPlan(procedure, translation, self._wrap)
        if WRITER.match(name):
            own = [spec.name for spec in procedure.get_arguments()][len(WRITER_SOURCES) + 1 :]
            arguments = (*WRITER_ARGUMENTS, *((one, "") for one in own))
            translation = names.Translation(name, arguments, {**WRITER_SOURCES, **dict(zip(own, own))})
            return TranslatedPlan(procedure, translation, self._wrap)
        return DirectPlan(procedure, self._wrap)

    def old_names(self) -> set[str]:
        """The names of 2.10 that there are no procedures of in GIMP 3."""
        return {*self._specials, *self._translations}

    def native_name(self, name: str) -> str:
        """The name in GIMP 3, for what is to be told of a procedure."""
        translation = self._translations.get(name)
        return translation.target if translation else names.renamed(name) or name


def replacement(name: str) -> str:
    """The procedure of GIMP 3 that stands for one of 2.10 which is not translated; "" if none is known."""
    known = names.REPLACEMENTS.get(name)
    if known is None and name.startswith("file-") and "-save" in name:
        export = name.partition("-save")[0] + "-export"
        known = export if Gimp.get_pdb().procedure_exists(export) else None
    if known is None and name.startswith("plug-in-"):
        known = "a GEGL filter (Gimp.DrawableFilter)"
    return known or ""


class Procedure:
    """A procedure of the database. Call it as the classic pdb does: without its run-mode, which `run_mode=` sets.

    One return value comes as it is, several as a tuple, none as None. Raises TypeError for arguments that don't fit
    and RuntimeError with GIMP's own text when the procedure fails.
    """

    def __init__(self, name: str, database: Database) -> None:
        plan = database.catalogue.plan(name)
        if plan is None:
            raise ProcedureNotFound(name, replacement(name))
        self.proc_name = name
        self.params: Sequence[ParameterDefinition] = plan.params
        self.return_vals: Sequence[ParameterDefinition] = plan.return_vals
        self.nparams, self.nreturn_vals = len(self.params), len(self.return_vals)
        self._plan, self._database = plan, database
        self._only_reads = READING.match(name) is not None
        self._takes_run_mode = bool(self.params) and self.params[0].name == "run-mode"

    def _told(self, question: str) -> str:
        native = Gimp.get_pdb().lookup_procedure(self._database.catalogue.native_name(self.proc_name))
        return "" if native is None else str(getattr(native, "get_" + question)() or "")

    proc_blurb = property(lambda self: self._told("blurb"))
    proc_help = property(lambda self: self._told("help"))
    proc_author = property(lambda self: self._told("authors"))
    proc_copyright = property(lambda self: self._told("copyright"))
    proc_date = property(lambda self: self._told("date"))

    @property
    def proc_type(self) -> int:
        """INTERNAL, PLUGIN, EXTENSION or TEMPORARY."""
        native = Gimp.get_pdb().lookup_procedure(self._database.catalogue.native_name(self.proc_name))
        return 0 if native is None else int(native.get_proc_type())

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
        self._database.before_call(self._only_reads)
        try:
            values = self._plan.run(arguments)
        except TypeError as failure:
            raise TypeError(f"{self.signature}: {failure}") from None
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
        self._catalogue: Catalogue | None = None
        self.wrap = wrap
        self.before_call = before_call

    @property
    def catalogue(self) -> Catalogue:
        """What is known of names; made at the first call."""
        if self._catalogue is None:
            self._catalogue = Catalogue(self.wrap)
        return self._catalogue

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
        return matching(self.catalogue, *patterns)

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


def _patterns(name: str, blurb: str, help: str, author: str, copyright: str, date: str, kind: str) -> tuple[str, ...]:
    """In GIMP 3's order, which has the help's ID too."""
    return name, blurb, help, ".*", author, copyright, date, kind


def matching(catalogue: Catalogue, name: str, *patterns: str) -> list[str]:
    """The names of the procedures that match; the old names, of which GIMP knows nothing, by the name alone."""
    found = list(Gimp.get_pdb().query_procedures(*_patterns(name, *patterns)))
    if all(pattern in ("", ".*") for pattern in patterns):
        found += [old for old in catalogue.old_names() if re.search(name, old) and old not in found]
    return sorted(found)
