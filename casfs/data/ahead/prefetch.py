"""Asks for blocks before their reader does: a hint, dropped where there is no room, called back when not wanted."""

import itertools
from collections import deque

from casfs.data.ahead.readahead import BACK, ReadAhead, Stream
from casfs.data.content import Content
from casfs.data.fetch import parts
from casfs.data.fetch.budget import Budget
from casfs.data.fetch.flight import Flight
from casfs.data.fetch.monitor import Monitor


class Prefetch:
    """The windows of one open output, turned into parts.

    Attributes:
        read_s: when its reader read last.

    Invariants: no block that is held or on its way is asked for. A flight that another window wants too is not called
    back with this one.

    Threads: none of its own; the caller holds the lock of the monitor.
    """

    def __init__(self, content: Content, monitor: Monitor, budget: Budget) -> None:
        self.read_s = 0.0
        self._content = content
        self._monitor = monitor
        self._budget = budget
        self._readahead = ReadAhead(budget.limit)
        self._windows: dict[Stream, deque[Flight]] = {}

    def observe(self, start: int, stop: int, now_s: float, *, waited: bool) -> None:
        """Take note of a read of the bytes ``range(start, stop)`` at *now_s*, and ask for what it makes likely."""
        self.read_s = now_s
        if not waited and self._readahead.is_inside(start, stop):
            return
        stream, dropped = self._readahead.observe(start, stop, waited=waited)
        if dropped is not None:
            self._drop(dropped)
        if not stream.window:
            return
        width = self._budget.width(stream.window, stream.window)  # of the part that comes last, and waits for its room
        if stream.due(self._content.count, stream.window, width):
            share = self._budget.share(self.read_s)
            self._extend(stream, stream.due(self._content.count, share, width))

    def release(self) -> None:
        """Call everything back that only this reader wanted; its sequences are to be recognised anew."""
        for stream in list(self._windows):
            self._drop(stream)
        self._readahead.forget()

    def _extend(self, stream: Stream, run: range) -> None:
        self._pass(stream)
        while stream.ahead < run.stop:
            key = (self._content, stream.ahead)
            flight = self._monitor.flying(key) or self._monitor.cache.brought_ahead(key)
            if flight is None and key in self._monitor.cache:
                stream.ahead += 1
                continue
            if flight is None:
                flight = self._ask(stream, run.stop)
            if flight is None:
                return
            self._own(stream, flight)
            stream.ahead = flight.part.stop

    def _own(self, stream: Stream, flight: Flight) -> None:
        window = self._windows.setdefault(stream, deque())
        if not window or window[-1] is not flight:
            flight.owners.add(stream)
            window.append(flight)
        self._budget.join(self)

    def _ask(self, stream: Stream, stop: int) -> Flight | None:
        """Ask for the next part, which ends before *stop* and before the first block that is there."""
        width = self._budget.width(stream.window, stream.ahead - stream.head)
        run = range(stream.ahead, min(stream.ahead + width, stop))
        missing = itertools.takewhile(lambda block: not self._monitor.has((self._content, block)), run)
        part = next(parts.cut(range(run.start, run.start + sum(1 for _ in missing)), self._content.count, width))
        if not self._budget.is_soon_enough(len(part)):
            return None
        flight = self._monitor.offer(self._content, part, stream)
        if flight is None and self._budget.reclaim(self.read_s):
            flight = self._monitor.offer(self._content, part, stream)
        if flight is None:
            stream.press()
        return flight

    def _pass(self, stream: Stream) -> None:
        window = self._windows.get(stream)
        while window and window[0].part.stop <= stream.head - BACK:
            self._monitor.passed(window.popleft(), stream)

    def _drop(self, stream: Stream) -> None:
        for flight in self._windows.pop(stream, ()):
            self._monitor.disown(flight, stream)
        if not self._windows:
            self._budget.leave(self)
