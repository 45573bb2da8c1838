"""What a plug-in process does alike over every GIMP: what plug-ins hand it is checked, guarded, and counted."""

from __future__ import annotations

import traceback
from typing import Any, Callable, NamedTuple, NoReturn, Optional, Sequence, Tuple

from ..errors import GimpError, error
from .database import RUN_NONINTERACTIVE

Hook = Optional[Callable[[], Any]]
Run = Callable[[str, Tuple[Any, ...]], Any]
Definition = Tuple[int, str, str]


class Declaration(NamedTuple):
    """What install_procedure() and install_temp_proc() take."""

    name: str
    blurb: str
    help: str
    author: str
    copyright: str
    date: str
    label: str | None
    imagetypes: str | None
    kind: int
    params: Sequence[Definition]
    results: Sequence[Definition]


class Process:
    """This process as GIMP's plug-in; the back ends derive from it. `run_mode` is that of what register() declared."""

    run_mode = RUN_NONINTERACTIVE

    def converse(self, init: Hook, quit: Hook, query: Callable[[], Any], run: Run) -> None:
        """Talk to GIMP until it lets the plug-in go."""
        raise NotImplementedError

    def declare(self, declaration: Declaration) -> None:
        """Tell GIMP of a procedure."""
        raise NotImplementedError

    def declare_temporary(self, declaration: Declaration) -> None:
        """Tell GIMP of a procedure that exists while the plug-in runs."""
        raise NotImplementedError

    def main(self, init: Hook, quit: Hook, query: Hook, run: Run | None) -> None:
        """Talk to GIMP until it lets the plug-in go. `run(name, arguments)` returns the procedure's results."""
        if query is None:
            raise GimpError("a query procedure must be provided")
        if any(hook is not None and not callable(hook) for hook in (init, quit, query, run)):
            raise GimpError("arguments must be callable")
        self.converse(init, quit, query, run or no_procedure)

    def install_procedure(self, *values: Any, **named: Any) -> None:
        """Declare a procedure (see Declaration); only while GIMP queries the plug-in."""
        self.declare(Declaration(*values, **named))

    def install_temp_proc(self, *values: Any, **named: Any) -> None:
        """Declare a procedure that exists while the plug-in runs. Calls go to the run function of gimp.main()."""
        self.declare_temporary(Declaration(*values, **named))


def no_procedure(name: str, arguments: tuple[Any, ...]) -> NoReturn:
    """The run function of a plug-in that has none."""
    raise error("the plug-in has no procedures to run")


def guarded(hook: Callable[[], Any]) -> None:
    """Call a hook of the plug-in's; what it raises is printed."""
    try:
        hook()
    except Exception:  # noqa: BLE001 - no Python exception can pass through C
        traceback.print_exc()


def as_declared(result: Any, count: int) -> tuple[Any, ...]:
    """What a function has returned, as so many values; raises gimpfu.error if they are not so many."""
    if count == 0:
        return ()
    values = tuple(result) if isinstance(result, (tuple, list)) else (result,)
    if len(values) != count:
        raise error(f"the procedure returned {len(values)} values instead of {count}")
    return values
