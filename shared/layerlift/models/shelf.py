"""Which models are on this computer, and where."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .. import errors
from ..store.locks import Lock
from . import fetching, hashes
from .table import MODELS, File, Model, Recipe


@dataclass(frozen=True)
class Weights:
    """A model's file that is here, with all that it takes to run it.

    Attributes:
        name: the model's.
        memory: bytes that one picture takes at most, 0 where nobody knows.
        seconds: that one picture takes on two cores.
        second: the model that is asked where this one is undecided over an area; "" for none.
    """

    name: str
    path: Path
    hash: str
    recipe: Recipe
    memory: int = 0
    seconds: float = 10.0
    second: str = ""

    def check(self) -> None:
        """Raises SetupError `model_missing` where the file is not the one that it should be."""
        if not hashes.is_of(self.path, self.hash):
            raise errors.make("model_missing", str(self.path))


class Shelf:
    """The models of one user.

    Args:
        folder: where those are that were fetched; it need not be there.
        models: the table.
    """

    def __init__(self, folder: Path, models: Sequence[Model] = MODELS) -> None:
        self.folder = folder
        self.models = models

    def model(self, name: str) -> Model:
        """A model of the table. Raises SetupError `model_unknown`."""
        for model in self.models:
            if model.name == name:
                return model
        raise errors.make("model_unknown", name)

    def place(self, model: Model, file: File) -> Path:
        """Where a file of a model is, or would be."""
        return fetching.default_path() if model.built_in else self.folder / file.name

    def find(self, model: Model) -> Weights | None:
        """The first of the model's files that is here; None where none is. Of one file its name and size are enough,
        of several each is looked into."""
        here = [file for file in model.files if _size(self.place(model, file)) == file.size]
        while len(here) > 1 and not hashes.is_of(self.place(model, here[0]), here[0].hash):
            here.pop(0)
        if not here:
            return None
        path = self.place(model, here[0])
        return Weights(model.name, path, here[0].hash, here[0].recipe, model.memory, model.seconds, model.second)

    def ranked(self) -> list[Weights]:
        """What is here and can be used unasked, the best first."""
        models = sorted((model for model in self.models if model.rank), key=lambda model: -model.rank)
        return [found for model in models if (found := self.find(model)) is not None]

    def lock(self, model: Model, wait: Callable[[float], None]) -> Lock:
        """What whoever changes a model's files holds; the folder has to be there. Raises OSError."""
        return Lock(self.folder / f".{model.name}.lock", wait)

    def forget(self, model: Model) -> bool:
        """Removes what was fetched of a model; False where there was nothing. Raises SetupError: `disk`; `model_busy`
        while somebody fetches it."""
        if model.built_in or not self.folder.is_dir():
            return False

        def refuse(seconds: float) -> None:
            raise errors.make("model_busy", model.name)

        try:
            with self.lock(model, refuse):
                return self.clear(model)
        except OSError as error:
            raise errors.make("disk", f"{error.filename}: {error.strerror}") from error

    def clear(self, model: Model, besides: Path | None = None) -> bool:
        """Removes what there is of a model's files, whole or not, but for one; whether there was anything. Raises
        OSError."""
        there = [path for file in model.files for path in self.folder.glob(f".{file.name}.part*")]
        there += [path for file in model.files if (path := self.folder / file.name).exists() and path != besides]
        for path in there:
            path.unlink(missing_ok=True)
        return bool(there)

    def part(self, file: File) -> Path:
        """Where what has arrived of a file is, until it is whole."""
        return self.folder / f".{file.name}.part"


def _size(path: Path) -> int:
    """The bytes of a file, -1 where there is none that can be read."""
    try:
        return path.stat().st_size if path.is_file() else -1
    except OSError:
        return -1
