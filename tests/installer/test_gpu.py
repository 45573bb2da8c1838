"""What an environment for a graphics card has: packages in place of others, of stand-ins that are wheels."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from pathlib import Path

import pytest

from plugin.installer.environment import Environment, NoCard, constraints, fingerprint
from plugin.installer.process import Outcome, Problem

from .wheelhouse import offline


def wheel(folder: Path, name: str, kind: str) -> str:
    """A package whose module `onnxruntime` says which kind it is; a line that pins it by its hash."""
    info = f"{name.replace('-', '_')}-1.0.dist-info"
    files = {
        "onnxruntime/__init__.py": f"kind = {kind!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    digests = {path: hashlib.sha256(text.encode()).digest() for path, text in files.items()}
    rows = [f"{path},sha256={base64.urlsafe_b64encode(found).decode().rstrip('=')}," for path, found in digests.items()]
    path = folder / f"{name.replace('-', '_')}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for member, text in {**files, f"{info}/RECORD": "\n".join([*rows, f"{info}/RECORD,,", ""])}.items():
            archive.writestr(member, text)
    return f"{name}==1.0 --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


class Place:
    """A checkout of stand-ins, and an environment of it."""

    def __init__(self, root: Path) -> None:
        self.wheels = root / "wheels"
        self.checkout = root / "check out"
        for folder in (self.wheels, self.checkout / "shared"):
            folder.mkdir(parents=True)
        (self.checkout / "pyproject.toml").touch()
        constraints(self.checkout).write_text(wheel(self.wheels, "onnxruntime", "processor"))
        constraints(self.checkout, "openvino").write_text(wheel(self.wheels, "onnxruntime-openvino", "openvino"))
        self.environment = Environment(root / "env")

    def make(self, card: str) -> None:
        self.environment.make(self.checkout, card)

    @property
    def kind(self) -> str:
        return self.environment.call("-c", "import onnxruntime; print(onnxruntime.kind)").output.strip()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(tmp_path_factory.mktemp("place"))


@pytest.fixture(autouse=True)
def no_network(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in offline(place.wheels).items():
        monkeypatch.setenv(name, value)

    def install(self: Environment, checkout: Path) -> None:
        assert self._pip("install", "--require-hashes", "-r", str(constraints(checkout))).status == 0

    # The project itself is not at stake.
    monkeypatch.setattr(Environment, "_install", install)


def test_the_packages_for_a_card_take_the_place_of_those_for_the_processor_and_back(place: Place) -> None:
    place.make("openvino")
    assert (place.kind, place.environment.card()) == ("openvino", "openvino")
    assert place.environment.state() == fingerprint(place.checkout, "openvino") != fingerprint(place.checkout)
    place.make("off")
    assert (place.kind, place.environment.card()) == ("processor", "off")
    assert place.environment.state() == fingerprint(place.checkout)


@pytest.mark.parametrize("pinned", ["onnxruntime-cuda==1.0 --hash=sha256:" + "0" * 64, "# none for this computer"])
def test_without_them_the_environment_is_made_for_the_processor_and_that_is_told(place: Place, pinned: str) -> None:
    constraints(place.checkout, "cuda").write_text(f"{pinned}\n")
    with pytest.raises(NoCard, match=r"onnxruntime-cuda|there are none for this computer"):
        place.make("cuda")
    assert (place.kind, place.environment.card()) == ("processor", "off")
    assert place.environment.state() == fingerprint(place.checkout)


def test_where_they_can_not_be_put_in_place_the_old_environment_comes_back(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.make("off")
    pip = Environment._pip

    def fail_to_install(self: Environment, task: str, *arguments: str) -> Outcome:
        return Outcome(1, "No space left on device") if "--no-index" in arguments else pip(self, task, *arguments)

    monkeypatch.setattr(Environment, "_pip", fail_to_install)
    with pytest.raises(Problem, match="No space left on device"):
        place.make("openvino")
    assert (place.kind, place.environment.card()) == ("processor", "off")
