"""The pictures of the guides, made anew of the real dialogs: `.venv/bin/python tests/helpers/guide_pictures.py`.

The hosts are those of the tests, in their chroots, and the service is the twin; what is made is in shared/docs/images.
"""

# ruff: noqa: F821 - bodies run inside the hosts
from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[2]
IMAGES = CHECKOUT / "shared" / "docs" / "images"
# What is not on this computer is asked about before it is uploaded to.
FAR = {"YOUCAM_API_KEY": "sk-of-the-pictures", "YOUCAM_API_URL": "https://service.invalid"}
GIMP, KRITA = "3.2", "6.0"
sys.path[:0] = [str(CHECKOUT), str(CHECKOUT / "tests")]

from layerlift.twin import Options, Twin  # noqa: E402

from tests.hosts import gimp, krita  # noqa: E402
from tests.hosts.layerlift_in_gimp import PHOTO, install  # noqa: E402
from tests.hosts.versions import KRITAS, VERSIONS  # noqa: E402
from tests.hosts.window import Desktop, wait_for  # noqa: E402


def save(desktop: Desktop, window: str, name: str) -> None:
    """Save what a window shows once it does not change any more."""
    taken: list[bytes] = []

    def rests() -> bool:
        command = ["import", "-display", desktop.display, "-window", window, "png:-"]
        taken.append(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        return len(taken) > 8 and len(set(taken[-8:])) == 1

    wait_for(rests, f"the window of {name} to rest")
    (IMAGES / f"{name}.png").write_bytes(taken[-1])
    print(IMAGES / f"{name}.png")


def open_two(path: str) -> None:
    """Runs inside GIMP: the photo twice, one with its cut-out."""
    for name in ("portrait with cut-out.xcf", "portrait.xcf"):
        image = pdb.gimp_file_load(path, path)
        image.filename = f"/tmp/{name}"
        gimp.Display(image)
    with_cut_out = gimp.image_list()[-1]
    pdb.python_fu_layerlift(with_cut_out, with_cut_out.active_layer, 0, True, True, 1)


def of_gimp(folder: Path) -> None:
    template = gimp.make_template(folder / "template", VERSIONS[GIMP])
    with gimp.Gimp(folder / "gimp", VERSIONS[GIMP], template) as host, Twin(Options(units=17)) as twin:
        install(host, folder / "state", twin)
        near = dict(host.environment)
        with host.window() as window:
            window.python(open_two, str(PHOTO))
            for key, title, name in (
                ("ctrl+shift+F7", "Remove Background: Settings", "gimp-settings"),
                ("F9", "^Remove Background$", "gimp"),
            ):
                dialog = window.summon(key, title)
                save(window, dialog, name)
                window.dismiss("Escape", dialog)
            window.dismiss("alt+o", window.summon("ctrl+shift+F9", "Run on All Open Images"))
            asked = window.wait_for("Remove Backgrounds\\?")
            save(window, asked, "gimp-all")
            window.dismiss("Escape", asked)
            host.environment.update(FAR)
            host.host.hand_over(host.variables())
            window.dismiss("alt+o", window.summon("F9", "^Remove Background$"))
            asked = window.wait_for("^Remove Background$")
            save(window, asked, "gimp-consent")
            window.dismiss("Escape", asked)
            host.environment.update(near)


def open_settings(path: str) -> Any:
    """Runs inside Krita: the photo, and the settings."""
    from layerlift_driver.scripting import open_document
    from settings_dialog import opened

    yield from open_document(path)
    yield from opened()


def ask_for_all() -> Any:
    """Runs inside Krita: the question before a batch."""
    from layerlift_driver.scripting import k
    from removals import choice
    from settings_dialog import dialog

    dialog().close()
    k.action("layerlift_remove_all").trigger()
    yield lambda: choice() is not None


def ask_to_upload(far: dict[str, str]) -> Any:
    """Runs inside Krita: the question before the first upload."""
    import os

    from removals import box, choice, remove

    choice().close()
    yield lambda: choice() is None
    os.environ.update(far)
    remove()
    yield lambda: box() is not None, 60


def of_krita(folder: Path) -> None:
    template = krita.make_template(folder / "template", KRITAS[KRITA])
    host = krita.Krita(folder / "krita", KRITAS[KRITA], template)
    with Twin(Options(units=17)) as twin:
        host.add_layerlift(folder / "state", twin)
        with host.window() as window:
            window.run(open_settings, str(PHOTO))
            save(window, window.wait_for("Remove Background: Settings"), "krita")
            window.run(ask_for_all)
            save(window, window.wait_for("^Remove Background"), "krita-all")
            window.run(ask_to_upload, FAR)
            save(window, window.wait_for("^Remove Background$"), "krita-consent")


if __name__ == "__main__":
    for make in (of_gimp, of_krita):
        with tempfile.TemporaryDirectory() as name:
            make(Path(name))
