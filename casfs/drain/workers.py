"""Threads that work for the thread of the run, which alone decides and writes."""

import queue
import threading
import time
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)


class Inbox(Protocol[T]):
    """What came of the work.

    Threads: any puts, that of the run takes.
    """

    def put(self, outcome: T) -> None:
        """Put what came of a piece of work."""
        ...

    def get(self, timeout_s: float) -> T | None:
        """Return what came first and was not taken, None if nothing comes for *timeout_s* seconds."""
        ...


class Pool(Protocol[T_contra]):
    """What does work beside the thread of the run.

    Threads: that of the run.
    """

    def submit(self, work: Callable[[], T_contra], /) -> None:
        """Have *work* done, and what came of it put into an inbox."""
        ...

    def stop(self) -> None:
        """Begin no more of it, and wait a little for what was begun."""
        ...


class Queue(Generic[T]):
    """An inbox that waits in real time."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[T] = queue.SimpleQueue()

    def put(self, outcome: T) -> None:
        """As ``Inbox.put``."""
        self._queue.put(outcome)

    def get(self, timeout_s: float) -> T | None:
        """As ``Inbox.get``."""
        try:
            return self._queue.get(timeout=timeout_s) if timeout_s > 0 else self._queue.get_nowait()
        except queue.Empty:
            return None


STOP_S = 3.0
"""How long a pool waits for its threads: two of them in what a user waits for after Ctrl-C, which is 10 s."""


class Workers(Generic[T]):
    """Threads that begin when there is work, *most* of them, and at the end are left alone if they hang.

    No executor: at the end of the program it would wait for what hangs in a socket.

    Args:
        name: of the threads.
        most: how many there may be.
        done: takes what came of the work.
        broken: makes that of an error which nobody foresaw.
    """

    def __init__(self, name: str, most: int, done: Callable[[T], None], broken: Callable[[BaseException], T]) -> None:
        self._name = name
        self._most = most
        self._done = done
        self._broken = broken
        self._work: queue.SimpleQueue[Callable[[], T] | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []

    def submit(self, work: Callable[[], T]) -> None:
        """Have *work* done when a thread is free."""
        self._work.put(work)
        if len(self._threads) < self._most:
            thread = threading.Thread(target=self._run, name=f"casfs-drain-{self._name}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """Let each thread end once it is done with what it does, and wait a little; drop what nobody has begun."""
        while not self._work.empty():
            self._work.get()
        for _ in self._threads:
            self._work.put(None)
        ends_s = time.monotonic() + STOP_S
        for thread in self._threads:
            thread.join(max(0.0, ends_s - time.monotonic()))

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            try:
                outcome = work()
            except BaseException as error:  # noqa: BLE001 - the run raises it
                outcome = self._broken(error)
            self._done(outcome)
