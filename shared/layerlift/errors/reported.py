"""What the service says where it refuses or fails, with what the user can do about it.

Sources: the service's error tables (request codes, engine codes) and its developer guide.
"""

from __future__ import annotations

from typing import NamedTuple

from ..language import N_
from . import kinds


class Entry(NamedTuple):
    """What a code means: the kind of error, what happened, what to do, and whether trying again may help."""

    error: type[kinds.LayerliftError]
    message: str
    advice: str
    retry: bool = False
    kind: kinds.Kind | None = None
    """Where it is not the usual one of the class."""


_OTHER = N_("Use another picture.")
AGAIN = N_("Try again in a few minutes.")
REPORT = N_("Try again; if it persists, report it with the request id.")
_VIDEO = N_("This service works on single pictures: use a JPG or PNG photo.")

REFUSALS: dict[str, Entry] = {
    "InvalidParameters": Entry(kinds.ServiceError, N_("The service refused the request's parameters."), REPORT),
    "BadRequest": Entry(kinds.ServiceError, N_("The service refused the request."), REPORT),
    "CreditInsufficiency": Entry(
        kinds.TopUpError,
        N_("The account has no units left."),
        N_("Buy units, then run this again: nothing was charged."),
    ),
    "InvalidTaskId": Entry(
        kinds.ServiceError,
        N_("The service no longer knows this task: it was not polled in time, or has expired."),
        N_("Run it again. The lost task may have been charged: see the unit history of your account."),
    ),
    "InvalidStyleGroup": Entry(kinds.ServiceError, N_("The service refused a style group."), REPORT),
    "InvalidStyle": Entry(kinds.ServiceError, N_("The service refused a style."), REPORT),
    "OperationNotSupport": Entry(kinds.ServiceError, N_("The service does not offer this operation."), REPORT),
    "OperationInvalid": Entry(
        kinds.ServiceError, N_("The task is not finished yet."), N_("Wait until it has ended, then try again.")
    ),
    "InvalidApiKey": Entry(kinds.AuthError, N_("The service does not know this API key."), ""),
    "InactiveApiKey": Entry(
        kinds.AuthError, N_("This API key is not active."), N_("Activate it in your account, or use another.")
    ),
    "ExpiredApiKey": Entry(kinds.AuthError, N_("This API key has expired."), ""),
    "InvalidAccessToken": Entry(kinds.AuthError, N_("The service refused the access token."), ""),
    "TaskTimeout": Entry(
        kinds.ServiceError,
        N_("The task was not polled in time and is lost."),
        N_("Run it again. The lost task may have been charged: see the unit history of your account."),
    ),
}
"""The codes with which the service refuses a request. One with an HTTP status of 4xx proves that nothing was begun."""

FAILURES: dict[str, Entry] = {
    "exceed_max_filesize": Entry(kinds.PictureError, N_("The upload is larger than the service takes."), REPORT),
    "error_exceed_max_image_size": Entry(
        kinds.PictureError, N_("The picture has more pixels than the service takes."), REPORT
    ),
    "invalid_parameter": Entry(kinds.ServiceError, N_("The engine refused a parameter."), REPORT),
    "error_download_image": Entry(
        kinds.ServiceError, N_("The engine could not fetch the uploaded picture."), AGAIN, True
    ),
    "error_download_mask": Entry(kinds.ServiceError, N_("The engine could not fetch a mask."), REPORT),
    "error_decode_image": Entry(kinds.PictureError, N_("The engine could not read the picture."), _OTHER),
    "error_decode_mask": Entry(kinds.ServiceError, N_("The engine could not read a mask."), REPORT),
    "error_download_video": Entry(kinds.PictureError, N_("The engine could not fetch a video."), _VIDEO),
    "error_decode_video": Entry(kinds.PictureError, N_("The engine could not read a video."), _VIDEO),
    "error_nsfw_content_detected": Entry(kinds.PictureError, N_("The service refuses this picture's content."), _OTHER),
    "error_no_face": Entry(
        kinds.PictureError, N_("The engine found no face."), N_("Use a picture with a clear subject.")
    ),
    "error_pose": Entry(kinds.PictureError, N_("The engine could not make out the pose."), _OTHER),
    "error_face_parsing": Entry(kinds.PictureError, N_("The engine could not make out the face."), _OTHER),
    "error_inference": Entry(
        kinds.ServiceError, N_("The engine failed on this picture."), N_("Try again, or use another picture."), True
    ),
    "exceed_nsfw_retry_limits": Entry(kinds.PictureError, N_("The service refuses this picture's content."), _OTHER),
    "error_upload": Entry(kinds.ServiceError, N_("The engine could not store its result."), AGAIN, True),
    "error_multiple_people": Entry(
        kinds.PictureError, N_("The engine found more than one person."), N_("Crop to one person.")
    ),
    "error_no_shoulder": Entry(kinds.PictureError, N_("The engine found no shoulders."), _OTHER),
    "error_large_face_angle": Entry(kinds.PictureError, N_("The face is turned too far away."), _OTHER),
    "error_hair_too_short": Entry(kinds.PictureError, N_("The engine found too little hair."), _OTHER),
    "error_unexpected_video_duration": Entry(
        kinds.PictureError, N_("The engine expected another video length."), _VIDEO
    ),
    "error_bald_image": Entry(kinds.PictureError, N_("The engine found no hair."), _OTHER),
    "error_unsupport_ratio": Entry(
        kinds.PictureError, N_("The picture is too long and narrow for the engine."), N_("Crop it first.")
    ),
    "unknown_internal_error": Entry(kinds.ServiceError, N_("The service failed without saying why."), AGAIN, True),
    "error_no_subject": Entry(
        kinds.PictureError, N_("No subject was found in the picture."), N_("Use a picture with a clear subject.")
    ),
}
"""The codes with which the engine fails: nothing was charged."""
