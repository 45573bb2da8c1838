"""The installer and every real GIMP, for a user who has never started it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hosts.conftest import require
from hosts.versions import Version
from PIL import Image

from .users import PHOTO, HostUser


class GimpUser(HostUser):
    """A user with a home folder in which nothing is, on the system of one GIMP."""

    def __init__(self, home: Path, version: Version) -> None:
        super().__init__(home, version)
        self.gimp = f"GIMP {version}"
        self.folder = home / ".config" / "GIMP" / version.name / "plug-ins" / "layerlift"


@pytest.fixture(scope="module")
def user(version: Version, tmp_path_factory: pytest.TempPathFactory) -> GimpUser:
    """Somebody who has gone from nothing to a cut-out of the portrait."""
    require(version.missing())
    user = GimpUser(tmp_path_factory.mktemp("Zoë's home"), version)
    shutil.copy(PHOTO, user.home / 'my "best" phötö.jpg')
    return user


def test_a_user_gets_from_nothing_to_a_cut_out_that_gimp_made(user: GimpUser) -> None:
    photo = user.home / 'my "best" phötö.jpg'
    said = user.install("--try", str(photo))
    assert f"(made in {user.gimp} in" in said
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


def test_gimp_has_made_its_profile_itself_and_the_plug_in_is_in_a_folder_of_its_name(user: GimpUser) -> None:
    assert (user.folder.parent.parent / "brushes").is_dir()
    assert os.access(user.folder / "layerlift.py", os.X_OK)


def test_gimp_itself_is_asked_whether_it_knows_the_plug_in(user: GimpUser) -> None:
    said = user.install("--check")
    assert "FAIL" not in said
    assert f"ok    {user.gimp} knows python-fu-layerlift, python-fu-layerlift-all, python-fu-layerlift-settings" in said


def test_a_second_install_changes_nothing(user: GimpUser) -> None:
    before = user.snapshot()
    # With Krita on the same system there is one line more.
    assert user.install().count("up to date") >= 2
    assert user.snapshot() == before


def test_a_photo_that_is_none_ends_the_trial_with_gimps_own_words(user: GimpUser) -> None:
    photo = user.home / "text.jpg"
    photo.write_text("no photo")
    said = user.install("--try", str(photo), status=1)
    assert f"The background could not be removed in {user.gimp}" in said
    assert "text.jpg" in said


def test_a_plug_in_that_gimp_can_not_take_is_told_with_what_gimp_prints(user: GimpUser) -> None:
    program = user.folder / "layerlift.py"
    shipped = program.read_text("ascii")
    program.write_text(shipped.replace("import bridge", "import a_module_that_is_not_here"))
    said = user.install("--check", status=1)
    assert "layerlift.py differs: run `python3 install.py`" in said
    assert f"FAIL  {user.gimp} knows the plug-in: it does not know python-fu-layerlift" in said
    user.install()
    assert "FAIL" not in user.install("--check")


def test_an_uninstall_takes_all_away_but_what_was_paid_for(user: GimpUser) -> None:
    user.install("--uninstall")
    left = {path for path in user.home.rglob("*layerlift*") if ".cache" not in path.parts}
    state = user.home / ".local" / "state" / "layerlift"
    assert left <= {state, state / "layerlift.log"}, "what the user has paid for stays, and the log beside it"
    assert "FAIL" in user.install("--check", status=1)
