"""Parts on their way: each block is asked for once, however many calls and readers want it.

One lock guards the cache, the flights and the queues together, since every question spans them ("held, on its way,
or still to be asked for?"). It is held for look-ups and for the copy of a block into the caller's memory, 0.1 ms in
which the interpreter is free for other threads, and never for I/O.
"""

import logging
import threading
from collections.abc import Callable
from functools import partial

from casfs.data.content import Content
from casfs.data.fetch import parts
from casfs.data.fetch.budget import Budget
from casfs.data.fetch.fetcher import Fetcher
from casfs.data.fetch.flight import Flight
from casfs.data.fetch.workers import Workers
from casfs.data.hashing.blocks import BLOCK_SIZE
from casfs.data.memory.cache import BlockCache, Key
from casfs.data.memory.room import Room
from casfs.data.settings import DataSettings
from casfs.data.source import Watch
from casfs.errors import CasfsError, GoneError, InterruptedCallError, SizeChangedError
from casfs.models import Output
from casfs.stats import Stats
from casfs.waiting import Clock, Deadline

log = logging.getLogger(__name__)

SPARE = 1 / 4
"""Share of the memory that prefetch never takes, one block at least: a waiting read always finds a buffer there, and
what many readers have read and share is not all driven out by one that runs ahead."""

STOP_TIMEOUT_S = 1.0
"""How long stop() waits for each worker that hangs in a socket; they are daemons and cannot hold up the exit."""


class Monitor:
    """Every block that is held or on its way, over all outputs.

    Invariants: a block is in the cache, or in exactly one flight, or neither. Buffers of cache and flights together
    never exceed the cache's capacity.

    Attributes:
        most: blocks that one call may ask for at once.
        budget: what prefetch may have.

    Threads: methods marked so want ``lock`` held; the others must not have it.
    """

    def __init__(  # noqa: PLR0913 - what it is made of, and whom it tells
        self,
        fetcher: Fetcher,
        settings: DataSettings,
        stats: Stats,
        clock: Clock,
        *,
        on_gone: Callable[[Output], None],
        on_wrong: Callable[[Output], None],
    ) -> None:
        capacity = max(1, settings.block_cache_bytes // BLOCK_SIZE)
        self.lock = threading.Lock()
        self._capacity = capacity
        self.cache: BlockCache[Flight] = BlockCache(capacity, stats)
        self.most = max(1, int(capacity * SPARE))
        limit = settings.read_ahead_bytes // BLOCK_SIZE
        self.budget = Budget(capacity - self.most, limit, settings.connections, settings.read_timeout_s)
        self._fetcher = fetcher
        self._timeout_s = settings.read_timeout_s
        self._stats = stats
        self._clock = clock
        self._on_gone = on_gone
        self._on_wrong = on_wrong
        self._workers = Workers(self.lock, settings.connections, self._reserve, self._run, clock)
        self._flying: dict[Key, Flight] = {}
        self._is_stopped = False
        stats.gauge("blocks_cached", lambda: len(self.cache))
        stats.gauge("cache_bytes", lambda: len(self.cache) * BLOCK_SIZE)
        stats.gauge("in_flight", lambda: self._workers.in_flight)

    def start(self) -> None:
        """Begin one thread, which the first flight does otherwise: after the fork."""
        self._workers.start()

    def stop(self) -> None:
        """Fail every flight at once, so that all who wait wake up, and end the threads."""
        with self.lock:
            self._is_stopped = True
            over = [flight for flight in set(self._flying.values()) if self._end(flight)]
        for flight in over:
            flight.future.set_exception(InterruptedCallError(f"{flight.content.name}: the file system is stopping"))
        self._workers.stop(STOP_TIMEOUT_S)

    def flying(self, key: Key) -> Flight | None:
        """Return the flight that brings a block, None where there is none. Lock held."""
        return self._flying.get(key)

    def ask(self, content: Content, run: range, deadline: Deadline) -> list[Flight]:
        """Ask for blocks that a call waits for, none of them held or flying. Lock held.

        Returns:
            The flights, in order: as few as there are nodes in *run*. The caller is one of their ``readers``.
        """
        if self._is_stopped:
            raise InterruptedCallError(f"{content.name}: the file system has stopped")
        if content.gone is not None:
            raise content.gone.with_traceback(None)
        flights = [
            Flight(content, part, deadline)
            for part in parts.cut(run, max(content.count, run.stop), min(parts.LARGEST, self.most))
        ]
        for flight in flights:
            flight.readers = 1
            self._send(flight)
        return flights

    def probe(self, content: Content, deadline: Deadline) -> tuple[Flight, bool]:
        """Ask how long *content* is, and for its first block; the caller is a reader of the flight. Lock held.

        Returns:
            The flight, and whether it was started by this call.
        """
        flight = self._flying.get((content, 0))
        if flight is None:
            return self.ask(content, range(1), deadline)[0], True
        flight.readers += 1
        return flight, False

    def has(self, key: Key) -> bool:
        """Say whether a block is held or on its way. Lock held."""
        return key in self._flying or key in self.cache

    def offer(self, content: Content, part: range, owner: object) -> Flight | None:
        """Ask for a part that no call waits for, none of it held or flying; None where there is no room. Lock held."""
        if self._is_stopped or content.gone is not None or content.failure is not None:
            return None
        if not self.budget.has_room(len(part), self.cache.ahead):
            return None
        flight = Flight(content, part, None)
        flight.owners.add(owner)
        self.budget.asked += len(part)
        self._send(flight)
        return flight

    def disown(self, flight: Flight, owner: object) -> None:
        """Let a window go; what no other wants is called back, or evicted first. Lock held."""
        flight.owners.discard(owner)
        if flight.owners:
            return
        if flight.has_landed:
            for block in flight.part:
                self.cache.abandon((flight.content, block))
            self._workers.stir()
        else:
            self._drop_unwanted(flight)

    def passed(self, flight: Flight, owner: object) -> None:
        """Let a window go on behind a part that its reader has read. Lock held.

        Of an output that does not fit the memory, no block that was read in sequence would be there any more when
        a second reader comes to it: its buffer is used again at once. So a long copy needs the memory of its window
        and no more, and drives out nothing that others read.
        Source: measured 2026-11-20, 512 MiB cold: 1.25 s of processor a GB where untouched memory took 1.6.
        """
        self.disown(flight, owner)
        if not flight.owners and flight.content.count > self._capacity:
            for block in flight.part:
                self.cache.spend((flight.content, block))
            self._workers.stir()

    def _send(self, flight: Flight) -> None:
        self._workers.push(flight)
        self._flying.update(dict.fromkeys([(flight.content, block) for block in flight.part], flight))

    def unwait(self, flight: Flight, block: int) -> None:
        """Let one call go that waited for *block*, which may then be evicted. Lock held."""
        flight.waiting[block] -= 1
        if flight.has_landed:
            self.cache.unpin((flight.content, block))
            self._workers.stir()

    def hurry(self, flight: Flight) -> None:
        """Send a flight before all prefetch, since a call waits for it. Lock held."""
        if not flight.is_sent and not flight.for_reader:
            self._workers.hurry(flight)

    def leave(self, flight: Flight) -> None:
        """Let one reader go; the last one to go takes the flight with it, if it can still be called back. Lock held."""
        flight.readers -= 1
        self._drop_unwanted(flight)

    def _drop_unwanted(self, flight: Flight) -> None:
        """Take a flight that nobody wants any more out of the queue; one that is sent sees it itself. Lock held."""
        if flight.is_unwanted() and not flight.is_sent and self._workers.cancel(flight):
            self._end(flight)

    def _reserve(self, flight: Flight) -> Room | None:
        """Return room for a part that is about to be sent, None where there is none. Lock held.

        Outputs that stall must not hold all of the memory, no more than all of the connections.
        """
        blocks = len(flight.part)
        leave = min(self.most, self._capacity - blocks) if self._workers.shares.is_stalling(flight.content) else 0
        if not self.cache.reserve(blocks, leave):
            return None
        self.budget.throttle.sent(self._clock())
        return Room(blocks, self.cache.take)

    def _end(self, flight: Flight) -> bool:
        """Take a flight out of the table; returns whether this call was the one that ended it. Lock held."""
        if flight.is_over:
            return False
        flight.is_over = True
        self.budget.asked -= 0 if flight.for_reader else len(flight.part)
        for block in flight.part:
            del self._flying[flight.content, block]
        return True

    def _run(self, flight: Flight, room: Room) -> None:
        error: BaseException | None = None
        sent_s = self._clock()
        try:
            self._fetch(flight, room)
        except CasfsError as failure:
            error = failure
        except BaseException as failure:  # a worker that died would leave its readers waiting
            log.exception("%s: fetching blocks %s failed", flight.content.name, flight.part)
            error = failure
        with self.lock:
            self.budget.throttle.ended(self._clock(), sent_s, 0 if error else len(room) * BLOCK_SIZE)
            if self._yields(flight, room, error):
                return
            error = self._land(flight, room, error)
            is_ours = self._end(flight)
            are_pages_wrong, flight.content.are_pages_wrong = flight.content.are_pages_wrong, False
            self._workers.stir()
        if isinstance(error, GoneError):
            self._on_gone(flight.content.output)
        if are_pages_wrong:
            self._on_wrong(flight.content.output)
        if is_ours and error is not None:
            flight.future.set_exception(error)
        elif is_ours:
            flight.future.set_result(None)

    def _fetch(self, flight: Flight, room: Room) -> None:
        content = flight.content
        deadline = flight.deadline or Deadline.after(self._timeout_s, self._clock)
        watch = Watch(partial(self._workers.is_to_end, flight), partial(self._workers.came, flight))
        if content.size is None:
            self._fetcher.probe(content, room, deadline, watch)
        else:
            self._fetcher.fetch(content, flight.part, room, deadline, watch)

    def _yields(self, flight: Flight, room: Room, error: BaseException | None) -> bool:
        """Return whether a flight ended only to let others go first: then it is queued again. Lock held."""
        if not (flight.is_yielding and isinstance(error, InterruptedCallError)) or flight.is_unwanted():
            return False
        self.cache.give(room.taken.values(), len(room) - len(room.taken))
        flight.is_sent = False
        self._workers.push(flight)
        return True

    def _land(self, flight: Flight, room: Room, error: BaseException | None) -> BaseException | None:
        """Put the blocks where they belong, or the room back. Lock held."""
        content = flight.content
        if isinstance(error, SizeChangedError):
            content.failure = content.failure or error
            error.is_told = True
        if isinstance(error, GoneError):
            content.gone = error
        if content.failure is not None:
            error = content.failure
            self.cache.drop(content)
        untaken = len(room) - len(room.taken)
        if error is not None or flight.is_over:
            self.cache.give(room.taken.values(), untaken)
            return error
        flight.has_landed = True
        self._workers.shares.recovered(content)
        if not flight.for_reader:
            self._stats.count("prefetched_blocks", len(room))
        # A probe may find that there is no block at all.
        self.cache.give((view for index, view in room.taken.items() if index >= content.count), untaken)
        for index, view in room.taken.items():
            if index < content.count:
                self._place(flight, (content, flight.part[index]), view)
        return None

    def _place(self, flight: Flight, key: Key, buffer: memoryview) -> None:
        if flight.waiting[key[1]]:
            self.cache.pin(key, buffer, flight.waiting[key[1]])
        elif flight.owners:
            self.cache.put_ahead(key, buffer, flight)
        elif flight.readers or flight.for_reader:
            self.cache.keep(key, buffer)
        else:
            self.cache.put_stale(key, buffer)
