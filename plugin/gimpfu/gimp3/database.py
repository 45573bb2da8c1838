"""pdb: the classic procedural database over GIMP 3: the procedures of 2.10 by their names, and GIMP 3's own."""

from __future__ import annotations

import re
from typing import Any, Callable, Sequence, final

from ..contract import database
from ..contract.database import Wrap
from ..errors import ProcedureNotFound
from . import names
from .library import Gimp
from .plans import DirectPlan, Plan, SpecialPlan, TranslatedPlan
from .specials import load

FILE_ARGUMENTS = (("run-mode", ""), ("filename", "STRING"), ("raw-filename", "STRING"))
WRITER_ARGUMENTS = (("run-mode", ""), ("image", ""), ("drawable", "DRAWABLE"), *FILE_ARGUMENTS[1:])
WRITER_SOURCES = {"run-mode": "run-mode", "image": "image", "file": "filename"}
LOADER, WRITER = re.compile("file-.*-load$"), re.compile("file-.*-save$")


class Catalogue:
    """Finds the plan for a name. The tables are read when they are first needed."""

    def __init__(self, wrap: Wrap) -> None:
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


class Procedure(database.Procedure):
    """A procedure and the plan to carry it out; raises ProcedureNotFound."""

    def __init__(self, name: str, pdb: Database) -> None:
        plan = pdb.catalogue.plan(name)
        if plan is None:
            raise ProcedureNotFound(name, replacement(name))
        super().__init__(name, plan.params, plan.return_vals, pdb.before_call)
        self._plan, self._native_name = plan, pdb.catalogue.native_name(name)

    def run(self, arguments: Sequence[Any]) -> tuple[Any, ...]:
        """See the contract."""
        return self._plan.run(arguments)

    def _told(self, question: str) -> str:
        native = Gimp.get_pdb().lookup_procedure(self._native_name)
        return "" if native is None else str(getattr(native, "get_" + question)() or "")

    proc_blurb = property(lambda self: self._told("blurb"))
    proc_help = property(lambda self: self._told("help"))
    proc_author = property(lambda self: self._told("authors"))
    proc_copyright = property(lambda self: self._told("copyright"))
    proc_date = property(lambda self: self._told("date"))

    @property
    def proc_type(self) -> int:
        """INTERNAL, PLUGIN, EXTENSION or TEMPORARY."""
        native = Gimp.get_pdb().lookup_procedure(self._native_name)
        return 0 if native is None else int(native.get_proc_type())


@final
class Database(database.Database):
    """See the contract."""

    def __init__(self, wrap: Wrap, before_call: Callable[[bool], None]) -> None:
        super().__init__(wrap, before_call)
        self._catalogue: Catalogue | None = None

    @property
    def catalogue(self) -> Catalogue:
        """What is known of names; made at the first call."""
        if self._catalogue is None:
            self._catalogue = Catalogue(self.wrap)
        return self._catalogue

    def look_up(self, name: str) -> Procedure:
        """See the contract."""
        return Procedure(name, self)

    def matching(self, name: str, *patterns: str) -> list[str]:
        """See the contract; the old names, of which GIMP knows nothing, by the name alone."""
        blurb, text, *about = patterns
        # GIMP 3 has the help's ID, too.
        found = list(Gimp.get_pdb().query_procedures(name, blurb, text, ".*", *about))
        if all(pattern in ("", ".*") for pattern in patterns):
            found += [old for old in self.catalogue.old_names() if re.search(name, old) and old not in found]
        return sorted(found)
