"""What the kernel remembers of a file, and how to have it ask anew.

Another process asks, not a thread of this one: a process that is killed while it waits for an answer of its own cannot
end, and its mount hangs whoever touches it. That is why pages are dropped by an open, and not by libfuse's
``fuse_invalidate_path``, which waits in this process for pages that are being read, and which libfuse 2 does not have.
docs/architecture.md has what else may hang.
"""

import contextlib
import subprocess
import threading

from casfs.fs.handles import Handles
from casfs.fs.needs import Mount
from casfs.models import Output

ASK_S = 5.0
"""How long the kernel has to ask: it takes some milliseconds, unless every thread of libfuse waits in an open."""


class Kernel:
    """The kernel's side of a mount.

    Args:
        mountpoint: where it is.
        mount: which it is.
        handles: the files that are open.

    Threads: every method may be called from any thread, callbacks too.
    """

    def __init__(self, mountpoint: str, mount: Mount, handles: Handles) -> None:
        self._mountpoint = mountpoint
        self._mount = mount
        self._handles = handles

    def takes(self, path: str, inode: int, size: int) -> bool:
        """Have the kernel ask for the attributes of *path*, as anybody's stat does; return whether it got these.

        libfuse has no call for that. It fails where the mount cannot be seen from here, and where another one is seen
        instead.
        """
        answer = self._answer("stat", "--format=%d %i %s", "--", path)
        return answer.split() == [str(number).encode() for number in (self._mount.device, inode, size)]

    def drop_pages(self, output: Output) -> None:
        """Have the kernel drop its pages of *output*, as an open does that may not keep them; returns before it has.

        Those of an output that is not open, and whatever fails here, the next open of anybody's drops.
        """
        path = self._handles.path_of(output)
        if path is None:
            return
        opening = threading.Thread(target=self._answer, args=("head", "--bytes=0", "--", path), daemon=True)
        with contextlib.suppress(RuntimeError):  # the system gives no more threads
            opening.start()

    def _answer(self, *command: str) -> bytes:
        """Return what a program says of the path that *command* ends with; nothing if it fails."""
        try:
            asking = subprocess.Popen(  # noqa: S603 - no shell, and the path is an argument
                [*command[:-1], self._mountpoint + command[-1]],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except OSError:
            return b""
        try:
            answer, _ = asking.communicate(timeout=ASK_S)
        except subprocess.TimeoutExpired:
            asking.kill()  # and not waited for: it may be this very thread that it needs
            return b""
        return answer
