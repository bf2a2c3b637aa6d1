"""Tells the service manager how the mount is and, as long as reads are answered, that all is well.

What is said is said by who has just seen it: reads of outputs that were answered since it was said last or, where
nobody reads, a read that was asked for to see it. A mount that answers nothing any more says nothing any more, and the
manager begins it anew.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from casfs.models import PROBE_NAME
from casfs.operate.notify import Manager
from casfs.operate.stacks import log_stacks

log = logging.getLogger(__name__)

STATUS_S = 10.0
"""How often the manager is told how the mount is, where it does not want to hear more often that all is well."""

LOOKS = 4
"""How often it is looked within the time of the manager: of two looks in a row one may be missed."""


@dataclass(frozen=True, slots=True)
class Signs:
    """What a mount can be told by.

    Attributes:
        answered: grows with each read of an output that is answered.
        answers: reads something through the mount, and says whether it came within so many seconds.
        status: how the mount is, in a line; asks nobody.
    """

    answered: Callable[[], int]
    answers: Callable[[float], bool]
    status: Callable[[], str]


class Watchdog:
    """Looks at a mount from time to time.

    Args:
        manager: whom to tell.
        signs: what to look at.

    Threads: one of its own from ``start`` on; it ends with ``stop``, or with the process.
    """

    def __init__(self, manager: Manager, signs: Signs) -> None:
        self._manager = manager
        self._signs = signs
        self._answered = 0
        self._is_silent = False
        self._status = ""
        self._is_over = threading.Event()
        self._every_s = STATUS_S if manager.watchdog_s is None else min(STATUS_S, manager.watchdog_s / LOOKS)

    def start(self) -> None:
        """Look from now on, if anybody listens."""
        if self._manager.listens:
            threading.Thread(target=self._look_on, name="watchdog", daemon=True).start()

    def stop(self) -> None:
        """Say nothing any more."""
        self._is_over.set()

    def look(self) -> None:
        """Look once, and tell what was seen."""
        if self._manager.watchdog_s is not None:
            self._tell_alive(self._manager.watchdog_s)
        status = self._signs.status()
        if status != self._status:
            self._manager.status(status)
        self._status = status

    def _look_on(self) -> None:
        while not self._is_over.wait(self._every_s):
            try:
                self.look()
            except Exception:  # the next look may succeed, and without one nobody says that all is well
                log.exception("the mount could not be looked at")

    def _tell_alive(self, watchdog_s: float) -> None:
        answered = self._signs.answered()
        if answered != self._answered or self._signs.answers(watchdog_s / 2):
            self._manager.alive()
            self._is_silent = False
        elif not self._is_silent:
            self._is_silent = True
            log.error("no read is answered: that of %s did not end within %.1f s", PROBE_NAME, watchdog_s / 2)
            log_stacks()  # whoever looks into it finds a process that has been killed
        self._answered = answered
