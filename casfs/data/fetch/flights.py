"""Flights from the queue to their end: what calls wait for is sent first, prefetch uses what is left."""

import itertools
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from casfs.data.disk.leases import Lease
from casfs.data.fetch.flight import OVER, Flight, State
from casfs.data.fetch.keeper import Keeper
from casfs.data.fetch.lookups import Lookups, Missing
from casfs.data.fetch.queue import Queue
from casfs.data.fetch.shares import Shares
from casfs.data.memory.cache import BlockCache, Key
from casfs.data.memory.room import Room
from casfs.errors import CorruptDataError
from casfs.stats import Stats


class Assignment(NamedTuple):
    """A flight that a worker has, the room for its part, and whether it was sent as a prefetch."""

    flight: Flight
    room: Room
    is_ahead: bool


class Flights:
    """Every flight that is queued or sent, over all outputs.

    Args:
        cache: where blocks land, and the buffers come from.
        shares: who holds how many connections.
        connections: how many there are.
        spare: blocks of the memory that outputs which stall leave to the others.
        wake: called when there may be something to send that was not before.
        stats: counts what was prefetched.
        lookups: what is looked for on disk first, None where there is no cache on disk.
        keeper: told what the service has brought, None where nothing of it is kept on disk.

    Attributes:
        asked_ahead: blocks that were asked for ahead and have not arrived.
        in_flight: requests that workers are at.
        is_short: whether what would be sent next lacks room.
        is_stopped: whether nothing is to be asked for any more.

    Invariants: a block is in at most one flight, and then not in the cache. A flight is sent only once its room is
    reserved. As long as a call waits for room, no prefetch is sent. Prefetch never uses all the connections, nor does
    one output, unless there is only one. Those of outputs that stall leave some to the others, who go first.

    Threads: none of its own; the caller locks.
    """

    def __init__(  # noqa: PLR0913 - what it is made of, and two bounds
        self,
        cache: BlockCache[Flight],
        shares: Shares,
        *,
        connections: int,
        spare: int,
        wake: Callable[[], None],
        stats: Stats,
        lookups: Lookups | None = None,
        keeper: Keeper | None = None,
    ) -> None:
        self.asked_ahead = 0
        self.in_flight = 0
        self.is_short = False
        self.is_stopped = False
        self._cache = cache
        self._shares = shares
        self._ahead_limit = max(1, connections - 1)
        self._spare = spare
        self._wake = wake
        self._stats = stats
        self._lookups = lookups
        self._keeper = keeper
        self._flying: dict[Key, Flight] = {}
        self._queue = Queue()
        self._sent_ahead = 0
        stats.gauge("in_flight", lambda: self.in_flight)

    def bringing(self, key: Key) -> Flight | None:
        """Return the flight that brings a block, None where there is none."""
        return self._flying.get(key)

    def has(self, key: Key) -> bool:
        """Say whether a block is held, or on its way."""
        return key in self._cache or key in self._flying

    def ask(self, flight: Flight) -> None:
        """Queue a flight of blocks that are neither held nor on their way."""
        self._begin(flight)
        flight.is_for_disk = self._lookups is not None and flight.content.count > 0 and self._lookups.push(flight)
        if not flight.is_for_disk:
            self._push(flight)

    def hurry(self, flight: Flight) -> None:
        """Let a prefetch that is queued go before all other prefetch, since a call waits for it."""
        if self._lookups is not None and flight.is_for_disk:
            self._lookups.hurry(flight)
        elif self._queue.hurry(flight):
            self.stir()

    def drop_unwanted(self, flight: Flight) -> None:
        """Call a queued flight back that nobody wants any more; the worker of one that is sent sees it itself."""
        for heir in flight.heirs:
            self.drop_unwanted(heir)
        if flight.state is State.QUEUED and not flight.is_wanted:
            if self._lookups is not None and flight.is_for_disk:
                self._lookups.remove(flight)
            else:
                self._queue.remove(flight)
            self._end(flight, State.CALLED_BACK)

    def stop(self) -> list[Flight]:
        """End every flight, and let nothing be asked for any more; return them, for those who wait to be told."""
        self.is_stopped = True
        self._queue.clear()
        if self._lookups is not None:
            self._lookups.clear()
        flights = list(dict.fromkeys(self._flying.values()))
        for flight in flights:
            self._end(flight, State.FAILED)
        return flights

    def stir(self) -> None:
        """Have a worker look for work, if there may be some."""
        if self._queue.urgent or (self._queue.ahead and self._sent_ahead < self._ahead_limit):
            self._wake()
        if self._lookups is not None:
            self._lookups.stir()

    def send(self) -> Assignment | None:
        """Return what is to be sent now, and count it as sent; None while there is nothing, or no room for it."""
        flight = self._first(self._queue.urgent)
        is_ahead = flight is None and self._sent_ahead < self._ahead_limit
        if is_ahead:
            flight = self._first(self._queue.ahead)
        self.is_short = flight is not None and not self._reserve(flight)
        if flight is None or self.is_short:
            return None
        (self._queue.ahead if is_ahead else self._queue.urgent).remove(flight)
        flight.enter(State.SENT)
        self.in_flight += 1
        self._sent_ahead += is_ahead
        self._shares.sent(flight)
        self.stir()
        return Assignment(flight, Room(len(flight.part), self._cache.take), is_ahead)

    def disconnected(self, assignment: Assignment) -> None:
        """Count a connection no more, before its flight enters another state."""
        self.in_flight -= 1
        self._sent_ahead -= assignment.is_ahead
        self._shares.ended(assignment.flight)

    def requeue(self, flight: Flight, room: Room) -> None:
        """Have a flight that gave its connection up sent again."""
        self.give(room)
        flight.enter(State.QUEUED)
        self._push(flight)

    def fail(self, flight: Flight, room: Room | None) -> None:
        """End a flight that a worker has, if it has not ended, and put its room back, and what must not be served."""
        if flight.content.failure is not None:
            self._cache.drop(flight.content)
            if self._keeper is not None and isinstance(flight.content.failure, CorruptDataError):
                self._keeper.distrust(flight.content)
        self.give(room)
        if flight.state not in OVER:
            self._end(flight, State.FAILED)
        self.stir()

    def land(self, flight: Flight, room: Room) -> None:
        """End a flight whose blocks have come, and put them where they belong."""
        self._shares.recovered(flight.content)
        self._put(flight, room)
        if self._keeper is not None:
            self._keeper.keep(flight)
        self.stir()

    def pass_on(self, flight: Flight, room: Room | None, lease: Lease | None, again_s: float) -> None:
        """Have a flight sent of which nothing is on disk; without a lease, have it looked for again at *again_s*."""
        flight.content.is_on_disk = False
        self.give(room)
        flight.enter(State.QUEUED)
        self._route(flight, lease, again_s)
        self.drop_unwanted(flight)

    def land_found(self, flight: Flight, room: Room, missing: Sequence[Missing], again_s: float) -> None:
        """End a flight of which some was found on disk; what is missing of it goes on as ``pass_on`` has it."""
        flight.content.is_on_disk = not missing
        if missing:
            damaged = [index for index in room.taken if any(flight.part[index] in part for part, _ in missing)]
            self._cache.give([room.let_go(index) for index in damaged], 0)
        heirs = [flight.inherit(part) for part, _ in missing]
        self._put(flight, room)
        for heir, (_, lease) in zip(heirs, missing, strict=True):
            self._begin(heir)
            self._route(heir, lease, again_s)
        self.stir()

    def _put(self, flight: Flight, room: Room) -> None:
        """Put the blocks of a flight where they belong, and end it."""
        content = flight.content
        self._end(flight, State.LANDED)
        if not flight.for_reader:
            self._stats.count("prefetched_blocks", len(room.taken))
        # A probe may find that there is no block at all.
        surplus = [view for index, view in room.taken.items() if index >= content.count]
        self._cache.give(surplus, len(room) - len(room.taken))
        for index, view in room.taken.items():
            if index < content.count:
                self._place(flight, (content, flight.part[index]), view)

    def served(self, flight: Flight, block: int) -> None:
        """Let a call go on that waited for *block* of *flight*."""
        flight.waiting[block] -= 1
        if flight.state is State.LANDED and flight.brings(block):
            self._cache.unpin((flight.content, block))
            self.stir()

    def waiting(self) -> int:
        """Return how many flights of outputs that do not stall lack nothing but a connection, or memory."""
        ahead = itertools.islice(self._queue.ahead, max(0, self._ahead_limit - self._sent_ahead))
        waiting = itertools.chain(self._queue.urgent, ahead)
        shares = self._shares
        return sum(1 for flight in waiting if shares.may_send(flight) and not shares.is_stalling(flight.content))

    def send_instead(self, flight: Flight) -> None:
        """Have a flight sent that waited to be looked for."""
        flight.is_for_disk = False
        self._push(flight)

    def give(self, room: Room | None) -> None:
        """Put the room of a flight back, if it has any."""
        if room is not None:
            self._cache.give(room.taken.values(), len(room) - len(room.taken))

    def _begin(self, flight: Flight) -> None:
        self._flying.update(dict.fromkeys([(flight.content, block) for block in flight.part], flight))
        if not flight.for_reader:
            self.asked_ahead += len(flight.part)

    def _route(self, flight: Flight, lease: Lease | None, again_s: float) -> None:
        flight.lease = lease
        flight.is_for_disk = lease is None
        if self._lookups is not None and lease is None:
            self._lookups.push_later(flight, again_s)
        else:
            self._push(flight)

    def _push(self, flight: Flight) -> None:
        self._queue.push(flight)
        self.stir()

    def _first(self, queue: deque[Flight]) -> Flight | None:
        """Return the first flight that may be sent: one of an output that does not stall, if there is any."""
        stalling = None
        for flight in queue:
            if self._shares.may_send(flight):
                if not self._shares.is_stalling(flight.content):
                    return flight
                stalling = stalling or flight
        return stalling

    def _reserve(self, flight: Flight) -> bool:
        """Reserve room for a part; outputs that stall must not hold all the memory, no more than all connections."""
        blocks = len(flight.part)
        leave = min(self._spare, self._cache.capacity - blocks) if self._shares.is_stalling(flight.content) else 0
        return self._cache.reserve(blocks, leave)

    def _end(self, flight: Flight, state: State) -> None:
        flight.enter(state)
        if not flight.for_reader:
            self.asked_ahead -= len(flight.part)
        for block in flight.part:
            del self._flying[flight.content, block]
        if self._keeper is not None and state is not State.LANDED:
            self._keeper.forsake(flight)

    def _place(self, flight: Flight, key: Key, buffer: memoryview) -> None:
        if calls := flight.waiting.get(key[1]):
            self._cache.pin(key, buffer, calls)
        elif flight.is_wanted_ahead:
            self._cache.put_ahead(key, buffer, flight)
        elif flight.is_awaited:
            self._cache.keep(key, buffer)
        else:
            self._cache.put_stale(key, buffer)
