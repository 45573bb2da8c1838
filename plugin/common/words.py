"""What the user is asked before a removal and told after it, in one English for all hosts."""

from __future__ import annotations

from typing import Any, Sequence

from .language import _, ngettext

HAS_CUT_OUT = _("This layer already has a cut-out, or is one.")
UNPAID = _("Cancelled: nothing was paid for. Nothing was changed.")
KEPT = _("Cancelled. What was paid for is kept, and is free the next time.")
MAY_COST = _("Cancelled: it may cost 1 unit; the result is kept, and is free the next time. Nothing was changed.")
FULL = _("No background was found: the whole picture was kept.")
FREE = _("Free: you already paid for this picture.")
DELETED = _("The layer was deleted in the meantime. Nothing was changed.")
CHECKING = _("Checking what is already paid for")
OFFLINE_DRAFT = _("The offline engine makes a quick draft on this computer, for free.")
ADVICE = _("This is a quick draft of the offline engine. With an API key, the YouCam service gives better results.")
"""Said once to a user, with a button that leads to the settings."""
CLEAR = _("Delete the kept results? The same pictures then cost units again.")
AUTOMATIC = "auto"
"""The worker's word for the best offline model."""
AUTOMATIC_MODEL = _("The best model that is installed and fits into the free memory.")
OWN_MODEL = _("A model file of your own.")
FETCH_STOPPED = _("Stopped. What has arrived is kept, and the next fetch goes on there.")
NOT_ENOUGH = _("That is not enough.")
KEYS = {
    "keyring": _("{key}, kept in the system's keyring"),
    "file": _("{key}, kept in a file that only you can read"),
    "environment": _("{key}, from YOUCAM_API_KEY of the environment, which comes first"),
}
"""A redacted API key, by the worker's word for where it is kept."""


class Summary:
    """What becomes of the pictures. `units` is what was paid, `left` what the account has then, where that is known."""

    def __init__(self) -> None:
        self.units = 0.0
        self.left: float | None = None
        self.done = 0
        self._free = 0
        self._full: list[str] = []
        self._failed: dict[str, list[str]] = {}

    def succeeds(self, name: str, free: bool, full: bool) -> None:
        """A picture has its new layer: `free` where it had been paid for, `full` where nothing was cut away."""
        self.done += 1
        self._free += free
        if full:
            self._full.append(short(name))

    def fails(self, name: str, reason: str) -> None:
        """A picture has no new layer."""
        self._failed.setdefault(reason, []).append(short(name))

    def failures(self) -> list[str]:
        """A line for each reason, with the pictures that it is true of."""
        return [f"{', '.join(names)}: {reason}" for reason, names in self._failed.items()]

    def text(self, cancelled: Sequence[str] = (), reason: str = KEPT) -> str:
        """What became of all, where these are cancelled."""
        total = self.done + sum(len(names) for names in self._failed.values()) + len(cancelled)
        if self._free:
            done = ngettext(
                "{done} of {total} picture done, {free} of them free (already paid for).",
                "{done} of {total} pictures done, {free} of them free (already paid for).",
                total,
            )
        else:
            done = ngettext("{done} of {total} picture done.", "{done} of {total} pictures done.", total)
        cost = _("Units used: {count}.").format(count=number(self.units))
        if self.left is not None:
            cost = f"{cost} {balance(self.left)}"
        lines = [f"{done.format(done=self.done, total=total, free=self._free)} {cost}"]
        if self._full:
            kept = _("No background was found, so the whole picture was kept: {pictures}")
            lines += ["", kept.format(pictures=", ".join(self._full))]
        failures = self.failures() + ([f"{', '.join(map(short, cancelled))}: {reason}"] if cancelled else [])
        if failures:
            lines += ["", _("Not done:"), *failures]
        return "\n".join(lines)


def question(total: int, plan: dict[str, Any], summary: Summary) -> str:
    """What a run would be, by the worker's plan; the summary knows what is left out."""
    asked = ngettext("Remove the background of {count} picture?", "Remove the background of {count} pictures?", total)
    lines = [asked.format(count=total), "", *_costs(plan, total)]
    failures = summary.failures()
    if failures:
        lines += ["", _("Left out:"), *failures]
    return "\n".join(lines)


def question_again(plan: dict[str, Any]) -> str:
    """What another removal from a layer that has its cut-out, or is one, would be, by the worker's plan."""
    return "\n".join([HAS_CUT_OUT, "", _("Remove its background anyway?"), "", *_costs(plan, 1)])


def question_upload(plan: dict[str, Any], name: str) -> str:
    """What is asked before a picture is uploaded for the first time, by the worker's plan."""
    asked = _("Upload '{name}' to {host} to remove its background?").format(name=short(name), host=plan["host"])
    return "\n".join([asked, "", cost(plan)])


def cost(plan: dict[str, Any]) -> str:
    """One line on what a plan for one picture costs, for the engine that it names, and what is left."""
    if plan["host"] is None:
        return OFFLINE_DRAFT
    if plan["paid"]:
        return FREE
    return _price(plan)


def outcome(name: str, answer: dict[str, Any], left: float | None = None) -> str:
    """One line on a picture whose background is removed: which engine did it, what it has cost, and what is left, by
    the worker's result; None where that is not known."""
    if answer["cached"]:
        said = _("Background removed from '{name}': free, already paid for.")
    elif answer["engine"] == "offline":
        said = _("Background removed from '{name}': offline draft, free.")
    elif left is None:
        said = ngettext(
            "Background removed from '{name}': YouCam, {count} unit.",
            "Background removed from '{name}': YouCam, {count} units.",
            answer["units"],
        )
    else:
        said = ngettext(
            "Background removed from '{name}': YouCam, {count} unit, {left} left.",
            "Background removed from '{name}': YouCam, {count} units, {left} left.",
            answer["units"],
        )
    return said.format(name=short(name), count=number(answer["units"]), left=number(left or 0))


def key(settings: dict[str, Any]) -> str:
    """Which API key is set, and where it is kept, by the worker's answer."""
    place = settings["key_place"]
    if not place:
        return _("It could not be read.") if settings["key_error"] else _("No key set.")
    return KEYS.get(place, "{key}").format(key=settings["key"])


def tested(answer: dict[str, Any]) -> str:
    """What a test of an engine has come to, by the worker's answer to `balance`."""
    if answer["host"] is None:
        return _("The offline engine works. Nothing leaves this computer.")
    answers = _("{host} answers.").format(host=answer["host"])
    return f"{answers} {balance(answer['units'])}"


def jobs(counts: dict[str, Any]) -> str:
    """What was paid for and is kept, on its way, to be fetched or in doubt, by the worker's answer to `jobs`."""
    size = _("Kept results: {count} ({size} MB).").format(count=counts["kept"], size=number(counts["bytes"] / 1e6))
    lines = [
        (counts["running"], _("On their way: {count}.")),
        (counts["ready"], _("Ready to fetch: {count}.")),
        (counts["in_doubt"], _("In doubt: {count}. They may have been charged.")),
    ]
    return " ".join([size, *(text.format(count=count) for count, text in lines if count)])


def fetched(counts: dict[str, Any]) -> str:
    """What became of results that were to be fetched, by the worker's answer to `fetch`."""
    if not counts["fetched"] and not counts["failed"]:
        return _("There was nothing to fetch.")
    lines = [_("Fetched: {count}. Not fetched: {failed}.").format(count=counts["fetched"], failed=counts["failed"])]
    if counts["fetched"]:
        lines.append(_("What was fetched is free the next time."))
    if counts["reason"]:
        lines.append(counts["reason"])
    return " ".join(lines)


def model(model: dict[str, Any]) -> str:
    """An offline model in a list, by the worker's answer to `models`."""
    # Translators: an offline model in a list.
    here, away = _("{model}: {size} MB, installed"), _("{model}: {size} MB, not fetched")
    return (here if model["installed"] else away).format(model=model["name"], size=_megabytes(model))


def about_model(answer: dict[str, Any], name: str) -> str:
    """What an offline model is good for and takes, or what else can be chosen, by the worker's answer to `models`."""
    found = next((model for model in answer["models"] if model["name"] == name), None)
    if found is not None:
        # Translators: of an offline model: its file's size, and what one picture takes.
        takes = _("{size} MB; about {seconds} s and {memory} GB of memory a picture; licence: {licence}, {source}")
        numbers = {"seconds": number(found["seconds"]), "memory": number(found["memory"] / 1e9)}
        said = takes.format(size=_megabytes(found), licence=found["licence"], source=found["source"], **numbers)
        lines = [found["purpose"], said]
    else:
        lines = [AUTOMATIC_MODEL if name == AUTOMATIC else OWN_MODEL]
    if name == answer["chosen"]:
        if name == AUTOMATIC and answer["used"]:
            lines.append(_("The offline engine uses {model}, chosen automatically.").format(model=answer["used"]))
        lines.append(answer["reason"] or "")
    return " ".join(line for line in lines if line)


def fetching(model: str, progress: str) -> str:
    """How far the fetch of an offline model is, by the text of the worker's progress."""
    # Translators: of an offline model, as in "Fetching isnet: 34.0 of 88.2 MB".
    return _("Fetching {model}: {progress}").format(model=model, progress=progress)


def part_of(plan: dict[str, Any], total: int, places: Sequence[int]) -> dict[str, Any]:
    """The plan of a batch of `total` pictures, for those at these places alone."""
    paid = [number for number, place in enumerate(places) if place in plan["paid"]]
    each = plan["units"] / max(1, total - len(plan["paid"]))
    return dict(plan, paid=paid, units=each * (len(places) - len(paid)))


def price_of(plan: dict[str, Any], total: int, place: int) -> str:
    """What one picture of a batch costs, in a list."""
    if plan["host"] is None or place in plan["paid"]:
        return _("free")
    units = part_of(plan, total, [place])["units"]
    return ngettext("{count} unit", "{count} units", units).format(count=number(units))


def short(name: str, most: int = 60) -> str:
    """A name on one line, without its middle where it is longer than a window is wide."""
    name = " ".join(name.split())
    return name if len(name) <= most else f"{name[: most // 2 - 1]}...{name[-(most // 2 - 2) :]}"


def balance(units: float | None) -> str:
    """What the account has; None where that is not known."""
    if units is None:
        return _("Balance: unknown.")
    return ngettext("Balance: {count} unit.", "Balance: {count} units.", units).format(count=number(units))


def has_cost(units: float) -> str:
    """What a removal comes to that was cancelled when it was paid for."""
    return ngettext(
        "Cancelled: it has cost {count} unit; the result is kept, and is free the next time. Nothing was changed.",
        "Cancelled: it has cost {count} units; the result is kept, and is free the next time. Nothing was changed.",
        units,
    ).format(count=number(units))


def reading(place: int, total: int, name: str) -> str:
    """The line while the pictures are read, of which this is at a place from 0 on."""
    return _("Reading {place} of {total} ({picture})").format(place=place + 1, total=total, picture=name)


def cut_out(layer: str) -> str:
    """What the cut-out of a layer of this name is called; the host may add a number where there is one."""
    # Translators: the name of a new layer, as in "Dog cut-out".
    return _("{layer} cut-out").format(layer=layer)


def number(count: float) -> str:
    """As it is read: no more than hundredths, and no power of ten."""
    return f"{round(count, 2):.15g}"


def _megabytes(model: dict[str, Any]) -> str:
    return f"{model['bytes'] / 1e6:.3g}"


def _costs(plan: dict[str, Any], total: int) -> list[str]:
    host, paid = plan["host"], len(plan["paid"])
    if host is None:
        return [OFFLINE_DRAFT]
    lines = []
    if paid:
        lines.append(_("Already paid for (free): {count} of {total}.").format(count=paid, total=total))
    if paid < total:
        if total == 1:
            lines.append(_("To be uploaded to {host}.").format(host=host))
        else:
            uploads = _("To be uploaded to {host}: {count} of {total}.")
            lines.append(uploads.format(host=host, count=total - paid, total=total))
        lines.append(_price(plan))
    return lines


def _price(plan: dict[str, Any]) -> str:
    """What a plan costs at most, and what is there for it."""
    units, held = plan["units"], plan["balance"]
    price = ngettext("Cost: up to {count} unit.", "Cost: up to {count} units.", units).format(count=number(units))
    price = f"{price} {balance(held)}"
    return f"{price}\n{NOT_ENOUGH}" if held is not None and units > held else price
