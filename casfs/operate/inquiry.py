"""What a mount tells of itself, asked by a child of the command, which may hang in it (``apart``)."""

import errno
import json
import os
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from casfs.apart import begin, end
from casfs.errors import MountError
from casfs.models import ACTIVITY_ATTRIBUTE, OPTIONS_ATTRIBUTE, STATS_ATTRIBUTE

ANSWER_S = 10.0
"""By when a mount answers: out of memory, so that this is for a machine that is very busy."""

NAMES = (STATS_ATTRIBUTE, ACTIVITY_ATTRIBUTE, OPTIONS_ATTRIBUTE)

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

    Threads: one, and it is made before there are others.
    """

    def __init__(self, path: str, answer_s: float = ANSWER_S) -> None:
        self._path = path
        self._answer_s = answer_s
        line, self._process = begin(lambda theirs: _answer(path, Connection(theirs.detach())))
        self._line = Connection(line.detach())

    def close(self) -> None:
        """End the child; one that hangs in the mount is left behind, and ends with that."""
        self._line.close()
        end(self._process)

    def ask(self) -> Told:
        """Return what the mount tells.

        Raises:
            MountError: it does not answer, has ended, or is none of casfs; or somebody else's. The message is one line.
        """
        stats, activity, options = self._told()
        if isinstance(stats, int):
            raise MountError(f"{self._path}: {_why(stats)}")
        return Told(self._read(stats), self._read(activity), self._read(options))

    def _told(self) -> list[bytes | int]:
        """Return the values of the attributes, or the errno of each that is not told."""
        try:
            self._line.send(None)
            if not self._line.poll(self._answer_s):
                raise MountError(f"{self._path}: the mount does not answer: it said nothing for {self._answer_s:.0f} s")
            told: list[bytes | int] = self._line.recv()
        except (EOFError, OSError):
            raise MountError(f"{self._path}: the process that asks the mount has ended") from None
        return told

    def _read(self, told: bytes | int) -> dict[str, Any]:
        if isinstance(told, int):
            return {}
        try:
            found = json.loads(told)
        except ValueError as error:
            raise MountError(f"{self._path}: what the mount tells of itself is no JSON: {error}") from error
        return found if isinstance(found, dict) else {}


def _answer(path: str, line: Connection) -> None:
    """Tell, each time that it is asked, what the mount at *path* has in its attributes."""
    while True:
        line.recv()
        line.send([_attribute(path, name) for name in NAMES])


def _attribute(path: str, name: str) -> bytes | int:
    try:
        return os.getxattr(path, name)
    except OSError as error:
        return error.errno or errno.EIO


def _why(number: int) -> str:
    if number in OVER:
        return "the mount has ended: its process has died"
    if number in GONE:
        return "no mount of casfs is there any more"
    return f"the mount cannot be looked at: {os.strerror(number)}"
