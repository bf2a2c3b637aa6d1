"""The threads that talk to the service: calls that wait come first, prefetch uses what is left.

FUSE threads never do I/O themselves, so that a signal or a deadline can end any call.
"""

import threading
import time
from collections import deque
from collections.abc import Callable

from casfs.data.flight import Flight
from casfs.data.room import Room

Reserve = Callable[[int], Room | None]
Run = Callable[[Flight, Room], None]


class Crew:
    """Up to *connections* workers over two queues.

    Args:
        lock: guards the queues, and whatever *reserve* touches.
        connections: workers at most; they are started when there is work for them.
        reserve: gives room for a part, or None while there is none. Called with the lock held.
        run: fetches and lands one flight. Called without the lock; must not raise.

    Invariants: a flight is sent only once its room is reserved. As long as a call waits for room, no
    prefetch is sent. Prefetch never uses all the connections, unless there is only one.

    Threads: methods marked so want the lock held.
    """

    def __init__(self, lock: threading.Lock, connections: int, reserve: Reserve, run: Run) -> None:
        self._lock = lock
        self._limit = connections
        self._ahead_limit = max(1, connections - 1)
        self._reserve = reserve
        self._run = run
        self._wake = threading.Condition(lock)
        self._urgent: deque[Flight] = deque()
        self._ahead: deque[Flight] = deque()
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self._sent = 0
        self._sent_ahead = 0
        self._is_running = False

    @property
    def in_flight(self) -> int:
        """Requests that workers are at."""
        return self._sent

    def start(self) -> None:
        """Let there be threads from now on: after the fork."""
        with self._lock:
            self._is_running = True
            self.stir()

    def stop(self, timeout_s: float) -> None:
        """Let the workers end; returns once they have, or after *timeout_s* without those that hang in a socket."""
        with self._lock:
            self._is_running = False
            self._urgent.clear()
            self._ahead.clear()
            self._wake.notify_all()
        until_s = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, until_s - time.monotonic()))

    def push(self, flight: Flight) -> None:
        """Queue a flight. Lock held."""
        (self._urgent if flight.for_reader else self._ahead).append(flight)
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
        if not self._is_running or not (self._urgent or (self._ahead and self._sent_ahead < self._ahead_limit)):
            return
        if self._idle:
            self._idle -= 1
            self._wake.notify()
        elif len(self._threads) < self._limit:
            self._begin()

    def _begin(self) -> None:
        thread = threading.Thread(target=self._work, name=f"casfs-fetch-{len(self._threads)}", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the system gives no more of them
            if not self._threads:
                raise
        else:
            self._threads.append(thread)

    def _work(self) -> None:
        done = None
        while True:
            with self._lock:
                if done is not None:
                    self._sent -= 1
                    self._sent_ahead -= done
                job = self._next()
                if job is None:
                    return
                self.stir()
            flight, room, done = job
            self._run(flight, room)

    def _next(self) -> tuple[Flight, Room, bool] | None:
        while self._is_running:
            is_ahead = not self._urgent
            queue = self._ahead if is_ahead else self._urgent
            if queue and not (is_ahead and self._sent_ahead >= self._ahead_limit):
                room = self._reserve(len(queue[0].part))
                if room is not None:
                    flight = queue.popleft()
                    flight.is_sent = True
                    self._sent += 1
                    self._sent_ahead += is_ahead
                    return flight, room, is_ahead
            self._idle += 1  # whoever wakes us takes it off again: else two calls could count on one worker
            self._wake.wait()
        return None
