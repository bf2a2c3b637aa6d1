"""What the kernel remembers of a file, and how to have it ask anew."""

import subprocess

from casfs.fs.needs import Mount

ASK_S = 5.0
"""How long the kernel has to ask: it takes some milliseconds, unless every thread of libfuse waits in an open."""


class Kernel:
    """The kernel's side of the mount at *mountpoint*.

    Threads: every method may be called from any thread, callbacks too.
    """

    def __init__(self, mountpoint: str, mount: Mount) -> None:
        self._mountpoint = mountpoint
        self._mount = mount

    def takes(self, path: str, inode: int, size: int) -> bool:
        """Have the kernel ask for the attributes of *path*, as anybody's stat does; return whether it got these.

        libfuse has no call for that. Another process asks, not a thread of this one: a process that is killed while
        it waits for an answer of its own cannot end, and its mount hangs whoever touches it. It fails where the mount
        cannot be seen from here, and where another one is seen instead.
        """
        command = ["stat", "--format=%d %i %s", "--", self._mountpoint + path]
        try:
            asking = subprocess.Popen(  # noqa: S603 - no shell, and the path is an argument
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        except OSError:
            return False
        try:
            answer, _ = asking.communicate(timeout=ASK_S)
        except subprocess.TimeoutExpired:
            asking.kill()  # and not waited for: it may be this very thread that it needs
            return False
        return answer.split() == [str(number).encode() for number in (self._mount.device, inode, size)]
