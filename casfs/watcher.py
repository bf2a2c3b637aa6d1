"""Whether a mount answers, asked by a process of its own, which also lets the kernel read whole blocks.

The process of a mount must not ask its own mount. If it is killed while one of its threads waits there for an answer
that another had begun to give, that thread waits for ever: it is what holds ``/dev/fuse`` open, and only when that is
closed does the kernel end such waits. Seen with SIGKILL right after mounting, 1 time in 40: a process that nobody could
end, and a mountpoint that hung whoever looked at it.
"""

import os
import time
from contextlib import suppress
from enum import IntEnum
from pathlib import Path

ANSWER_TIMEOUT_S = 30.0
"""By when the mount must answer: no answer needs the network, so that this is for a machine that is swapping."""
POLL_S = 0.005
"""How often to look whether the mount is there: a script that mounts does not feel 5 ms."""
READ_AHEAD_KB = 1024
"""One block a read. Source: measured, libfuse 3 hands over 128 KiB a read until this is raised, and 2.4 to 3.1 GB/s
instead of 1.5 after."""


class Seen(IntEnum):
    """What the watcher saw; its exit status."""

    WHOLE_BLOCKS = 0
    """The mount answers, and the kernel reads whole blocks."""
    SMALL_READS = 1
    """It answers; this user may not say how far the kernel reads ahead."""
    NOTHING = 2
    """It does not answer, or has ended."""


class Watcher:
    """A process that looks at a directory until it is answered by another device: through FUSE.

    Threads: ``start`` before there are any; ``wait`` in one thread.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._process = 0

    def start(self) -> None:
        """Begin to look at the directory, which is no mount yet."""
        before, mount = self._path.stat().st_dev, os.getpid()
        self._process = os.fork()
        if self._process == 0:
            seen = Seen.NOTHING
            with suppress(BaseException):
                seen = _look(self._path, before, mount)
            os._exit(seen)

    def wait(self) -> Seen:
        """Return what was seen, once it was, after ANSWER_TIMEOUT_S at the latest."""
        _, status = os.waitpid(self._process, 0)
        return Seen(os.waitstatus_to_exitcode(status)) if os.WIFEXITED(status) else Seen.NOTHING


def _look(path: Path, before: int, mount: int) -> Seen:
    """Look until the answer comes from another device than *before*, or the process *mount* is gone."""
    gives_up_s = time.monotonic() + ANSWER_TIMEOUT_S
    while os.getppid() == mount and time.monotonic() < gives_up_s:
        with suppress(OSError):  # ENOTCONN where libfuse gave up between mounting and answering: it says why
            device = path.stat().st_dev
            if device != before:
                return Seen.WHOLE_BLOCKS if read_whole_blocks(device) else Seen.SMALL_READS
        time.sleep(POLL_S)
    return Seen.NOTHING


def read_whole_blocks(device: int) -> bool:
    """Let the kernel ask the mount that has that *device* for whole blocks, and say whether this user may do that."""
    setting = Path(f"/sys/class/bdi/{os.major(device)}:{os.minor(device)}/read_ahead_kb")
    try:
        setting.write_text(str(READ_AHEAD_KB), encoding="ascii")
    except OSError:
        return False
    return True
