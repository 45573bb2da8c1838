"""File loaders and writers of the plug-in: classic functions of file names, as GIMP 3's procedures for files."""

from __future__ import annotations

from typing import Any, Callable, Sequence

from .library import Gimp

LOAD, SAVE = "<Load>", "<Save>"
# What the classic function gets before its own parameters: file names, and for a writer image and drawable first.
NAMES, IMAGE_AND_NAMES = 2, 4
Answer = Callable[[Any, Any, Callable[[], Any]], Any]
Values = Callable[[Any, int, Any], Sequence[Any]]


def kind_of(menus: Sequence[str]) -> str:
    """LOAD or SAVE for a procedure with such a menu, "" for others."""
    return next((kind for kind in (LOAD, SAVE) for menu in menus if menu.startswith(kind)), "")


def _path(file: Any) -> str:
    return str(file.get_path() or file.get_uri())


def loader(plug_in: Any, declared: Any, kind: Any, answer: Answer, values: Values) -> Any:
    """A procedure that loads a file; the classic function gets its name twice and returns an image."""

    def on_load(procedure: Any, mode: Any, file: Any, metadata: Any, flags: Any, config: Any, data: Any = None) -> Any:
        def runs() -> Any:
            return declared.call(int(mode), [_path(file), _path(file), *values(procedure, int(mode), config)])

        return answer(procedure, declared, runs), flags

    procedure = Gimp.LoadProcedure.new(plug_in, declared.name, kind, on_load)
    _tell_type(procedure, declared)
    return procedure


def writer(plug_in: Any, declared: Any, kind: Any, answer: Answer, values: Values, wrap: Any) -> Any:
    """A procedure that writes a file; the classic function gets the image, its drawable, and the name twice."""

    def on_export(procedure: Any, mode: Any, image: Any, file: Any, options: Any, metadata: Any, config: Any,
                  data: Any = None) -> Any:  # fmt: skip
        def runs() -> Any:
            drawables = image.get_selected_drawables() or image.get_layers()
            objects = [wrap(one) for one in (image, drawables[0] if drawables else None)]
            names = [_path(file), _path(file)]
            return declared.call(int(mode), [*objects, *names, *values(procedure, int(mode), config)])

        return answer(procedure, declared, runs)

    procedure = Gimp.ExportProcedure.new(plug_in, declared.name, kind, False, on_export)
    procedure.set_image_types(declared.imagetypes or "*")
    _tell_type(procedure, declared)
    return procedure


def _tell_type(procedure: Any, declared: Any) -> None:
    procedure.set_extensions(declared.file_type.get("extensions", ""))
    if declared.file_type.get("prefixes"):
        procedure.set_prefixes(declared.file_type["prefixes"])
    if declared.file_type.get("magics"):
        procedure.set_magics(declared.file_type["magics"])
    if declared.label and hasattr(procedure, "set_format_name"):
        procedure.set_format_name(declared.label.replace("_", ""))
