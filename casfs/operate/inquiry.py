"""What a mount tells of itself, asked by a process of its own: whoever waits in a mount that hangs cannot be ended.

That process holds nothing that others wait for: no terminal, no output of the command. It ends with the command, or
with the mount that it hangs in.
"""

import errno
import json
import os
import select
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from casfs.errors import MountError
from casfs.models import ACTIVITY_ATTRIBUTE, OPTIONS_ATTRIBUTE, STATS_ATTRIBUTE
from casfs.waiting import Deadline

ANSWER_S = 10.0
"""By when a mount answers: out of memory, so that this is for a machine that is very busy."""

NAMES = (STATS_ATTRIBUTE, ACTIVITY_ATTRIBUTE, OPTIONS_ATTRIBUTE)

ASKER = """
import os, sys
path, *names = map(os.fsencode, sys.argv[1:])
for _ in sys.stdin:
    for name in names:
        try:
            told = os.getxattr(path, name).strip()
        except OSError as error:
            told = b"%d" % error.errno
        sys.stdout.buffer.write(told + b"\\n")
    sys.stdout.flush()
"""
"""Writes, at each line that it reads, a line for each attribute: its value, or the errno."""

OVER = (errno.ENOTCONN, errno.ECONNABORTED)
GONE = (errno.ENODATA, errno.EOPNOTSUPP, errno.ENOENT, errno.ENOTDIR)


@dataclass(frozen=True, slots=True)
class Told:
    """What a mount tells of itself.

    Attributes:
        stats: its counters.
        activity: what it is at; empty where it is of a casfs that does not tell that.
        options: every option and its value, likewise.
    """

    stats: dict[str, Any]
    activity: dict[str, Any]
    options: dict[str, Any]


class Inquiry:
    """Asks one mount, again and again.

    Args:
        path: of the mount, as the table of mounts has it.
        answer_s: by when it must have answered.

    Threads: one.
    """

    def __init__(self, path: str, answer_s: float = ANSWER_S) -> None:
        self._path = path
        self._answer_s = answer_s
        command = [sys.executable, "-I", "-S", "-c", ASKER, path, *NAMES]
        self._process = subprocess.Popen(  # noqa: S603 - no shell, and the path is an argument
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is none of its business
        )

    def close(self) -> None:
        """End the process; one that hangs in the mount is left behind, and ends with that."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        self._process.kill()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(1.0)

    def ask(self) -> Told:
        """Return what the mount tells.

        Raises:
            MountError: it does not answer, has ended, or is none of casfs; or somebody else's. The message is one line.
        """
        stats, activity, options = self._lines()
        if stats.isdigit():
            raise MountError(f"{self._path}: {_why(int(stats))}")
        return Told(self._read(stats), self._read(activity), self._read(options))

    def _lines(self) -> list[bytes]:
        deadline, told = Deadline.after(self._answer_s), b""
        with suppress(BrokenPipeError):
            os.write(self._process.stdin.fileno() if self._process.stdin else -1, b"\n")
        while told.count(b"\n") < len(NAMES):
            piece = self._piece(deadline)
            if not piece:
                raise MountError(f"{self._path}: the process that asks the mount has ended")
            told += piece
        return told.splitlines()

    def _piece(self, deadline: Deadline) -> bytes:
        line = self._process.stdout
        if line is None or not select.select([line], [], [], deadline.remaining_s)[0]:
            raise MountError(f"{self._path}: the mount does not answer: it said nothing for {self._answer_s:.0f} s")
        return os.read(line.fileno(), 1 << 17)

    def _read(self, line: bytes) -> dict[str, Any]:
        if line.isdigit():
            return {}
        try:
            found = json.loads(line)
        except ValueError as error:
            raise MountError(f"{self._path}: what the mount tells of itself is no JSON: {error}") from error
        return found if isinstance(found, dict) else {}


def _why(number: int) -> str:
    if number in OVER:
        return "the mount has ended: its process has died"
    if number in GONE:
        return "no mount of casfs is there any more"
    return f"the mount cannot be looked at: {os.strerror(number)}"
