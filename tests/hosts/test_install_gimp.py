"""The installer and the real GIMP 2.10 of this machine, for a user who has never started it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

pytestmark = pytest.mark.gimp("2.10")

CHECKOUT = Path(__file__).resolve().parents[2]
PHOTO = CHECKOUT / "tests" / "photos" / "astronaut.jpg"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, gimp_template: Path) -> Path:
    """A home folder in which nothing is; gone through the main job once. Asks for GIMP by its fixture."""
    return tmp_path_factory.mktemp("Zoë's home")


def install(home: Path, *arguments: str, status: int = 0) -> str:
    foreign = ("XDG_", "GIMP2_", "LAYERLIFT_HOME", "YOUCAM_", "PYTHON")
    variables = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    outcome = subprocess.run(
        [sys.executable, str(CHECKOUT / "install.py"), *arguments],
        env={**variables, "HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
    )
    assert outcome.returncode == status, outcome.stdout
    return outcome.stdout


def test_a_user_gets_from_nothing_to_a_cut_out_that_gimp_made_and_back_to_nothing(home: Path) -> None:
    photo = home / 'my "best" phötö.jpg'
    shutil.copy(PHOTO, photo)

    said = install(home, "--try", str(photo))
    assert "(made in GIMP 2.10 in" in said
    assert "offline: nothing was uploaded" in said
    (named,) = (line for line in said.splitlines() if line.startswith("The cut-out is "))
    cutout = Path(named[len("The cut-out is ") :])
    with Image.open(cutout) as picture, Image.open(photo) as original:
        assert picture.mode == "RGBA"
        assert picture.size == original.size
        alpha = picture.getchannel("A")
    cutout.unlink()
    # The portrait's face and its upper right corner.
    assert alpha.getpixel((220, 120)) == 255
    assert alpha.getpixel((500, 10)) == 0

    said = install(home, "--check")
    assert "FAIL" not in said
    assert "ok    GIMP 2.10 knows python-fu-layerlift" in said

    install(home, "--uninstall")
    left = {path for path in home.rglob("*layerlift*") if ".cache" not in path.parts}
    state = home / ".local" / "state" / "layerlift"
    assert left <= {state, state / "layerlift.log"}, "what the user has paid for stays, and the log beside it"
    assert "FAIL" in install(home, "--check", status=1)


def test_a_photo_that_is_none_ends_the_trial_with_gimps_own_words(home: Path) -> None:
    photo = home / "text.jpg"
    photo.write_text("no photo")
    said = install(home, "--try", str(photo), status=1)
    assert "The background could not be removed in GIMP 2.10" in said
    assert "text.jpg" in said
