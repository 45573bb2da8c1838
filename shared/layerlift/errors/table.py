"""What happened, what to do, and whether trying again may help: each error that a user can meet, in one table.

Sources: the service's error tables (request codes, engine codes) and its developer guide.
"""

from __future__ import annotations

from typing import NamedTuple

from ..language import N_, _
from . import kinds


class _Entry(NamedTuple):
    error: type[kinds.LayerliftError]
    message: str
    advice: str
    retry: bool = False
    kind: kinds.Kind | None = None
    """Where it is not the usual one of the class."""


_OTHER = N_("Use another picture.")
_AGAIN = N_("Try again in a few minutes.")
_REPORT = N_("Try again; if it persists, report it with the request id.")
_UNUSABLE = N_("It was charged: please report it with the request id.")
_VIDEO = N_("This service works on single pictures: use a JPG or PNG photo.")

REFUSALS: dict[str, _Entry] = {
    "InvalidParameters": _Entry(kinds.ServiceError, N_("The service refused the request's parameters."), _REPORT),
    "BadRequest": _Entry(kinds.ServiceError, N_("The service refused the request."), _REPORT),
    "CreditInsufficiency": _Entry(
        kinds.TopUpError,
        N_("The account has no units left."),
        N_("Buy units, then run this again: nothing was charged."),
    ),
    "InvalidTaskId": _Entry(
        kinds.ServiceError,
        N_("The service no longer knows this task: it was not polled in time, or has expired."),
        N_("Run it again. The lost task may have been charged: see the unit history of your account."),
    ),
    "InvalidStyleGroup": _Entry(kinds.ServiceError, N_("The service refused a style group."), _REPORT),
    "InvalidStyle": _Entry(kinds.ServiceError, N_("The service refused a style."), _REPORT),
    "OperationNotSupport": _Entry(kinds.ServiceError, N_("The service does not offer this operation."), _REPORT),
    "OperationInvalid": _Entry(
        kinds.ServiceError, N_("The task is not finished yet."), N_("Wait until it has ended, then try again.")
    ),
    "InvalidApiKey": _Entry(kinds.AuthError, N_("The service does not know this API key."), ""),
    "InactiveApiKey": _Entry(
        kinds.AuthError, N_("This API key is not active."), N_("Activate it in your account, or use another.")
    ),
    "ExpiredApiKey": _Entry(kinds.AuthError, N_("This API key has expired."), ""),
    "InvalidAccessToken": _Entry(kinds.AuthError, N_("The service refused the access token."), ""),
    "TaskTimeout": _Entry(
        kinds.ServiceError,
        N_("The task was not polled in time and is lost."),
        N_("Run it again. The lost task may have been charged: see the unit history of your account."),
    ),
}
"""The codes with which the service refuses a request. One with an HTTP status of 4xx proves that nothing was begun."""

FAILURES: dict[str, _Entry] = {
    "exceed_max_filesize": _Entry(kinds.PictureError, N_("The upload is larger than the service takes."), _REPORT),
    "error_exceed_max_image_size": _Entry(
        kinds.PictureError, N_("The picture has more pixels than the service takes."), _REPORT
    ),
    "invalid_parameter": _Entry(kinds.ServiceError, N_("The engine refused a parameter."), _REPORT),
    "error_download_image": _Entry(
        kinds.ServiceError, N_("The engine could not fetch the uploaded picture."), _AGAIN, True
    ),
    "error_download_mask": _Entry(kinds.ServiceError, N_("The engine could not fetch a mask."), _REPORT),
    "error_decode_image": _Entry(kinds.PictureError, N_("The engine could not read the picture."), _OTHER),
    "error_decode_mask": _Entry(kinds.ServiceError, N_("The engine could not read a mask."), _REPORT),
    "error_download_video": _Entry(kinds.PictureError, N_("The engine could not fetch a video."), _VIDEO),
    "error_decode_video": _Entry(kinds.PictureError, N_("The engine could not read a video."), _VIDEO),
    "error_nsfw_content_detected": _Entry(
        kinds.PictureError, N_("The service refuses this picture's content."), _OTHER
    ),
    "error_no_face": _Entry(
        kinds.PictureError, N_("The engine found no face."), N_("Use a picture with a clear subject.")
    ),
    "error_pose": _Entry(kinds.PictureError, N_("The engine could not make out the pose."), _OTHER),
    "error_face_parsing": _Entry(kinds.PictureError, N_("The engine could not make out the face."), _OTHER),
    "error_inference": _Entry(
        kinds.ServiceError, N_("The engine failed on this picture."), N_("Try again, or use another picture."), True
    ),
    "exceed_nsfw_retry_limits": _Entry(kinds.PictureError, N_("The service refuses this picture's content."), _OTHER),
    "error_upload": _Entry(kinds.ServiceError, N_("The engine could not store its result."), _AGAIN, True),
    "error_multiple_people": _Entry(
        kinds.PictureError, N_("The engine found more than one person."), N_("Crop to one person.")
    ),
    "error_no_shoulder": _Entry(kinds.PictureError, N_("The engine found no shoulders."), _OTHER),
    "error_large_face_angle": _Entry(kinds.PictureError, N_("The face is turned too far away."), _OTHER),
    "error_hair_too_short": _Entry(kinds.PictureError, N_("The engine found too little hair."), _OTHER),
    "error_unexpected_video_duration": _Entry(
        kinds.PictureError, N_("The engine expected another video length."), _VIDEO
    ),
    "error_bald_image": _Entry(kinds.PictureError, N_("The engine found no hair."), _OTHER),
    "error_unsupport_ratio": _Entry(
        kinds.PictureError, N_("The picture is too long and narrow for the engine."), N_("Crop it first.")
    ),
    "unknown_internal_error": _Entry(kinds.ServiceError, N_("The service failed without saying why."), _AGAIN, True),
    "error_no_subject": _Entry(
        kinds.PictureError, N_("No subject was found in the picture."), N_("Use a picture with a clear subject.")
    ),
}
"""The codes with which the engine fails: nothing was charged."""

_OWN: dict[str, _Entry] = {
    # answers without a code that is known
    "unauthorized": _Entry(kinds.AuthError, N_("The service refused the API key."), ""),
    "not_found": _Entry(
        kinds.ServiceError, N_("The service could not find the file or address."), N_("Run it again from the start.")
    ),
    "rate_limited": _Entry(
        kinds.RateLimited, N_("The service takes no more requests for now."), N_("Wait a few minutes."), True
    ),
    "server_error": _Entry(kinds.ServiceError, N_("The service has an internal problem."), _AGAIN, True),
    # the way to the service
    "unreachable": _Entry(
        kinds.NetworkError, N_("The service can't be reached."), N_("Check the network connection and try again."), True
    ),
    "network": _Entry(
        kinds.NetworkError,
        N_("The connection to the service broke."),
        N_("Check the network connection and try again."),
        True,
    ),
    "timeout": _Entry(
        kinds.NetworkError, N_("The service did not answer in time."), N_("Check the network and try again."), True
    ),
    "proxy_answer": _Entry(
        kinds.NetworkError,
        N_("Something between this computer and the service (a proxy or a log-in page) answered in its place."),
        N_("Open a web page in the browser to log in to the network, or check the proxy settings."),
        True,
    ),
    "tls": _Entry(
        kinds.NetworkError,
        N_("The connection to the service is not safe: its certificate was not accepted."),
        N_("Check the computer's clock and the network's proxy. Nothing was sent."),
    ),
    "insecure_url": _Entry(
        kinds.SetupError, N_("A plain http address was refused."), N_("Use an https address for YOUCAM_API_URL.")
    ),
    "bad_url": _Entry(
        kinds.SetupError, N_("The service's address is not a web address."), N_("Correct YOUCAM_API_URL.")
    ),
    "bad_address": _Entry(
        kinds.ServiceError, N_("The service named an address to which nothing can be sent, or nothing safely."), _REPORT
    ),
    "bad_answer": _Entry(kinds.ServiceError, N_("The service's answer has an unexpected form."), _REPORT),
    "result_expired": _Entry(kinds.ServiceError, N_("The address of the result has expired."), N_("Run it again.")),
    "upload_refused": _Entry(
        kinds.ServiceError, N_("The storage server refused the upload."), N_("Run it again from the start.")
    ),
    "result_not_picture": _Entry(
        kinds.ServiceError, N_("The result is not a PNG picture."), _UNUSABLE, kind="pay_again"
    ),
    "result_too_large": _Entry(
        kinds.ServiceError, N_("The result is larger than a cut-out can be."), _UNUSABLE, kind="pay_again"
    ),
    "result_size": _Entry(
        kinds.ServiceError,
        N_("The result's size in pixels does not fit the picture that was sent."),
        _UNUSABLE,
        kind="pay_again",
    ),
    "result_no_alpha": _Entry(
        kinds.ServiceError, N_("The result carries no transparency."), _UNUSABLE, kind="pay_again"
    ),
    "result_missing": _Entry(
        kinds.ServiceError,
        N_("The task has succeeded, and the service names no result that can be fetched."),
        _UNUSABLE,
        True,
        kind="pay_again",
    ),
    "result_broken": _Entry(
        kinds.ServiceError,
        N_("The result arrived incomplete or damaged."),
        N_("Run it again: fetching it again costs nothing."),
        True,
    ),
    "task_refused": _Entry(
        kinds.MayBeCharged,
        N_("The service does not say what became of a task that it started; it may have been charged."),
        N_("Try again later."),
    ),
    "deadline": _Entry(
        kinds.MayBeCharged,
        N_("The service did not finish the picture in time."),
        N_(
            "Try again later. If the service still finishes it, it may be charged:"
            " see the unit history of your account."
        ),
        kind="retry",
    ),
    "may_be_charged": _Entry(
        kinds.MayBeCharged,
        N_("The connection broke while the task was being started, so it may have been charged."),
        N_("Run it again: Layerlift then looks for the result in your unit history, and fetches it for free."),
        kind="retry",
    ),
    "still_in_doubt": _Entry(
        kinds.MayBeCharged,
        N_("An earlier start of this picture was interrupted: it may have been charged, and there is no result yet."),
        N_("Try again later: the result may still be found."),
    ),
    "charged_and_lost": _Entry(
        kinds.MayBeCharged,
        N_("The service has lost an earlier task of this picture, which may have been charged."),
        "",
    ),
    "result_empty": _Entry(
        kinds.PictureError,
        N_("The engine found no subject: its cut-out is empty."),
        N_("Use a picture with a clear subject. The picture may have been charged."),
    ),
    # pictures on this side
    "picture_unreadable": _Entry(
        kinds.PictureError, N_("This file can't be read as a picture."), N_("Use a JPEG, PNG, TIFF or WebP file.")
    ),
    "picture_missing": _Entry(kinds.PictureError, N_("There is no such file."), N_("Check the path.")),
    "picture_empty": _Entry(
        kinds.PictureError, N_("The layer holds no visible pixels."), N_("Choose a layer with something on it.")
    ),
    "picture_too_large": _Entry(
        kinds.PictureError, N_("The picture has more pixels than can be handled."), N_("Reduce its size first.")
    ),
    "picture_changed": _Entry(
        kinds.PictureError, N_("The picture was changed while its background was being removed."), N_("Run it again.")
    ),
    "not_a_picture": _Entry(
        kinds.PictureError,
        N_("This can't be used as a picture."),
        N_("See help(layerlift.Client.remove) for what can be."),
    ),
    "is_cut_out": _Entry(
        kinds.PictureError,
        N_("This picture is a cut-out that Layerlift has made."),
        N_("Use its original. To remove its background anyway, pass again=True."),
    ),
    "pixels_missing": _Entry(
        kinds.PictureError, N_("The layer's pixels did not arrive complete."), N_("Run it again.")
    ),
    # this computer
    "no_key": _Entry(
        kinds.SetupError, N_("No API key is set."), N_("The offline engine works without one."), kind="set_key"
    ),
    "key_missing": _Entry(kinds.SetupError, N_("No key was given."), N_("Enter the API key of your account.")),
    "no_keyring": _Entry(
        kinds.SetupError,
        N_("The key could not be stored."),
        N_("Set YOUCAM_API_KEY in the environment instead."),
        kind="unlock",
    ),
    "keyring_locked": _Entry(
        kinds.KeyringUnusable,
        N_("The system's keyring is locked."),
        N_("Unlock it and try again, set YOUCAM_API_KEY in the environment, or use the offline engine."),
    ),
    "keyring_silent": _Entry(
        kinds.KeyringUnusable,
        N_("The system's keyring does not answer."),
        N_(
            "If it is asking for a password, enter that and try again, set YOUCAM_API_KEY in the environment,"
            " or use the offline engine."
        ),
    ),
    "keyring_failed": _Entry(
        kinds.KeyringUnusable,
        N_("The system's keyring does not work."),
        N_("Repair it and try again, set YOUCAM_API_KEY in the environment, or use the offline engine."),
    ),
    "keyring_null": _Entry(
        kinds.KeyringUnusable,
        N_("The system's keyring is switched off and keeps nothing."),
        N_("Choose another back end in the configuration of the 'keyring' package, or set YOUCAM_API_KEY."),
    ),
    "older_key": _Entry(
        kinds.SetupError,
        N_("The key is stored in the keyring, but an older one stays in its file and is used instead."),
        N_("Remove the file."),
    ),
    "consent_needed": _Entry(
        kinds.ConsentNeeded,
        N_("Uploads to this host are not allowed yet, so nothing was uploaded."),
        "",
    ),
    "cost_not_agreed": _Entry(
        kinds.SetupError, N_("The cost was not agreed to, so nothing was done."), N_("Add --yes to agree.")
    ),
    "clear_not_agreed": _Entry(
        kinds.SetupError,
        N_("Removing the kept results was not agreed to, so nothing was done."),
        N_("Add --yes to agree."),
    ),
    "no_engine": _Entry(
        kinds.SetupError,
        N_("The offline engine is not installed."),
        N_("Run 'python3 install.py' again, or use the service with an API key."),
        kind="reinstall",
    ),
    "no_model": _Entry(
        kinds.SetupError,
        N_("The offline engine's model file is missing or damaged."),
        N_("Run 'python3 install.py' again with a network connection, or use the service with an API key."),
        kind="reinstall",
    ),
    "disk": _Entry(
        kinds.SetupError,
        N_("A file could not be written."),
        N_("Check free space and permissions; nothing was changed."),
    ),
    "not_png": _Entry(kinds.SetupError, N_("A cut-out is a PNG file."), N_("Give it a name that ends in .png.")),
    "journal_newer": _Entry(
        kinds.SetupError,
        N_("A newer version of Layerlift has written the journal of paid work."),
        N_("Run 'python3 install.py' of that version again."),
        kind="reinstall",
    ),
    "journal_damaged": _Entry(
        kinds.SetupError,
        N_("The journal of paid work is damaged."),
        N_("Run it again: a new one is begun, the old one is kept."),
    ),
    "bad_rate": _Entry(
        kinds.SetupError, N_("LAYERLIFT_RATE can't be read."), N_("Write requests/seconds, such as 250/300.")
    ),
    "bad_job": _Entry(
        kinds.SetupError,
        N_("The plug-in and its worker are from different versions."),
        N_("Run 'python3 install.py'."),
        kind="reinstall",
    ),
    "internal": _Entry(
        kinds.ServiceError, N_("Unexpected error in Layerlift."), N_("Please report it with the log."), kind="report"
    ),
    "usage": _Entry(kinds.SetupError, N_("The command can't be run like this."), N_("See 'layerlift remove --help'.")),
    "not_started": _Entry(
        kinds.Cancelled, N_("Not started."), N_("Run it again for this picture once that is mended.")
    ),
    "cancelled": _Entry(kinds.Cancelled, N_("Cancelled."), N_("Nothing was changed.")),
}
"""What is known on this side alone: no answer of the service can name it."""

TABLE = {**REFUSALS, **FAILURES, **_OWN}
_UNKNOWN = _Entry(kinds.ServiceError, N_("The service reported '{code}'."), _REPORT)
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
    code: str, entry: _Entry | None, detail: str, status: int | None, request_id: str | None
) -> kinds.LayerliftError:
    """The error of an entry, in the language that is spoken now."""
    entry = entry or _UNKNOWN
    message = _(entry.message).format(code=code)
    if detail:
        # Translators: what went wrong, and a fact on it: "No such file: dog.jpg."
        message = _("{message}: {detail}.").format(message=message.rstrip(_STOPS), detail=detail.rstrip(_STOPS))
    # Of an empty text gettext has the head of the catalogue.
    advice = entry.advice and _(entry.advice)
    return entry.error(code, message, advice, kind=entry.kind, retry=entry.retry, status=status, request_id=request_id)
