"""The threads that ask the service for names: one for each question, as long as it has no answer.

A question that the service does not answer costs its thread and its connection for as long as anybody waits, and holds
nobody else up: there are far more places than questions that any account was seen to leave open.
"""

import contextlib
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import NamedTuple, TypeVar

from casfs import shortage
from casfs.errors import ShortageError
from casfs.waiting import Clock, Interrupted

MAX_LOOK_UPS = 256
"""Look-ups at a time. One vault, which may hang alone, has three quarters of them at most."""

MAX_LISTINGS = 128
"""Listings at a time, each of a vault of its own."""

MAX_IDLE_LOOK_UP_THREADS = 16
"""Threads kept for the next look-up: a walk by some programs at once makes none."""

MAX_IDLE_LISTING_THREADS = 1
"""Threads kept for the next listing. Those that come one after the other have the same thread, and with it the same
heap: each in which 100,000 jobs were listed keeps 5 MiB. Source: measured on 2026-11-20, glibc 2.36."""

MAX_SHARE_OF_ONE_VAULT = 3 / 4
"""Share of the places that the questions about one vault have at most."""

JOIN_S = 1.0
"""How long the end waits for threads whose request was called back, which they look for every half a second; what
hangs longer is a daemon and holds up no exit."""

T = TypeVar("T")


class _Task(NamedTuple):
    """One question to ask, and the vault that it is about."""

    vault: str
    run: Callable[[], None]


class ThreadPool:
    """Threads that ask, and when those who wait for them may stop.

    A pool of concurrent.futures would do, if Python did not wait for its threads at exit, and they ended: a service
    that stalls would keep the process after the mount is gone.

    Args:
        max_threads: questions at a time; more wait for their turn.
        max_idle: threads that are kept for the next question, one at least.
        interrupted: whether the program that the calling thread answers was signalled.
        clock: monotonic seconds.

    Attributes:
        clock: as above.
        is_stopped: whether it is over: what is being asked is to end.

    Invariants: whoever was submitted first goes first, but for those whose vault has its share of the places.

    Threads: any thread may call. The lock is held for the queue only.
    """

    def __init__(self, max_threads: int, max_idle: int, interrupted: Interrupted, clock: Clock) -> None:
        self.clock = clock
        self._max_threads = max_threads
        self._max_of_one_vault = max(1, int(max_threads * MAX_SHARE_OF_ONE_VAULT))
        self._max_idle = max_idle
        self._is_interrupted = interrupted
        self.is_stopped = False
        self._wake = threading.Condition(threading.Lock())
        self._queue: deque[_Task] = deque()
        self._running: Counter[str] = Counter()
        self._threads: set[threading.Thread] = set()
        self._idle = 0

    def start(self) -> None:
        """Begin one thread, which the first question does otherwise; after the process has forked.

        Raises:
            ShortageError: the system gives none.
        """
        with self._wake:
            self._start_first()

    def stop(self) -> None:
        """End every wait, and the threads that are not asking; may be called more than once."""
        with self._wake:
            self.is_stopped = True
            self._wake.notify_all()

    def join(self, until_s: float) -> None:
        """Wait for the threads to end, after ``stop``, but not beyond *until_s* of ``time.monotonic``."""
        with self._wake:
            threads, self._threads = self._threads, set()
        for thread in threads:
            thread.join(max(0.0, until_s - time.monotonic()))

    def interrupted(self) -> bool:
        """Say whether the calling thread need not wait any longer: its program was signalled, or the mount ends."""
        return self.is_stopped or self._is_interrupted()

    def submit(self, vault: str, work: Callable[[], T], answer: Future[T]) -> None:
        """Run *work*, which is about *vault*, on one of the threads for its *answer*.

        Raises:
            ShortageError: there is no thread, and the system gives none; it is not run then.
        """
        with self._wake:
            self._start_first()
            self._queue.append(_Task(vault, lambda: _complete(answer, work)))
            self._wake_or_start()

    def _wake_or_start(self) -> None:
        """Wake or make a thread if there is work for one. Lock held."""
        if self.is_stopped or self._first() is None:
            return
        if self._idle:
            self._idle -= 1
            self._wake.notify()
        elif len(self._threads) < self._max_threads:
            with contextlib.suppress(ShortageError):  # the next thread that is free asks
                self._start_thread()

    def _start_first(self) -> None:
        """Have one thread at least: the system may refuse those that come later. Lock held."""
        if not self._threads and not self.is_stopped:
            self._start_thread()

    def _start_thread(self) -> None:
        thread = threading.Thread(target=self._run, name="casfs-names", daemon=True)
        with shortage.named():
            thread.start()
        self._threads.add(thread)

    def _run(self) -> None:
        while True:
            with self._wake:
                task = self._next()
            if task is None:
                return
            task.run()
            with self._wake:
                self._running[task.vault] -= 1
                if not self._running[task.vault]:
                    del self._running[task.vault]
            del task  # and the answer with it: 100,000 jobs

    def _next(self) -> _Task | None:
        """Return what to do next, None where the thread is to end. Lock held."""
        while not self.is_stopped:
            task = self._first()
            if task is not None:
                self._queue.remove(task)
                self._running[task.vault] += 1
                return task
            if self._idle >= self._max_idle:
                break
            self._idle += 1  # whoever wakes us takes it off again: else two questions could count on one thread
            self._wake.wait()
        self._threads.discard(threading.current_thread())
        return None

    def _first(self) -> _Task | None:
        return next((task for task in self._queue if self._running[task.vault] < self._max_of_one_vault), None)


class Threads:
    """The threads of a tree.

    Attributes:
        look_ups: those that ask for one vault or job.
        listings: those that ask for all.
        clock: monotonic seconds.
    """

    def __init__(self, interrupted: Interrupted, clock: Clock) -> None:
        self.look_ups = ThreadPool(MAX_LOOK_UPS, MAX_IDLE_LOOK_UP_THREADS, interrupted, clock)
        self.listings = ThreadPool(MAX_LISTINGS, MAX_IDLE_LISTING_THREADS, interrupted, clock)
        self.clock = clock

    def start(self) -> None:
        """Begin the first threads, which the first questions do otherwise; after the process has forked.

        Raises:
            ShortageError: the system gives none.
        """
        self.look_ups.start()
        self.listings.start()

    def stop(self) -> None:
        """End every wait, and the threads, though not those that hang; may be called more than once."""
        self.look_ups.stop()
        self.listings.stop()
        until_s = time.monotonic() + JOIN_S
        self.look_ups.join(until_s)
        self.listings.join(until_s)


def _complete(future: Future[T], work: Callable[[], T]) -> None:
    try:
        future.set_result(work())
    except BaseException as error:  # noqa: BLE001 - whatever it is, those who wait must hear of it
        future.set_exception(error)
