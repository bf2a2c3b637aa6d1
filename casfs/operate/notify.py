"""What a service manager is told, where one waits to hear it.

Source: sd_notify(3), sd_watchdog_enabled(3), systemd.exec(5).
"""

import logging
import os
import socket
import time
from collections.abc import Mapping

log = logging.getLogger(__name__)

SEND_S = 5.0
"""How long a manager that does not take what it is told is waited for."""


class Manager:
    """The service manager, or nobody.

    Args:
        address: of its socket: a path, or ``@`` and an abstract name; None where nobody listens.
        main_pid: what it must be told to be the process of the service; None where it knows.
        watchdog_s: within how many seconds it wants to hear again and again that all is well; None where it does not.

    Threads: any. Nothing here raises: what cannot be told is logged, once.
    """

    def __init__(
        self, address: str | None = None, main_pid: int | None = None, watchdog_s: float | None = None
    ) -> None:
        self.watchdog_s = watchdog_s if address else None
        self._address = address
        self._main_pid = main_pid
        self._is_lost = False

    @property
    def listens(self) -> bool:
        """Whether there is one."""
        return self._address is not None

    def ready(self, status: str) -> None:
        """Say that the service is there, or there again after ``reloading``."""
        main = [] if self._main_pid is None else [f"MAINPID={self._main_pid}"]
        self._tell(*main, "READY=1", _status(status))

    def reloading(self) -> None:
        """Say that the configuration is being read; ``ready`` follows."""
        # What the manager holds against its own clock, to know that this is the reload that it asked for.
        self._tell("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self, why: str) -> None:
        """Say that the service ends; waits for nothing."""
        self._tell("STOPPING=1", _status(why), wait_s=0.0)

    def status(self, text: str) -> None:
        """Say how the service is, in a line."""
        self._tell(_status(text))

    def alive(self) -> None:
        """Say that all is well, as it wants to hear within ``watchdog_s``."""
        self._tell("WATCHDOG=1")

    def _tell(self, *assignments: str, wait_s: float = SEND_S) -> None:
        if self._address is None:
            return
        text = "\n".join(assignments).encode(errors="backslashreplace")
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
                line.settimeout(wait_s)
                line.sendto(text, _encoded(self._address))
        except OSError as error:
            if not self._is_lost:
                log.warning("the service manager at %s cannot be told anything: %s", self._address, error)
            self._is_lost = True


def manager_of(environment: Mapping[str, str], pid: int, command: int) -> Manager:
    """Return the manager that waits to hear from a mount.

    A mount in the background speaks for its service only where the command was the service's own process: in a script
    that is, it would take the script's place.

    Args:
        environment: variables.
        pid: the process of the mount.
        command: the process that was begun, which has ended by now if it is another one.
    """
    address = environment.get("NOTIFY_SOCKET") or None
    if pid != command and environment.get("SYSTEMD_EXEC_PID") != str(command):
        return Manager()
    watched, text = environment.get("WATCHDOG_PID"), environment.get("WATCHDOG_USEC", "")
    is_meant = watched in (None, str(pid), str(command)) and text.isdecimal() and int(text) > 0
    return Manager(address, None if pid == command else pid, int(text) / 10**6 if is_meant else None)


def _encoded(address: str) -> bytes:
    name = os.fsencode(address)
    return b"\0" + name[1:] if name.startswith(b"@") else name


def _status(text: str) -> str:
    return f"STATUS={' '.join(text.split())}"
