"""All that is held and on its way, behind one lock: each block is asked for once, however many want it.

One lock guards the cache, the flights and the queue together, since every question spans them ("held, on its way,
or still to be asked for?"). It is held for look-ups and for the copy of a block into the caller's memory, 0.1 ms in
which the interpreter is free for other threads, and never for I/O.
"""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager

from casfs.copying import copy
from casfs.data.content import Content
from casfs.data.fetch import parts
from casfs.data.fetch.budget import Budget
from casfs.data.fetch.call import Call, Probe
from casfs.data.fetch.disk_cache import DiskCache
from casfs.data.fetch.disk_stage import DiskStage
from casfs.data.fetch.fetcher import Fetcher
from casfs.data.fetch.flight import Flight, State
from casfs.data.fetch.flights import Flights
from casfs.data.fetch.shares import Shares
from casfs.data.fetch.windows import Holder, Lookahead, Windows
from casfs.data.fetch.workers import Workers
from casfs.data.hashing.blocks import BLOCK_SIZE
from casfs.data.memory.cache import BlockCache
from casfs.data.open_readers import OpenReader
from casfs.data.settings import DataSettings
from casfs.errors import CasfsError, InterruptedCallError
from casfs.models import Output
from casfs.stats import Stats
from casfs.waiting import Clock, Deadline

SHARE_WITHOUT_PREFETCH = 1 / 4
"""Share of the memory that prefetch never takes, one block at least: a waiting read always finds a buffer there, and
what many readers have read and share is not all driven out by one that runs ahead."""


class Monitor:
    """Every block that is held or on its way, over all outputs, and who has them open.

    Args:
        lock: its own, and that of whoever is to wait where it does.
        fetcher: brings parts.
        settings: bounds of memory, connections and time.
        stats: counters of the mount.
        clock: monotonic seconds.
        disk: the cache on disk, None where there is none.
        on_gone: called with each output that the service no longer has, without the lock.
        on_wrong: called likewise with each output of which the kernel may hold pages that have proved wrong.

    Attributes:
        read_ahead_blocks: how far one reader may run ahead; 0 where read-ahead is off.
        disk: what is kept on disk.

    Invariants: a block is in the cache, or in exactly one flight, or neither. Buffers of cache and flights together
    never exceed the cache's capacity. A call waits for one block at a time and holds none while it waits, so that any
    number of them get on with a single buffer.

    Threads: any. Each method is one whole step: it locks once, and nobody else sees the lock or what it guards. Names
    with an underscore want the lock held.
    """

    def __init__(  # noqa: PLR0913 - what it is made of, and whom it tells
        self,
        lock: threading.Lock,
        fetcher: Fetcher,
        settings: DataSettings,
        stats: Stats,
        clock: Clock,
        *,
        disk: DiskCache | None,
        on_gone: Callable[[Output], None],
        on_wrong: Callable[[Output], None],
    ) -> None:
        capacity = max(1, settings.block_cache_bytes // BLOCK_SIZE)
        self._lock: AbstractContextManager[object] = lock
        self._max_call_blocks = max(1, int(capacity * SHARE_WITHOUT_PREFETCH))
        self._timeout_s = settings.read_timeout_s
        self._clock = clock
        self._cache: BlockCache[Flight] = BlockCache(capacity, stats)
        limit = settings.read_ahead_bytes // BLOCK_SIZE
        self._budget: Budget[Holder] = Budget(
            capacity - self._max_call_blocks, limit, settings.connections, settings.read_timeout_s
        )
        shares = Shares(settings.connections, clock)
        self.disk = DiskStage(lock, self._cache, disk, settings, stats, clock, on_wrong)
        self._flights = Flights(
            self._cache,
            shares,
            connections=settings.connections,
            spare=self._max_call_blocks,
            wake=lambda: self._workers.stir(),  # noqa: PLW0108 - they are made below
            stats=stats,
            lookups=self.disk.lookups,
            keeper=self.disk.writer,
        )
        self.disk.serve(self._flights)
        self._windows = Windows(self._cache, self._flights, self._budget)
        self._workers = Workers(
            lock,
            self._flights,
            shares=shares,
            throttle=self._budget.throttle,
            fetcher=fetcher,
            settings=settings,
            clock=clock,
            on_gone=on_gone,
            on_wrong=on_wrong,
        )
        self.read_ahead_blocks = self._budget.limit

    def start(self) -> None:
        """Begin one thread, which the first flight does otherwise: after the fork."""
        self._workers.start()
        self.disk.start()

    def stop(self) -> None:
        """Fail every flight at once, so that all who wait wake up, and end the threads."""
        with self._lock:
            over = self._flights.stop()
        for flight in over:
            flight.future.set_exception(InterruptedCallError(f"{flight.content.name}: the file system is stopping"))
        self._workers.stop()
        self.disk.stop()

    def open(self, content: Content, *, are_pages_forgotten: bool) -> OpenReader:
        """Return one more reader of *content*.

        Args:
            content: what it reads.
            are_pages_forgotten: whether the kernel may hold pages of it that nobody here remembers.
        """
        with self._lock:
            self.disk.opened(content)
            return content.open(are_pages_forgotten=are_pages_forgotten)

    def close(self, content: Content, reader: OpenReader, lookahead: Lookahead | None) -> None:
        """Let a reader go, and call back what was asked for ahead of it; it may be closed already."""
        with self._lock:
            if not reader.is_closed:
                self.disk.closed(content)
            reader.is_closed = True
            content.open_readers.close(reader)
            if lookahead is not None:
                lookahead.release(self._windows)

    def drop_unread(self, content: Content) -> None:
        """Forget the blocks of *content*, which nobody will open again, unless somebody has it open."""
        with self._lock:
            if not content.open_readers:
                self._cache.drop(content)

    def board(self, call: Call, lookahead: Lookahead | None) -> Flight | None:
        """Begin a read: copy what is held, and join or ask for what brings the rest.

        Args:
            call: the read.
            lookahead: told of it, and asks for what comes next.

        Returns:
            What is to be waited for, and then handed to ``land`` or ``give_up``; None where the read is done.

        Raises:
            CasfsError: the reader serves nothing any more, the block failed lately, or nothing can be asked for.
        """
        with self._lock:
            if call.reader.doubt is not None:
                call.content.open_readers.hear_of(call.reader)
            self._fill(call)
            if call.start + call.done < call.stop:
                self._await(call)
            if lookahead is not None and call.start < call.stop:  # after what is waited for, so that it comes first
                lookahead.observe(self._windows, call.start, call.stop, call.began_s, waited=call.flight is not None)
            return call.flight

    def land(self, call: Call) -> Flight | None:
        """Go on with a read whose flight is over: copy what has come, and join or ask for what brings the rest.

        Returns:
            As ``board``.

        Raises:
            As ``board``; then the read is over.
        """
        with self._lock:
            flight, block = call.flight, call.block
            call.flight = None
            try:
                self._fill(call)
                if call.start + call.done < call.stop:
                    self._await(call)
            finally:
                self._let_go(call, flight, block)
            return call.flight

    def give_up(self, call: Call, error: BaseException) -> None:
        """End a read that waited in vain; its failure is remembered for all that have the output open."""
        with self._lock:
            # The next call may be one that nobody interrupts.
            if isinstance(error, CasfsError) and not isinstance(error, InterruptedCallError):
                call.content.open_readers.fail(call.reader, call.block, error, self._clock())
            flight, call.flight = call.flight, None
            self._let_go(call, flight, call.block)

    def probe(self, content: Content, deadline: Deadline, *, is_opening: bool) -> int | Probe:
        """Ask how long *content* is, and for its first block.

        Args:
            content: whose size.
            deadline: when to give up.
            is_opening: whether the service is to be asked again though it said that it has no such output.

        Returns:
            Its size where it is known; else what is to be waited for.
        """
        with self._lock:
            if is_opening:
                content.gone = None
            if content.size is not None:
                return content.size
            if (flight := self._flights.bringing((content, 0))) is None:
                return Probe(self._ask(content, range(1), deadline)[0], is_ours=True)
            flight.readers += 1
            return Probe(flight, is_ours=False)

    def leave(self, flight: Flight) -> None:
        """Let one go who probed; the last one to go takes the flight with it, if it can still be called back."""
        with self._lock:
            flight.readers -= 1
            self._flights.drop_unwanted(flight)

    def _fill(self, call: Call) -> None:
        """Copy what is held, in order, up to the first block that is not."""
        content, reader = call.content, call.reader
        if content.failure is not None or reader.is_deceived or reader.is_closed:
            call.refuse()
        while (at := call.start + call.done) < call.stop:
            block, first = divmod(at, BLOCK_SIZE)
            view = self._cache.get((content, block))
            if view is None:
                return
            if not (content.root_met or content.open_readers.are_exposed):
                content.open_readers.expose()
                if content.failure is not None:  # what proves wrong from now on finds them exposed
                    call.refuse()
            piece = view[first : min(BLOCK_SIZE, first + call.stop - at)]
            copy(piece, call.buffer[call.done :])
            call.done += len(piece)

    def _await(self, call: Call) -> None:
        """Join the flight that brings the next block, or ask for it and for what the call misses right behind it."""
        content = call.content
        block = call.block = call.reader.block = (call.start + call.done) // BLOCK_SIZE
        flight = self._flights.bringing((content, block))
        if flight is None:
            if (error := call.reader.failed(block, call.began_s, self._clock())) is not None:
                raise error.with_traceback(None)
            deadline = Deadline(call.began_s + self._timeout_s, self._clock)
            asked = self._ask(content, self._missing(call), deadline)
            call.asked += tuple(asked)
            flight = asked[0]
        elif flight not in call.asked and flight not in call.joined:
            flight.readers += 1
            call.joined += (flight,)
            if flight.state is State.QUEUED and not flight.for_reader:
                self._flights.hurry(flight)
        flight.waiting[block] += 1
        call.flight = flight

    def _missing(self, call: Call) -> range:
        """Return the blocks that *call* needs, of which the first is neither held nor on its way, up to one that is."""
        needed = range(call.block, -(-call.stop // BLOCK_SIZE))[: self._max_call_blocks]
        has = self._flights.has
        return range(call.block, next((block for block in needed[1:] if has((call.content, block))), needed.stop))

    def _ask(self, content: Content, run: range, deadline: Deadline) -> list[Flight]:
        """Ask for blocks that a call waits for, none of them held or flying; it is a reader of all the flights."""
        if self._flights.is_stopped:
            raise InterruptedCallError(f"{content.name}: the file system has stopped")
        if content.gone is not None:
            raise content.gone.with_traceback(None)
        self._workers.begin_first()
        largest = min(parts.MAX_PART_BLOCKS, self._max_call_blocks)
        cut = [run] if len(run) == 1 else parts.cut(run, content.count, largest)
        flights = [Flight(content, part, deadline) for part in cut]
        for flight in flights:
            flight.readers = 1
            self._flights.ask(flight)
        return flights

    def _let_go(self, call: Call, flight: Flight | None, block: int) -> None:
        """Let *call* go on, which waited for *block* of *flight*, and let its flights go where it waits for no more."""
        if flight is not None:
            self._flights.served(flight, block)
        if call.flight is None:
            for other in call.asked + call.joined:
                other.readers -= 1
                self._flights.drop_unwanted(other)
