"""What the user is asked before a batch, and told after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .batch import Batch, Picture


WAYS = {
    "set_key": "Set a valid API key in the settings.",
    "agree": "Allow uploads in the settings, or choose the offline engine there.",
    "pay_again": "To pay again, choose 'Pay again' where you remove the background of this layer alone.",
}
"""What the user can do in Krita about the worker's kinds of errors."""
CANCELLED = "Cancelled. What was paid for is kept, and is free the next time."
HAS_CUT_OUT = "This layer already has a cut-out, or is one."


def pictures(count: int) -> str:
    """Their number."""
    return f"{count} picture{'' if count == 1 else 's'}"


def units(count: float) -> str:
    """Their number."""
    number = f"{round(count, 2):.15g}"
    return f"{number} unit{'' if number == '1' else 's'}"


def question(plan: dict[str, Any], count: int, of: list[Picture]) -> str:
    """How many pictures, what they cost, where they go; and what can't be worked on, with its reason.

    Args:
        plan: the worker's answer.
        count: how many pictures were planned.
    """
    parts = [f"Remove the background{'' if count == 1 else 's'} of {pictures(count)}?"]
    free, host = len(plan["paid"]), plan["host"]
    if host is None:
        parts.append("The offline engine makes a quick draft of each. Nothing leaves this computer.")
    elif free == count:
        parts.append(f"{'It is' if count == 1 else 'All are'} already paid for, so this is free.")
    else:
        paid = f"{free} of them {'is' if free == 1 else 'are'} already paid for, and free. " if free else ""
        rest = f"The other{'' if count - free == 1 else 's'}" if free else "It" if count == 1 else "They"
        singular = count - free == 1
        goes, costs = ("is", "costs") if singular else ("are", "cost")
        parts.append(f"{paid}{rest} {goes} uploaded to {host} and {costs} up to {units(plan['units'])}.")
        has = f"Your account has {units(plan['balance'])}"
        parts.append(f"{has}, which is not enough." if plan["balance"] < plan["units"] else f"{has}.")
    refused = [picture for picture in of if picture.kind]
    if refused:
        parts += ["Not supported:", *_reasons(refused)]
    return "\n\n".join(parts)


def summary(batch: Batch) -> str:
    """How many are done, what was paid, and of each other picture what is the matter."""
    all_of, ended = batch.pictures, [picture.answer for picture in batch.pictures if picture.answer]
    done = [picture for picture in all_of if picture.is_done]
    free = sum(bool(picture.answer["cached"]) for picture in done)
    used = sum(answer["units"] for answer in ended)
    counted = f"{len(done)} of {pictures(len(all_of))} done"
    parts = [f"{counted}, {free} of them free (already paid for). {units(used)} used." if free else
             f"{counted}. {units(used)} used."]  # fmt: skip
    full = [picture.name for picture in done if picture.answer["full"]]
    if full:
        parts.append(f"{', '.join(full)}:\nNo background was found: the whole picture was kept.")
    parts += _reasons([picture for picture in all_of if picture.kind])
    left = [picture.name for picture in all_of if not picture.kind and not picture.is_done]
    if left:
        parts.append(f"{', '.join(left)}:\n{batch.text or 'Not done.'}")
    return "\n\n".join(parts)


def cancelled(cost: float) -> str:
    """What a removal has cost that was cancelled when nothing was asked of the worker, or when it had answered."""
    if not cost:
        return "Cancelled: nothing was paid for. Nothing was changed."
    return f"Cancelled: it has cost {units(cost)}; the result is kept, and is free the next time. Nothing was changed."


def _reasons(failed: list[Picture]) -> list[str]:
    """What is the matter, each thing once, under the names of the documents that it concerns."""
    texts = list(dict.fromkeys(picture.text for picture in failed))
    return [f"{', '.join(picture.name for picture in failed if picture.text == text)}:\n{text}" for text in texts]
