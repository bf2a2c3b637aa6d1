"""The lines that are on their way to the log: nobody but one thread waits until they are written.

A terminal that is stopped, a pipe that nobody reads, a disk that hangs or is full: whoever logs has a read to answer,
or a mount to end. Then lines are lost, and how many is said as soon as there is a place for it.
"""

import logging
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from casfs.log.bursts import Bursts
from casfs.log.outlets import Outlet

MAX_QUEUED_CHARACTERS = 4 << 20
"""Of all lines that wait: some seconds of the densest log, and little beside the blocks in memory."""
FLUSH_TIMEOUT_S = 1.0
"""How long the end of the process waits for the last lines: a log that works takes milliseconds."""
IDLE_WAIT_S = 3600.0
"""No wait is for ever; nothing is looked for when this one ends."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line, and how many that are lost it speaks for."""

    level: int
    text: str
    lost: int = 0


class QueueHandler(logging.Handler):
    """Formats records where they are made, and has one thread write them.

    Threads: any. The thread begins with the first line; it takes no signals.
    """

    def __init__(self, outlet: Outlet, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._outlet = outlet
        self._bursts = Bursts(clock)
        self._changed = threading.Condition()
        self._lines: deque[Line] = deque()
        self._characters = 0
        self._lost = 0
        self._is_writing = False
        self._is_failing = False
        self._thread: threading.Thread | None = None

    def createLock(self) -> None:  # noqa: N802 - the name is logging's
        """Have none: logging holds it while it flushes, and who logs would wait for that."""
        self.lock = None

    def handle(self, record: logging.LogRecord) -> bool:
        """Put *record* into the queue, without the lock of the base class."""
        is_wanted = bool(self.filter(record))
        if is_wanted:
            self.emit(record)
        return is_wanted

    def emit(self, record: logging.LogRecord) -> None:
        """Put *record* into the queue; if that is full, it is lost. One of a burst is counted."""
        if self._bursts.swallows(record):
            return
        self._put(record)

    def _put(self, record: logging.LogRecord) -> None:
        line = Line(record.levelno, self.format(record))
        with self._changed:
            if self._characters + len(line.text) > MAX_QUEUED_CHARACTERS:
                self._lost += 1
                return
            if self._lost:
                self._lines.append(self._account())
            self._lines.append(line)
            self._characters += len(line.text)
            self._changed.notify_all()
            self._start()

    def flush(self) -> None:
        """Return once every line is written, or lost, or after FLUSH_TIMEOUT_S."""
        self._put_counts(all_of_them=True)
        with self._changed:
            self._changed.wait_for(lambda: not self._is_writing and not self._has_work(), FLUSH_TIMEOUT_S)

    def _start(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            thread = threading.Thread(target=self._write, name="log", daemon=True)
            with suppress(RuntimeError), _all_signals_blocked():  # no thread to be had: the next line tries again
                thread.start()
                self._thread = thread

    def _has_work(self) -> bool:
        return bool(self._lines) or (self._lost > 0 and not self._is_failing)

    def _put_counts(self, *, all_of_them: bool = False) -> None:
        for record in self._bursts.over(all_of_them=all_of_them):
            self._put(record)

    def _account(self) -> Line:
        """Return the line that stands for those that were lost."""
        lost, self._lost = self._lost, 0
        record = logging.makeLogRecord({
            "name": __name__, "levelno": logging.WARNING, "levelname": "WARNING",
            "msg": "%d lines of this log were lost: they could not be written", "args": (lost,),
        })  # fmt: skip
        return Line(logging.WARNING, self.format(record), lost)

    def _write(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(self._has_work, min(IDLE_WAIT_S, self._bursts.due_s()))
                is_idle = not self._has_work()
            self._put_counts()
            if is_idle:
                continue
            with self._changed:
                line = self._lines.popleft() if self._lines else self._account()
                self._is_writing = True
            try:
                self._outlet.write(line.level, line.text)
                failed = False
            except Exception:  # noqa: BLE001 - there is no other place to say it
                failed = True
            with self._changed:
                self._is_writing, self._is_failing = False, failed
                self._characters -= 0 if line.lost else len(line.text)
                self._lost += failed * (line.lost or 1)
                self._changed.notify_all()


@contextmanager
def _all_signals_blocked() -> Iterator[None]:
    """Have a thread that begins in the block take no signal: one that is not waited for would end the process."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
