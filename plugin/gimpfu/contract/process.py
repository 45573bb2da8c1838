"""What a plug-in process does alike over every GIMP: what plug-ins hand it is checked, guarded, and counted."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Callable, Mapping, NamedTuple, NoReturn, Optional, Sequence, Tuple

from ..errors import GimpError, error
from ..procedures import Registration
from .database import RUN_NONINTERACTIVE, Database

Callback = Callable[..., Any]
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


class Process(ABC):
    """This process as GIMP's plug-in. `run_mode` is that of what register() declared.

    `settle` is called after a procedure has run.
    """

    run_mode = RUN_NONINTERACTIVE

    def __init__(self, database: Database, settle: Callable[[], None]) -> None:
        self.database, self._settle = database, settle

    @abstractmethod
    def converse(self, init: Hook, quit: Hook, query: Callable[[], Any], run: Run) -> None:
        """Talk to GIMP until it lets the plug-in go."""

    @abstractmethod
    def serve(self, procedures: Mapping[str, Registration]) -> None:
        """As converse, for the procedures that register() was told of: with menus, dialog and last values."""

    @abstractmethod
    def declare(self, declaration: Declaration) -> None:
        """Tell GIMP of a procedure."""

    @abstractmethod
    def declare_temporary(self, declaration: Declaration) -> None:
        """Tell GIMP of a procedure that exists while the plug-in runs."""

    @abstractmethod
    def uninstall_temp_proc(self, name: str) -> None:
        """Take a temporary procedure back."""

    @abstractmethod
    def menu_register(self, name: str, path: str) -> None:
        """Put a procedure into a menu; gimp.error where GIMP refuses."""

    @abstractmethod
    def domain_register(self, name: str, path: str | None = None) -> None:
        """Name the translation domain of the plug-in's menu labels."""

    @abstractmethod
    def register_load_handler(self, name: str, extensions: str, prefixes: str) -> None:
        """Make a procedure a file loader for these extensions."""

    @abstractmethod
    def register_magic_load_handler(self, name: str, extensions: str, prefixes: str, magics: str) -> None:
        """Make a procedure a file loader for these extensions and first bytes."""

    @abstractmethod
    def register_save_handler(self, name: str, extensions: str, prefixes: str) -> None:
        """Make a procedure a file writer for these extensions."""

    @abstractmethod
    def extension_ack(self) -> None:
        """Tell GIMP that an extension is ready."""

    @abstractmethod
    def extension_enable(self) -> None:
        """Let GIMP's calls come in while the main loop runs."""

    @abstractmethod
    def extension_process(self, timeout: int) -> None:
        """Handle GIMP's calls, waiting up to this many milliseconds."""

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


def guarded(function: Callback, *arguments: Any) -> None:
    """Call a function of the plug-in's; what it raises is printed."""
    try:
        function(*arguments)
    except Exception:  # noqa: BLE001 - no Python exception can pass through C
        print_failure()


def print_failure() -> None:
    """Print the exception that is being handled."""
    import traceback  # it takes longer to load than most of this package, and most runs don't fail

    traceback.print_exc()


def as_declared(result: Any, count: int) -> tuple[Any, ...]:
    """What a function has returned, as so many values; raises gimpfu.error if they are not so many."""
    if count == 0:
        return ()
    values = tuple(result) if isinstance(result, (tuple, list)) else (result,)
    if len(values) != count:
        raise error(f"the procedure returned {len(values)} values instead of {count}")
    return values
