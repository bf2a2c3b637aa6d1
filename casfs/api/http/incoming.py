"""A response as it comes: its bytes go from the socket into the caller's buffers, within its idle timeout."""

import errno
import http.client
import io
import socket
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from casfs.api.http.idle_timeout import IdleTimeout
from casfs.api.http.sockets import SLICE_S, PatientSocket
from casfs.api.http.tls import TlsSocket
from casfs.copying import copy

PIECE_BYTES = 64 << 10
"""What is read at once where ``http.client`` does the reading: small enough to ask for a cancellation soon."""

BATCH_BYTES = 256 << 10
"""So much is taken between two looks at the time where TLS hands over a record at a time, 16 KiB: behind a proxy that
is spoken to over TLS. Source: measured 2026-11-20, 7 rounds: after each record a cold read over TLS took 1.15 times as
long; after 64 KiB 1.02 times."""


Check = Callable[[int], None]
"""Told how many bytes came since it was called last, 0 where half a second went by; what it raises ends the call."""


def unchecked(_count: int) -> None:
    """Check nothing."""


waiting: ContextVar[Check] = ContextVar("waiting", default=unchecked)
"""What checks while a head is awaited: urllib3 makes the answer, and hands nothing on."""


class _Slice:
    """A receive that waits for a time at most: the block ends where nothing came by then.

    Entered at each receive, so no generator, which takes 1.9 us where this takes 1.1. Source: measured 2026-11-27.

    Args:
        sock: has its own time back behind the block.
        seconds: to wait.

    Raises:
        TimeoutError: the kernel has given the connection up.
    """

    def __init__(self, sock: socket.socket | TlsSocket, seconds: float) -> None:
        self._sock = sock
        self._seconds = seconds

    def __enter__(self) -> None:
        self._before_s = self._sock.gettimeout()
        if isinstance(self._sock, PatientSocket | TlsSocket):
            self._sock.wait_at_most(self._seconds)  # which its timeout does not know of
        else:
            self._sock.settimeout(self._seconds)

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        self._sock.settimeout(self._before_s)
        return isinstance(error, BlockingIOError | TimeoutError) and error.errno != errno.ETIMEDOUT


class _TimedSocket(io.RawIOBase):
    """The raw end of a response's buffered reader: head, chunk sizes and small reads come through here."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket | TlsSocket, idle_timeout: IdleTimeout) -> None:
        self._raw = raw
        self._sock = sock
        self._idle_timeout = idle_timeout
        self._check = waiting.get()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while True:
            with _Slice(self._sock, min(SLICE_S, self._idle_timeout.patience_s())):
                count = self._sock.recv_into(buffer)
                self._idle_timeout.took(count)
                return count
            self._check(0)

    def close(self) -> None:
        """Let go of the socket, which stays open for the connection's next request."""
        self._raw.close()
        super().close()


class Incoming(http.client.HTTPResponse):
    """A response as it comes.

    Attributes:
        idle_timeout: how long it may take; urllib3 has set the time for the head as the socket's timeout.
        surplus: whether more bytes came than were announced: the connection cannot be used again.
    """

    def __init__(self, sock: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.idle_timeout = IdleTimeout(sock.gettimeout() or 0)
        self.surplus = False
        self.fp = io.BufferedReader(_TimedSocket(self.fp.detach(), sock, self.idle_timeout))
        self._sock = sock
        self._flags = socket.MSG_WAITALL if isinstance(sock, PatientSocket | TlsSocket) else 0
        self._direct = False  # whether all that came with the head has been read, and the socket is next

    def fill(self, view: memoryview, check: Check) -> int:
        """Fill *view* with the next bytes of the body; fewer only where the body ends.

        A body of announced length is received straight into *view* once what came with the head is used up, whole
        blocks at a time: MSG_WAITALL takes the GIL once a block, however small the pieces that come. Other bodies
        (chunked, or ended by the end of the connection) are read as ``http.client`` reads them.

        Measured 2026-11 over loopback, eight threads, 8 MiB bodies into 1 MiB buffers, GB per CPU second: at 25 MB/s
        a connection 2.7-3.5 so, 2.1-2.7 by ``recv_into`` without MSG_WAITALL, 1.2-2.0 by ``raw.read(1 MiB)``; unshaped
        2.5-3.0, 2.4-3.2 and 2.0-3.1. Over TLS see ``TlsSocket``.

        Args:
            view: at most what is left of an announced length is put there.
            check: called whenever bytes came or half a second went by.

        Raises:
            TimeoutError: the response is slower than its idle timeout allows.
            OSError, http.client.HTTPException, ValueError: the connection broke, or its chunks are none.
        """
        if self.length is None or self.chunked:
            return self._fill_slowly(view, check)
        view = view[: self.length]
        if not view:
            return 0
        done = 0 if self._direct else self._take_buffered(view)
        while done < len(view):
            count = self._receive(view[done:])
            check(max(count, 0))
            if count == 0:
                break
            done += max(count, 0)
        self.length -= done
        return done

    def _fill_slowly(self, view: memoryview, check: Check) -> int:
        done = 0
        while done < len(view):
            count = self.readinto(view[done : done + PIECE_BYTES])
            check(count)
            if not count:
                break
            done += count
        return done

    def _take_buffered(self, view: memoryview) -> int:
        """Return how many of the bytes that came with the head went into *view*."""
        buffered = len(self.fp.peek())
        self.surplus = buffered > (self.length or 0)
        head = memoryview(bytearray(min(buffered, len(view))))
        count = self.fp.readinto(head)
        copy(head[:count], view)  # not read straight into it: the first touch of a block may take milliseconds
        self._direct = count == buffered
        return count

    def _receive(self, view: memoryview) -> int:
        """Return how many bytes went from the socket into *view*: 0 at its end, -1 if none came within a slice."""
        slice_s = min(SLICE_S, self.idle_timeout.patience_s())
        until_s = time.monotonic() + slice_s
        done, wanted, count = 0, min(len(view), BATCH_BYTES), -1
        with _Slice(self._sock, slice_s):
            while done < wanted:
                count = self._sock.recv_into(view[done:], len(view) - done, self._flags)
                done += count
                if not count or time.monotonic() >= until_s:
                    break
        self.idle_timeout.took(done)
        return done or count
