"""An output read until the cache has all of it, by a disk that is slower than the network."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from casfs.cache.filling import AHEAD_BYTES, PASSES, SETTLE_S, Filling
from casfs.cache.target import Holding

MIB = 1 << 20


@dataclass
class Disk:
    """A cache of an output of *count* MiB that takes *rate* blocks a second, and drops what is far behind."""

    count: int
    rate: float
    memory: int = AHEAD_BYTES // MIB * 2
    now_s: float = 0.0
    held: set[int] = field(default_factory=set)
    waiting: list[int] = field(default_factory=list)
    dropped: int = 0
    reads: int = 0
    is_failing: bool = False

    def read(self) -> Iterator[int]:
        """Bring blocks in no time at all; those that are held come from the disk."""
        self.reads += 1
        for block in range(self.count):
            if block not in self.held:
                self.waiting.append(block)
            if len(self.waiting) > self.memory:
                self.dropped += 1
                self.waiting.pop(0)
            yield MIB
            self.now_s += 0.001
            self._write(0.001)

    def look(self) -> Holding:
        held = f"{len(self.held)}/{self.count}" if self.held else "none"
        return Holding("whole" if len(self.held) == self.count else held, "whole", self.is_failing)

    def pause(self, seconds: float) -> None:
        self.now_s += seconds
        self._write(seconds)

    def clock(self) -> float:
        return self.now_s

    def filling(self) -> Filling:
        return Filling(self.count * MIB, self.read, self.look, self.pause, self.clock)

    def _write(self, seconds: float) -> None:
        self._owed = getattr(self, "_owed", 0.0) + seconds * self.rate
        while self._owed >= 1 and self.waiting:
            self.held.add(self.waiting.pop(0))
            self._owed -= 1


def test_a_disk_that_is_slower_than_the_network_keeps_all_and_drops_nothing() -> None:
    disk = Disk(1000, rate=20)
    filling = disk.filling()
    assert sum(filling.steps()) == 1000 * MIB
    assert (filling.holding.is_done, disk.dropped, disk.reads) == (True, 0, 1)


def test_what_was_dropped_is_read_again_and_counted_once() -> None:
    disk = Disk(1000, rate=200, memory=20)
    filling = disk.filling()
    assert sum(filling.steps()) == 1000 * MIB
    assert disk.dropped > 0
    assert 1 < disk.reads <= PASSES


def test_a_disk_that_takes_nothing_is_given_up_after_a_while() -> None:
    disk = Disk(1000, rate=0)
    filling = disk.filling()
    assert AHEAD_BYTES <= sum(filling.steps()) < 2 * AHEAD_BYTES, "the rest would come in vain"
    assert (filling.holding.is_done, disk.reads) == (False, 1)
    assert SETTLE_S <= disk.now_s < 2 * SETTLE_S


@pytest.mark.parametrize("count", [30, 1000])
def test_a_disk_that_says_that_it_fails_is_not_waited_for(count: int) -> None:
    disk = Disk(count, rate=0, is_failing=True)
    filling = disk.filling()
    assert sum(filling.steps()) <= 2 * AHEAD_BYTES
    assert (filling.holding.is_done, disk.reads, disk.now_s < 1) == (False, 1, True)


def test_what_is_there_already_is_read_without_a_wait() -> None:
    disk = Disk(100, rate=0, held=set(range(100)))
    filling = disk.filling()
    assert sum(filling.steps()) == 100 * MIB
    assert (filling.holding.is_done, disk.reads, disk.now_s < 1) == (True, 1, True)
