"""Blocks in memory: what may be evicted, in which order, and what may not."""

import itertools
from collections import OrderedDict
from collections.abc import Iterable
from enum import IntEnum, auto
from typing import Generic, TypeVar

from casfs.data.content import Content
from casfs.data.hashing.blocks import BLOCK_SIZE
from casfs.data.memory.pool import Pool
from casfs.stats import Stats

Key = tuple[Content, int]
Bringer = TypeVar("Bringer")
"""What brought a block ahead of its reader: the cache only hands it back."""


class Place(IntEnum):
    """Where a block is among the others. An int, whose hash is no call of Python, since every block is moved twice."""

    KEPT = auto()
    """It was read; of these, the one read longest ago is evicted first."""
    STALE = auto()
    """It was prefetched for a reader that is gone, and goes before all others; the first to come here goes first."""
    PASSED = auto()
    """It was read, will not be again, and is to be written to disk yet; it goes behind those that are stale."""
    AHEAD = auto()
    """It was prefetched for an open reader and not read yet; it stays."""
    PINNED = auto()
    """It landed for calls that wait for it and have not copied it yet; it stays."""


EVICTABLE = frozenset({Place.KEPT, Place.STALE, Place.PASSED})


class Slot(Generic[Bringer]):
    """One block that is held.

    Attributes:
        key: which block.
        buffer: its bytes.
        place: where it is.
        pins: calls that have not copied it yet.
        bringer: what brought it ahead of its reader, while it is there.
        is_owed: whether it is to be written to disk, and its turn has not come.
        is_lent: whether somebody reads its bytes without the lock.
        is_held: whether it is in the cache; one that is lent may not be any more.
    """

    __slots__ = ("bringer", "buffer", "is_held", "is_lent", "is_owed", "key", "pins", "place")

    def __init__(self, key: Key, buffer: memoryview, place: Place) -> None:
        self.key = key
        self.buffer = buffer
        self.place = place
        self.pins = 0
        self.bringer: Bringer | None = None
        self.is_owed = False
        self.is_lent = False
        self.is_held = True


class BlockCache(Generic[Bringer]):
    """At most *capacity* blocks, together with the buffers reserved for requests in flight.

    Invariants: a buffer is free, taken, lent, or the block of exactly one key. What is lent is not evicted.

    Threads: none of its own; the caller locks.
    """

    def __init__(self, capacity: int, stats: Stats) -> None:
        self.capacity = capacity
        self._pool = Pool(capacity)
        self._stats = stats
        self._slots: dict[Key, Slot[Bringer]] = {}
        self._lent: set[Slot[Bringer]] = set()
        # The slots of each place in the order in which they came there. No plain dict: its first is slow to find once
        # many that came first are gone.
        self._rows: dict[Place, OrderedDict[Slot[Bringer], None]] = {place: OrderedDict() for place in Place}
        self._kept = self._rows[Place.KEPT]
        self._stale = self._rows[Place.STALE]
        self._passed = self._rows[Place.PASSED]
        stats.gauge("blocks_cached", lambda: len(self))
        stats.gauge("cache_bytes", lambda: len(self) * BLOCK_SIZE)

    def __len__(self) -> int:
        """Return how many blocks are held."""
        return len(self._slots)

    def __contains__(self, key: Key) -> bool:
        return key in self._slots

    @property
    def ahead(self) -> int:
        """Blocks that were prefetched for an open reader and not read yet."""
        return len(self._rows[Place.AHEAD])

    def get(self, key: Key) -> memoryview | None:
        """Return the block for reading, None where it is not held. Valid until the caller unlocks."""
        slot = self._slots.get(key)
        if slot is None:
            return None
        if slot.place is Place.KEPT:
            self._kept.move_to_end(slot)
        elif slot.place is not Place.PINNED:
            self._move(slot, Place.KEPT)
        return slot.buffer

    def reserve(self, blocks: int, leave: int = 0) -> bool:
        """Set *blocks* buffers aside, evicting what may be; return False, and evict nothing, where it cannot be.

        Args:
            blocks: how many.
            leave: how many more there must be.
        """
        withheld = self._withheld() if self._lent else 0
        evictable = len(self._stale) + len(self._passed) + len(self._kept) - withheld
        if self._pool.free + evictable < blocks + leave:
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

    def keep(self, key: Key, buffer: memoryview) -> None:
        """Hold a block as the most recently used."""
        self._put(key, buffer, Place.KEPT)

    def pin(self, key: Key, buffer: memoryview, calls: int) -> None:
        """Hold a block until it was unpinned *calls* times."""
        self._put(key, buffer, Place.PINNED).pins = calls

    def unpin(self, key: Key) -> None:
        """Let one call go that waited for the block; after the last the block is kept."""
        slot = self._slots.get(key)
        if slot is None or not slot.pins:  # dropped meanwhile, with all of its output
            return
        slot.pins -= 1
        if not slot.pins:
            self._move(slot, Place.KEPT)

    def put_ahead(self, key: Key, buffer: memoryview, bringer: Bringer) -> None:
        """Hold a prefetched block that *bringer* brought until it is read, or abandoned."""
        self._put(key, buffer, Place.AHEAD).bringer = bringer

    def brought_ahead(self, key: Key) -> Bringer | None:
        """Return what brought a prefetched block, None where it was read or abandoned since."""
        slot = self._slots.get(key)
        return None if slot is None else slot.bringer

    def put_stale(self, key: Key, buffer: memoryview) -> None:
        """Hold a prefetched block that nobody wants any more until something else wants its buffer."""
        self._put(key, buffer, Place.STALE)

    def abandon(self, key: Key) -> None:
        """Let a prefetched block go first, if it was not read yet."""
        slot = self._slots.get(key)
        if slot is not None and slot.place is Place.AHEAD:
            self._move(slot, Place.STALE)

    def spend(self, key: Key) -> None:
        """Give the buffer of a block back once it is written, if the block was read and no call waits for it."""
        slot = self._slots.get(key)
        if slot is None or slot.place is not Place.KEPT:
            return
        if slot.is_owed:
            self._move(slot, Place.PASSED)
        else:
            self._remove(slot)

    def owe(self, key: Key) -> None:
        """Note that a block is to be written, if it is held."""
        slot = self._slots.get(key)
        if slot is not None:
            slot.is_owed = True

    def settled(self, content: Content) -> list[int]:
        """Return which blocks of *content* are held and are not about to be written to disk, in order."""
        known = range(content.count) if content.size else range(0)
        if len(known) > len(self._slots):
            held = sorted(block for of, block in self._slots if of is content)
        else:
            held = [block for block in known if (content, block) in self._slots]
        slots = ((block, self._slots[content, block]) for block in held)
        return [block for block, slot in slots if not (slot.is_owed or slot.is_lent)]

    def drop(self, content: Content) -> None:
        """Forget every block of *content*; those who waited for one must not look for it any more."""
        for slot in [slot for slot in self._slots.values() if slot.key[0] is content]:
            self._remove(slot)

    def lend(self, key: Key) -> Slot[Bringer] | None:
        """Return a block to be read without the lock, None where it is not held; to be taken back once, soon."""
        slot = self._slots.get(key)
        if slot is not None:
            slot.is_owed, slot.is_lent = False, True
            self._lent.add(slot)
        return slot

    def take_back(self, slot: Slot[Bringer]) -> None:
        """Take back a block that was lent."""
        slot.is_lent = False
        self._lent.remove(slot)
        if not slot.is_held:
            self._pool.give(slot.buffer)
        elif slot.place is Place.PASSED:
            self._remove(slot)

    def _withheld(self) -> int:
        """Return how many blocks could be evicted, but are lent."""
        return sum(1 for slot in self._lent if slot.is_held and slot.place in EVICTABLE)

    def _put(self, key: Key, buffer: memoryview, place: Place) -> Slot[Bringer]:
        slot = self._slots[key] = Slot(key, buffer, place)
        self._rows[place][slot] = None
        return slot

    def _move(self, slot: Slot[Bringer], place: Place) -> None:
        del self._rows[slot.place][slot]
        slot.place = place
        slot.bringer = None  # no longer ahead of anybody: as with a stale one, what counts is whether it was read
        self._rows[place][slot] = None

    def _remove(self, slot: Slot[Bringer]) -> None:
        if slot.place in (Place.AHEAD, Place.STALE):
            self._stats.count("prefetch_unused_blocks")
        del self._rows[slot.place][slot]
        del self._slots[slot.key]
        slot.is_held = False
        if not slot.is_lent:
            self._pool.give(slot.buffer)

    def _evict(self) -> None:
        self._remove(next(slot for slot in itertools.chain(self._stale, self._passed, self._kept) if not slot.is_lent))
