"""The table of errors: complete, written for a person, and told apart by what the user does next."""

from __future__ import annotations

import re

import pytest
from layerlift import errors

REQUEST_CODES = {
    "InvalidParameters",
    "BadRequest",
    "CreditInsufficiency",
    "InvalidTaskId",
    "InvalidStyleGroup",
    "InvalidStyle",
    "OperationNotSupport",
    "OperationInvalid",
    "InvalidApiKey",
    "InactiveApiKey",
    "ExpiredApiKey",
    "InvalidAccessToken",
    "TaskTimeout",
    "unknown_internal_error",
}
ENGINE_CODES = {
    "exceed_max_filesize",
    "error_exceed_max_image_size",
    "invalid_parameter",
    "error_download_image",
    "error_download_mask",
    "error_decode_image",
    "error_decode_mask",
    "error_download_video",
    "error_decode_video",
    "error_nsfw_content_detected",
    "error_no_face",
    "error_pose",
    "error_face_parsing",
    "error_inference",
    "exceed_nsfw_retry_limits",
    "error_upload",
    "error_multiple_people",
    "error_no_shoulder",
    "error_large_face_angle",
    "error_hair_too_short",
    "error_unexpected_video_duration",
    "error_bald_image",
    "error_unsupport_ratio",
    "unknown_internal_error",
}
MENDED_BY_A_RETRY = {"unknown_internal_error", "error_inference", "error_download_image", "error_upload"}
TECHNICAL = re.compile(r"\b(JSON|URL|status|exception|null|None|traceback|task_id|errno)\b", re.IGNORECASE)


@pytest.mark.parametrize("code", sorted(REQUEST_CODES | ENGINE_CODES))
def test_every_code_that_the_service_lists_has_an_entry(code: str) -> None:
    assert code in errors.TABLE


@pytest.mark.parametrize("code", sorted(REQUEST_CODES | ENGINE_CODES))
def test_only_what_the_service_says_a_retry_can_mend_is_tried_again(code: str) -> None:
    assert errors.make(code).retry == (code in MENDED_BY_A_RETRY)


@pytest.mark.parametrize("code", sorted(errors.TABLE))
def test_every_entry_is_written_for_a_person(code: str) -> None:
    entry = errors.make(code)
    for text in (entry.message, entry.action):
        assert text.endswith(".")
        assert text[0].isupper()
        assert text.isascii()
        assert text.isprintable()
        assert not TECHNICAL.search(text)
        assert len(text) < 160
    assert entry.message != entry.action


OF_THE_COMMAND = ("cost_not_agreed", "clear_not_agreed", "usage")


@pytest.mark.parametrize("code", sorted(set(errors.TABLE) - set(OF_THE_COMMAND)))
def test_what_everybody_is_told_names_the_controls_of_nobody(code: str) -> None:
    advice = errors.make(code).advice
    assert not [word for word in ("--", "'layerlift", "plug-in", "menu", "the settings", "'YouCam") if word in advice]


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("no_key", "set_key"),
        ("ExpiredApiKey", "set_key"),
        ("consent_needed", "agree"),
        ("keyring_locked", "unlock"),
        ("CreditInsufficiency", "buy"),
        ("still_in_doubt", "pay_again"),
        ("task_refused", "pay_again"),
        ("charged_and_lost", "pay_again"),
        ("result_missing", "pay_again"),
        ("result_no_alpha", "pay_again"),
        ("deadline", "retry"),
        ("bad_job", "reinstall"),
        ("internal", "report"),
        ("error_no_subject", "other_picture"),
        ("a code that no list knows", "retry"),
    ],
)
def test_programs_are_told_what_the_user_can_do_next(code: str, kind: str) -> None:
    assert errors.make(code).kind == kind


def test_what_may_have_cost_something_is_never_tried_again() -> None:
    kinds = (errors.MayBeCharged, errors.AuthError, errors.TopUpError, errors.SetupError, errors.Cancelled)
    assert not [code for code, entry in errors.TABLE.items() if issubclass(entry.error, kinds) and entry.retry]


def test_every_class_of_the_tree_has_an_entry() -> None:
    kinds = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)}
    assert kinds - {entry.error for entry in errors.TABLE.values()} == {errors.LayerliftError}
    for kind in kinds:
        assert kind.__name__ in (errors.__doc__ or "")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("ExpiredApiKey", errors.AuthError),
        ("CreditInsufficiency", errors.TopUpError),
        ("rate_limited", errors.RateLimited),
        ("error_nsfw_content_detected", errors.PictureError),
        ("unreachable", errors.NetworkError),
        ("deadline", errors.MayBeCharged),
        ("no_key", errors.SetupError),
    ],
)
def test_the_class_says_what_the_user_does_next(code: str, kind: type[errors.LayerliftError]) -> None:
    assert type(errors.make(code)) is kind


def test_a_code_that_no_list_knows_is_shown() -> None:
    error = errors.make("new_code")
    assert type(error) is errors.ServiceError
    assert (error.code, error.retry) == ("new_code", False)
    assert "new_code" in error.message
    assert error.action.endswith(".")


@pytest.mark.parametrize("detail", ["a fact", "a fact."])
def test_a_detail_is_part_of_one_sentence(detail: str) -> None:
    assert errors.make("no_key", detail).message == "No API key is set: a fact."


def test_the_text_of_an_error_holds_what_to_do_and_the_request_id() -> None:
    error = errors.make("server_error", status=503, request_id="r-1")
    assert str(error) == f"{error.message} {error.action} (request r-1)"
    assert str(errors.make("no_key")).endswith(".")


def test_the_services_words_are_not_said_twice() -> None:
    assert errors.from_service("error_pose", "error_pose").message == errors.TABLE["error_pose"].message
    found = errors.from_service("error_no_subject", "No subject was found.")
    assert found.message == errors.TABLE["error_no_subject"].message
    assert errors.from_service("error_pose", "the left arm").message.endswith(": the left arm.")


@pytest.mark.parametrize("code", ["cancelled", "not_started", "consent_needed", "may_be_charged", "deadline"])
def test_what_this_side_alone_can_know_is_not_taken_from_the_service(code: str) -> None:
    error = errors.from_service(code)
    assert type(error) is errors.ServiceError
    assert code in error.message
