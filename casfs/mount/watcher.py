"""Whether a mount answers, asked by a process of its own, which also lets the kernel read whole blocks.

The process of a mount must not ask its own mount. If it is killed while one of its threads waits there for an answer
that another had begun to give, that thread waits for ever: it is what holds ``/dev/fuse`` open, and only when that is
closed does the kernel end such waits. Seen with SIGKILL right after mounting, 1 time in 40: a process that nobody could
end, and a mountpoint that hung whoever looked at it.
"""

import os
import select
import signal
import socket
import time
from contextlib import suppress
from enum import IntEnum
from pathlib import Path

from casfs.log.outlets import STANDARD_ERROR
from casfs.mount.dead import is_over_automount, take_dead_away
from casfs.shortage import fork

ANSWER_TIMEOUT_S = 30.0
"""By when the mount must answer: no answer needs the network, so that this is for a machine that is swapping."""
POLL_S = 0.005
"""How often to look whether the mount is there: a script that mounts does not feel 5 ms."""
READ_AHEAD_KB = 1024
"""One block a read. Source: measured, libfuse 3 hands over 128 KiB a read until this is raised, and 2.4 to 3.1 GB/s
instead of 1.5 after."""


STAYS = 128
"""Beside what was seen: the watcher goes on."""


class Seen(IntEnum):
    """What the watcher saw."""

    WHOLE_BLOCKS = 0
    """The mount answers, and the kernel reads whole blocks."""
    SMALL_READS = 1
    """It answers; this user may not say how far the kernel reads ahead."""
    NOTHING = 2
    """It does not answer, or has ended."""


class Watcher:
    """A process that looks at a directory until it is answered by the device of the mount.

    Threads: ``start`` before there are any; ``look_for`` and ``wait`` in one thread each.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._process = 0
        self._line: socket.socket | None = None

    def start(self) -> None:
        """Begin the process, which waits until it is told what to look for; it ends with this one at the latest."""
        ours, theirs = socket.socketpair()
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        self._process = fork()
        if self._process == 0:
            with suppress(BaseException):
                ours.close()
                _watch(theirs, self._path)
            os._exit(0)
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        theirs.close()
        self._line = ours

    def look_for(self, device: int) -> None:
        """Look for the mount that has that *device*: what else is mounted there is none of ours."""
        if self._line is not None:
            with suppress(OSError):  # it was killed, which ``wait`` sees
                self._line.sendall(b"%d" % device)

    def wait(self) -> Seen:
        """Return what was seen, once it was, after ANSWER_TIMEOUT_S at the latest."""
        if self._line is None:
            return Seen.NOTHING
        self._line.settimeout(ANSWER_TIMEOUT_S)
        try:
            seen = self._line.recv(1)
        except OSError:
            seen = b""
        if seen and seen[0] & STAYS:
            return Seen(seen[0] - STAYS)  # the line is open until this process ends, which is how it is noticed
        self._line.close()
        os.kill(self._process, signal.SIGKILL)
        # One that saw nothing may hang in what somebody else has mounted there.
        os.waitpid(self._process, 0 if seen else os.WNOHANG)
        return Seen(seen[0]) if seen else Seen.NOTHING


def _watch(line: socket.socket, path: Path) -> None:
    """Look until the device that *line* names answers; the end of *line* is that of the mount."""
    device = int(line.recv(32))
    while not select.select([line], [], [], 0)[0]:
        with suppress(OSError):  # ENOTCONN where libfuse gave up between mounting and answering: it says why
            if path.stat().st_dev == device:
                seen = Seen.WHOLE_BLOCKS if read_whole_blocks(device) else Seen.SMALL_READS
                stays = STAYS if is_over_automount(path) else 0
                line.sendall(bytes([seen + stays]))
                if stays:
                    _bury(line, path)
                return
        time.sleep(POLL_S)


def _bury(line: socket.socket, path: Path) -> None:
    """Take away what the process of the mount leaves at *path*, once it has ended."""
    for fd in map(int, os.listdir("/proc/self/fd")):  # noqa: PTH208 - numbers, not paths
        if fd > STANDARD_ERROR and fd != line.fileno():
            with suppress(OSError):  # that of the list itself
                os.close(fd)
    line.recv(1)
    if is_over_automount(path):
        take_dead_away(path)


def read_whole_blocks(device: int) -> bool:
    """Let the kernel ask the mount that has that *device* for whole blocks, and say whether this user may do that."""
    setting = Path(f"/sys/class/bdi/{os.major(device)}:{os.minor(device)}/read_ahead_kb")
    try:
        setting.write_text(str(READ_AHEAD_KB), encoding="ascii")
    except OSError:
        return False
    return True
