"""How far each handle may run ahead: memory for prefetch is shared by those that read."""

from typing import Protocol

IDLE_S = 5.0
"""After how long without a read a handle no longer counts: its program is stopped, or thinks. What was prefetched for
it stays until another handle has no memory; programs that process what they read come back sooner than this."""


class Sharer(Protocol):
    """A handle that holds prefetched blocks.

    Attributes:
        read_s: when it was read last.
    """

    read_s: float

    def release(self) -> None:
        """Give up what was prefetched and not read."""
        ...


class Budget:
    """The memory that prefetch may have.

    Args:
        total: blocks for all handles together.
        limit: blocks for one handle.

    Threads: none of its own; the caller locks.
    """

    def __init__(self, total: int, limit: int) -> None:
        self.total = total
        self.limit = min(total, limit)
        self._sharers: dict[Sharer, None] = {}

    def join(self, sharer: Sharer) -> None:
        """Count *sharer* among those that hold prefetched blocks; it may be counted already."""
        self._sharers[sharer] = None

    def leave(self, sharer: Sharer) -> None:
        """Count *sharer* no more, if it was counted."""
        self._sharers.pop(sharer, None)

    def share(self, now_s: float) -> int:
        """Return how many blocks one handle may run ahead, at least 1: what all that read now can have alike."""
        active = sum(1 for sharer in self._sharers if now_s - sharer.read_s < IDLE_S)
        return max(1, min(self.limit, self.total // max(1, active)))

    def reclaim(self, now_s: float) -> bool:
        """Let the handle that was idle for longest give up what it holds; return whether there was one."""
        sharer = min(self._sharers, key=lambda one: one.read_s, default=None)
        if sharer is None or now_s - sharer.read_s < IDLE_S:
            return False
        sharer.release()
        return True
