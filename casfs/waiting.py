"""Waits that end: by the result, by the deadline, or by a signal to the program that waits."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, replace
from typing import TypeVar

from casfs.errors import CasfsError, DeadlineError, InterruptedCallError

POLL_S = 0.05
"""How often a waiting call asks whether its program was signalled: a Ctrl-C feels immediate below 100 ms, and
twenty wake-ups a second of a thread that has nothing else to do cost nothing."""

T = TypeVar("T")
Clock = Callable[[], float]
Interrupted = Callable[[], bool]


def never() -> bool:
    """Say that nobody interrupts: for callers that are no FUSE request."""
    return False


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment by which a call must have ended.

    Attributes:
        at_s: the moment, in seconds of *clock*.
        clock: monotonic seconds; injected by tests.
        cancelled: asked whether nobody waits for the call any more; then it may end sooner.
    """

    at_s: float
    clock: Clock = time.monotonic
    cancelled: Interrupted = never

    @classmethod
    def after(cls, seconds: float, clock: Clock = time.monotonic, cancelled: Interrupted = never) -> "Deadline":
        """Return the deadline that is *seconds* from now."""
        return cls(clock() + seconds, clock, cancelled)

    def sooner(self, seconds: float) -> "Deadline":
        """Return the deadline that is *seconds* from now, or this one if it is sooner."""
        return replace(self, at_s=min(self.at_s, self.clock() + seconds))

    @property
    def remaining_s(self) -> float:
        """Seconds left; zero once it has passed, never negative."""
        return max(0.0, self.at_s - self.clock())

    @property
    def timeout_s(self) -> float:
        """Seconds left, as a timeout: never zero, with which a socket would not wait at all."""
        return max(self.remaining_s, 0.001)

    def check(self, what: object) -> None:
        """Raise DeadlineError unless there is time left.

        Args:
            what: must end by then; put into words only where it did not.

        Raises:
            DeadlineError: it has passed; the message names *what*.
        """
        if self.clock() >= self.at_s:
            raise DeadlineError(f"{what}: the deadline passed")


def wait_for(future: Future[T], deadline: Deadline, interrupted: Interrupted, what: str) -> T:
    """Return the result of *future*, or raise what it raised.

    Raises:
        DeadlineError: the deadline passed first. The work itself goes on, for others who may wait for it.
        InterruptedCallError: *interrupted* said so first.
    """
    while True:
        try:
            return future.result(timeout=min(POLL_S, deadline.remaining_s))
        except FutureTimeoutError:
            # Done by now: it ended just after our time was up, or the work itself raised a TimeoutError.
            if future.done():
                return future.result()
        if interrupted():
            raise InterruptedCallError(f"{what}: interrupted by a signal")
        deadline.check(what)


def within(seconds: float, call: Callable[[], T], what: str) -> T:
    """Return what *call* returns, or raise what it raised; it is left behind, on a thread of its own, where it hangs.

    For a file system that may not answer, in a process that has threads and goes on: until that answers, it cannot end.
    For all else see docs/architecture.md ("What may hang"). Where there is no thread to be had, the call itself is
    waited for.

    Raises:
        DeadlineError: it did not end in time.
    """
    future: Future[T] = Future()

    def work() -> None:
        try:
            future.set_result(call())
        except (CasfsError, OSError, RuntimeError) as error:
            future.set_exception(error)

    try:
        threading.Thread(target=work, name="casfs-within", daemon=True).start()
    except RuntimeError:
        return call()
    return wait_for(future, Deadline.after(seconds), never, what)
