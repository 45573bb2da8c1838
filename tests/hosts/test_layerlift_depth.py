"""Every bit of the original in a real GIMP: scenes of known alpha and colours, at every precision and at 24 MP."""

# ruff: noqa: F821 - bodies run inside GIMP
from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvips
from layerlift.twin import Options, Twin
from numpy.typing import NDArray

from .deep_scenes import Samples, Scene, answer, read, samples, scene, values
from .gimp import Gimp, Host
from .layerlift_in_gimp import install
from .profiles import swapped_profile

SMALL = (640, 480)
LARGE = (6000, 4000)


def measure(cases: list[dict[str, Any]]) -> Any:
    """Runs inside GIMP: each case's layer before and after, as the very pixels, in files; and what else is to know."""
    from pathlib import Path

    import gimpenums

    def write(drawable: Any, path: str) -> str:
        region = drawable.get_pixel_rgn(0, 0, drawable.width, drawable.height, format=drawable.format)
        with Path(path).open("wb") as file:
            for top in range(0, drawable.height, 512):
                file.write(region[0 : drawable.width, top : min(top + 512, drawable.height)])
        return drawable.format

    outcomes = []
    for case in cases:
        parent = None
        if "photo" in case:
            image = pdb.gimp_file_load(case["photo"], case["photo"])
            layer = image.active_layer
        else:
            kind = getattr(gimpenums, case["kind"])
            precision = getattr(gimpenums, case["precision"])
            width, height = case["size"]
            base = GRAY if kind in (GRAY_IMAGE, GRAYA_IMAGE) else RGB
            image = pdb.gimp_image_new_with_precision(width, height, base, precision)
            if "profile" in case:
                pdb.gimp_image_set_color_profile_from_file(image, case["profile"])
            if "group" in case:
                parent = pdb.gimp_layer_group_new(image)
                image.insert_layer(parent)
            layer = pdb.gimp_layer_new(image, width, height, kind, "photo", 100, LAYER_MODE_NORMAL)
            image.insert_layer(layer, parent)
            region = layer.get_pixel_rgn(0, 0, width, height, format=layer.format)
            region[0:width, 0:height] = Path(case["pixels"]).read_bytes()
        profile = image.parasite_find("icc-profile")
        form = write(layer, case["folder"] + "/before")
        pdb.python_fu_layerlift(image, layer, case.get("result", 0), True, True, 1)
        copy = (parent or image).layers[0]
        kept = image.parasite_find("icc-profile")
        outcomes.append(
            {
                "formats": [form, write(copy, case["folder"] + "/after")],
                "original": write(layer, case["folder"] + "/original"),
                "names": [one.name for one in (parent or image).layers],
                "profile": kept and kept.data == profile.data and list(kept.data),
                "images": len(gimp.image_list()),
            }
        )
        if copy.mask is not None:
            write(copy.mask, case["folder"] + "/mask")
        gimp.delete(image)
    return outcomes


def bits(pixels: Samples) -> Samples:
    """Samples as numbers that are equal where all bits are."""
    return pixels.view(f"u{pixels.dtype.itemsize}")


def assert_clean(truth: Scene, alpha: Samples, before: Samples, after: Samples) -> None:
    """Colours outside the band are the very bits; in the band they have come nearer to the subject's, without steps."""
    colours = 1 if before.shape[2] < 3 else 3
    before, after = before[..., :colours], after[..., :colours]
    band = (alpha > 0) & (alpha < 255)
    assert not ((bits(before) != bits(after)).any(-1) & ~band).any()
    errors = [np.abs(values(part[band]) - truth.foreground[band][:, :colours]).mean() for part in (before, after)]
    assert errors[1] < 0.4 * errors[0]
    if after.dtype.itemsize > 1:
        assert np.unique(after[band][:, 0]).size > 500, "more than 8 bits can tell"


CASES: dict[str, dict[str, Any]] = {
    "8 bits": {"precision": "U8_GAMMA"},
    "8 bits, linear": {"precision": "U8_LINEAR"},
    "16 bits": {"precision": "U16_GAMMA"},
    "16 bits, linear": {"precision": "U16_LINEAR"},
    "32 bits": {"precision": "U32_GAMMA"},
    "half": {"precision": "HALF_GAMMA"},
    "float, linear": {"precision": "FLOAT_LINEAR"},
    "double": {"precision": "DOUBLE_LINEAR"},
    "gray, 16 bits": {"precision": "U16_GAMMA", "kind": "GRAY_IMAGE"},
    "gray with alpha, float": {"precision": "FLOAT_GAMMA", "kind": "GRAYA_IMAGE"},
    "16 bits with alpha": {"precision": "U16_GAMMA", "kind": "RGBA_IMAGE"},
    "16 bits with an opaque alpha": {"precision": "U16_LINEAR", "kind": "RGBA_IMAGE", "opaque": True},
    "16 bits with a profile": {"precision": "U16_GAMMA", "profile": ""},
    "half, linear, with alpha and a profile": {"precision": "HALF_LINEAR", "kind": "RGBA_IMAGE", "profile": ""},
    "16 bits in a group": {"precision": "U16_GAMMA", "group": True},
    "16 bits with a mask as the result": {"precision": "U16_GAMMA", "result": 1},
    "float with a mask as the result": {"precision": "FLOAT_LINEAR", "result": 1},
}


@pytest.fixture(scope="module")
def outcomes(resident: Host, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What became of each case, by its name, with the folder of its files and the truth."""
    folder = tmp_path_factory.mktemp("depth")
    (folder / "swapped.icc").write_bytes(swapped_profile())
    truth = scene(*SMALL, soft=3)
    jobs = []
    for number, case in enumerate(CASES.values()):
        job = {"kind": "RGB_IMAGE", **case, "size": SMALL, "folder": str(folder / str(number))}
        (folder / str(number)).mkdir()
        colours = truth.picture[..., :1] if job["kind"].startswith("GRAY") else truth.picture
        if job["kind"].endswith("A_IMAGE"):
            own = np.linspace(1.0 if "opaque" in case else 0.1, 1, SMALL[0], dtype=np.float32)
            own = np.broadcast_to(own[None, :, None], (*colours.shape[:2], 1))
            colours = np.concatenate([colours, own], -1)
        word = case["precision"].split("_")[0].lower()
        (folder / str(number) / "pixels").write_bytes(samples(colours, word).tobytes())
        job.update(pixels=str(folder / str(number) / "pixels"), precision="PRECISION_" + case["precision"])
        if "profile" in case:
            job["profile"] = (folder / "swapped.icc").as_uri()
        jobs.append(job)
    with Twin(Options(engine=lambda _: answer(truth.alpha), rate=(10_000, 1.0))) as twin:
        gimp = Gimp(folder / "gimp", resident.version, host=resident)
        install(gimp, folder / "state", twin)
        found = gimp.python(measure, jobs, timeout=300)
    return {name: (outcome, Path(job["folder"]), truth) for name, outcome, job in zip(CASES, found, jobs, strict=True)}


@pytest.mark.parametrize("name", CASES)
def test_the_original_keeps_every_bit_and_its_profile(outcomes: dict[str, Any], name: str) -> None:
    outcome, folder, _ = outcomes[name]
    assert outcome["original"] == outcome["formats"][0]
    assert (folder / "original").read_bytes() == (folder / "before").read_bytes() == (folder / "pixels").read_bytes()
    profile = list((folder.parent / "swapped.icc").read_bytes())
    assert outcome["profile"] == (profile if "profile" in CASES[name] else None)
    assert (outcome["names"], outcome["images"]) == (["photo cut-out", "photo"], 1)


@pytest.mark.parametrize("name", [name for name in CASES if "result" not in CASES[name]])
def test_edges_are_clean_at_the_layers_own_depth_and_all_else_keeps_every_bit(
    outcomes: dict[str, Any], name: str
) -> None:
    outcome, folder, truth = outcomes[name]
    before, after = (
        read(folder / part, form, *SMALL) for part, form in zip(("before", "after"), outcome["formats"], strict=True)
    )
    assert_clean(truth, truth.alpha, before, after)


@pytest.mark.parametrize("name", [name for name in CASES if "result" not in CASES[name]])
def test_the_alpha_is_exact_at_the_layers_own_depth(outcomes: dict[str, Any], name: str) -> None:
    outcome, folder, truth = outcomes[name]
    before, after = (
        read(folder / part, form, *SMALL) for part, form in zip(("before", "after"), outcome["formats"], strict=True)
    )
    has_alpha = CASES[name].get("kind", "").endswith("A_IMAGE")
    own = values(before[..., -1]) if has_alpha else 1.0
    step = {"u1": 1 / 255, "u2": 1 / 65535, "f2": 2**-11}.get(after.dtype.str[1:], 2**-23)
    assert np.abs(values(after[..., -1]) - own * (truth.alpha / 255)).max() <= (1.01 if has_alpha else 0.51) * step


@pytest.mark.parametrize("name", [name for name in CASES if "result" in CASES[name]])
def test_a_mask_leaves_every_bit_of_the_colours(outcomes: dict[str, Any], name: str) -> None:
    outcome, folder, truth = outcomes[name]
    before, after = (
        read(folder / part, form, *SMALL) for part, form in zip(("before", "after"), outcome["formats"], strict=True)
    )
    assert (before.view(np.uint8) == np.ascontiguousarray(after[..., :3]).view(np.uint8)).all()
    assert (values(after[..., 3]) == 1).all()
    mask = read(folder / "mask", "Y " + outcome["formats"][0].split()[-1], *SMALL)[..., 0]
    assert np.abs(values(mask) - truth.alpha / 255).max() < 1e-6


def tiff(path: Path, picture: NDArray[np.float32]) -> None:
    height, width, _ = picture.shape
    image = pyvips.Image.new_from_memory(picture.tobytes(), width, height, 3, "float")
    image.copy(interpretation="scrgb").tiffsave(str(path))


def png(path: Path, picture: NDArray[np.float32]) -> None:
    height, width, _ = picture.shape
    image = pyvips.Image.new_from_memory(samples(picture, "u16").tobytes(), width, height, 3, "ushort")
    image.copy(interpretation="rgb16").pngsave(str(path), compression=0, bitdepth=16)


def test_24_million_pixels_of_16_bits_and_of_floats_keep_every_bit_outside_the_edges(
    gimp: Gimp, tmp_path: Path
) -> None:
    truth = scene(*LARGE, soft=100)
    jobs = []
    for name, write in (("a.png", png), ("b.tiff", tiff)):
        write(tmp_path / name, truth.picture)
        (tmp_path / name[0]).mkdir()
        jobs.append({"photo": str(tmp_path / name), "folder": str(tmp_path / name[0])})
    with Twin(Options(engine=lambda _: answer(truth.alpha), rate=(10_000, 1.0))) as twin:
        install(gimp, tmp_path / "state", twin)
        outcomes = gimp.python(measure, jobs, timeout=300)
    words = [outcome["formats"][0].split()[-1] for outcome in outcomes]
    assert words == ["u16", "float"]
    for word, job, outcome in zip(words, jobs, outcomes, strict=True):
        folder = Path(job["folder"])
        before, after = (
            read(folder / part, form, *LARGE)
            for part, form in zip(("before", "after"), outcome["formats"], strict=True)
        )
        assert (bits(before) == bits(samples(truth.picture, word))).all(), "GIMP has the file's bits"
        assert (folder / "original").read_bytes() == (folder / "before").read_bytes()
        error = np.abs(values(after[..., 3]) - truth.alpha / 255)
        band = (truth.alpha > 0) & (truth.alpha < 255)
        assert error[~band].max() <= 8 / 255
        assert error[band].mean() <= 1 / 255
        assert_clean(truth, np.rint(values(after[..., 3]) * 255), before, after)
