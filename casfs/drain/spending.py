"""What retrievals come to: over all runs, and over the last 24 hours. Pure."""

from collections import deque
from collections.abc import Iterable

DAY_NS = 24 * 3600 * 10**9


class Spending:
    """Sums over retrievals, each of which is money.

    Attributes:
        count: retrievals, over all runs.
        size: their bytes.

    Threads: that of the run.

    Args:
        count: as above, so far.
        size: likewise.
        lately: when those of the last 24 hours were begun, and their bytes; in that order.
    """

    def __init__(self, count: int, size: int, lately: Iterable[tuple[int, int]]) -> None:
        self.count = count
        self.size = size
        self._lately = deque(lately)
        self._sum = sum(size for _, size in self._lately)

    def add(self, asked_ns: int, size: int) -> None:
        """Count one more, which may have been begun before those that were counted."""
        self.count += 1
        self.size += size
        self._sum += size
        at = len(self._lately)
        while at and self._lately[at - 1][0] > asked_ns:
            at -= 1
        self._lately.insert(at, (asked_ns, size))

    def within_a_day(self, now_ns: int) -> int:
        """Return the bytes of those that were begun within the last 24 hours."""
        while self._lately and self._lately[0][0] <= now_ns - DAY_NS:
            self._sum -= self._lately.popleft()[1]
        return self._sum

    def less_at_ns(self) -> int | None:
        """Return when the first of these is a day old."""
        return self._lately[0][0] + DAY_NS if self._lately else None
