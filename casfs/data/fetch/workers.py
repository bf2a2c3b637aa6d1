"""The threads that talk to the service: calls that wait come first, prefetch uses what is left.

FUSE threads never do I/O themselves, so that a signal or a deadline can end any call.
"""

import itertools
import logging
import threading
import time
from collections import deque
from collections.abc import Callable

from casfs import shortage
from casfs.data.fetch.flight import Flight
from casfs.data.fetch.shares import Shares
from casfs.data.memory.room import Room
from casfs.errors import ShortageError
from casfs.waiting import Clock

log = logging.getLogger(__name__)

Reserve = Callable[[Flight], Room | None]
Run = Callable[[Flight, Room], None]


class Workers:
    """Up to *connections* workers over two queues.

    Args:
        lock: guards the queues, and whatever *reserve* touches.
        connections: workers at most; they are started when there is work for them.
        reserve: gives room for the part of a flight, or None while there is none. Called with the lock held.
        run: fetches and lands one flight. Called without the lock; must not raise.
        clock: monotonic seconds.

    Attributes:
        shares: who holds how many connections.

    Invariants: a flight is sent only once its room is reserved. As long as a call waits for room, no
    prefetch is sent. Prefetch never uses all the connections, nor does one output, unless there is only one. Those of
    outputs that stall leave some to the others, who go first.

    Threads: methods marked so want the lock held.
    """

    def __init__(self, lock: threading.Lock, connections: int, reserve: Reserve, run: Run, clock: Clock) -> None:
        self._lock = lock
        self._limit = connections
        self._ahead_limit = max(1, connections - 1)
        self._reserve = reserve
        self._run = run
        self.shares = Shares(connections, clock)
        self._wake = threading.Condition(lock)
        self._urgent: deque[Flight] = deque()
        self._ahead: deque[Flight] = deque()
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self._sent = 0
        self._sent_ahead = 0
        self._is_over = False
        self._is_short = False

    @property
    def in_flight(self) -> int:
        """Requests that workers are at."""
        return self._sent

    def start(self) -> None:
        """Begin one thread, which the first flight does otherwise: after the fork.

        Raises:
            ShortageError: the system gives none.
        """
        with self._lock:
            self._begin_first()

    def stop(self, timeout_s: float) -> None:
        """Let the workers end; returns once they have, or after *timeout_s* without those that hang in a socket."""
        with self._lock:
            self._is_over = True
            self._urgent.clear()
            self._ahead.clear()
            self._wake.notify_all()
        until_s = time.monotonic() + timeout_s
        threads, self._threads = self._threads, []
        for thread in threads:
            thread.join(max(0.0, until_s - time.monotonic()))

    def push(self, flight: Flight) -> None:
        """Queue a flight. Lock held.

        Raises:
            ShortageError: there is no thread, and the system gives none; it is not queued then.
        """
        self._begin_first()
        (self._urgent if flight.for_reader or flight.readers else self._ahead).append(flight)
        self.stir()

    def is_to_end(self, flight: Flight) -> bool:
        """Say whether a flight that was sent is to end: nobody wants it, or it is to be pushed again behind others.

        Asked by its worker, every now and then. Lock not held.
        """
        if flight.is_unwanted():
            return True
        if flight.is_yielding or not self.shares.is_slow(flight):
            return flight.is_yielding
        with self._lock:
            self.shares.stalls(flight.content)
            yields = self.shares.must_yield(flight, self._waiting(), is_short=self._is_short)
            is_new = yields and self.shares.yields(flight.content) == 1
        if is_new:
            log.warning("%s: nothing comes of blocks %s, and others go first", flight.content.name, flight.part)
        return yields

    def came(self, flight: Flight, count: int) -> None:
        """Note that *count* bytes of a flight came. Lock not held."""
        if self.shares.progressed(flight, count) and self.shares.is_stalling(flight.content):
            with self._lock:
                self.shares.recovered(flight.content)
                self.stir()

    def hurry(self, flight: Flight) -> None:
        """Let a queued prefetch go before all other prefetch, since a call waits for it. Lock held."""
        if flight in self._ahead:
            self._ahead.remove(flight)
            self._urgent.append(flight)
            self.stir()

    def cancel(self, flight: Flight) -> bool:
        """Take a flight out of the queues; returns False if a worker has it already. Lock held."""
        for queue in (self._urgent, self._ahead):
            if flight in queue:
                queue.remove(flight)
                return True
        return False

    def stir(self) -> None:
        """Wake or make a worker if there may be work for one. Lock held."""
        if self._is_over or not (self._urgent or (self._ahead and self._sent_ahead < self._ahead_limit)):
            return
        if self._idle:
            self._idle -= 1
            self._wake.notify()
        elif len(self._threads) < self._limit:
            self._begin()

    def _begin_first(self) -> None:
        """Have one thread at least: the system may refuse those that come later."""
        if not self._threads and not self._is_over:
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
        job = None
        while True:
            with self._lock:
                if job is not None:
                    self._sent -= 1
                    self._sent_ahead -= job[2]
                    self.shares.ended(job[0])
                job = self._next()
                if job is None:
                    return
                self.stir()
            self._run(job[0], job[1])

    def _next(self) -> tuple[Flight, Room, bool] | None:
        while not self._is_over:
            flight = self._first(self._urgent)
            is_ahead = flight is None and self._sent_ahead < self._ahead_limit
            if is_ahead:
                flight = self._first(self._ahead)
            room = None if flight is None else self._reserve(flight)
            self._is_short = flight is not None and room is None
            if flight is not None and room is not None:
                (self._ahead if is_ahead else self._urgent).remove(flight)
                flight.is_sent = True
                self._sent += 1
                self._sent_ahead += is_ahead
                self.shares.sent(flight)
                return flight, room, is_ahead
            self._idle += 1  # whoever wakes us takes it off again: else two calls could count on one worker
            self._wake.wait()
        return None

    def _first(self, queue: deque[Flight]) -> Flight | None:
        """Return the first flight that may be sent: one of an output that does not stall, if there is any."""
        stalling = None
        for flight in queue:
            if self.shares.may_send(flight):
                if not self.shares.is_stalling(flight.content):
                    return flight
                stalling = stalling or flight
        return stalling

    def _waiting(self) -> int:
        """Return how many flights of outputs that do not stall lack nothing but a connection, or memory."""
        ahead = itertools.islice(self._ahead, max(0, self._ahead_limit - self._sent_ahead))
        waiting = itertools.chain(self._urgent, ahead)
        shares = self.shares
        return sum(1 for flight in waiting if shares.may_send(flight) and not shares.is_stalling(flight.content))
