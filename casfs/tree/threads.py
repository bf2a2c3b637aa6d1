"""The threads that ask the service for names: one for each question, as long as it has no answer.

A question that the service does not answer costs its thread and its connection for as long as anybody waits, and holds
nobody else up: there are far more places than questions that any account was seen to leave open.
"""

import threading
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import NamedTuple, TypeVar

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

    Invariants: whoever was submitted first goes first, but for those whose vault has its share of the places.

    Threads: any thread may call. The lock is held for the queue only.
    """

    def __init__(self, max_threads: int, max_idle: int, interrupted: Interrupted, clock: Clock) -> None:
        self.clock = clock
        self._max_threads = max_threads
        self._max_of_one_vault = max(1, int(max_threads * MAX_SHARE_OF_ONE_VAULT))
        self._max_idle = max_idle
        self._is_interrupted = interrupted
        self._is_stopped = False
        self._is_started = False
        self._wake = threading.Condition(threading.Lock())
        self._queue: deque[_Task] = deque()
        self._running: Counter[str] = Counter()
        self._threads = 0
        self._idle = 0

    def start(self) -> None:
        """Let there be threads from now on; to be called after the process has forked.

        Raises:
            RuntimeError: the system gives none.
        """
        with self._wake:
            self._is_started = True
            self._start_thread()  # one at least, or no mount: later ones may be refused
            for _ in self._queue:
                self._wake_or_start()

    def stop(self) -> None:
        """End every wait, and the threads that are not asking; may be called more than once."""
        with self._wake:
            self._is_stopped = True
            self._wake.notify_all()

    def interrupted(self) -> bool:
        """Say whether the calling thread need not wait any longer: its program was signalled, or the mount ends."""
        return self._is_stopped or self._is_interrupted()

    def submit(self, vault: str, work: Callable[[], T], answer: Future[T]) -> None:
        """Run *work*, which is about *vault*, on one of the threads for its *answer*."""
        with self._wake:
            self._queue.append(_Task(vault, lambda: _complete(answer, work)))
            self._wake_or_start()

    def _wake_or_start(self) -> None:
        """Wake or make a thread if there is work for one. Lock held."""
        if not self._is_started or self._is_stopped or self._first() is None:
            return
        if self._idle:
            self._idle -= 1
            self._wake.notify()
        elif self._threads < self._max_threads:
            try:
                self._start_thread()
            except RuntimeError:  # the system gives no more of them: the next that is free asks
                return

    def _start_thread(self) -> None:
        threading.Thread(target=self._run, name="casfs-names", daemon=True).start()
        self._threads += 1

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
        while not self._is_stopped:
            task = self._first()
            if task is not None:
                self._queue.remove(task)
                self._running[task.vault] += 1
                return task
            if self._idle >= self._max_idle:
                break
            self._idle += 1  # whoever wakes us takes it off again: else two questions could count on one thread
            self._wake.wait()
        self._threads -= 1
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
        """Let there be threads from now on; to be called after the process has forked."""
        self.look_ups.start()
        self.listings.start()

    def stop(self) -> None:
        """End every wait, and the threads that are not asking; may be called more than once."""
        self.look_ups.stop()
        self.listings.stop()


def _complete(future: Future[T], work: Callable[[], T]) -> None:
    try:
        future.set_result(work())
    except BaseException as error:  # noqa: BLE001 - whatever it is, those who wait must hear of it
        future.set_exception(error)
