"""How fast bytes arrive, and so how much may be asked for ahead without making a waiting read late. Pure.

A waiting read shares the link with all that was asked for before it: on a slow link a full window would take longer to
arrive than a read may take.
"""

import math

from casfs.data.hashing.blocks import BLOCK_SIZE

AVERAGING_S = 4.0
"""How long a measurement counts: some round trips on any link, and soon forgotten when the link changes."""

MAX_AHEAD_S = 8.0
"""How long all that is asked for ahead may take to arrive. A healthy link never comes near (a full 128 MiB window in
8 s is 16 MiB/s); a slow one keeps its reads far from their deadline of 120 s."""

MAX_PART_S = 2.0
"""How long one part may take at the measured speed of a connection: a read that wants its first block waits for the
check of the whole."""

MIN_REQUEST_S = 0.040
"""How short a request may be before it is worth joining with the next. To sign, send and parse one takes some 0.6 ms of
a processor that is busy otherwise; a block from afar takes longer than this, so that only near and fast services get
larger parts. Source: measured 2026-11-20: 0.02 and 0.03 were slower unshaped, 0.06 no faster."""

MAX_AHEAD_SHARE, MAX_PART_SHARE = 1 / 4, 1 / 16
"""Where the deadline of a read is short, both are at most this much of it."""


class Throttle:
    """Measures arrivals.

    Args:
        timeout_s: deadline of one read.

    Threads: none of its own; the caller locks.
    """

    def __init__(self, timeout_s: float) -> None:
        self._ahead_s = min(MAX_AHEAD_S, timeout_s * MAX_AHEAD_SHARE)
        self._part_s = min(MAX_PART_S, timeout_s * MAX_PART_SHARE)
        self._busy = 0
        self._last_s = 0.0
        self._bytes = 0.0
        self._seconds = 0.0
        self._connection = math.inf

    @property
    def max_ahead_blocks(self) -> float:
        """Blocks that may be asked for and not have arrived; at least 1, infinite until something was measured."""
        if not self._seconds:
            return math.inf
        return max(1.0, self._bytes / self._seconds * self._ahead_s / BLOCK_SIZE)

    @property
    def max_part_blocks(self) -> float:
        """Blocks that one part may have; at least 1, infinite until something was measured."""
        return max(1.0, self.blocks_in(self._part_s))

    @property
    def min_part_blocks(self) -> float:
        """Blocks that one connection brings in MIN_REQUEST_S; 0 until something was measured."""
        return 0.0 if self._connection == math.inf else self.blocks_in(MIN_REQUEST_S)

    def blocks_in(self, seconds: float) -> float:
        """Return how many blocks one connection brings in that time; infinite until something was measured."""
        return self._connection * seconds / BLOCK_SIZE

    def sent(self, now_s: float) -> None:
        """Note that a request was sent."""
        if not self._busy:
            self._last_s = now_s  # the time in which nothing was asked for says nothing of the link
        self._busy += 1

    def ended(self, now_s: float, sent_s: float, length: int) -> None:
        """Note that *length* bytes came of the request that was sent at *sent_s*: 0 if it failed."""
        self._busy -= 1
        elapsed = max(0.0, now_s - self._last_s)
        weight = math.exp(-elapsed / AVERAGING_S)
        self._bytes = self._bytes * weight + length
        self._seconds = self._seconds * weight + elapsed
        self._last_s = now_s
        took = now_s - sent_s
        if length and took > 0:
            speed = length / took
            self._connection = speed if self._connection == math.inf else (3 * self._connection + speed) / 4
