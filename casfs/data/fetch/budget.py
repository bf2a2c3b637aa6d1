"""How far each handle may run ahead: memory and the link are shared by those that read."""

from typing import Generic, Protocol, TypeVar

from casfs.data.fetch import parts
from casfs.data.fetch.throttle import Throttle

IDLE_S = 5.0
"""After how long without a read a handle no longer counts: its program is stopped, or thinks. What was prefetched for
it stays until another handle has no memory; programs that process what they read come back sooner than this."""

ENOUGH_CONNECTIONS = 32
"""Connections that fill a link, or use all the processor there is, where each of them is quick. Others are of use where
each is slow: then they make the parts smaller."""

SLOW_PART_S = 0.35
"""A connection that needs longer than this for a part of those that ENOUGH_CONNECTIONS have is slow. Of 4 MiB one of
60 MB/s and 30 ms needs 0.1 s, and one of 10 MB/s and 100 ms 0.5; where 32 of them share a processor that takes in 500
MB/s, each needs 0.27, and more of them only take more of it. Source: simulated 2026-11-27, see docs/benchmarks.md.
"""


class Handle(Protocol):
    """An open output that is read ahead, or a walk."""

    @property
    def read_s(self) -> float:
        """When it was read last."""
        ...


Sharer = TypeVar("Sharer", bound=Handle)


class Budget(Generic[Sharer]):
    """What prefetch may have of the memory and of the link.

    Args:
        total: blocks for all handles together.
        limit: blocks for one handle.
        connections: requests that may be in flight.
        timeout_s: deadline of one read.

    Attributes:
        limit: blocks for one handle, that there is memory for.
        throttle: how fast blocks arrive.

    Threads: none of its own; the caller locks.
    """

    def __init__(self, total: int, limit: int, connections: int, timeout_s: float) -> None:
        self.limit = min(total, limit)
        self.throttle = Throttle(timeout_s)
        self._total = total
        self._largest_of_slow = self.limit // max(connections, parts.MIN_PARTS_PER_WINDOW)
        self._largest_of_quick = self.limit // max(min(connections, ENOUGH_CONNECTIONS), parts.MIN_PARTS_PER_WINDOW)
        self._sharers: dict[Sharer, None] = {}

    def join(self, sharer: Sharer) -> None:
        """Count *sharer* among those that hold prefetched blocks; it may be counted already."""
        self._sharers[sharer] = None

    def leave(self, sharer: Sharer) -> None:
        """Count *sharer* no more, if it was counted."""
        self._sharers.pop(sharer, None)

    def share(self, now_s: float) -> int:
        """Return how many blocks one handle may run ahead, at least 1: what all that read now can have alike."""
        active = sum([now_s - sharer.read_s < IDLE_S for sharer in self._sharers])
        return max(1, min(self.limit, self._total // max(1, active)))

    def idle(self, now_s: float) -> Sharer | None:
        """Return the handle that was not read for longest, None where all that hold anything are read."""
        sharer = min(self._sharers, key=lambda one: one.read_s, default=None)
        return None if sharer is None or now_s - sharer.read_s < IDLE_S else sharer

    def width(self, window: int, distance: int) -> int:
        """Return how many blocks a part shall have that begins *distance* ahead of its reader: a power of two."""
        blocks = parts.width(distance, window, self._largest(), self.throttle.min_part_blocks)
        return parts.floor(min(blocks, self.throttle.max_part_blocks))

    def _largest(self) -> int:
        """Return how many blocks a part may have that leaves work for every connection that is worth it."""
        quick = self._largest_of_quick
        return quick if quick <= self.throttle.blocks_in(SLOW_PART_S) else self._largest_of_slow

    def is_soon_enough(self, blocks: int, asked: int) -> bool:
        """Say whether *blocks* more would arrive soon enough behind *asked*, which have not arrived."""
        return asked + blocks <= max(blocks, self.throttle.max_ahead_blocks)

    def has_room(self, blocks: int, held: int) -> bool:
        """Say whether there is memory for *blocks* more, beside *held* that were asked for and not read."""
        return held + blocks <= self._total
