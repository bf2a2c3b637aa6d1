"""What has come from the service and is to be kept on disk, as long as it is in memory."""

from collections import deque
from typing import NamedTuple

from casfs.data.content import Content
from casfs.data.disk.leases import Lease
from casfs.data.fetch.flight import Flight
from casfs.data.memory.cache import BlockCache, Slot
from casfs.stats import Stats

MAX_BATCH_BLOCKS = 32
"""Blocks that are written at once, for one sync: a sync takes some milliseconds whatever there is to be synced. As long
as they are written they are not evicted, so that they are an eighth of the memory at most."""
MAX_BATCH_SHARE = 1 / 8

MAX_PARTS = 256
"""Parts that wait: each has a descriptor, which tells other processes that it will be on disk."""

STRETCH_BLOCKS = 1024
"""Blocks of one batch are no further apart: what is written is compared with what is there between them."""


class Part(NamedTuple):
    """Blocks that have come, and the lease that ends once they are on disk."""

    content: Content
    blocks: range
    lease: Lease | None

    def split(self, count: int) -> "tuple[Part | None, Part | None]":
        """Return its first *count* blocks, and the others, with which the lease goes; None for what is empty."""
        if count >= len(self.blocks):
            return self, None
        return (self._replace(blocks=self.blocks[:count], lease=None) if count else None), self._replace(
            blocks=self.blocks[count:]
        )


class Batch(NamedTuple):
    """Parts of one content that are written at once, and their blocks that are in memory still, in order."""

    content: Content
    parts: list[Part]
    slots: list[Slot[Flight]]


class Backlog:
    """Parts in the order in which they came; what is in memory no more when its turn comes is skipped.

    What waits stays in memory longer than it would, and gives way to all that is wanted: a disk that is slower than the
    network is given less.

    Args:
        cache: where their blocks are.
        stats: counts what is skipped.

    Threads: none of its own; the caller locks.
    """

    def __init__(self, cache: BlockCache[Flight], stats: Stats) -> None:
        self._cache = cache
        self._stats = stats
        self._parts: deque[Part] = deque()
        self._blocks = 0
        self._max_batch = min(MAX_BATCH_BLOCKS, max(int(cache.capacity * MAX_BATCH_SHARE), min(1, cache.capacity - 1)))

    def __len__(self) -> int:
        """Return how many parts wait."""
        return len(self._parts)

    def add(self, part: Part) -> list[Part]:
        """Have a part kept; return those that will not be, since there are too many."""
        self._parts.append(part)
        self._blocks += len(part.blocks)
        for block in part.blocks:
            self._cache.owe((part.content, block))
        skipped = []
        while self._parts and (self._is_too_long or not self._max_batch):
            skipped.append(self._parts.popleft())
            self._blocks -= len(skipped[-1].blocks)
        self._stats.count("disk_blocks_skipped", sum(len(one.blocks) for one in skipped))
        return skipped

    def next(self) -> Batch | None:
        """Return what is to be written now, lent from the cache; None where nothing waits."""
        if not self._parts:
            return None
        content, stretch = self._parts[0].content, self._parts[0].blocks.start // STRETCH_BLOCKS
        chosen, left, room = [], deque[Part](), self._max_batch
        for part in self._parts:
            is_near = part.content is content and part.blocks.start // STRETCH_BLOCKS == stretch
            now, later = part.split(room if is_near else 0)
            room -= len(now.blocks) if now else 0
            chosen += [now] if now else []
            left += [later] if later else []
        self._parts = left
        return Batch(content, chosen, self._lent(content, chosen))

    def drop(self, content: Content) -> list[Part]:
        """Keep nothing of *content* that waits; return it."""
        dropped = [part for part in self._parts if part.content is content]
        self._parts = deque(part for part in self._parts if part.content is not content)
        self._blocks -= sum(len(part.blocks) for part in dropped)
        return dropped

    @property
    def _is_too_long(self) -> bool:
        return self._blocks > self._cache.capacity or len(self._parts) > MAX_PARTS

    def _lent(self, content: Content, chosen: list[Part]) -> list[Slot[Flight]]:
        wanted = sorted(block for part in chosen for block in part.blocks)
        self._blocks -= len(wanted)
        lent = [slot for block in wanted if (slot := self._cache.lend((content, block))) is not None]
        self._stats.count("disk_blocks_skipped", len(wanted) - len(lent))
        return lent
