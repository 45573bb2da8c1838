"""What happened, what to do, and whether trying again may help: each error that a user can meet, in one table.

Sources: the service's error tables (request codes, engine codes) and its developer guide.
"""

from __future__ import annotations

from typing import NamedTuple

from .kinds import (
    AuthError,
    Cancelled,
    ConsentNeeded,
    KeyringUnusable,
    Kind,
    LayerliftError,
    MayBeCharged,
    NetworkError,
    PictureError,
    RateLimited,
    ServiceError,
    SetupError,
    TopUpError,
)


class _Entry(NamedTuple):
    error: type[LayerliftError]
    message: str
    advice: str
    retry: bool = False
    kind: Kind | None = None
    """Where it is not the usual one of the class."""


_NO_KEYRING = "set YOUCAM_API_KEY in the environment, or use the offline engine."
_OTHER = "Use another picture."
_AGAIN = "Try again in a few minutes."
_REPORT = "Try again; if it persists, report it with the request id."
_UNUSABLE = "It was charged: please report it with the request id."
_VIDEO = "This service works on single pictures: use a JPG or PNG photo."

REFUSALS: dict[str, _Entry] = {
    "InvalidParameters": _Entry(ServiceError, "The service refused the request's parameters.", _REPORT),
    "BadRequest": _Entry(ServiceError, "The service refused the request.", _REPORT),
    "CreditInsufficiency": _Entry(
        TopUpError, "The account has no units left.", "Buy units, then run this again: nothing was charged."
    ),
    "InvalidTaskId": _Entry(
        ServiceError,
        "The service no longer knows this task: it was not polled in time, or has expired.",
        "Run it again. The lost task may have been charged: see the unit history of your account.",
    ),
    "InvalidStyleGroup": _Entry(ServiceError, "The service refused a style group.", _REPORT),
    "InvalidStyle": _Entry(ServiceError, "The service refused a style.", _REPORT),
    "OperationNotSupport": _Entry(ServiceError, "The service does not offer this operation.", _REPORT),
    "OperationInvalid": _Entry(
        ServiceError, "The task is not finished yet.", "Wait until it has ended, then try again."
    ),
    "InvalidApiKey": _Entry(AuthError, "The service does not know this API key.", ""),
    "InactiveApiKey": _Entry(AuthError, "This API key is not active.", "Activate it in your account, or use another."),
    "ExpiredApiKey": _Entry(AuthError, "This API key has expired.", ""),
    "InvalidAccessToken": _Entry(AuthError, "The service refused the access token.", ""),
    "TaskTimeout": _Entry(
        ServiceError,
        "The task was not polled in time and is lost.",
        "Run it again. The lost task may have been charged: see the unit history of your account.",
    ),
}
"""The codes with which the service refuses a request. One with an HTTP status of 4xx proves that nothing was begun."""

FAILURES: dict[str, _Entry] = {
    "exceed_max_filesize": _Entry(PictureError, "The upload is larger than the service takes.", _REPORT),
    "error_exceed_max_image_size": _Entry(PictureError, "The picture has more pixels than the service takes.", _REPORT),
    "invalid_parameter": _Entry(ServiceError, "The engine refused a parameter.", _REPORT),
    "error_download_image": _Entry(ServiceError, "The engine could not fetch the uploaded picture.", _AGAIN, True),
    "error_download_mask": _Entry(ServiceError, "The engine could not fetch a mask.", _REPORT),
    "error_decode_image": _Entry(PictureError, "The engine could not read the picture.", _OTHER),
    "error_decode_mask": _Entry(ServiceError, "The engine could not read a mask.", _REPORT),
    "error_download_video": _Entry(PictureError, "The engine could not fetch a video.", _VIDEO),
    "error_decode_video": _Entry(PictureError, "The engine could not read a video.", _VIDEO),
    "error_nsfw_content_detected": _Entry(PictureError, "The service refuses this picture's content.", _OTHER),
    "error_no_face": _Entry(PictureError, "The engine found no face.", "Use a picture with a clear subject."),
    "error_pose": _Entry(PictureError, "The engine could not make out the pose.", _OTHER),
    "error_face_parsing": _Entry(PictureError, "The engine could not make out the face.", _OTHER),
    "error_inference": _Entry(
        ServiceError, "The engine failed on this picture.", "Try again, or use another picture.", True
    ),
    "exceed_nsfw_retry_limits": _Entry(PictureError, "The service refuses this picture's content.", _OTHER),
    "error_upload": _Entry(ServiceError, "The engine could not store its result.", _AGAIN, True),
    "error_multiple_people": _Entry(PictureError, "The engine found more than one person.", "Crop to one person."),
    "error_no_shoulder": _Entry(PictureError, "The engine found no shoulders.", _OTHER),
    "error_large_face_angle": _Entry(PictureError, "The face is turned too far away.", _OTHER),
    "error_hair_too_short": _Entry(PictureError, "The engine found too little hair.", _OTHER),
    "error_unexpected_video_duration": _Entry(PictureError, "The engine expected another video length.", _VIDEO),
    "error_bald_image": _Entry(PictureError, "The engine found no hair.", _OTHER),
    "error_unsupport_ratio": _Entry(
        PictureError, "The picture is too long and narrow for the engine.", "Crop it first."
    ),
    "unknown_internal_error": _Entry(ServiceError, "The service failed without saying why.", _AGAIN, True),
    "error_no_subject": _Entry(
        PictureError, "No subject was found in the picture.", "Use a picture with a clear subject."
    ),
}
"""The codes with which the engine fails: nothing was charged."""

_OWN: dict[str, _Entry] = {
    # answers without a code that is known
    "unauthorized": _Entry(AuthError, "The service refused the API key.", ""),
    "not_found": _Entry(
        ServiceError, "The service could not find the file or address.", "Run it again from the start."
    ),
    "rate_limited": _Entry(RateLimited, "The service takes no more requests for now.", "Wait a few minutes.", True),
    "server_error": _Entry(ServiceError, "The service has an internal problem.", _AGAIN, True),
    # the way to the service
    "unreachable": _Entry(
        NetworkError, "The service can't be reached.", "Check the network connection and try again.", True
    ),
    "network": _Entry(
        NetworkError, "The connection to the service broke.", "Check the network connection and try again.", True
    ),
    "timeout": _Entry(NetworkError, "The service did not answer in time.", "Check the network and try again.", True),
    "proxy_answer": _Entry(
        NetworkError,
        "Something between this computer and the service (a proxy or a log-in page) answered in its place.",
        "Open a web page in the browser to log in to the network, or check the proxy settings.",
        True,
    ),
    "tls": _Entry(
        NetworkError,
        "The connection to the service is not safe: its certificate was not accepted.",
        "Check the computer's clock and the network's proxy. Nothing was sent.",
    ),
    "insecure_url": _Entry(SetupError, "A plain http address was refused.", "Use an https address for YOUCAM_API_URL."),
    "bad_url": _Entry(SetupError, "The service's address is not a web address.", "Correct YOUCAM_API_URL."),
    "bad_address": _Entry(
        ServiceError, "The service named an address to which nothing can be sent, or nothing safely.", _REPORT
    ),
    "bad_answer": _Entry(ServiceError, "The service's answer has an unexpected form.", _REPORT),
    "result_expired": _Entry(ServiceError, "The address of the result has expired.", "Run it again."),
    "upload_refused": _Entry(ServiceError, "The storage server refused the upload.", "Run it again from the start."),
    "result_not_picture": _Entry(ServiceError, "The result is not a PNG picture.", _UNUSABLE, kind="pay_again"),
    "result_too_large": _Entry(
        ServiceError, "The result is larger than a cut-out can be.", _UNUSABLE, kind="pay_again"
    ),
    "result_size": _Entry(
        ServiceError,
        "The result's size in pixels does not fit the picture that was sent.",
        _UNUSABLE,
        kind="pay_again",
    ),
    "result_no_alpha": _Entry(ServiceError, "The result carries no transparency.", _UNUSABLE, kind="pay_again"),
    "result_missing": _Entry(
        ServiceError,
        "The task has succeeded, and the service names no result that can be fetched.",
        _UNUSABLE,
        True,
        kind="pay_again",
    ),
    "result_broken": _Entry(
        ServiceError,
        "The result arrived incomplete or damaged.",
        "Run it again: fetching it again costs nothing.",
        True,
    ),
    "task_refused": _Entry(
        MayBeCharged,
        "The service does not say what became of a task that it started; it may have been charged.",
        "Try again later.",
    ),
    "deadline": _Entry(
        MayBeCharged,
        "The service did not finish the picture in time.",
        "Try again later. If the service still finishes it, it may be charged: see the unit history of your account.",
        kind="retry",
    ),
    "may_be_charged": _Entry(
        MayBeCharged,
        "The connection broke while the task was being started, so it may have been charged.",
        "Run it again: Layerlift then looks for the result in your unit history, and fetches it for free.",
        kind="retry",
    ),
    "still_in_doubt": _Entry(
        MayBeCharged,
        "An earlier start of this picture was interrupted: it may have been charged, and there is no result yet.",
        "Try again later: the result may still be found.",
    ),
    "charged_and_lost": _Entry(
        MayBeCharged,
        "The service has lost an earlier task of this picture, which may have been charged.",
        "",
    ),
    "result_empty": _Entry(
        PictureError,
        "The engine found no subject: its cut-out is empty.",
        "Use a picture with a clear subject. The picture may have been charged.",
    ),
    # pictures on this side
    "picture_unreadable": _Entry(
        PictureError, "This file can't be read as a picture.", "Use a JPEG, PNG, TIFF or WebP file."
    ),
    "picture_missing": _Entry(PictureError, "There is no such file.", "Check the path."),
    "picture_empty": _Entry(PictureError, "The layer holds no visible pixels.", "Choose a layer with something on it."),
    "picture_too_large": _Entry(
        PictureError, "The picture has more pixels than can be handled.", "Reduce its size first."
    ),
    "picture_changed": _Entry(
        PictureError, "The picture was changed while its background was being removed.", "Run it again."
    ),
    "not_a_picture": _Entry(
        PictureError, "This can't be used as a picture.", "See help(layerlift.Client.remove) for what can be."
    ),
    "is_cut_out": _Entry(
        PictureError,
        "This picture is a cut-out that Layerlift has made.",
        "Use its original. To remove its background anyway, pass again=True.",
    ),
    "pixels_missing": _Entry(PictureError, "The layer's pixels did not arrive complete.", "Run it again."),
    # this computer
    "no_key": _Entry(SetupError, "No API key is set.", "The offline engine works without one.", kind="set_key"),
    "key_missing": _Entry(SetupError, "No key was given.", "Enter the API key of your account."),
    "no_keyring": _Entry(
        SetupError, "The key could not be stored.", "Set YOUCAM_API_KEY in the environment instead.", kind="unlock"
    ),
    "keyring_locked": _Entry(
        KeyringUnusable, "The system's keyring is locked.", f"Unlock it and try again, {_NO_KEYRING}"
    ),
    "keyring_silent": _Entry(
        KeyringUnusable,
        "The system's keyring does not answer.",
        f"If it is asking for a password, enter that and try again, {_NO_KEYRING}",
    ),
    "keyring_failed": _Entry(
        KeyringUnusable, "The system's keyring does not work.", f"Repair it and try again, {_NO_KEYRING}"
    ),
    "keyring_null": _Entry(
        KeyringUnusable,
        "The system's keyring is switched off and keeps nothing.",
        "Choose another back end in the configuration of the 'keyring' package, or set YOUCAM_API_KEY.",
    ),
    "older_key": _Entry(
        SetupError,
        "The key is stored in the keyring, but an older one stays in its file and is used instead.",
        "Remove the file.",
    ),
    "consent_needed": _Entry(
        ConsentNeeded,
        "Uploads to this host are not allowed yet, so nothing was uploaded.",
        "",
    ),
    "cost_not_agreed": _Entry(SetupError, "The cost was not agreed to, so nothing was done.", "Add --yes to agree."),
    "clear_not_agreed": _Entry(
        SetupError, "Removing the kept results was not agreed to, so nothing was done.", "Add --yes to agree."
    ),
    "no_engine": _Entry(
        SetupError,
        "The offline engine is not installed.",
        "Run 'python3 install.py' again, or use the service with an API key.",
        kind="reinstall",
    ),
    "no_model": _Entry(
        SetupError,
        "The offline engine's model file is missing or damaged.",
        "Run 'python3 install.py' again with a network connection, or use the service with an API key.",
        kind="reinstall",
    ),
    "disk": _Entry(
        SetupError, "A file could not be written.", "Check free space and permissions; nothing was changed."
    ),
    "not_png": _Entry(SetupError, "A cut-out is a PNG file.", "Give it a name that ends in .png."),
    "journal_newer": _Entry(
        SetupError,
        "A newer version of Layerlift has written the journal of paid work.",
        "Run 'python3 install.py' of that version again.",
        kind="reinstall",
    ),
    "journal_damaged": _Entry(
        SetupError, "The journal of paid work is damaged.", "Run it again: a new one is begun, the old one is kept."
    ),
    "bad_rate": _Entry(SetupError, "LAYERLIFT_RATE can't be read.", "Write requests/seconds, such as 250/300."),
    "bad_job": _Entry(
        SetupError,
        "The plug-in and its worker are from different versions.",
        "Run 'python3 install.py'.",
        kind="reinstall",
    ),
    "internal": _Entry(ServiceError, "Unexpected error in Layerlift.", "Please report it with the log.", kind="report"),
    "usage": _Entry(SetupError, "The command can't be run like this.", "See 'layerlift remove --help'."),
    "not_started": _Entry(Cancelled, "Not started.", "Run it again for this picture once that is mended."),
    "cancelled": _Entry(Cancelled, "Cancelled.", "Nothing was changed."),
}
"""What is known on this side alone: no answer of the service can name it."""

TABLE = {**REFUSALS, **FAILURES, **_OWN}


def make(code: str, detail: str = "", *, status: int | None = None, request_id: str | None = None) -> LayerliftError:
    """The error for a code of `TABLE`, or for a code that no list knows (which is then shown).

    `detail` is one short fact for the user (a path, the service's own words), added to the message.
    """
    return _build(code, TABLE.get(code), detail, status, request_id)


def wrap(found: BaseException | None) -> LayerliftError:
    """The error for whatever went wrong: that itself, or one for what nobody foresaw."""
    if isinstance(found, LayerliftError):
        return found
    if isinstance(found, MemoryError):
        return make("picture_too_large", "the memory does not hold it")
    if isinstance(found, OSError):
        return make("disk", found.strerror or "")
    return make("internal", f"{type(found).__name__}: {found}")


def from_service(
    code: str, words: str = "", *, status: int | None = None, request_id: str | None = None
) -> LayerliftError:
    """The error for a code that the service sent, with the service's own words.

    A code of our own is taken for one that no list knows: the service can't say what is known on this side alone.
    """
    entry = REFUSALS.get(code) or FAILURES.get(code)
    said = f"{code} {entry.message if entry else ''}".casefold()
    is_new = words.strip(" .").casefold() not in said
    return _build(code, entry, words if is_new else "", status, request_id)


def _build(code: str, entry: _Entry | None, detail: str, status: int | None, request_id: str | None) -> LayerliftError:
    entry = entry or _Entry(ServiceError, f"The service reported '{code}'.", _REPORT)
    message = f"{entry.message[:-1]}: {detail.rstrip('.')}." if detail else entry.message
    return entry.error(
        code, message, entry.advice, kind=entry.kind, retry=entry.retry, status=status, request_id=request_id
    )
