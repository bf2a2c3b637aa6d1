"""Refusals as errors."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from casfs.api.providers.meanings import Meaning, Refusal
from casfs.api.refusals import PastTheEndError, error_for, one_line, refusal_from, retry_after_s
from casfs.errors import (
    AccessDeniedError,
    CasfsError,
    CredentialsError,
    GoneError,
    NotFoundError,
    NotReadyError,
    RefusedError,
    ServiceError,
    ThrottledError,
)

NO_HEADERS: CaseInsensitiveDict[str] = CaseInsensitiveDict()


def read(body: object, operation: str = "list_jobs", **headers: str) -> Refusal:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = CaseInsensitiveDict({name.replace("_", "-"): value for name, value in headers.items()})
    return refusal_from(operation, 400, named, text, "rid")


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ({"code": "AException", "message": "Rate exceeded", "type": "Client"}, "AException", "Rate exceeded"),
        ({"Code": "A", "Message": "b"}, "A", "b"),
        ({"__type": "com.amazon#VaultNotFound", "message": "m"}, "VaultNotFound", "m"),
        ({"code": 5, "message": ["m"]}, "", ""),
        ({"code": "A\r\nX: y", "message": "two\nlines\x1b[31m\u2603"}, "AXy", "two lines [31m"),
        ({"message": "m" * 1000}, "", "m" * 1000),
        ({}, "", ""),
        ([], "", ""),
        (None, "", ""),
        (b"<html>502 Bad Gateway</html>", "", ""),
        (b"", "", ""),
        (b"\xff\xfe", "", ""),
        (b"[" * 100000, "", ""),
        (b'{"code": ' + b"9" * 5000 + b"}", "", ""),
    ],
)  # fmt: skip
def test_code_and_message_are_read_from_whatever_the_body_is(body: object, code: str, message: str) -> None:
    refusal = read(body)
    assert (refusal.code, refusal.message, refusal.request_id) == (code, message, "rid")


@given(st.binary())
def test_any_body_is_a_refusal_of_one_short_line(body: bytes) -> None:
    refusal = read(body)
    assert len(refusal.code) <= 80
    assert refusal.message == one_line(refusal.message)


@pytest.mark.parametrize(
    ("meaning", "kind"),
    [
        (Meaning.NOT_FOUND, NotFoundError),
        (Meaning.DENIED, AccessDeniedError),
        (Meaning.CLOCK_OR_DENIED, AccessDeniedError),
        (Meaning.UNKNOWN_KEY, CredentialsError),
        (Meaning.EXPIRED, CredentialsError),
        (Meaning.SIGNATURE, CredentialsError),
        (Meaning.THROTTLED, ThrottledError),
        (Meaning.FAILED, ServiceError),
        (Meaning.NOT_READY, NotReadyError),
        (Meaning.PAST_THE_END, PastTheEndError),
        (Meaning.REFUSED, RefusedError),
    ],
)
def test_every_meaning_is_an_error_that_says_status_code_and_request(meaning: Meaning, kind: type[CasfsError]) -> None:
    error = error_for(read({"code": "SomeException", "message": "why"}), meaning, NO_HEADERS)
    assert type(error) is kind
    assert str(error).endswith(" (HTTP 400, SomeException, request id rid)")


def test_every_meaning_has_an_error() -> None:
    for meaning in Meaning:
        assert isinstance(error_for(read({}), meaning, NO_HEADERS), CasfsError)


def test_what_is_not_found_of_an_output_is_gone() -> None:
    error = error_for(read({}, "get_job_output"), Meaning.NOT_FOUND, NO_HEADERS)
    assert type(error) is GoneError


def test_a_refusal_without_words_gets_some() -> None:
    assert str(error_for(Refusal("list_jobs", 404, "", "", ""), Meaning.NOT_FOUND, NO_HEADERS)) == (
        "there is no such vault or job (HTTP 404)"
    )
    assert str(error_for(Refusal("list_jobs", 301, "", "", ""), Meaning.REFUSED, NO_HEADERS)) == (
        "the service refuses (HTTP 301)"
    )


@pytest.mark.parametrize("meaning", [Meaning.DENIED, Meaning.SIGNATURE, Meaning.UNKNOWN_KEY, Meaning.EXPIRED])
def test_what_a_service_says_of_a_signature_is_not_repeated(meaning: Meaning) -> None:
    """It quotes what it was to be made of."""
    assert "canonical" not in str(error_for(read({"message": "the canonical string was"}), meaning, NO_HEADERS))


@pytest.mark.parametrize(
    ("content_range", "size"),
    [("bytes */0", 0), ("bytes */123", 123), ("bytes */*", None), ("bytes 0-1/5", None), ("", None)],
)
def test_what_begins_past_the_end_may_tell_where_that_is(content_range: str, size: int | None) -> None:
    error = error_for(read({}), Meaning.PAST_THE_END, CaseInsensitiveDict({"Content-Range": content_range}))
    assert isinstance(error, PastTheEndError)
    assert error.size == size


@pytest.mark.parametrize(
    ("text", "date", "seconds"),
    [
        ("0", None, 0),
        ("7", None, 7),
        (" 120 ", None, 120),
        ("Fri, 14 Jul 2017 02:40:09 GMT", "Fri, 14 Jul 2017 02:40:00 GMT", 9),
        ("Fri, 14 Jul 2017 02:40:00 GMT", "Fri, 14 Jul 2017 02:40:09 GMT", 0),
        ("Fri, 14 Jul 2017 02:40:09 GMT", None, None),
        ("-1", None, None),
        ("1.5", None, None),
        ("1e3", None, None),
        ("9" * 5000, None, None),
        ("soon", None, None),
        ("", None, None),
    ],
)
def test_how_long_to_wait_is_told_in_seconds_or_by_the_services_own_clock(
    text: str, date: str | None, seconds: float | None
) -> None:
    headers = CaseInsensitiveDict({"Retry-After": text} | ({"Date": date} if date else {}))
    assert retry_after_s(headers) == seconds
    error = error_for(read({}, Retry_After="7"), Meaning.THROTTLED, headers)
    assert isinstance(error, ThrottledError)
    assert error.retry_after_s == 7
