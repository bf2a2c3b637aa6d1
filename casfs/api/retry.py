"""When to try again, how long to wait, when to give up; and the one line that is logged then.

What is tried is a whole attempt: sign, send, read the body, check the range. A retry below that would send one
signature twice, and take a short body or the wrong range for a response. Source: urllib3 2, util.retry,
which repeats a request as it was sent, and before its body is read.
"""

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from casfs import shortage
from casfs.api.operations import LISTINGS
from casfs.errors import (
    CasfsError,
    DeadlineError,
    InterruptedCallError,
    NotFoundError,
    ServiceError,
    ThrottledError,
)
from casfs.stats import Stats
from casfs.waiting import POLL_S, Deadline, Interrupted, never

logger = logging.getLogger(__name__)

FIRST_S = 0.25
"""At most so long before the second attempt: a reset or a busy node is over as soon as another one answers."""
LONGEST_S = 8.0
"""No wait is longer: within a read's 120 s there are some twenty more attempts, yet a service in trouble sees one
request of each reader in four seconds."""

NEARLY_OVER_S = 0.02
"""An attempt that fails so close to the deadline failed because of it: sockets keep time in milliseconds."""

SHOWN = 100
"""Characters of a name in a line: whole ids, which have 92, and not all of what anybody may ask for."""

T = TypeVar("T")


def nobody(_count: int) -> None:
    """Tell nobody."""


@dataclass(slots=True)
class Call:
    """One call of this package's user, through all its attempts.

    Attributes:
        operation: name of the operation, as in counters.
        deadline: when the call must have ended.
        idle_s: how long one attempt may stall.
        vault: name of the vault, or "".
        job: id of the job, or "".
        range: the bytes that are asked for, or "".
        cancelled: asked whether anyone still wants the answer.
        received: told how many bytes of a body came.
        tries: attempts so far.
        status: HTTP status of the last response, None before there was one.
        code: the service's code in it, or "".
        request_id: the service's id of it, or "".
    """

    operation: str
    deadline: Deadline
    idle_s: float
    vault: str = ""
    job: str = ""
    range: str = ""
    cancelled: Interrupted = never
    received: Callable[[int], None] = nobody
    tries: int = 0
    status: int | None = None
    code: str = ""
    request_id: str = ""

    def __str__(self) -> str:
        return self.about(self.range)

    def about(self, span: str) -> str:
        """Return what is asked for, in words, with the bytes *span* of it."""
        about = [f"vault {self.vault[:SHOWN]!a}"] * bool(self.vault) + [f"job {self.job[:SHOWN]!a}"] * bool(self.job)
        return ", ".join([self.operation, *about, *[span] * bool(span)])

    def check(self, count: int = 0) -> None:
        """Tell that *count* bytes came; raise InterruptedCallError unless the response is still wanted.

        Raises:
            InterruptedCallError: it no longer is.
        """
        if count:
            self.received(count)
        if self.cancelled():
            raise InterruptedCallError(f"{self}: no longer wanted")


def longest_wait_s(tries: int) -> float:
    """Return the upper bound of the wait after *tries* failed attempts, 1 or more."""
    return min(LONGEST_S, FIRST_S * 2.0 ** min(tries - 1, 30))


def wait_s(tries: int, retry_after_s: float | None, share: float) -> float:
    """Return how long to wait after *tries* failed attempts: full jitter, and no less than the service asked for.

    Args:
        tries: attempts so far, 1 or more.
        retry_after_s: what the service asked for, or None.
        share: a random number from 0 to 1.
    """
    return (retry_after_s or 0.0) + share * longest_wait_s(tries)


class Retry:
    """Tries until it works, cannot work, or the time is over.

    Threads: any; it keeps nothing between calls.
    """

    def __init__(
        self,
        stats: Stats,
        sleep: Callable[[float], None] = time.sleep,
        share: Callable[[], float] = random.random,
    ) -> None:
        self._stats = stats
        self._sleep = sleep
        self._share = share

    def run(self, call: Call, attempt: Callable[[], T]) -> T:
        """Return what *attempt* returns, trying again while it raises what is worth another attempt.

        There is no other bound than the deadline of *call*: it is the patience that the user asked for. A wait that
        would not end before it is not begun.

        Raises:
            DeadlineError: the time was over in the middle of an attempt.
            InterruptedCallError: nobody wants the answer any more.
            CasfsError: what the last attempt raised; logged here, once.
        """
        try:
            while True:
                try:
                    return self._once(call, attempt)
                except CasfsError as error:
                    self._wait_before_next(call, error)
        except CasfsError as error:
            self.give_up(call, error)
            raise

    def give_up(self, call: Call, error: CasfsError) -> None:
        """Log what *call* came to, once.

        That there is no such thing is an answer to a look-up, and a failure of a listing; a cancellation is none.
        """
        if isinstance(error, InterruptedCallError):
            return
        expected = isinstance(error, NotFoundError) and call.operation not in LISTINGS
        self._stats.count("errors", int(not expected))
        fields = {name: getattr(call, name) for name in _FIELDS}
        logger.log(
            logging.DEBUG if expected or error.is_told else logging.WARNING,
            "%s: %s [tries %d, status %s, code %s, request id %s]",
            call,
            error,
            call.tries,
            call.status or "-",
            call.code or "-",
            call.request_id or "-",
            extra=fields,
        )

    def _wait_before_next(self, call: Call, error: CasfsError) -> None:
        """Wait for as long as the next attempt shall wait after *error*; raise *error* if there shall be none."""
        asked_s = error.retry_after_s if isinstance(error, ThrottledError | ServiceError) else None
        pause_s = wait_s(max(call.tries, 1), asked_s, self._share())
        if not error.retryable or pause_s >= call.deadline.remaining_s:
            raise error
        self._stats.count("retries")
        self._pause(pause_s, call)

    def _once(self, call: Call, attempt: Callable[[], T]) -> T:
        call.check()
        call.deadline.check(call)
        call.tries += 1
        try:
            with shortage.named():
                return attempt()
        except CasfsError as error:
            self._stats.count("throttled", int(isinstance(error, ThrottledError)))
            if error.retryable and call.deadline.remaining_s <= NEARLY_OVER_S:
                raise DeadlineError(f"the deadline passed ({error})") from error
            raise

    def _pause(self, seconds: float, call: Call) -> None:
        """Wait, in slices, so that a cancellation ends it."""
        while seconds > 0:
            call.check()
            self._sleep(min(POLL_S, seconds))
            seconds -= POLL_S


_FIELDS = ("operation", "vault", "job", "range", "status", "code", "request_id", "tries")
"""What a log line in JSON has as fields of its own."""
