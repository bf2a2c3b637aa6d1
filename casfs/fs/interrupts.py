"""Whether the program that waits for a FUSE request wants to end."""

import re
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

ENDING = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM)
"""The signals that mean "end" even to a program that handles them. One that handles others (SIGCHLD, SIGALRM, SIGWINCH,
a runtime's SIGURG) goes on reading, and an EINTR out of a regular file is more than most of them bear."""

STOPPING = (signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU, signal.SIGSTOP)
"""The program will go on, with the read that it is in."""

HARMLESS = (signal.SIGCHLD, signal.SIGCONT, signal.SIGURG, signal.SIGWINCH)
"""What a program that does not handle them does not notice. Source: signal(7)."""


class Interrupts:
    """Asks libfuse, and then the program's own state, whether a request is worth waiting for.

    Used as a context manager around each callback: libfuse looks for the request of the calling thread and follows a
    null pointer in a thread that has none.

    Threads: every method may be called from any thread.
    """

    def __init__(self, interrupted: Callable[[], int], caller: Callable[[], int]) -> None:
        """Arguments: libfuse's ``fuse_interrupted``, and the thread id of the program, 0 where it has none here."""
        self._interrupted = interrupted
        self._caller = caller
        self._inside = threading.local()

    def __enter__(self) -> None:
        self._inside.callback = True

    def __exit__(self, *_: object) -> None:
        self._inside.callback = False

    def interrupted(self) -> bool:
        """Return whether the program that this thread answers got a signal that should end it."""
        if not getattr(self._inside, "callback", False) or not self._interrupted():
            return False
        return wants_to_end(self._caller())


def wants_to_end(thread: int) -> bool:
    """Return whether one of the pending signals of *thread* ends its program, or asks it to end.

    Returns:
        True as well where nobody can say: another user's, or in another PID namespace (*thread* is 0).

    Source: proc_pid_status(5); a signal stays pending until the system call that it interrupts returns.
    """
    with suppress(OSError, ValueError, KeyError):
        status = dict(
            re.findall(r"^(Sig\w+|Shd\w+):\t([0-9a-f]+)$", Path(f"/proc/{thread}/status").read_text(), re.MULTILINE)
        )
        sets = {name: int(digits, 16) for name, digits in status.items()}
        pending = (sets["SigPnd"] | sets["ShdPnd"]) & ~sets["SigBlk"] & ~sets["SigIgn"]
        uncaught = pending & ~sets["SigCgt"] & ~_mask(STOPPING) & ~_mask(HARMLESS)
        return bool(uncaught or pending & _mask(ENDING))
    return True


def _mask(signals: tuple[signal.Signals, ...]) -> int:
    return sum(1 << (number - 1) for number in signals)
