"""The offline engine of one user: its models, what they have chosen, and the twin that it works behind."""

from __future__ import annotations

import math
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from .. import errors
from ..language import _
from ..models import memory, own, sources
from ..models.accelerators import Accelerators
from ..models.engine import Choice, OfflineEngine
from ..models.sessions import Session
from ..models.shelf import Shelf, Weights
from ..models.table import Model
from ..service import polling
from ..service.downloads import download
from ..store.settings import AUTOMATIC, Settings

if TYPE_CHECKING:
    from ..twin import Twin

_SLOWER = 4
"""How much longer than the table says a model may take on this computer."""


class Offline:
    """The engine starts at its first use."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._shelf = Shelf(settings.models_folder)
        self._accelerators = Accelerators(lambda: settings.gpu)
        self._engine = OfflineEngine(self._shelf, lambda: settings.model, self._accelerators)
        self._twin: Twin | None = None

    def choose(self) -> Choice:
        """The model that the next picture is for; raises as `OfflineEngine.choose` does."""
        return self._engine.choose()

    @staticmethod
    def count_in_flight(choice: Choice) -> int:
        """How many pictures can wait for a model, of which it makes one at a time, before the last is given up."""
        return max(2, int(polling.DEADLINE_SECONDS / (_SLOWER * choice.weights.seconds)))

    def open(self) -> Twin:
        """The engine as a service on loopback."""
        if self._twin is None:
            from .. import twin

            # The service's limits would only be in the way.
            options = twin.Options(
                engine=self._engine,
                abandon=self._engine.abandon,
                units=math.inf,
                rate=(10_000, 1.0),
                poll_within_seconds=polling.DEADLINE_SECONDS,
            )
            self._twin = twin.Twin(options)
        return self._twin

    def close(self) -> None:
        """Ends the service, and gives the model's memory back."""
        if self._twin is not None:
            self._twin.close()
            self._engine.close()

    def describe(self) -> dict[str, Any]:
        """The models that there are, which one is `chosen`, and which one is `used` at this moment: None where none can
        be, with the `reason`, which also tells why it is no better one."""
        chosen = self._settings.model
        used, reason = None, None
        try:
            used, reason = self.choose().maker
        except errors.LayerliftError as error:
            reason = error.message
        ways = self._ways()
        models = [self._describe(model, ways) for model in self._shelf.models]
        if isinstance(chosen, dict):
            chosen = own.name_of(Path(str(chosen.get("path"))))
        return {
            "chosen": chosen,
            "used": used,
            "reason": reason,
            "folder": str(self._shelf.folder),
            "free": memory.free(),
            "models": models,
        }

    def try_gpu(self) -> tuple[str, str]:
        """Runs the model that is chosen: the way in which a graphics card does it, empty where the processor does; and
        why the card does not, where one is there and wanted. Raises SetupError, as `choose` and `Session` do."""
        weights = self.choose().weights
        session = Session(weights.path, self._accelerators)
        session.ask(Image.new("RGB", (weights.recipe.side, weights.recipe.side)), weights.recipe)
        return session.processor, self._accelerators.failure

    def use_gpu(self, wanted: bool) -> None:
        """Remembers whether models are to run on a graphics card. Raises SetupError `disk`."""
        self._settings.use_gpu(wanted)

    def fetch(self, name: str, on_progress: sources.OnProgress) -> bool:
        """Brings a model here; False where it was. Raises as `sources.fetch` does, and SetupError `model_unknown`."""
        return sources.fetch(self._shelf.model(name), self._shelf, self._ways(), on_progress)

    def use(self, name: str) -> None:
        """Chooses a model that is here, or the best that there is. Raises SetupError: `model_unknown`; `model_missing`
        where it has to be fetched first; `disk`."""
        if name != AUTOMATIC and self._shelf.find(self._shelf.model(name)) is None:
            raise errors.make("model_missing", _("{model} is not here").format(model=name))
        self._settings.choose_model(name)

    def use_file(self, weights: Weights) -> None:
        """Chooses a file of the user's own, as `own.examine` has it. Raises SetupError `disk`."""
        self._settings.choose_model(own.as_setting(weights))

    def forget(self, name: str) -> bool:
        """Removes a model that was fetched, and chooses automatically where it was chosen; False where it was not here.
        Raises SetupError: `model_unknown`, `model_busy`, `disk`."""
        model = self._shelf.model(name)
        removed = self._shelf.forget(model)
        if self._settings.model == name and self._shelf.find(model) is None:
            self._settings.choose_model(AUTOMATIC)
        return removed

    def _ways(self) -> sources.Ways:
        folders = sources.folders_of_others(os.environ, Path.home())
        return sources.Ways(download, folders, self._settings.models_url, shutil.which("npm"))

    def _describe(self, model: Model, ways: sources.Ways) -> dict[str, Any]:
        found = self._shelf.find(model)
        size = sources.expected_size(model, ways) if found is None else found.path.stat().st_size
        return {
            "name": model.name,
            "purpose": _(model.purpose),
            "installed": found is not None,
            "built_in": model.built_in,
            "automatic": model.rank > 0,
            "bytes": size,
            "memory": model.memory,
            "seconds": model.seconds,
            "licence": model.licence,
            "source": model.source,
        }
