"""A scripted plan of what goes wrong: which request meets which fault, and how often."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What goes wrong.

    "Byte n" is a byte of the output, wherever the answer begins; without one, the middle of the body is meant.
    """

    STATUS = "status"
    THROTTLE = "throttle"
    DELAY = "delay"
    DROP = "drop"
    RESET = "reset"
    CUT = "cut"
    STALL = "stall"
    DRIP = "drip"
    FLIP = "flip"
    WRONG_RANGE = "wrong-range"
    WRONG_TOTAL = "wrong-total"
    WRONG_LENGTH = "wrong-length"
    WHOLE = "whole"
    WRONG_HASH = "wrong-hash"
    NO_HASH = "no-hash"
    BAD_HASH = "bad-hash"
    EXPIRE = "expire"
    FAIL = "fail"
    GARBAGE = "garbage"
    HUGE = "huge"
    SKEW = "skew"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong.

    Attributes:
        kind: what.
        operation: whose requests it meets; None meets all.
        vault: of which vault; None meets all.
        job: of which job; None meets all.
        archive: of which archive, by its id: what is asked for it, and of jobs about it; None meets all.
        at: byte of the output; only answers that hold it are met.
        start: with *stop*, a range of the output; only answers that hold a byte of it are met.
        stop: byte after the last of that range; None is the end.
        times: requests that it meets before it is over; None is for ever.
        after: requests that it lets pass first.
        from_s: seconds after it was added during which it sleeps.
        status: HTTP status to answer; None is the one that belongs to *code*.
        code: error code to answer.
        message: of the error, or of the job that is to fail.
        body: what to answer in place of the error document, e.g. a page of HTML.
        content_type: of *body*.
        retry_after: value of Retry-After; None sends none.
        seconds: of delay; of the clock's error; between two bytes that drip.
        shift: bytes by which a range, total or length is wrong.
        size: bytes of a huge document.
        hash_header: what the header of the tree hash says besides whatever else goes wrong, ``{}`` standing for the
            hash; empty leaves the header out; None leaves it as it is.
        announced: whether the answer has a Content-Length. Without one the end of the connection is the end of the
            body, and one that is cut there looks whole.
        done: whether what was asked for is done all the same; None is as the kind has it: all but an error are.
    """

    kind: Kind
    operation: str | None = None
    vault: str | None = None
    job: str | None = None
    archive: str | None = None
    at: int | None = None
    start: int = 0
    stop: int | None = None
    times: int | None = 1
    after: int = 0
    from_s: float = 0.0
    status: int | None = None
    code: str = "ServiceUnavailableException"
    message: str = "Service is unavailable, please try again."
    body: str | None = None
    content_type: str = "text/html"
    retry_after: str | None = None
    seconds: float = 0.2
    shift: int = 1
    size: int = 65 << 20
    hash_header: str | None = None
    announced: bool = True
    done: bool | None = None

    def meets(
        self,
        operation: str,
        vault: str | None,
        job: str | None,
        span: tuple[int, int] | None,
        archive: str | None = None,
    ) -> bool:
        """Say whether a request is of those that this fault is for.

        Args:
            operation: of the request.
            vault: that it names.
            job: that it names; a listing names none, and shows a job that is to expire.
            span: bytes of an output that it is about, half-open; None if it is about no output.
            archive: id of the one that it is about.
        """
        lists_it = self.kind is Kind.EXPIRE and self.job is not None and operation == "list_jobs"
        return (
            self.operation in (None, operation)
            and self.vault in (None, vault)
            and (self.job in (None, job) or lists_it)
            and self.archive in (None, archive)
            and self._meets_bytes(span)
        )

    def _meets_bytes(self, span: tuple[int, int] | None) -> bool:
        if self.at is None and self.start == 0 and self.stop is None:
            return True
        if span is None:
            return False
        held = self.at is None or span[0] <= self.at < span[1]
        return held and span[1] > self.start and (self.stop is None or span[0] < self.stop)


@dataclass(slots=True)
class _Pending:
    """A fault of the plan and what is left of it."""

    fault: Fault
    added_s: float
    to_pass: int
    left: int | None


class Faults:
    """The plan of one server. The first fault that meets a request, in the order added, is its only one.

    Threads: any.
    """

    def __init__(self, *faults: Fault, clock: Callable[[], float] = time.monotonic) -> None:
        self._lock = threading.Lock()
        self._clock = clock
        self._plan: list[_Pending] = []
        self.add(*faults)

    def add(self, *faults: Fault) -> None:
        """Append to the plan."""
        with self._lock:
            self._plan += [_Pending(fault, self._clock(), fault.after, fault.times) for fault in faults]

    def clear(self) -> None:
        """Let nothing more go wrong."""
        with self._lock:
            self._plan.clear()

    def left(self) -> list[Fault]:
        """Return the faults that may still meet a request."""
        with self._lock:
            return [pending.fault for pending in self._plan if pending.left != 0]

    def take(
        self,
        operation: str,
        vault: str | None,
        job: str | None,
        span: tuple[int, int] | None,
        archive: str | None = None,
    ) -> Fault | None:
        """Return the fault that meets this request, and count it as met; None if nothing goes wrong."""
        with self._lock:
            now = self._clock()
            for pending in self._plan:
                awake = pending.left != 0 and now >= pending.added_s + pending.fault.from_s
                if awake and pending.fault.meets(operation, vault, job, span, archive) and _meet(pending):
                    return pending.fault
        return None


def _meet(pending: _Pending) -> bool:
    """Count one request that the fault is for, and say whether it is met or still let pass."""
    if pending.to_pass:
        pending.to_pass -= 1
        return False
    if pending.left is not None:
        pending.left -= 1
    return True
