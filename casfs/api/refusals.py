"""A refusal as an error: by its code, in one line, without a secret."""

import json
import re
from collections.abc import Mapping

from casfs.api.clock import seconds_of
from casfs.api.operations import GET_JOB_OUTPUT
from casfs.api.providers.meanings import Meaning, Refusal
from casfs.errors import (
    AccessDeniedError,
    CasfsError,
    CredentialsError,
    GoneError,
    NotFoundError,
    NotReadyError,
    QuotaError,
    RefusedError,
    ServiceError,
    ThrottledError,
)

LONGEST_BODY = 64 << 10
"""Bytes of an error's body that are read: codes and messages take hundreds, a proxy's page some thousands."""
LONGEST_MESSAGE = 300
"""Characters of a service's message that are repeated, counted once secrets are out of it."""


class PastTheEndError(RefusedError):
    """The range begins where the output has ended.

    Attributes:
        size: length of the output, where the service told it.
    """

    def __init__(self, message: str, size: int | None) -> None:
        super().__init__(message)
        self.size = size


class MarkerRefusedError(RefusedError):
    """A page is refused because of the marker that the page before it gave."""


def refusal_from(operation: str, status: int, headers: Mapping[str, str], body: bytes, request_id: str) -> Refusal:
    """Return the refusal that a response makes; a body that is no JSON, or another's, has neither code nor message."""
    fields = _fields(body)
    return Refusal(
        operation=operation,
        status=status,
        code=re.sub(r"[^\w.-]", "", _first(fields, "code", "Code", "__type").rpartition("#")[2], flags=re.ASCII)[:80],
        message=one_line(_first(fields, "message", "Message")),
        request_id=request_id,
        retry_after_s=retry_after_s(headers),
    )


def error_for(refusal: Refusal, meaning: Meaning, headers: Mapping[str, str]) -> CasfsError:
    """Return the error that *refusal* comes to; its message is one line."""
    details = [f"HTTP {refusal.status}", refusal.code, refusal.request_id and f"request id {refusal.request_id}"]
    tail = f"({', '.join(filter(None, details))})"
    said = refusal.message or _WORDLESS.get(meaning, "the service refuses")
    if meaning is Meaning.PAST_THE_END:
        return PastTheEndError(f"{said} {tail}", _total(headers))
    if meaning is Meaning.THROTTLED:
        return ThrottledError(f"the service asks for fewer requests {tail}", refusal.retry_after_s)
    if meaning is Meaning.FAILED:
        return ServiceError(f"the service failed {tail}", refusal.retry_after_s)
    if meaning is Meaning.NOT_FOUND and refusal.operation == GET_JOB_OUTPUT:
        return GoneError(f"the output is no longer there {tail}")
    kind, text = _FINAL[meaning]
    error = kind(f"{text.format(said)} {tail}")
    error.may_pass = meaning is Meaning.REFUSED and not refusal.code
    return error


_FINAL: Mapping[Meaning, tuple[type[CasfsError], str]] = {
    Meaning.NOT_FOUND: (NotFoundError, "{}"),
    Meaning.DENIED: (AccessDeniedError, "no permission"),
    Meaning.CLOCK_OR_DENIED: (AccessDeniedError, "no permission"),
    Meaning.UNKNOWN_KEY: (CredentialsError, "the service does not know the key, or saw none"),
    Meaning.EXPIRED: (CredentialsError, "the token has expired"),
    Meaning.SIGNATURE: (CredentialsError, "the signature is refused: is the secret key right, and the clock?"),
    Meaning.WRONG_REGION: (CredentialsError, "the endpoint is not in the region that the request is signed for: {}"),
    Meaning.CLOSED: (RefusedError, "the service is closed to this account: {}"),
    Meaning.NOT_READY: (NotReadyError, "the output is not available yet"),
    Meaning.LIMITED: (QuotaError, "{}"),
    Meaning.REFUSED: (RefusedError, "{}"),
}
"""What a refusal comes to that another attempt would not change, and in which words; {} for the service's own."""


_WORDLESS: Mapping[Meaning, str] = {
    Meaning.NOT_FOUND: "there is no such vault or job",
    Meaning.PAST_THE_END: "the range begins past the end",
}
"""What to say where the service says nothing."""


def _total(headers: Mapping[str, str]) -> int | None:
    found = re.fullmatch(r"bytes \*/([0-9]{1,600})", headers.get("Content-Range", ""))
    return int(found[1]) if found else None


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that Retry-After asks for, given in seconds or as a date; None where it is missing or none.

    A date counts from the service's own Date, since this machine's clock may be off.
    """
    text = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", text):
        return float(text)
    until_s, now_s = seconds_of(text), seconds_of(headers.get("Date"))
    return max(0.0, until_s - now_s) if until_s is not None and now_s is not None else None


def one_line(text: str) -> str:
    """Return *text* as one line of printable ASCII, for messages and logs."""
    return re.sub(r"[^ -~]+", " ", text).strip()


def _fields(body: bytes) -> Mapping[str, object]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _first(fields: Mapping[str, object], *names: str) -> str:
    """Return the first text among the fields *names*, or ""."""
    return next((text for name in names if isinstance(text := fields.get(name), str)), "")
