"""What happened, what to do, and whether trying again may help: each error that a user can meet, in one table."""

from __future__ import annotations

from ..language import N_, _
from . import kinds
from .reported import AGAIN, FAILURES, REFUSALS, REPORT, Entry

__all__ = ["FAILURES", "OWN", "REFUSALS", "TABLE", "from_service", "make", "wrap"]

_UNUSABLE = N_("It was charged: please report it with the request id.")

OWN: dict[str, Entry] = {
    # answers without a code that is known
    "unauthorized": Entry(kinds.AuthError, N_("The service refused the API key."), ""),
    "not_found": Entry(
        kinds.ServiceError, N_("The service could not find the file or address."), N_("Run it again from the start.")
    ),
    "rate_limited": Entry(
        kinds.RateLimited, N_("The service takes no more requests for now."), N_("Wait a few minutes."), True
    ),
    "server_error": Entry(kinds.ServiceError, N_("The service has an internal problem."), AGAIN, True),
    # the way to the service
    "unreachable": Entry(
        kinds.NetworkError, N_("The service can't be reached."), N_("Check the network connection and try again."), True
    ),
    "network": Entry(
        kinds.NetworkError,
        N_("The connection to the service broke."),
        N_("Check the network connection and try again."),
        True,
    ),
    "timeout": Entry(
        kinds.NetworkError, N_("The service did not answer in time."), N_("Check the network and try again."), True
    ),
    "proxy_answer": Entry(
        kinds.NetworkError,
        N_("Something between this computer and the service (a proxy or a log-in page) answered in its place."),
        N_("Open a web page in the browser to log in to the network, or check the proxy settings."),
        True,
    ),
    "tls": Entry(
        kinds.NetworkError,
        N_("The connection to the service is not safe: its certificate was not accepted."),
        N_("Check the computer's clock and the network's proxy. Nothing was sent."),
    ),
    "insecure_url": Entry(
        kinds.SetupError, N_("A plain http address was refused."), N_("Use an https address for YOUCAM_API_URL.")
    ),
    "bad_url": Entry(
        kinds.SetupError, N_("The service's address is not a web address."), N_("Correct YOUCAM_API_URL.")
    ),
    "bad_address": Entry(
        kinds.ServiceError, N_("The service named an address to which nothing can be sent, or nothing safely."), REPORT
    ),
    "bad_answer": Entry(kinds.ServiceError, N_("The service's answer has an unexpected form."), REPORT),
    "result_expired": Entry(kinds.ServiceError, N_("The address of the result has expired."), N_("Run it again.")),
    "upload_refused": Entry(
        kinds.ServiceError, N_("The storage server refused the upload."), N_("Run it again from the start.")
    ),
    "result_not_picture": Entry(
        kinds.ServiceError, N_("The result is not a PNG picture."), _UNUSABLE, kind="pay_again"
    ),
    "result_too_large": Entry(
        kinds.ServiceError, N_("The result is larger than a cut-out can be."), _UNUSABLE, kind="pay_again"
    ),
    "result_size": Entry(
        kinds.ServiceError,
        N_("The result's size in pixels does not fit the picture that was sent."),
        _UNUSABLE,
        kind="pay_again",
    ),
    "result_no_alpha": Entry(
        kinds.ServiceError, N_("The result carries no transparency."), _UNUSABLE, kind="pay_again"
    ),
    "result_missing": Entry(
        kinds.ServiceError,
        N_("The task has succeeded, and the service names no result that can be fetched."),
        _UNUSABLE,
        True,
        kind="pay_again",
    ),
    "result_broken": Entry(
        kinds.ServiceError,
        N_("The result arrived incomplete or damaged."),
        N_("Run it again: fetching it again costs nothing."),
        True,
    ),
    "task_refused": Entry(
        kinds.MayBeCharged,
        N_("The service does not say what became of a task that it started; it may have been charged."),
        N_("Try again later."),
    ),
    "deadline": Entry(
        kinds.MayBeCharged,
        N_("The service did not finish the picture in time."),
        N_(
            "Try again later. If the service still finishes it, it may be charged:"
            " see the unit history of your account."
        ),
        kind="retry",
    ),
    "may_be_charged": Entry(
        kinds.MayBeCharged,
        N_("The connection broke while the task was being started, so it may have been charged."),
        N_("Run it again: Layerlift then looks for the result in your unit history, and fetches it for free."),
        kind="retry",
    ),
    "still_in_doubt": Entry(
        kinds.MayBeCharged,
        N_("An earlier start of this picture was interrupted: it may have been charged, and there is no result yet."),
        N_("Try again later: the result may still be found."),
    ),
    "charged_and_lost": Entry(
        kinds.MayBeCharged,
        N_("The service has lost an earlier task of this picture, which may have been charged."),
        "",
    ),
    "result_empty": Entry(
        kinds.PictureError,
        N_("The engine found no subject: its cut-out is empty."),
        N_("Use a picture with a clear subject. The picture may have been charged."),
    ),
    # pictures on this side
    "picture_unreadable": Entry(
        kinds.PictureError, N_("This file can't be read as a picture."), N_("Use a JPEG, PNG, TIFF or WebP file.")
    ),
    "picture_missing": Entry(kinds.PictureError, N_("There is no such file."), N_("Check the path.")),
    "picture_empty": Entry(
        kinds.PictureError, N_("The layer holds no visible pixels."), N_("Choose a layer with something on it.")
    ),
    "picture_too_large": Entry(
        kinds.PictureError, N_("The picture has more pixels than can be handled."), N_("Reduce its size first.")
    ),
    "picture_changed": Entry(
        kinds.PictureError, N_("The picture was changed while its background was being removed."), N_("Run it again.")
    ),
    "not_a_picture": Entry(
        kinds.PictureError,
        N_("This can't be used as a picture."),
        N_("See help(layerlift.Client.remove) for what can be."),
    ),
    "is_cut_out": Entry(
        kinds.PictureError,
        N_("This picture is a cut-out that Layerlift has made."),
        N_("Use its original. To remove its background anyway, pass again=True."),
    ),
    "pixels_missing": Entry(kinds.PictureError, N_("The layer's pixels did not arrive complete."), N_("Run it again.")),
    # this computer
    "no_key": Entry(
        kinds.SetupError, N_("No API key is set."), N_("The offline engine works without one."), kind="set_key"
    ),
    "task_needs_key": Entry(
        kinds.SetupError,
        N_("No API key is set. The service's tasks need one."),
        N_("Set the API key of your account first."),
        kind="set_key",
    ),
    "key_missing": Entry(kinds.SetupError, N_("No key was given."), N_("Enter the API key of your account.")),
    "no_keyring": Entry(
        kinds.SetupError,
        N_("The key could not be stored."),
        N_("Set YOUCAM_API_KEY in the environment instead."),
        kind="unlock",
    ),
    "keyring_locked": Entry(
        kinds.KeyringUnusable,
        N_("The system's keyring is locked."),
        N_("Unlock it and try again, set YOUCAM_API_KEY in the environment, or use the offline engine."),
    ),
    "keyring_silent": Entry(
        kinds.KeyringUnusable,
        N_("The system's keyring does not answer."),
        N_(
            "If it is asking for a password, enter that and try again, set YOUCAM_API_KEY in the environment,"
            " or use the offline engine."
        ),
    ),
    "keyring_failed": Entry(
        kinds.KeyringUnusable,
        N_("The system's keyring does not work."),
        N_("Repair it and try again, set YOUCAM_API_KEY in the environment, or use the offline engine."),
    ),
    "keyring_null": Entry(
        kinds.KeyringUnusable,
        N_("The system's keyring is switched off and keeps nothing."),
        N_("Choose another back end in the configuration of the 'keyring' package, or set YOUCAM_API_KEY."),
    ),
    "older_key": Entry(
        kinds.SetupError,
        N_("The key is stored in the keyring, but an older one stays in its file and is used instead."),
        N_("Remove the file."),
    ),
    "consent_needed": Entry(
        kinds.ConsentNeeded,
        N_("Uploads to this host are not allowed yet, so nothing was uploaded."),
        "",
    ),
    "cost_not_agreed": Entry(
        kinds.SetupError, N_("The cost was not agreed to, so nothing was done."), N_("Add --yes to agree.")
    ),
    "clear_not_agreed": Entry(
        kinds.SetupError,
        N_("Removing the kept results was not agreed to, so nothing was done."),
        N_("Add --yes to agree."),
    ),
    "task_unknown": Entry(
        kinds.SetupError, N_("There is no task of that name."), N_("Choose one from the list of tasks.")
    ),
    "bad_field": Entry(kinds.SetupError, N_("A task can't be run like this."), N_("Change it, then try again.")),
    "source_gone": Entry(
        kinds.PictureError,
        N_("The service does not have this result, or no longer."),
        N_("Run the task on the picture's file instead."),
    ),
    "mask_size": Entry(
        kinds.PictureError,
        N_("The mask has not the picture's proportions."),
        N_("Use a mask of the picture's own width and height."),
    ),
    "no_engine": Entry(
        kinds.SetupError,
        N_("The offline engine is not installed."),
        N_("Run 'python3 install.py' again, or use the service with an API key."),
        kind="reinstall",
    ),
    "no_model": Entry(
        kinds.SetupError,
        N_("The offline engine's model file is missing or damaged."),
        N_("Run 'python3 install.py' again with a network connection, or use the service with an API key."),
        kind="reinstall",
    ),
    "model_unknown": Entry(
        kinds.SetupError, N_("There is no offline model of that name."), N_("Choose one from the list of models.")
    ),
    "model_missing": Entry(
        kinds.SetupError,
        N_("The offline model that was chosen is missing or damaged."),
        N_("Fetch it, or choose another one."),
    ),
    "model_busy": Entry(
        kinds.SetupError,
        N_("The offline model is being fetched at this moment."),
        N_("Wait until it is here, or cancel that, then try again."),
        kind="retry",
    ),
    "model_unfit": Entry(
        kinds.SetupError,
        N_("This file can't be used as an offline model."),
        N_("Use an ONNX file that takes one picture and returns one map of the subject."),
    ),
    "no_room": Entry(
        kinds.SetupError, N_("There is too little free disk space."), N_("Make room there, then try again.")
    ),
    "download_failed": Entry(
        kinds.NetworkError,
        N_("The download did not succeed."),
        N_("Check the network connection and the proxy settings, then try again; what has arrived is kept."),
        True,
    ),
    "download_wrong": Entry(
        kinds.NetworkError,
        N_("Something else was downloaded than was asked for."),
        N_("Open a web page in the browser to log in to the network, or check the proxy settings, then try again."),
    ),
    "bad_download_url": Entry(
        kinds.SetupError,
        N_("The address that models are fetched from can't be used."),
        N_("Use an https address for LAYERLIFT_MODELS_URL."),
    ),
    "disk": Entry(
        kinds.SetupError,
        N_("A file could not be written."),
        N_("Check free space and permissions; nothing was changed."),
    ),
    "not_png": Entry(kinds.SetupError, N_("A cut-out is a PNG file."), N_("Give it a name that ends in .png.")),
    "journal_newer": Entry(
        kinds.SetupError,
        N_("A newer version of Layerlift has written the journal of paid work."),
        N_("Run 'python3 install.py' of that version again."),
        kind="reinstall",
    ),
    "journal_damaged": Entry(
        kinds.SetupError,
        N_("The journal of paid work is damaged."),
        N_("Run it again: a new one is begun, the old one is kept."),
    ),
    "bad_rate": Entry(
        kinds.SetupError, N_("LAYERLIFT_RATE can't be read."), N_("Write requests/seconds, such as 250/300.")
    ),
    "bad_job": Entry(
        kinds.SetupError,
        N_("The plug-in and its worker are from different versions."),
        N_("Run 'python3 install.py'."),
        kind="reinstall",
    ),
    "internal": Entry(
        kinds.ServiceError, N_("Unexpected error in Layerlift."), N_("Please report it with the log."), kind="report"
    ),
    "usage": Entry(kinds.SetupError, N_("The command can't be run like this."), N_("See 'layerlift remove --help'.")),
    "not_started": Entry(kinds.Cancelled, N_("Not started."), N_("Run it again for this picture once that is mended.")),
    "cancelled": Entry(kinds.Cancelled, N_("Cancelled."), N_("Nothing was changed.")),
}
"""What is known on this side alone: no answer of the service can name it."""

TABLE = {**REFUSALS, **FAILURES, **OWN}
_UNKNOWN = Entry(kinds.ServiceError, N_("The service reported '{code}'."), REPORT)
_STOPS = ".。"
"""What ends a sentence, in Chinese and Japanese too."""


def make(
    code: str, detail: str = "", *, status: int | None = None, request_id: str | None = None
) -> kinds.LayerliftError:
    """The error for a code of `TABLE`, or for a code that no list knows (which is then shown).

    `detail` is one short fact for the user (a path, the service's own words), added to the message.
    """
    return _build(code, TABLE.get(code), detail, status, request_id)


def wrap(found: BaseException | None) -> kinds.LayerliftError:
    """The error for whatever went wrong: that itself, or one for what nobody foresaw."""
    if isinstance(found, kinds.LayerliftError):
        return found
    if isinstance(found, MemoryError):
        return make("picture_too_large", _("the memory does not hold it"))
    if isinstance(found, OSError):
        return make("disk", found.strerror or "")
    return make("internal", f"{type(found).__name__}: {found}")


def from_service(
    code: str, words: str = "", *, status: int | None = None, request_id: str | None = None
) -> kinds.LayerliftError:
    """The error for a code that the service sent, with the service's own words, which are English.

    A code of our own is taken for one that no list knows: the service can't say what is known on this side alone.
    """
    entry = REFUSALS.get(code) or FAILURES.get(code)
    said = f"{code} {entry.message if entry else ''}".casefold()
    is_new = words.strip(" .").casefold() not in said
    return _build(code, entry, words if is_new else "", status, request_id)


def _build(
    code: str, entry: Entry | None, detail: str, status: int | None, request_id: str | None
) -> kinds.LayerliftError:
    """The error of an entry, in the language that is spoken now."""
    entry = entry or _UNKNOWN
    message = _(entry.message).format(code=code)
    if detail:
        # Translators: what went wrong, and a fact on it: "No such file: dog.jpg."
        message = _("{message}: {detail}.").format(message=message.rstrip(_STOPS), detail=detail.rstrip(_STOPS))
    # Of an empty text gettext has the head of the catalogue.
    advice = entry.advice and _(entry.advice)
    found = entry.error(code, message, advice, kind=entry.kind, retry=entry.retry, status=status, request_id=request_id)
    found.detail = kinds.plain(detail)
    return found
