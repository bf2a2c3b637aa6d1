"""What the kernel remembers of a file, and how to have it ask anew."""

import os
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from pathlib import Path
from threading import Thread

ASK_S = 5.0
"""How long the kernel has to ask: it takes a millisecond, unless every thread of libfuse waits in an open."""


class Kernel:
    """The kernel's side of the mount at *mountpoint*.

    Threads: every method may be called from any thread, callbacks too.
    """

    def __init__(self, mountpoint: str) -> None:
        self._mountpoint = mountpoint

    def takes(self, path: str, inode: int, size: int) -> bool:
        """Have the kernel ask for the attributes of *path*, as anybody's stat does; return whether it got these.

        libfuse has no call for that. Not waited for without end, and not in the calling thread: to ask takes another
        thread of libfuse. It fails where the mount cannot be seen from this process.
        """
        found: Future[os.stat_result] = Future()
        Thread(target=_ask, args=(self._mountpoint + path, found), name="ask", daemon=True).start()
        try:
            answer = found.result(ASK_S)
        except (OSError, FutureTimeoutError):
            return False
        return (answer.st_ino, answer.st_size) == (inode, size)


def _ask(path: str, found: Future[os.stat_result]) -> None:
    try:
        found.set_result(Path(path).stat())
    except OSError as error:
        found.set_exception(error)
