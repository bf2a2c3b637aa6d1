"""Buffers of one block each, made once and filled in place for ever after.

Fresh 1 MiB objects made the process four times as large as its bound: glibc raises its mmap threshold and keeps what
is freed. Source: measured 2026-11-20, as is the rest of this module.
"""

import mmap
import threading
from collections.abc import Iterator

from casfs.data.hashing.blocks import BLOCK_SIZE

SLAB_BLOCKS = 256
"""Blocks mapped at once: no memory is used before it is touched. To map while others touch waits for them, with the
interpreter held: 4 % of the time in which a cold read held it, with 32 MiB at once."""


class Pool:
    """At most *capacity* buffers, ever.

    Invariants: a buffer belongs to whoever took it until it is given back; no more are taken than were reserved. Those
    given back are handed out before untouched ones, the latest first: their pages are there, and may still be in the
    processor's cache.

    Threads: ``take`` may be called from any; for the rest the caller locks.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._mapped = 0
        self._free: list[memoryview] = []
        self._mapping = threading.Lock()
        self._reserved = 0

    @property
    def free(self) -> int:
        """Buffers that can still be reserved."""
        return self.capacity - self._reserved

    def reserve(self, blocks: int) -> None:
        """Set *blocks* buffers aside, ``free`` at most: whoever did may take as many, at any time."""
        self._reserved += blocks

    def take(self) -> memoryview:
        """Return a buffer of one block, of those reserved; what it holds is undefined. Threads: any, without a lock."""
        while True:
            try:
                return self._free.pop()
            except IndexError:
                self._map()

    def give(self, buffer: memoryview) -> None:
        """Take a buffer back, and its reservation; nobody may hold a view of it any more."""
        self._reserved -= 1
        self._free.append(buffer)

    def release(self, blocks: int) -> None:
        """Take back the reservation of *blocks* buffers that were not taken."""
        self._reserved -= blocks

    def _map(self) -> None:
        with self._mapping:
            if not self._free and self._mapped < self.capacity:
                self._free.extend(self._slab(min(SLAB_BLOCKS, self.capacity - self._mapped)))

    def _slab(self, blocks: int) -> Iterator[memoryview]:
        """Return *blocks* buffers, or half as many, and so on, where a limit lets no more address space be had."""
        try:
            # MAP_PRIVATE: the default is shared memory, which took twice as long to touch.
            slab = mmap.mmap(-1, blocks * BLOCK_SIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        except OSError:
            if blocks == 1:
                raise
            return self._slab(blocks // 2)
        # No MADV_HUGEPAGE: each page is touched first once in the life of a mount, and where a virtual machine has
        # reported its free memory to its host, 128 MiB of huge ones took 10 to 330 ms, of small ones 52.
        whole = memoryview(slab)
        self._mapped += blocks
        return (whole[i * BLOCK_SIZE : (i + 1) * BLOCK_SIZE] for i in reversed(range(blocks)))
