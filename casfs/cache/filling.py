"""An output read until the cache has all of it: not far ahead of a disk that is slower than the network."""

import time
from collections.abc import Callable, Iterator

from casfs.cache.target import NOTHING, Holding
from casfs.waiting import Clock

PASSES = 4
"""How often an output is read at most: what the disk had no time for was skipped, and comes again."""

AHEAD_BYTES = 64 << 20
"""How far reading runs ahead of the disk: within the memory that blocks wait in, so that none is skipped."""

LOOK_S, LOOK_SHARE = 0.2, 20
"""How often it is looked how far the disk is: to count what a large content has takes time itself."""

SETTLE_S = 15.0
"""How long a cache that takes nothing more is waited for: it writes off the way of reads, in batches."""


class Filling:
    """One output that is brought into a cache.

    Threads: one.

    Args:
        size: length in bytes.
        read: reads all of it; yields how many bytes each step brought.
        look: tells what the cache has.
        pause: waits some seconds, or raises what ends it all.
        clock: monotonic seconds.

    Attributes:
        holding: what the cache had when it was looked at last.
    """

    def __init__(
        self,
        size: int,
        read: Callable[[], Iterator[int]],
        look: Callable[[], Holding],
        pause: Callable[[float], None] = time.sleep,
        clock: Clock = time.monotonic,
    ) -> None:
        self._size = size
        self._read = read
        self._look = look
        self._pause = pause
        self._clock = clock
        self._next_look_s = clock()
        self._allowed: float = AHEAD_BYTES
        self._keeps_up = True
        self._is_stuck = False
        self.holding = Holding(NOTHING, NOTHING)

    def steps(self) -> Iterator[int]:
        """Yield how many bytes have come, 0 where it is waited for the disk; ``holding`` is what the cache has then."""
        before = 1.1
        for number in range(PASSES):
            taken = 0
            for count in self._read():
                taken += count
                yield count if number == 0 else 0
                yield from self._followed(taken)
                if self._is_stuck:  # what comes would come in vain
                    return
            yield from self._settled()
            if self.holding.is_done or self.holding.is_failing or self.holding.share_missing >= before:
                return
            before = self.holding.share_missing

    def _followed(self, taken: int) -> Iterator[int]:
        """Wait until the disk is near enough, or does not move."""
        if taken <= self._allowed or (self._keeps_up and self._clock() < self._next_look_s):
            return
        self._moved()
        moved_s = self._clock()
        while self._held < taken - AHEAD_BYTES and self._may_move(moved_s):
            moved_s = self._clock() if self._moved() else moved_s
            yield 0
        self._keeps_up = self._held >= taken - AHEAD_BYTES // 2
        self._is_stuck = self._held < taken - AHEAD_BYTES
        self._allowed = self._held + AHEAD_BYTES

    @property
    def _held(self) -> float:
        return self._size * (1 - self.holding.share_missing)

    def _settled(self) -> Iterator[int]:
        self._note()
        moved_s = self._clock()
        while not self.holding.is_done and self._may_move(moved_s):
            moved_s = self._clock() if self._moved() else moved_s
            yield 0

    def _may_move(self, moved_s: float) -> bool:
        """Say whether more may come to the disk than there was at *moved_s*."""
        return self._clock() < moved_s + SETTLE_S and not self.holding.is_failing

    def _moved(self) -> bool:
        """Look again after a while, and return whether there is more."""
        self._pause(max(0.0, self._next_look_s - self._clock()))
        before = self.holding
        self._note()
        return self.holding != before

    def _note(self) -> None:
        began_s = self._clock()
        self.holding = self._look()
        self._next_look_s = self._clock() + max(LOOK_S, LOOK_SHARE * (self._clock() - began_s))
