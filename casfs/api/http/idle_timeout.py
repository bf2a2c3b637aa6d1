"""How slow a response may be before its attempt has failed."""

import time

from casfs.waiting import Clock, Deadline

FLOOR_BYTES = 64 << 10
"""So much, or the rest, must arrive within the inactivity time. That time is a quarter of a read's deadline, so a
response that is slower than this cannot bring one block of 1 MiB by the deadline anyway."""

LONGEST_IDLE_S = 30.0
"""A service that is alive sends something within this; a read with a long deadline gets more attempts, not longer
stalls."""
SHORTEST_IDLE_S = 1.0
"""Below this, a round trip to another continent with one lost packet would count as a stall."""


def idle_s(patience_s: float) -> float:
    """Return the inactivity time of one attempt of a call that has *patience_s* in all: room is left for others."""
    return min(max(patience_s / 4, SHORTEST_IDLE_S), LONGEST_IDLE_S)


class IdleTimeout:
    """The time that one response has: urllib3's read timeout bounds one ``recv``, which a drip meets for ever.

    The head must be whole within *idle_s*. Once ``body`` was called, each FLOOR_BYTES, or the rest of them, must
    arrive within the inactivity time, and all by the deadline.
    """

    def __init__(self, idle_s: float, clock: Clock = time.monotonic) -> None:
        self._idle_s = idle_s
        self._clock = clock
        self._deadline: Deadline | None = None
        self._began_s, self._bytes = clock(), 0

    def body(self, idle_s: float, deadline: Deadline) -> None:
        """Begin the body."""
        self._idle_s, self._deadline = idle_s, deadline
        self._began_s, self._bytes = self._clock(), 0

    def patience_s(self) -> float:
        """Return for how long to wait for the next byte: more than 0.

        Raises:
            TimeoutError: no longer.
        """
        left_s = self._began_s + self._idle_s - self._clock()
        if self._deadline is not None:
            left_s = min(left_s, self._deadline.remaining_s)
        if left_s <= 0:
            raise TimeoutError(f"less than {FLOOR_BYTES >> 10} KiB in {self._idle_s:.3g} s")
        return left_s

    def took(self, count: int) -> None:
        """Take note of *count* bytes that arrived."""
        self._bytes += count
        if self._bytes >= FLOOR_BYTES and self._deadline is not None:
            self._began_s, self._bytes = self._clock(), 0
