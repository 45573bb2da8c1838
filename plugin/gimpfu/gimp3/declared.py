"""One of the plug-in's own procedures: what GIMP 3 is told of it, and how a call reaches the classic function."""

from __future__ import annotations

from typing import Any, Callable, Sequence

from .. import parameters as pf
from ..contract.database import Wrap
from ..errors import CancelError, error
from ..parameters import Parameter
from ..procedures import values_to_show
from ..values.types import ARRAYS, ParameterDefinition
from . import files
from .arguments import OutOfRange, without_counts
from .declarations import FLAGS, Argument, arguments_of
from .library import Gimp

INTERACTIVE, NONINTERACTIVE = int(Gimp.RunMode.INTERACTIVE), int(Gimp.RunMode.NONINTERACTIVE)
IMAGE_AND_DRAWABLE = 2
DRAWABLES = (pf.PF_DRAWABLE, pf.PF_LAYER, pf.PF_ITEM, pf.PF_CHANNEL)
SENSITIVITY = Gimp.ProcedureSensitivityMask
MENUS = {"<Toolbox>/": "<Image>/"}
Call = Callable[[int, Sequence[Any]], Any]
Answer = Callable[[Any, "Declared", Callable[[], Any]], Any]


class Declared:
    """A procedure that takes `parameters` (its run mode is not among them) and is run by `call(run_mode, values)`.

    `texts` are its blurb, help, author, copyright and date.
    `shown` are the parameters as dialogs show them, where that is another language. With `takes_each`, and by scripts,
    each of several drawables is given, one after the other, else the first alone.
    With `asks`, an interactive run opens the dialog; without, the procedure asks for itself, as on 2.10.
    """

    def __init__(
        self, name: str, texts: Sequence[str], label: str | None, imagetypes: str | None,
        parameters: Sequence[Parameter], results: Sequence[tuple[int, str, str]], call: Call,
        wrap: Wrap, takes_run_mode: bool, asks: bool = False, on_run: Callable[[], Any] | None = None,
        on_query: Callable[[], Any] | None = None, shown: Sequence[Parameter] = (),
        on_dialog: Callable[..., Any] | None = None, takes_each: bool = True,
    ) -> None:  # fmt: skip
        self.name, self.label, self.imagetypes = name, label, imagetypes
        blurb, help, *about = (text or "" for text in texts)
        self.documentation, self.attribution = (blurb, help), about
        self.menus: list[str] = []
        self.file_type: dict[str, str] = {}
        self.results = tuple(ParameterDefinition(*entry) for entry in results)
        self.on_query, self.on_dialog = on_query, on_dialog
        self._takes_each = takes_each
        self.call, self._asks, self._on_run, self._takes_run_mode = call, asks, on_run, takes_run_mode
        self._parameters, self._shown, self._wrap = parameters, shown or parameters, wrap

    @property
    def is_for_images(self) -> bool:
        """Whether it takes an image and a drawable first, for which GIMP 3 has procedures of a kind of their own."""
        kinds = [parameter.kind for parameter in self._parameters[:2]]
        return self._takes_run_mode and len(kinds) == 2 and kinds[0] == pf.PF_IMAGE and kinds[1] in DRAWABLES

    @property
    def arguments(self) -> list[Argument]:
        """The arguments that the native procedure doesn't have by its kind."""
        file_kind = files.kind_of(self.menus)
        if file_kind:
            first = files.NAMES if file_kind == files.LOAD else files.IMAGE_AND_NAMES
            return arguments_of(self._parameters[first:], ("image", "file", "options"), self._shown[first:])
        first = IMAGE_AND_DRAWABLE if self.is_for_images else 0
        return arguments_of(self._parameters[first:], ("image",) if first else (), self._shown[first:])

    def create(self, plug_in: Any, kind: Any, answer: Answer, has_resources: bool) -> Any:
        """The native procedure; `answer(procedure, self, runs)` gives what it returns."""
        file_kind = files.kind_of(self.menus)
        if file_kind == files.LOAD:
            procedure = files.loader(plug_in, self, kind, answer, self._given)
        elif file_kind == files.SAVE:
            procedure = files.writer(plug_in, self, kind, answer, self._given, self._wrapped)
        elif self.is_for_images:

            def on_image(procedure: Any, mode: Any, image: Any, drawables: Any, config: Any, data: Any = None) -> Any:
                return answer(procedure, self, lambda: self._on_drawables(procedure, mode, image, drawables, config))

            procedure = Gimp.ImageProcedure.new(plug_in, self.name, kind, on_image)
            procedure.set_sensitivity_mask(SENSITIVITY.DRAWABLE | SENSITIVITY.DRAWABLES)
            procedure.set_image_types(self.imagetypes or "*")
        else:

            def on_run(procedure: Any, config: Any, data: Any = None) -> Any:
                return answer(procedure, self, lambda: self._without_drawables(procedure, config))

            procedure = Gimp.Procedure.new(plug_in, self.name, kind, on_run)
            if self._takes_run_mode:
                text = "The run mode"
                procedure.add_enum_argument("run-mode", "Run mode", text, Gimp.RunMode, Gimp.RunMode.NONINTERACTIVE,
                                            FLAGS)  # fmt: skip
            if self.label:
                procedure.set_sensitivity_mask(SENSITIVITY.ALWAYS)
        self._describe(procedure)
        for argument in self.arguments:
            argument.declare(procedure, has_resources=has_resources)
        for argument in [] if file_kind else self._result_arguments():
            argument.declare(procedure, is_result=True)
        return procedure

    def _describe(self, procedure: Any) -> None:
        procedure.set_documentation(*self.documentation, None)
        procedure.set_attribution(*self.attribution)
        if self.label:
            procedure.set_menu_label(self.label)
            for menu in [] if files.kind_of(self.menus) else self.menus:
                for old, new in MENUS.items():
                    menu = new + menu[len(old) :] if menu.startswith(old) else menu
                procedure.add_menu_path(menu)

    def _result_arguments(self) -> list[Argument]:
        return arguments_of([Parameter.declared((*entry, None)) for entry in self.results])

    def native_results(self, values: Sequence[Any], native: Callable[[Any, int], Any]) -> list[Any]:
        """The GValues of what the function has returned."""
        kept = without_counts([definition.type for definition in self.results], values)
        try:
            return [argument.result(value, native) for argument, value in zip(self._result_arguments(), kept)]
        except OutOfRange as failure:
            raise ValueError(str(failure)) from None

    def _on_drawables(self, procedure: Any, mode: Any, image: Any, drawables: Sequence[Any], config: Any) -> Any:
        """Call the function for each of the selected drawables in turn."""
        if not drawables:
            raise error("Select a layer first.")
        given = self._given(procedure, int(mode), config, image, drawables[0])
        wrapped = self._wrap(pf.PF_IMAGE, image.get_id())
        result = None
        takes_each = self._takes_each or int(mode) == NONINTERACTIVE
        for identity in [drawable.get_id() for drawable in drawables][: None if takes_each else 1]:
            result = self.call(int(mode), [wrapped, self._wrap(pf.PF_DRAWABLE, identity), *given])
        self._show(mode)
        return result

    def _without_drawables(self, procedure: Any, config: Any) -> Any:
        mode = int(config.get_property("run-mode")) if self._takes_run_mode else NONINTERACTIVE
        result = self.call(mode, self._given(procedure, mode, config))
        self._show(mode)
        return result

    def _given(self, procedure: Any, mode: int, config: Any, image: Any = None, drawable: Any = None) -> list[Any]:
        """The classic values: what the config holds, or what the user enters, beginning with what is active."""
        if mode == INTERACTIVE:
            if not self._asks:
                return []
            if self.arguments:
                shown = values_to_show(self._on_run)
                for argument in self.arguments:
                    argument.preset(config, image, drawable)
                    if argument.parameter.name in shown:
                        argument.show(config, shown[argument.parameter.name])
                from .dialog import ask

                given = [] if image is None else [self._wrapped(image), self._wrapped(drawable)]
                if not ask(procedure, config, self, given, self._wrap):
                    raise CancelError("cancelled")
        values: list[Any] = []
        for argument in self.arguments:
            value = argument.value(config, self._wrap)
            if argument.kind == pf.PF_TOGGLE and mode == NONINTERACTIVE:
                value = int(value)  # as it comes from the database of 2.10
            if argument.kind in ARRAYS:
                values.append(len(value))
            values.append(value)
        return values

    def _wrapped(self, native: Any) -> Any:
        """The classic image or item for GIMP's."""
        if native is None:
            return None
        return self._wrap(pf.PF_IMAGE if isinstance(native, Gimp.Image) else pf.PF_ITEM, native.get_id())

    @staticmethod
    def _show(mode: Any) -> None:
        if int(mode) != NONINTERACTIVE:
            Gimp.displays_flush()
