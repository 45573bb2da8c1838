"""The transform_ methods of drawables: a procedure of the database, called with the right context."""

from __future__ import annotations

from typing import Any

from .objects import call

EXACT = "transform_direction interpolation supersample recursion_level clip_result"
BY_DEFAULTS = "interpolate clip_result"
SIMPLE = "clip_result"
DEFAULTS = {"supersample": False, "recursion_level": 3, "clip_result": False, "interpolate": False}
NO_INTERPOLATION = 0
CORNERS = "x0 y0 x1 y1"
MATRIX = " ".join(f"coeff_{row}_{column}" for row in range(3) for column in range(3))
ROTATION = "auto_center center_x center_y"


class Transformation:
    """A method that takes the procedure's own arguments (`names`) and then `settings`, which are the context's.

    It returns the item that GIMP leaves: the same one, or a floating selection. Supersampling and recursion are
    taken for old plug-ins; GIMP 2.10 has no use for them.
    """

    def __init__(self, procedure: str, names: str, settings: str) -> None:
        self._procedure = "gimp-item-transform-" + procedure
        self._names, self._all = tuple(names.split()), tuple(f"{names} {settings}".split())

    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        if instance is None:
            return self

        def method(*arguments: Any, **keywords: Any) -> Any:
            given = {**DEFAULTS, **dict(zip(self._all, arguments)), **keywords}
            if (
                len(arguments) > len(self._all)
                or not set(self._all) <= set(given)
                or not set(keywords) <= set(self._all)
            ):
                raise TypeError(f"the arguments are ({', '.join(self._all)})")
            return self._run(instance, given)

        return method

    def _run(self, item: Any, given: dict[str, Any]) -> Any:
        call("gimp-context-push")
        try:
            call("gimp-context-set-transform-resize", int(given["clip_result"]))
            if "transform_direction" in self._all:
                call("gimp-context-set-transform-direction", given["transform_direction"])
                call("gimp-context-set-interpolation", given["interpolation"])
            elif "interpolate" in self._all and not given["interpolate"]:
                call("gimp-context-set-interpolation", NO_INTERPOLATION)
            return call(self._procedure, item, *[given[name] for name in self._names])
        finally:
            call("gimp-context-pop")


class Transforms:
    """All transform_ methods, in up to three forms: with every setting, with the user's own, and simple."""

    transform_flip = Transformation("flip", CORNERS, EXACT)
    transform_flip_default = Transformation("flip", CORNERS, BY_DEFAULTS)
    transform_flip_simple = Transformation("flip-simple", "flip_type auto_center axis", SIMPLE)
    transform_perspective = Transformation("perspective", CORNERS + " x2 y2 x3 y3", EXACT)
    transform_perspective_default = Transformation("perspective", CORNERS + " x2 y2 x3 y3", BY_DEFAULTS)
    transform_rotate = Transformation("rotate", "angle " + ROTATION, EXACT)
    transform_rotate_default = Transformation("rotate", "angle " + ROTATION, BY_DEFAULTS)
    transform_rotate_simple = Transformation("rotate-simple", "rotate_type " + ROTATION, SIMPLE)
    transform_scale = Transformation("scale", CORNERS, EXACT)
    transform_scale_default = Transformation("scale", CORNERS, BY_DEFAULTS)
    transform_shear = Transformation("shear", "shear_type magnitude", EXACT)
    transform_shear_default = Transformation("shear", "shear_type magnitude", BY_DEFAULTS)
    transform_matrix = Transformation("matrix", MATRIX, EXACT)
    transform_matrix_default = Transformation("matrix", MATRIX, BY_DEFAULTS)
