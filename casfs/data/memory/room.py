"""Room for one part: reserved as a whole, and filled with buffers as the bytes come."""

from collections.abc import Callable


class Room:
    """Memory that is reserved for the blocks of a part.

    A buffer is taken when its block begins to come, not when the part is asked for: of 4 MiB that take 70 ms, behind
    30 ms of nothing, most would lie untouched for long, while the parts that come need others, which the kernel has to
    zero first. Source: measured 2026-11-20, see docs/benchmarks.md.

    Args:
        blocks: how many.
        take: gives a buffer of one block, out of those reserved.

    Attributes:
        taken: the buffers that were taken, by index.

    Threads: one at a time; *take* needs no lock.
    """

    def __init__(self, blocks: int, take: Callable[[], memoryview]) -> None:
        self._blocks = blocks
        self._take = take
        self.taken: dict[int, memoryview] = {}

    def __len__(self) -> int:
        """Return how many blocks there is room for."""
        return self._blocks

    def let_go(self, index: int) -> memoryview:
        """Return the buffer of one block, which there is no more room for."""
        self._blocks -= 1
        return self.taken.pop(index)

    def __getitem__(self, index: int) -> memoryview:
        """Return the buffer of one block, the same one each time."""
        if index not in self.taken:
            self.taken[index] = self._take()
        return self.taken[index]
