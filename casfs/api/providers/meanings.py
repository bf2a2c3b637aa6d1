"""What a refusal comes to, by its code, its message or its status; what all providers share of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from casfs.api.operations import GET_JOB_OUTPUT


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is no success.

    Attributes:
        operation: what was asked.
        status: HTTP status.
        code: the service's error code, ``""`` where the body had none (a proxy's page, an empty body).
        message: the service's message, one line of printable ASCII; ``""`` where there was none.
        request_id: the service's id of the request, or ``""``.
        retry_after_s: seconds that it asked to wait, or None.
    """

    operation: str
    status: int
    code: str
    message: str
    request_id: str
    retry_after_s: float | None = None


class Meaning(Enum):
    """What a refusal comes to."""

    NOT_FOUND = auto()  # the service says that there is no such vault or job; for an output: no longer there
    DENIED = auto()  # no permission for this; others may be allowed
    UNKNOWN_KEY = auto()  # the key or the token is refused, whatever is asked
    EXPIRED = auto()  # the token was good, and its time is over
    SIGNATURE = auto()  # the signature is refused: a wrong secret key, or a clock that is off
    CLOCK_OR_DENIED = auto()  # as DENIED, but a clock that is off may look the same
    WRONG_REGION = auto()  # signed for a region that the endpoint is not in
    CLOSED = auto()  # the service takes no requests of this account any more
    THROTTLED = auto()  # ask again, later
    FAILED = auto()  # the service's own trouble: ask again
    NOT_READY = auto()  # the job has no output yet
    PAST_THE_END = auto()  # the range begins where the output has ended
    LIMITED = auto()  # a policy or a quota of the account allows it not now
    REFUSED = auto()  # anything else; asking again does not help


MEANINGS: Mapping[str, Meaning] = {
    "AccessDeniedException": Meaning.CLOCK_OR_DENIED,
    "ExpiredTokenException": Meaning.EXPIRED,
    "InsufficientCapacityException": Meaning.FAILED,
    "InvalidSignatureException": Meaning.SIGNATURE,
    "LimitExceededException": Meaning.LIMITED,
    "MissingAuthenticationTokenException": Meaning.UNKNOWN_KEY,
    "PolicyEnforcedException": Meaning.LIMITED,
    "RequestTimeoutException": Meaning.FAILED,
    "ResourceNotFoundException": Meaning.NOT_FOUND,
    "ServiceUnavailableException": Meaning.FAILED,
    "ThrottlingException": Meaning.THROTTLED,
    "UnrecognizedClientException": Meaning.UNKNOWN_KEY,
}
"""The codes whose meaning both services share, whatever the status. Which one CAS gives for a clock that is off is not
known; a provider whose service is known says DENIED for AccessDeniedException. Source: docs/wire.md section 7."""

NOT_READY = "not currently available for download"
PAST_THE_END = "start of the range is larger"
"""What the 400 InvalidParameterValueException of Get Job Output says. Source: docs/wire.md
section 3."""


def meaning_of(refusal: Refusal) -> Meaning:
    """Return the meaning of *refusal* by its code, by its message where the code is shared, else by its status.

    A 404 without a code of the service's own is anybody's, a proxy's for one: it is no word on whether a vault, a job
    or an output exists, on which copies would be deleted, or a retrieval paid for again.
    """
    if refusal.operation == GET_JOB_OUTPUT and refusal.code == "InvalidParameterValueException":
        if NOT_READY in refusal.message:
            return Meaning.NOT_READY
        if PAST_THE_END in refusal.message:
            return Meaning.PAST_THE_END
    return MEANINGS.get(refusal.code) or _meaning_of_status(refusal.status)


def _meaning_of_status(status: int) -> Meaning:
    """Return what *status* means by itself: a proxy's page has no code, and new codes will come."""
    match status:
        case 401 | 403:
            return Meaning.CLOCK_OR_DENIED
        case 416:
            return Meaning.PAST_THE_END
        case 429:
            return Meaning.THROTTLED
        case 408 | 425:
            return Meaning.FAILED
        case _:
            return Meaning.FAILED if status >= 500 else Meaning.REFUSED
