"""The life of one mount: the moment it answers, and the signal that ends it.

Threads: the signals are blocked in whoever calls ``start``, hence in every thread begun after; one thread takes them,
another waits for the mount to answer. Both are daemons, and end with the process at the latest.
"""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from datetime import timedelta

from casfs.errors import MountError
from casfs.mount.own_mount import OwnMount
from casfs.mount.watcher import ANSWER_TIMEOUT_S, Seen, Watcher
from casfs.operate.signals import Signals, block_signals

POLL_S = 0.005
"""How often to try to take the mount away, while it is only about to be made."""
GRACE_S = 2.0
"""How long open files go on being read once the mount is away: time for a read in flight to end. A program that reads
for hours would keep a machine from shutting down."""
EXIT_S = 10.0
"""How long the process has to end by itself once libfuse has let go: it waits for nobody but its own threads."""

_log = logging.getLogger(__name__)


class Lifetime:
    """Says once that the mount answers, ends it when a signal asks for that, and says how it ended."""

    def __init__(
        self,
        own: OwnMount,
        watcher: Watcher,
        ready: Callable[[], None],
        stopping: Callable[[str], None],
        others: Mapping[signal.Signals, Callable[[], None]],
    ) -> None:
        """Describe the life of a mount.

        Args:
            own: the mount.
            watcher: looks whether it answers; started already.
            ready: says to others that it answers, or raises MountError.
            stopping: says to others that it ends, and why; waits for nothing.
            others: what signals have done that do not end it.
        """
        self._own = own
        self._watcher = watcher
        self._ready = ready
        self._stopping = stopping
        self._signals = Signals(self._end_by, others)
        self._ended = threading.Event()
        self._failure: MountError | None = None
        self._cause = "unmounted by others"
        self._answered_s: float | None = None

    def start(self) -> None:
        """Take the signals from now on, and wait for the mount to answer."""
        block_signals()
        self._own.look_before()
        self._signals.start()
        threading.Thread(target=self._announce, name="announce", daemon=True).start()

    def ended(self) -> None:
        """Take note that libfuse has let go of the mount, and say so."""
        self._ended.set()
        self._stopping(self._cause)
        self._say_end()

    def check(self) -> None:
        """Raise MountError unless the mount answered, and somebody waited for that.

        Raises:
            MountError: the message says which.
        """
        if self._failure:
            raise self._failure

    def _announce(self) -> None:
        seen = self._watcher.wait()
        if self._ended.is_set():
            return
        try:
            self._tell(seen)
        except MountError as error:
            self._failure = error
            self._end()

    def _tell(self, seen: Seen) -> None:
        path = self._own.path
        if seen is Seen.NOTHING:
            raise MountError(f"{path}: the mount did not answer within {ANSWER_TIMEOUT_S:.0f} s")
        self._ready()
        self._answered_s = _now_s()
        hint = "" if seen is Seen.WHOLE_BLOCKS else "; contrib/99-casfs.rules lets the kernel read whole blocks"
        _log.info("mounted at %s%s", path, hint)

    def _end_by(self, signal_name: str) -> None:
        self._cause = signal_name
        self._end()

    def _end(self) -> None:
        """Take the mount away; who still reads is let go on for a while, then gets an error.

        Acts before it speaks: nothing here may wait for a log, a disk or a lock.
        """
        gives_up_s = time.monotonic() + GRACE_S
        while not self._ended.wait(POLL_S) and not self._own.take_away():
            if time.monotonic() > gives_up_s:
                break
        self._stopping(self._cause)
        if self._ended.wait(GRACE_S):
            time.sleep(EXIT_S)  # for whoever began this process to end it
        else:
            self._stopping(f"{self._cause}, while files are open")
            self._say_end(", while files were open")
        logging.shutdown()
        # Whoever has a file open gets an error: the connection ends with the process that holds it.
        os._exit(0 if self._failure is None else 1)

    def _say_end(self, left: str = "") -> None:
        if self._answered_s is not None:
            lasted = timedelta(seconds=round(_now_s() - self._answered_s))
            _log.info("the mount at %s ended after %s: %s%s", self._own.path, lasted, self._cause, left)


def _now_s() -> float:
    """Return a time that goes on while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
