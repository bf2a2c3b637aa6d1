"""What is written to standard error while a mount is made, kept until it is known whether it was made.

libfuse, fusermount and the log say there in lines of their own why it could not be. casfs promises one line, of which
theirs is a part.
"""

import os
import re
import threading
from contextlib import suppress

LIBFUSE_LINE = re.compile(r"^(?:fuse|fusermount3?): *(.+)$", re.MULTILINE)
PATIENCE_S = 1.0
"""A terminal that is stopped, or a pipe that nobody reads, must not keep a mount from saying that it is ready."""
LONGEST_BYTES = 65536
"""More than a failing mount says; a log at level debug may say more, and loses its end."""


class CapturedStderr:
    """Keeps what anybody in this process, or a child of it, writes to descriptor 2; from its beginning to an end.

    Threads: any; the first end counts.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._real: int | None = None
        self._kept = -1

    def keep(self) -> None:
        """Show nothing from now on."""
        self._kept = os.memfd_create("standard error", os.MFD_CLOEXEC)
        self._real = os.dup(2)
        os.dup2(self._kept, 2)

    def show(self) -> None:
        """End, and show what was kept; who reads it is waited for no longer than PATIENCE_S."""
        text = self._end()
        if text:
            shown = threading.Thread(target=_write, args=(text,), name="standard error", daemon=True)
            shown.start()
            shown.join(PATIENCE_S)

    def drop(self) -> str:
        """End, and return, as one line, what libfuse said; nobody sees the rest."""
        return "; ".join(LIBFUSE_LINE.findall(self._end().decode(errors="replace")))

    def _end(self) -> bytes:
        with self._lock:
            if self._real is None:
                return b""
            os.dup2(self._real, 2)
            os.close(self._real)
            self._real = None
            text = os.pread(self._kept, LONGEST_BYTES, 0)
            os.close(self._kept)
            return text


def _write(text: bytes) -> None:
    with suppress(OSError):
        while text:
            text = text[os.write(2, text) :]
