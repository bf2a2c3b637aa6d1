"""Blocks in memory: what may be evicted, in which order, and what may not.

Four places a block can be in: *kept* (read at least once, least recently used goes first), *ahead* (prefetched for an
open reader, not read yet), *stale* (prefetched for a reader that is gone: goes before all others) and *pinned* (landed
for calls that wait for it and have not copied it yet). Only kept and stale blocks are evicted.
"""

from collections.abc import Iterable
from typing import Generic, TypeVar

from cachetools import LRUCache

from casfs.data.content import Content
from casfs.data.hashing.blocks import BLOCK_SIZE
from casfs.data.memory.pool import Pool
from casfs.stats import Stats

Key = tuple[Content, int]
Bringer = TypeVar("Bringer")
"""What brought a block ahead of its reader: the cache only hands it back."""


def _one_block(_view: memoryview) -> int:
    return BLOCK_SIZE


class BlockCache(Generic[Bringer]):
    """At most *capacity* blocks, together with the buffers reserved for requests in flight.

    Invariants: a buffer is free, taken, or the block of exactly one key.

    Threads: none of its own; the caller locks.
    """

    def __init__(self, capacity: int, stats: Stats) -> None:
        self._pool = Pool(capacity)
        self._stats = stats
        self._kept: LRUCache[Key, memoryview] = LRUCache(capacity * BLOCK_SIZE, getsizeof=_one_block)
        self._ahead: dict[Key, memoryview] = {}
        self._bringers: dict[Key, Bringer] = {}
        self._stale: dict[Key, memoryview] = {}
        self._pinned: dict[Key, memoryview] = {}
        self._pins: dict[Key, int] = {}

    def __len__(self) -> int:
        """Return how many blocks are held."""
        return len(self._kept) + len(self._ahead) + len(self._stale) + len(self._pinned)

    def __contains__(self, key: Key) -> bool:
        return key in self._kept or key in self._ahead or key in self._pinned or key in self._stale

    @property
    def ahead(self) -> int:
        """Blocks that were prefetched for an open reader and not read yet."""
        return len(self._ahead)

    def get(self, key: Key) -> memoryview | None:
        """Return the block for reading, None where it is not held. Valid until the caller unlocks."""
        try:
            return self._kept[key]
        except KeyError:
            pass
        self.abandon(key)  # no longer ahead of anybody: as with a stale one, what counts is that it was read
        if key in self._stale:
            self._kept[key] = self._stale.pop(key)
            return self._kept[key]
        return self._pinned.get(key)

    def reserve(self, blocks: int, leave: int = 0) -> bool:
        """Set *blocks* buffers aside, evicting what may be; return False, and evict nothing, where it cannot be.

        Args:
            blocks: how many.
            leave: how many more there must be.
        """
        if self._pool.free + len(self._stale) + len(self._kept) < blocks + leave:
            return False
        while self._pool.free < blocks:
            self._evict()
        self._pool.reserve(blocks)
        return True

    def take(self) -> memoryview:
        """Return a buffer of those reserved. Threads: any, without the lock."""
        return self._pool.take()

    def give(self, buffers: Iterable[memoryview], untaken: int) -> None:
        """Take back buffers that no block came of, and what was reserved for *untaken* more."""
        for buffer in buffers:
            self._pool.give(buffer)
        self._pool.release(untaken)

    def keep(self, key: Key, view: memoryview) -> None:
        """Hold a block as the most recently used."""
        self._kept[key] = view

    def pin(self, key: Key, view: memoryview, calls: int) -> None:
        """Hold a block until it was unpinned *calls* times."""
        self._pinned[key] = view
        self._pins[key] = calls

    def unpin(self, key: Key) -> None:
        """Let one call go that waited for the block; after the last the block is kept."""
        if key not in self._pins:  # dropped meanwhile, with all of its output
            return
        self._pins[key] -= 1
        if not self._pins[key]:
            del self._pins[key]
            self._kept[key] = self._pinned.pop(key)

    def put_ahead(self, key: Key, view: memoryview, flight: Bringer) -> None:
        """Hold a prefetched block that *flight* brought until it is read, or abandoned."""
        self._ahead[key] = view
        self._bringers[key] = flight

    def brought_ahead(self, key: Key) -> Bringer | None:
        """Return the flight that brought a prefetched block, None where it was read or abandoned since."""
        return self._bringers.get(key)

    def put_stale(self, key: Key, view: memoryview) -> None:
        """Hold a prefetched block that nobody wants any more until something else wants its buffer."""
        self._stale[key] = view

    def abandon(self, key: Key) -> None:
        """Let a prefetched block go first, if it was not read yet."""
        if key in self._ahead:
            del self._bringers[key]
            self._stale[key] = self._ahead.pop(key)

    def spend(self, key: Key) -> None:
        """Give the buffer of a block back at once, if the block was read and no call waits for it."""
        view = self._kept.pop(key, None)
        if view is not None:
            self._pool.give(view)

    def drop(self, content: Content) -> None:
        """Forget every block of *content*; those who waited for one must not look for it any more."""
        for key in [key for key in self._ahead if key[0] is content]:
            self.abandon(key)
        unread = sum(1 for key in self._stale if key[0] is content)
        self._stats.count("prefetch_unused_blocks", unread)
        for place in (self._kept, self._stale, self._pinned):
            for key in [key for key in place if key[0] is content]:
                self._pool.give(place.pop(key))
        for key in [key for key in self._pins if key[0] is content]:
            del self._pins[key]

    def _evict(self) -> None:
        if self._stale:
            view = self._stale.pop(next(iter(self._stale)))
            self._stats.count("prefetch_unused_blocks")
        else:
            _, view = self._kept.popitem()
        self._pool.give(view)
