"""What is done for a mount while it lives: it is watched, told about, looked into, and read anew."""

import logging
import signal
import threading
import time
from collections.abc import Callable, Mapping

from casfs.account import Stages
from casfs.log.level import Level
from casfs.operate.notify import Manager
from casfs.operate.stacks import log_counters, log_stacks
from casfs.operate.status import Names, status_line
from casfs.operate.watchdog import Signs, Watchdog

log = logging.getLogger(__name__)


class Operating:
    """The attendance of one mount.

    Args:
        manager: the service manager, or nobody.
        stages: what the mount stands on.
        opened: how many outputs are open.
        answered: grows with each read of an output that is answered.
        answers: reads something through the mount, and says whether it came within so many seconds.
        reload: reads the configuration anew.
        level: of the log.

    Threads: ``begin`` once; the rest any.
    """

    def __init__(  # noqa: PLR0913 - whom to tell, what to look at, and what to change
        self,
        manager: Manager,
        stages: Stages,
        level: Level,
        *,
        opened: Callable[[], int],
        answered: Callable[[], int],
        answers: Callable[[float], bool],
        reload: Callable[[], None],
    ) -> None:
        self._manager = manager
        self._stages = stages
        self._level = level
        self._opened = opened
        self._reload = reload
        self._watchdog = Watchdog(manager, Signs(answered, answers, self.status))
        self._is_ready = threading.Event()

    def begin(self) -> None:
        """Say that the mount answers, and watch it from now on."""
        self._is_ready.set()  # first: who hears that it is ready may have it reloaded at once
        self._manager.ready(self.status())
        self._watchdog.start()

    def end(self, why: str) -> None:
        """Say that the mount ends; waits for nothing."""
        self._watchdog.stop()
        if self._is_ready.is_set():
            self._manager.stopping(why)

    def status(self) -> str:
        """Return how the mount is, in a line."""
        now_ns, tree = time.time_ns(), self._stages.tree
        names = Names(tree.vault_count(), tree.next_expiry_ns(now_ns))
        return status_line(names, self._opened(), self._stages.stats.snapshot(), now_ns)

    def on_signals(self) -> Mapping[signal.Signals, Callable[[], None]]:
        """Return what is done on each signal that does not end the mount."""
        return {
            signal.SIGHUP: self._read_anew,
            signal.SIGUSR1: self._look_into,
            signal.SIGUSR2: self._turn_debug,
        }

    def _read_anew(self) -> None:
        if not self._is_ready.is_set():  # the manager would take what follows for the first READY=1
            self._reload()
            return
        self._manager.reloading()
        try:
            self._reload()
        finally:
            self._manager.ready(self.status())

    def _look_into(self) -> None:
        log_stacks()
        log_counters(self._stages.stats.line())  # which may wait for a lock

    def _turn_debug(self) -> None:
        log.info("the log has level %s from now on, after SIGUSR2", self._level.turn())
