"""The signals of a mount: those that end it, and those that have something done while it goes on.

libfuse's own handlers are not used: its SIGHUP ends the mount, and its SIGTERM waits for reads that are stalled.
"""

import logging
import signal
import threading
from collections.abc import Callable, Mapping

log = logging.getLogger(__name__)

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT)
LASTING = (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
SIGNALS = (*ENDING, *LASTING)


def block_signals() -> None:
    """Keep the signals for whoever waits for them, in this thread and all that it begins.

    To be called before the first thread: one that takes a signal ends the process with it.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)


class Signals:
    """Takes the signals of this process.

    Args:
        end: called with the name of the first that ends, on the thread that takes them.
        others: what each of the others has done.

    Threads: one of its own takes them, and waits for nothing else. What they have done has a thread for each, so that
    one that hangs, in a disk or in a network, holds up no other and no end.
    """

    def __init__(self, end: Callable[[str], None], others: Mapping[signal.Signals, Callable[[], None]]) -> None:
        self._end = end
        self._errands = {number: Errand(number.name, action) for number, action in others.items()}

    def start(self) -> None:
        """Take them from now on; those that nobody asked for do nothing."""
        block_signals()
        threading.Thread(target=self._take, name="signals", daemon=True).start()

    def _take(self) -> None:
        while (taken := signal.Signals(signal.sigwait(SIGNALS))) not in ENDING:
            errand = self._errands.get(taken)
            if errand is not None:
                errand.run()
        self._end(taken.name)


class Errand:
    """Something that is done aside: again, where it was asked for while it was done, and then once.

    Args:
        name: of who asks for it.
        action: what is done.
    """

    def __init__(self, name: str, action: Callable[[], None]) -> None:
        self._name = name
        self._action = action
        self._lock = threading.Lock()
        self._is_running = False
        self._is_wanted = False

    def run(self) -> None:
        """Have it done; returns at once."""
        with self._lock:
            self._is_wanted = True
            if self._is_running:
                return
            self._is_running = True
        try:
            threading.Thread(target=self._work, name=self._name, daemon=True).start()
        except RuntimeError as error:
            self._is_running = False
            log.warning("%s has nothing done: %s", self._name, error)

    def _work(self) -> None:
        while self._is_still_wanted():
            try:
                self._action()
            except Exception:  # the mount goes on
                log.exception("%s failed in a way that nobody foresaw", self._name)

    def _is_still_wanted(self) -> bool:
        with self._lock:
            self._is_running, self._is_wanted = self._is_wanted, False
            return self._is_running
