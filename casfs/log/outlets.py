"""Where a line of the log can go: each may be slow, stopped, full or away; only the log's own thread waits for it."""

import errno
import fcntl
import logging
import os
import select
import socket
from contextlib import suppress
from logging.handlers import SysLogHandler
from pathlib import Path
from typing import Protocol

SYSLOG_SOCKET = "/dev/log"
"""Source: syslog(3); journald listens there too."""
SYSLOG_TIMEOUT_S = 0.1
"""A system log that is stopped fills its socket: then a line is lost, rather than all that follow it."""
DESCRIPTOR_TIMEOUT_S = 60.0
"""How long a pipe that others made non-blocking may be full until a line is lost; any other is waited for."""
STANDARD_ERROR = 2
LOG_FILE_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
"""How a log file is opened: a FIFO without waiting for who reads it."""


class Outlet(Protocol):
    """Takes lines. Threads: one at a time."""

    def write(self, level: int, text: str) -> None:
        """Write one line, and wait for as long as that takes.

        Args:
            level: of logging.
            text: without the line end.

        Raises:
            OSError: it is lost.
        """
        ...


class Descriptor:
    """Lines for a descriptor of this process."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._is_torn = False

    def write(self, _level: int, text: str) -> None:
        """Write one line; what follows the half of one begins on a line of its own."""
        line = b"\n" * self._is_torn + text.encode(errors="backslashreplace") + b"\n"
        written = 0
        try:
            while written < len(line):
                written += _write_some(self._fd, line[written:])
        except OSError:
            self._is_torn |= written > 0
            raise
        self._is_torn = False


def _write_some(fd: int, data: bytes) -> int:
    with suppress(BlockingIOError):
        return os.write(fd, data)
    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    if not poll.poll(DESCRIPTOR_TIMEOUT_S * 1000):
        raise TimeoutError(errno.ETIMEDOUT, "nobody reads")
    return os.write(fd, data)


class LogFile:
    """A file that may be rotated away, and its directory with it: a line that finds no place is lost.

    A FIFO is a file too; nobody needs to read it when the mount begins.
    """

    def __init__(self, path: Path) -> None:
        """Open *path* to append to it.

        Raises:
            OSError: it cannot be written.
        """
        self._path = path
        self._fd: int | None = None
        self._lines = Descriptor(-1)
        try:
            self._open()
        except OSError as error:
            if error.errno != errno.ENXIO or not path.is_fifo():
                raise

    def write(self, level: int, text: str) -> None:
        """Write one line to the file that has the name now."""
        if self._fd is None or self._has_moved(self._fd):
            self._open()
        self._lines.write(level, text)

    def _open(self) -> None:
        fd = os.open(self._path, LOG_FILE_FLAGS, 0o666)
        fcntl.fcntl(fd, fcntl.F_SETFL, os.O_APPEND)  # each write may wait
        if self._fd is not None:
            os.close(self._fd)
        self._fd, self._lines = fd, Descriptor(fd)

    def _has_moved(self, fd: int) -> bool:
        try:
            return not os.path.samestat(self._path.stat(), os.fstat(fd))
        except FileNotFoundError:
            return True


class SystemLog:
    """The system log, which may come and go."""

    def __init__(self, handler: "SystemLogHandler") -> None:
        self._handler = handler

    def write(self, level: int, text: str) -> None:
        """Send one line with its priority."""
        name = logging.getLevelName(level)
        record = logging.makeLogRecord({"levelno": level, "levelname": name, "msg": text})
        self._handler.failure = None
        self._handler.emit(record)
        if self._handler.failure is not None:
            raise self._handler.failure


class SystemLogHandler(SysLogHandler):
    """Speaks with the system log, which is never waited for longer than SYSLOG_TIMEOUT_S.

    Attributes:
        failure: why the last line was lost; None if it was not.
    """

    socket: socket.socket
    failure: OSError | None = None

    def _connect_unixsocket(self, address: str) -> None:
        # the one method that every connect goes through, the one after a lost connection too
        super()._connect_unixsocket(address)  # type: ignore[misc]  # it is private - typeshed lists public methods only
        self.socket.settimeout(SYSLOG_TIMEOUT_S)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name is logging's
        """Take note that *record* is lost."""
        self.failure = OSError(f"the system log did not take a line of {record.name}")


def has_system_log(address: str = SYSLOG_SOCKET) -> bool:
    """Return whether somebody listens for the lines of this machine."""
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with suppress(OSError), socket.socket(socket.AF_UNIX, kind) as line:
            line.connect(address)
            return True
    return False
