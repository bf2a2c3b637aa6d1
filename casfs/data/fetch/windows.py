"""What is asked for ahead of readers: a hint, dropped where there is no room, called back when not wanted."""

import itertools
from collections import deque
from typing import Protocol

from casfs.data.content import Content
from casfs.data.fetch import parts
from casfs.data.fetch.budget import Budget
from casfs.data.fetch.flight import Flight, State
from casfs.data.fetch.flights import Flights
from casfs.data.fetch.window import Window
from casfs.data.memory.cache import BlockCache

DISK_WINDOW_BLOCKS = 32
"""How far one handle runs ahead of what is on disk: work for every thread that reads there, in memory that is still in
the processor's cache when it is served. Source: measured 2026-11-27, 512 MiB read back without a kernel: 2.2 GB/s and
0.73 s of processor a GB from 32 and from 64 blocks, 1.7 and 0.88 from 16, 1.9 and 0.84 from 128."""

DISK_PART_BLOCKS = 4
"""Blocks that are read from disk and hashed at a time: as many as most processors hash side by side."""


class Holder(Protocol):
    """Who holds blocks that were asked for ahead.

    Threads: none of its own; called within the steps of the monitor. ``read_s`` any.
    """

    @property
    def read_s(self) -> float:
        """When what they are held for was read last."""
        ...

    def release(self, windows: "Windows") -> None:
        """Give up what was asked for and not read."""
        ...


class Lookahead(Holder, Protocol):
    """Who knows what the reader of one open output will want next.

    Threads: as ``Holder``; ``position`` any, and ``prepare`` that of the read, without the lock.
    """

    @property
    def position(self) -> int:
        """One past the furthest byte of the sequence that was read last; 0 before the first read."""
        ...

    def prepare(self, start: int) -> None:
        """Take note that a read from the byte *start* on begins."""
        ...

    def observe(self, windows: "Windows", start: int, stop: int, now_s: float, *, waited: bool) -> None:
        """Take note of a read of the bytes ``range(start, stop)`` at *now_s*, and ask for what it makes likely.

        Args:
            windows: where to ask; not to be kept.
            start: first byte.
            stop: one past the last byte.
            now_s: when the read began.
            waited: whether some of it was not there.
        """
        ...


class Windows:
    """What all windows want, and how far each may run ahead.

    Args:
        cache: what is held.
        flights: what is on its way.
        budget: what prefetch may have.

    Invariants: no block that is held or on its way is asked for. A flight that another window wants too is not called
    back with this one.

    Threads: none of its own; the caller locks.
    """

    def __init__(self, cache: BlockCache[Flight], flights: Flights, budget: Budget[Holder]) -> None:
        self._cache = cache
        self._flights = flights
        self._budget = budget
        self._windows: dict[Window, deque[Flight]] = {}

    def share(self, content: Content, now_s: float) -> int:
        """Return how many blocks a handle of *content* may run ahead, at least 1."""
        share = self._budget.share(now_s)
        return min(share, DISK_WINDOW_BLOCKS) if content.is_on_disk else share

    def width(self, content: Content, window: int, distance: int) -> int:
        """Return how many blocks a part shall have that begins *distance* ahead of its reader: a power of two."""
        if content.is_on_disk:
            return parts.floor(max(1, min(DISK_PART_BLOCKS, window // parts.MIN_PARTS_PER_WINDOW)))
        return self._budget.width(window, distance)

    def is_soon_enough(self, part: range) -> bool:
        """Say whether *part* would arrive soon enough behind what was asked for before."""
        return self._budget.is_soon_enough(len(part), self._flights.asked_ahead)

    def join(self, handle: Holder) -> None:
        """Count *handle* among those that hold prefetched blocks; it may be counted already."""
        self._budget.join(handle)

    def leave(self, handle: Holder) -> None:
        """Count *handle* no more, if it was counted."""
        self._budget.leave(handle)

    def is_open(self, window: Window) -> bool:
        """Say whether *window* ever had a part, and was not let go since."""
        return window in self._windows

    def claim(self, window: Window, block: int) -> int | None:
        """Have *window* want the part that brings *block*, or brought it and was not read.

        Returns:
            One past the blocks from *block* on that need not be asked for; None where it must be.
        """
        key = (window.content, block)
        flight = self._flights.bringing(key) or self._cache.brought_ahead(key)
        if flight is None:
            return block + 1 if key in self._cache else None
        self._own(window, flight)
        return flight.part.stop

    def next_part(self, window: Window, run: range, width: int) -> range:
        """Return the first part of *run*, which ends before the first block that is there.

        Args:
            window: whose.
            run: of which the first block is neither held nor on its way.
            width: blocks that it may have.
        """
        missing = itertools.takewhile(lambda block: not self._flights.has((window.content, block)), run)
        gap = range(run.start, run.start + sum(1 for _ in missing))
        return next(parts.cut(gap, window.content.count, width))

    def ask(self, window: Window, part: range, now_s: float) -> bool:
        """Ask for a part, none of it held or on its way; return False where there is no room.

        Who was not read for long gives up what it holds.
        """
        flight = self._offer(window, part)
        if flight is None and (idle := self._budget.idle(now_s)) is not None:
            idle.release(self)
            flight = self._offer(window, part)
        if flight is None:
            return False
        self._own(window, flight)
        self._flights.ask(flight)
        return True

    def let_pass(self, window: Window, block: int) -> None:
        """Let *window* go on behind the parts that end before *block*, since its reader has read them.

        Of an output that does not fit the memory, no block that was read in sequence would be there any more when
        a second reader comes to it: its buffer is used again at once. So a long copy needs the memory of its window
        and no more, and drives out nothing that others read.
        Source: measured 2026-11-20, 512 MiB cold: 1.25 s of processor a GB where untouched memory took 1.6.
        """
        flights = self._windows.get(window)
        while flights and flights[0].part.stop <= block:
            flight = flights.popleft()
            self._disown(window, flight)
            if not flight.windows and window.content.count > self._cache.capacity:
                for passed in flight.part:
                    self._cache.spend((window.content, passed))
                self._flights.stir()

    def close(self, window: Window) -> None:
        """Let *window* go; what no other wants is called back, or evicted first."""
        for flight in self._windows.pop(window, ()):
            self._disown(window, flight)

    def _offer(self, window: Window, part: range) -> Flight | None:
        content = window.content
        if self._flights.is_stopped or content.gone is not None or content.failure is not None:
            return None
        if not self._budget.has_room(len(part), self._flights.asked_ahead + self._cache.ahead):
            return None
        return Flight(content, part, None)

    def _own(self, window: Window, flight: Flight) -> None:
        flights = self._windows.setdefault(window, deque())
        if not flights or flights[-1] is not flight:
            flight.windows.add(window)
            flights.append(flight)

    def _disown(self, window: Window, flight: Flight) -> None:
        flight.windows.discard(window)
        if flight.windows:
            return
        if flight.state is State.LANDED:
            for block in flight.part:
                self._cache.abandon((flight.content, block))
            self._flights.stir()
        self._flights.drop_unwanted(flight)
