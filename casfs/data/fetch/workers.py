"""The threads that talk to the service: each takes a flight, fetches its part, and ends it.

FUSE threads never do I/O themselves, so that a signal or a deadline can end any call.
"""

import logging
import threading
import time
from collections.abc import Callable
from functools import partial

from casfs import shortage
from casfs.data.fetch.fetcher import Fetcher
from casfs.data.fetch.flight import OVER, Flight, State
from casfs.data.fetch.flights import Assignment, Flights
from casfs.data.fetch.shares import Shares
from casfs.data.fetch.throttle import Throttle
from casfs.data.hashing.blocks import BLOCK_SIZE
from casfs.data.memory.room import Room
from casfs.data.settings import DataSettings
from casfs.data.source import Watch
from casfs.errors import CasfsError, GoneError, InterruptedCallError, ShortageError, SizeChangedError
from casfs.models import Output
from casfs.waiting import Clock, Deadline

log = logging.getLogger(__name__)

STOP_TIMEOUT_S = 1.0
"""How long stop() waits for each worker that hangs in a socket; they are daemons and cannot hold up the exit."""


class Workers:
    """As many threads as there are connections, begun when there is work for them: a part of the monitor.

    Args:
        lock: the monitor's.
        flights: what is to be sent.
        shares: who holds how many connections.
        throttle: told how fast blocks arrive.
        fetcher: brings parts.
        settings: connections, and the deadline of one read.
        clock: monotonic seconds.
        on_gone, on_wrong: as the monitor has them.

    Threads: ``begin_first`` and ``stir`` want the lock held; the others take it.
    """

    def __init__(  # noqa: PLR0913 - what it is made of, and whom it tells
        self,
        lock: threading.Lock,
        flights: Flights,
        *,
        shares: Shares,
        throttle: Throttle,
        fetcher: Fetcher,
        settings: DataSettings,
        clock: Clock,
        on_gone: Callable[[Output], None],
        on_wrong: Callable[[Output], None],
    ) -> None:
        self._lock = lock
        self._wake = threading.Condition(lock)
        self._flights = flights
        self._shares = shares
        self._throttle = throttle
        self._fetcher = fetcher
        self._limit = settings.connections
        self._timeout_s = settings.read_timeout_s
        self._clock = clock
        self._on_gone = on_gone
        self._on_wrong = on_wrong
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self._is_over = False

    def start(self) -> None:
        """Begin one thread, which the first flight does otherwise: after the fork.

        Raises:
            ShortageError: the system gives none.
        """
        with self._lock:
            self.begin_first()

    def stop(self) -> None:
        """Let the threads end; returns once they have, or after a time without those that hang in a socket."""
        with self._lock:
            self._is_over = True
            self._wake.notify_all()
        until_s = time.monotonic() + STOP_TIMEOUT_S
        threads, self._threads = self._threads, []
        for thread in threads:
            thread.join(max(0.0, until_s - time.monotonic()))

    def begin_first(self) -> None:
        """Have one thread at least: the system may refuse those that come later.

        Raises:
            ShortageError: there is none, and the system gives none.
        """
        if not self._threads and not self._is_over:
            self._begin()

    def stir(self) -> None:
        """Wake or make a thread, since there may be work for one."""
        if self._is_over:
            return
        if self._idle:
            self._idle -= 1
            self._wake.notify()
        elif len(self._threads) < self._limit:
            self._begin()

    def _begin(self) -> None:
        thread = threading.Thread(target=self._work, name=f"casfs-fetch-{len(self._threads)}", daemon=True)
        try:
            with shortage.named():
                thread.start()
        except ShortageError:
            if not self._threads:
                raise
        else:
            self._threads.append(thread)

    def _work(self) -> None:
        while (assignment := self._next()) is not None:
            self._run(assignment)

    def _next(self) -> Assignment | None:
        """Wait for something to send."""
        with self._lock:
            while not self._is_over:
                assignment = self._flights.send()
                if assignment is not None:
                    self._throttle.sent(self._clock())
                    return assignment
                self._idle += 1  # whoever wakes us takes it off again: else two calls could count on one thread
                self._wake.wait()
        return None

    def _run(self, assignment: Assignment) -> None:
        """Fetch and end one flight; its future tells those who wait."""
        flight, room = assignment.flight, assignment.room
        sent_s = self._clock()
        error: BaseException | None = None
        try:
            self._fetch(flight, room)
        except CasfsError as failure:
            error = failure
        except BaseException as failure:  # a worker that died would leave its readers waiting
            log.exception("%s: fetching blocks %s failed", flight.content.name, flight.part)
            error = failure
        with self._lock:
            self._throttle.ended(self._clock(), sent_s, 0 if error else len(room) * BLOCK_SIZE)
            is_yielding = flight.state is State.YIELDING
            self._flights.disconnected(assignment)
            if is_yielding and isinstance(error, InterruptedCallError) and not flight.is_useless():
                self._flights.requeue(flight, room)
                return
            is_ours = flight.state not in OVER
            error = self._end(flight, room, error)
            are_pages_wrong = flight.content.open_readers.take_wrong()
        if isinstance(error, GoneError):
            self._on_gone(flight.content.output)
        if are_pages_wrong:
            self._on_wrong(flight.content.output)
        if is_ours and error is not None:
            flight.future.set_exception(error)
        elif is_ours:
            flight.future.set_result(None)

    def _fetch(self, flight: Flight, room: Room) -> None:
        deadline = flight.deadline or Deadline.after(self._timeout_s, self._clock)
        watch = Watch(partial(self._is_to_end, flight), partial(self._received, flight))
        self._fetcher.fetch(flight.content, flight.part, room, deadline, watch)

    def _end(self, flight: Flight, room: Room, error: BaseException | None) -> BaseException | None:
        """Put the blocks where they belong, or the room back; return why the flight failed. Lock held."""
        content = flight.content
        if isinstance(error, SizeChangedError):
            content.failure = content.failure or error
            error.is_told = True
        if isinstance(error, GoneError):
            content.gone = error
        if content.failure is not None:
            error = content.failure
        if error is not None or flight.state in OVER:
            self._flights.fail(flight, room)
        else:
            self._flights.land(flight, room)
        return error

    def _is_to_end(self, flight: Flight) -> bool:
        """Say whether a flight that was sent is to end: nobody wants it, or it is to be sent again behind others."""
        if flight.is_useless():
            return True
        if flight.state is State.YIELDING or not self._shares.is_slow(flight):
            return flight.state is State.YIELDING
        with self._lock:
            if flight.state is not State.SENT:  # a stop was quicker
                return True
            self._shares.stalls(flight.content)
            yields = self._shares.must_yield(flight, self._flights.waiting(), is_short=self._flights.is_short)
            is_new = yields and self._shares.yields(flight.content) == 1
        if is_new:
            log.warning("%s: nothing comes of blocks %s, and others go first", flight.content.name, flight.part)
        return yields

    def _received(self, flight: Flight, count: int) -> None:
        """Note that *count* bytes of a flight came."""
        if self._shares.progressed(flight, count) and self._shares.is_stalling(flight.content):
            with self._lock:
                self._shares.recovered(flight.content)
                self._flights.stir()
