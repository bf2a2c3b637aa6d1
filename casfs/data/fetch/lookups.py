"""Flights that are looked for on disk, before the service is asked: which is next, and where it goes then."""

import itertools
from collections.abc import Callable
from typing import NamedTuple

from casfs.data.disk.leases import Lease
from casfs.data.fetch.flight import Flight, State
from casfs.data.fetch.queue import Queue
from casfs.data.memory.cache import BlockCache
from casfs.data.memory.room import Room


class Lookup(NamedTuple):
    """A flight that a disk worker has, and the room for its part: None until something of it was found."""

    flight: Flight
    room: Room | None


class Missing(NamedTuple):
    """Blocks that are not on disk, and the lease to download them: None where another process downloads some."""

    part: range
    lease: Lease | None


class Lookups:
    """Every flight that is to be looked for on disk, or that another process downloads.

    Args:
        cache: where blocks land, and the buffers come from.
        limit_ahead: workers that may be at what was asked for ahead.
        wake: called when there may be something to look for that was not before; returns whether anybody will.

    Threads: none of its own; the caller locks.
    """

    def __init__(self, cache: BlockCache[Flight], limit_ahead: int, wake: Callable[[], bool]) -> None:
        self._cache = cache
        self._limit_ahead = limit_ahead
        self._wake = wake
        self._queue = Queue()
        self._later: dict[Flight, float] = {}
        self._has_room_to_find: set[Flight] = set()
        self._reading_ahead: set[Flight] = set()

    def push(self, flight: Flight) -> bool:
        """Have a flight looked for; return False where there is no thread that could."""
        if not self._wake():
            return False
        self._queue.push(flight)
        return True

    def push_found(self, flight: Flight) -> None:
        """Have a flight looked for once there is room for it."""
        self._has_room_to_find.add(flight)
        self._queue.push(flight)

    def push_later(self, flight: Flight, at_s: float) -> None:
        """Have a flight looked for again at a time: another process downloads it."""
        self._later[flight] = at_s
        self._wake()

    def hurry(self, flight: Flight) -> None:
        """Let a flight that a call waits for now go before what was asked for ahead."""
        if flight not in self._later and self._queue.hurry(flight):
            self._wake()

    def remove(self, flight: Flight) -> None:
        """Look for a flight no more."""
        self._has_room_to_find.discard(flight)
        if self._later.pop(flight, None) is None:
            self._queue.remove(flight)

    def clear(self) -> None:
        """Look for none any more."""
        self._queue.clear()
        self._later.clear()
        self._has_room_to_find.clear()

    def take_all(self) -> list[Flight]:
        """Look for none any more; return those that waited."""
        waiting = [*self._queue.urgent, *self._queue.ahead, *self._later]
        self.clear()
        return waiting

    def stir(self) -> None:
        """Have a worker look whether there is room now."""
        if self._has_room_to_find:
            self._wake()

    def next(self, now_s: float) -> Lookup | None:
        """Return what is to be looked for now; None while there is nothing, or no room for it."""
        for flight in [flight for flight, at_s in self._later.items() if at_s <= now_s]:
            del self._later[flight]
            self._queue.push(flight)
        urgent = next(filter(self._has_room, self._queue.urgent), None)
        if urgent is not None:
            return self._taken(urgent)
        if self._queue.urgent or len(self._reading_ahead) >= self._limit_ahead:
            return None  # as long as a call waits for room, prefetch takes none
        ahead = next(filter(self._has_room, itertools.islice(self._queue.ahead, 1)), None)
        if ahead is None:
            return None
        self._reading_ahead.add(ahead)
        return self._taken(ahead)

    @property
    def is_more(self) -> bool:
        """Whether another worker may find something to look for now."""
        return bool(self._queue.urgent) or (bool(self._queue.ahead) and len(self._reading_ahead) < self._limit_ahead)

    def wait_s(self, now_s: float) -> float | None:
        """Return how long there is nothing to look for again; None for as long as nothing comes."""
        return max(0.0, min(self._later.values()) - now_s) if self._later else None

    def room(self, flight: Flight) -> Room | None:
        """Return room for the blocks of a flight, None where there is none now."""
        blocks = len(flight.part)
        return Room(blocks, self._cache.take) if self._cache.reserve(blocks) else None

    def done(self, flight: Flight) -> None:
        """Count a worker as free that had a flight."""
        self._reading_ahead.discard(flight)

    def _has_room(self, flight: Flight) -> bool:
        return flight not in self._has_room_to_find or self._cache.reserve(len(flight.part))

    def _taken(self, flight: Flight) -> Lookup:
        self._queue.remove(flight)
        flight.enter(State.LOOKED_FOR)
        is_found = flight in self._has_room_to_find
        self._has_room_to_find.discard(flight)
        return Lookup(flight, Room(len(flight.part), self._cache.take) if is_found else None)
