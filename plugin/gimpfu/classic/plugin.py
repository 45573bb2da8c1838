"""gimpplugin: the older, class-based way to write a plug-in."""

from __future__ import annotations

from typing import Any, Callable

from . import application


class plugin:
    """Derive from it: `query` installs procedures, and a method of each one's name runs it."""

    def start(self) -> None:
        """Answer GIMP; call it at the end of the file."""
        application.main(self._own("init"), self._own("quit"), self.query, self._run)

    def _own(self, name: str) -> Callable[[], Any] | None:
        # GIMP runs a plug-in with an init function at every start, so only one that has its own may declare it.
        return getattr(self, name) if getattr(type(self), name) is not getattr(plugin, name) else None

    def init(self) -> None:
        """Called when GIMP starts, if overridden."""

    def quit(self) -> None:
        """Called when GIMP ends the plug-in, if overridden."""

    def query(self) -> None:
        """Install the procedures."""

    def _run(self, name: str, arguments: tuple[Any, ...]) -> Any:
        return getattr(self, name.replace("-", "_"))(*arguments)
