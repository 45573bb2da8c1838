"""One scene and all that is delivered for it, measured: the errors of each way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import cv2
import metrics
import numpy as np
import scenes
import ways

CROP = 1000
"""The side of the square in which the public methods are measured, which can't bear a whole picture."""

NEW = {"green": (0, 177, 64), "black": (0, 0, 0), "white": (255, 255, 255)}
"""The new backgrounds of one colour; a photo is added to them."""

COLOUR, COMPOSITE = "colour", "new background"
Errors = dict[str, dict[str, float]]
"""The errors by their names, of each way by its name."""


@dataclass(frozen=True)
class Delivery:
    """The arguments of `scenes.delivered`."""

    longest: int
    flaw: str = "clean"
    detail: int | None = None

    def __str__(self) -> str:
        if self.detail:
            return f"{self.detail} in {self.longest}"
        return f"{self.longest} {self.flaw}"


@dataclass(frozen=True)
class Scene:
    """The arguments of `scenes.make`, which makes it."""

    kind: str
    background: str
    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.kind} before {self.background}, {self.width} x {self.height}"


@dataclass(frozen=True)
class Case:
    """What was measured in the whole picture, and in a crop where the public ways can take part."""

    scene: Scene
    delivery: Delivery
    whole: Errors
    crop: Errors = field(default_factory=dict)


def measured(scene: Scene, deliveries: list[Delivery], is_public: Callable[[Delivery], bool]) -> list[Case]:
    """The case of each delivery; the public ways are measured where `is_public` says so."""
    cv2.setNumThreads(1)  # scenes are measured side by side
    return list(_cases(scene, deliveries, is_public))


def _cases(scene: Scene, deliveries: list[Delivery], is_public: Callable[[Delivery], bool]) -> Iterator[Case]:
    made = scenes.make(scene.kind, scene.background, scene.width, scene.height)
    photos = scenes.BACKGROUNDS
    other = photos[(photos.index(scene.background) + len(photos) // 2) % len(photos)]
    backgrounds = {name: np.array([[colour]], np.uint8) for name, colour in NEW.items()}
    backgrounds["photo"] = scenes.photo(other, scene.width, scene.height)
    square = crop_of(made.alpha)
    for delivery in deliveries:
        delivered = scenes.delivered(made.alpha, delivery.longest, delivery.flaw, delivery.detail)
        bicubic = ways.bicubic(delivered, scene.width, scene.height)
        ours = ways.our_alpha(delivered, made.picture)
        colours = ways.our_colours(made.picture, ours)
        band = metrics.band_of(made.alpha, bicubic)
        whole: Errors = {
            "bicubic": metrics.alpha_errors(bicubic, made.alpha, band),
            "ours": metrics.alpha_errors(ours, made.alpha, band),
            "original": {},
        }
        for name, alpha, layer in (("original", bicubic, made.picture), ("ours", ours, colours)):
            errors = metrics.colour_errors(alpha, layer, made.alpha, made.foreground, backgrounds, band)
            whole[name][COLOUR] = errors.pop(metrics.TRUE_ALPHA)
            whole[name][COMPOSITE] = sum(errors.values()) / len(errors)
        crop = {}
        if is_public(delivery):
            scale = scene.width / round(delivered.shape[1] * (delivery.detail or delivery.longest) / delivery.longest)
            parts = (part[square] for part in (made.alpha, made.picture, made.foreground, band, bicubic, ours, colours))
            crop = _in_crop(*(np.ascontiguousarray(part) for part in parts), scale)
        yield Case(scene, delivery, whole, crop)


def _in_crop(
    truth: ways.Alpha, picture: ways.Colours, foreground: ways.Colours, band: metrics.Mask,
    bicubic: ways.Alpha, ours: ways.Alpha, colours: ways.Colours, scale: float,
) -> Errors:  # fmt: skip
    alphas = {
        "bicubic": bicubic,
        "ours": ours,
        "guided": ways.guided_filter(bicubic, picture, scale),
        "closed form": ways.closed_form(bicubic, picture),
    }
    errors = {name: metrics.alpha_errors(alpha, truth, band) for name, alpha in alphas.items() if alpha is not None}
    layers = {"original": picture, "ours": colours, "multi-level": ways.multi_level(picture, ours)}
    for name, layer in layers.items():
        error = metrics.colour_errors(truth, layer, truth, foreground, {}, band)[metrics.TRUE_ALPHA]
        errors.setdefault(name, {})[COLOUR] = error
    return errors


def crop_of(truth: ways.Alpha) -> tuple[slice, slice]:
    """Of the squares that show subject, background and edges, the one with a middling share of edges."""
    height, width = truth.shape
    side = min(CROP, height, width)
    shares = []
    for top in range(0, height - side + 1, side):
        for left in range(0, width - side + 1, side):
            square = np.s_[top : top + side, left : left + side]
            empty, full = (truth[square] == 0).mean(), (truth[square] == 255).mean()
            edges = 1 - empty - full
            shares.append((min(empty, full) > 0.02 and edges > 0.01, edges > 0.01, edges, square))
    best = max(shares, key=lambda share: share[:2])[:2]
    fit = sorted((share for share in shares if share[:2] == best), key=lambda share: share[2])
    return fit[len(fit) // 2][3]
