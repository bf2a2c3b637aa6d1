"""Calls of the main thread on a thread of their own, where no handler of a signal breaks into them.

Python runs the handlers of signals on the main thread, between any two steps of what it is at. One that raises, as that
of Ctrl-C does, would leave that half done: a block that stays pinned, a part that nobody fetches and all wait for. And
one that asks for something itself would wait for ever for a lock that its own thread holds.
"""

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Generic, Protocol, TypeVar

from casfs.errors import DeadlineError, InterruptedCallError
from casfs.file import Reader

GIVE_UP_S = 1.0
"""How long a call that was broken off may take to end: whoever waits looks every 50 ms whether it is still wanted, and
a request every half a second. Until then it may write to the memory that it was given."""

LIVENESS_S = 1.0
"""How often a call that is waited for is looked after: in a child that a handler of a signal forked, nobody is left."""

T = TypeVar("T")


class _Work(Protocol):
    """An errand, whatever comes of it."""

    is_given_up: bool

    def run(self) -> None: ...

    def end(self) -> None: ...


class _Errand(Generic[T]):
    """One call, and what came of it."""

    def __init__(self, call: Callable[[], T]) -> None:
        self.is_given_up = False
        self._call = call
        self._results: list[T] = []
        self._error: BaseException | None = None
        self._running = threading.Lock()
        self._running.acquire()

    def run(self) -> None:
        """Call."""
        try:
            self._results.append(self._call())
        except BaseException as error:  # noqa: BLE001 - for whoever waits
            self._error = error

    def end(self) -> None:
        """Let whoever waits go on."""
        self._running.release()

    def wait(self, timeout_s: float) -> bool:
        """Return whether it ends in time."""
        return self._running.acquire(timeout=timeout_s)

    def result(self) -> T:
        """Return what it returned, or raise what it raised."""
        error, self._error = self._error, None
        try:
            if error is not None:
                raise error
        finally:
            del error  # whose traceback has this frame
        return self._results.pop()


class _Helper:
    """A thread that runs one errand after the other, and is among the *idle* in between."""

    def __init__(self, aside: "Aside", idle: "list[_Helper]") -> None:
        self._aside = aside
        self._idle = idle
        self._errands: SimpleQueue[_Work | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="casfs-call", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def give(self, errand: "_Work | None") -> None:
        """Run *errand*; None ends the thread."""
        self._errands.put(errand)

    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def join(self) -> None:
        if self._thread.is_alive():
            self._thread.join(GIVE_UP_S)

    def _work(self) -> None:
        while (errand := self._errands.get()) is not None:
            self._aside.begin(errand)
            errand.run()
            self._idle.append(self)  # before whoever waits comes with the next
            errand.end()
            del errand


class Aside:
    """Runs calls where no handler of a signal breaks into them.

    Threads: any. The main thread holds no lock here: a handler that broke into a call may make another.
    """

    def __init__(self) -> None:
        self._helpers: list[_Helper] = []
        self._idle: list[_Helper] = []
        self._current = threading.local()
        self._is_over = False

    def run(self, call: Callable[[], T], timeout_s: float | None = None) -> T:
        """Return what *call* returns, or raise what it raises.

        Where this is not the main thread, or the system gives no other, it is simply called.

        Args:
            call: what to do; it ends soon after ``is_given_up`` says so.
            timeout_s: seconds after which to give it up; None for never.

        Raises:
            DeadlineError: that time is over.
            InterruptedCallError: this is a child of fork, and the call was begun in its parent.
            BaseException: a handler of a signal raised it; the call is given up.
        """
        if timeout_s is None and threading.get_ident() != threading.main_thread().ident:
            return call()
        errand = _Errand(call)
        try:
            helper = self._helper()
            if helper is None:
                return call()
            helper.give(errand)
            self._wait(errand, helper, timeout_s)
        except BaseException:
            errand.is_given_up = True
            errand.wait(GIVE_UP_S)
            raise
        return errand.result()

    def is_given_up(self) -> bool:
        """Say whether nobody waits any more for the call that the calling thread is at."""
        errand: _Work | None = getattr(self._current, "errand", None)
        return errand is not None and errand.is_given_up

    def begin(self, errand: _Work) -> None:
        """Take note that the calling thread is at *errand* from now on."""
        self._current.errand = errand

    def stop(self) -> None:
        """End the threads; calls are simply made from now on."""
        self._is_over = True
        for helper in self._helpers:
            helper.give(None)
        for helper in self._helpers:
            helper.join()

    def _helper(self) -> _Helper | None:
        """Return a thread that has nothing to do; None where there is none."""
        if self._is_over:
            return None
        try:
            return self._idle.pop()
        except IndexError:
            helper = _Helper(self, self._idle)
        self._helpers.append(helper)  # first: whatever breaks in, it is to be ended
        try:
            helper.start()
        except (RuntimeError, MemoryError):  # the system gives none, or the interpreter exits
            self._helpers.remove(helper)
            return None
        return helper

    @staticmethod
    def _wait(errand: _Errand[T], helper: _Helper, timeout_s: float | None) -> None:
        if timeout_s is not None:
            if not errand.wait(timeout_s):
                raise DeadlineError(f"no answer within {timeout_s:g} s")
            return
        while not errand.wait(LIVENESS_S):
            if not helper.is_alive():
                raise InterruptedCallError("the process has forked meanwhile")


class AsideReader:
    """A reader whose calls are made aside.

    Attributes:
        size: length of the output in bytes.

    Args:
        aside: where they are made.
        reader: what reads.

    Threads: any, many at once.
    """

    def __init__(self, aside: Aside, reader: Reader) -> None:
        self.size = reader.size
        self._run = aside.run
        self._reader = reader

    def read_into(self, offset: int, buffer: memoryview, /) -> int:
        """Fill *buffer* with the bytes from *offset* on, as the reader does."""
        return self._run(lambda: self._reader.read_into(offset, buffer))

    def check(self) -> None:
        """Raise CorruptDataError if what was served before has proved wrong."""
        self._run(self._reader.check)

    def close(self) -> None:
        """Serve no more."""
        self._run(self._reader.close)
