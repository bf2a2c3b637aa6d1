"""Whether reads are answered, seen by a read through the kernel that costs no request."""

import logging
import subprocess
from collections.abc import Callable
from pathlib import Path

from casfs.errors import CasfsError
from casfs.models import PROBE_NAME
from casfs.mount.own_mount import OwnMount

log = logging.getLogger(__name__)


class Proof:
    """Reads ``.casfs-probe``.

    A program of its own reads it, which does not have ``/dev/fuse`` open: a process of the mount that waits for itself
    could not be ended. Where the mount is not to be seen, since it was taken away while files are open, or is covered
    by another one, or there is no process to be had, it is read without the kernel.

    Args:
        own: the mount.
        text: what the file has: no other mount has the same.
        read_here: returns what a read of it in this process does.

    Threads: one at a time.
    """

    def __init__(self, own: OwnMount, text: bytes, read_here: Callable[[], bytes]) -> None:
        self._own = own
        self._text = text
        self._read_here = read_here
        self._asking: subprocess.Popen[bytes] | None = None

    def is_answered(self, within_s: float) -> bool:
        """Say whether a read was answered within so many seconds; without the kernel, the deadline of a read counts."""
        place = self._own.place()
        told = None if place is None else self._told(place / PROBE_NAME, within_s)
        return told == self._text or (told is None and self._is_answered_here())

    def _told(self, path: Path, within_s: float) -> bytes | None:
        """Return what a program reads at *path*: nothing where it still waits, None where it cannot read there.

        One that waits is waited for the next time again: while its read is at the mount not even SIGKILL ends it.
        """
        command = ["head", f"--bytes={len(self._text)}", "--", str(path)]
        try:
            self._asking = self._asking or subprocess.Popen(  # noqa: S603 - no shell, and the path is an argument
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
            told, _ = self._asking.communicate(timeout=within_s)
        except subprocess.TimeoutExpired:
            return b""
        except OSError:
            return None
        self._asking = None
        return told if told == self._text else None

    def _is_answered_here(self) -> bool:
        try:
            return self._read_here() == self._text
        except CasfsError as error:
            log.debug("a read of %s failed: %s", PROBE_NAME, error)
            return False
