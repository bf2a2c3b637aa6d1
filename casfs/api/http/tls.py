"""TLS over a socket that blocks, whose waits the kernel bounds: many records a receive."""

import errno
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from casfs.api.http.sockets import SEND_S, PatientSocket, is_possible
from casfs.waiting import Deadline

RECEIVE_BYTES = 256 << 10
"""What is received at once. OpenSSL by itself makes two system calls for each record of 16 KiB, and Python lets go of
the interpreter for each record besides; so it is one for sixteen of them. Source: docs/benchmarks.md, "What TLS
costs"."""

HELD_BYTES = 17 << 10
"""OpenSSL may hold a record that has not come whole: so much less than is wanted is sure to come still. Source: RFC
8446, section 5.2."""

SMALL_BYTES = 32 << 10
"""What is received at once where little is wanted: a head, or what is left of a body."""


class PatientContext(ssl.SSLContext):
    """A context whose connections are ``TlsSocket``."""

    def wrap_socket(self, sock: socket.socket, *_: Any, server_hostname: Any = None, **__: Any) -> Any:
        """Return *sock* as a ``TlsSocket`` that has shaken hands; it is closed if that fails."""
        return TlsSocket(sock, self, server_hostname)


def patient_context(context: ssl.SSLContext) -> ssl.SSLContext:
    """Have *context* make patient connections, where that is possible; whom it trusts stays as it is.

    A class of its own from the beginning would have to repeat what ``ssl.create_default_context`` sets, which grows
    with each Python.
    """
    if is_possible():
        context.__class__ = PatientContext
    return context


class TlsSocket:
    """TLS over a ``PatientSocket``: a receive never waits for longer than its slice, and says by EAGAIN if none came.

    A ``ssl.SSLSocket`` asks the kernel twice for each record. Here the kernel fills what is to be filled anyway with
    what is still encrypted, many records at once, and it is decrypted from a copy into the same place.

    No ``socket.socket``, so that nothing can be sent past TLS.

    Args:
        connected: handed over, with the time that there is for the handshake as its timeout.
        context: whom to trust.
        host: whose certificate it must be.

    Raises:
        ssl.SSLError, OSError: there was no handshake; *connected* is closed.
    """

    def __init__(self, connected: socket.socket, context: ssl.SSLContext, host: str | None) -> None:
        deadline = Deadline.after(connected.gettimeout() or SEND_S)
        self._socket = PatientSocket(connected)
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._small = memoryview(bytearray(SMALL_BYTES))
        self._has_ended = False
        try:
            self._object = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
            self._shake_hands(deadline)
        except BaseException:
            self.close()
            raise
        self.fileno, self.makefile = self._socket.fileno, self._socket.makefile
        self.setsockopt, self.getsockopt = self._socket.setsockopt, self._socket.getsockopt
        self.settimeout, self.gettimeout = self._socket.settimeout, self._socket.gettimeout
        self.wait_at_most, self.shutdown = self._socket.wait_at_most, self._socket.shutdown

    def close(self) -> None:
        """Close the connection, once what ``makefile`` gave is closed too."""
        self._socket.close()

    @property
    def has_more(self) -> bool:
        """Whether something came that nobody has asked for yet."""
        return bool(self._incoming.pending or self._object.pending())

    def sendall(self, data: bytes) -> None:
        """Send *data*, all of it."""
        left = memoryview(data)
        while left:
            left = left[self._advance(partial(self._object.write, left)) :]

    def recv_into(self, buffer: Any, nbytes: int | None = None, flags: int = 0) -> int:
        """Put the next bytes into *buffer*, and return their count: 0 where the other side has said that it ends.

        Args:
            buffer: where to.
            nbytes: no more than so many; None for as many as it has.
            flags: MSG_WAITALL to wait for all of them, within the slice; with it, so many must be on their way.

        Raises:
            BlockingIOError: nothing came within the slice, or no record came whole.
            ssl.SSLEOFError: the connection ended, and not by the other side's word: what came may not be all.
            OSError: it broke.
        """
        view = memoryview(buffer)[:nbytes]
        least = len(view) if flags & socket.MSG_WAITALL else 1
        done, until_s = self._decrypted(view), time.monotonic() + self._socket.bound_s
        while done < least and not self._has_ended:
            try:
                self._receive(view[done:])
            except BlockingIOError:
                if done:
                    break
                raise
            done += self._decrypted(view[done:])
            if time.monotonic() >= until_s:
                if not done and not self._has_ended:
                    raise BlockingIOError(errno.EAGAIN, "no record has come whole")
                break
        return done

    def _decrypted(self, view: memoryview) -> int:
        """Return how many bytes of what was received went into *view*."""
        read: Callable[..., Any] = self._object.read  # which returns a count where there is a buffer
        done, wanted = 0, len(view)
        with suppress(ssl.SSLWantReadError):
            while done < wanted:
                count = read(wanted - done, view[done:])
                if not count:
                    self._has_ended = True
                    break
                done += count
        if self._outgoing.pending:  # its part in a handshake that the other side wants again
            self._flush()
        return done

    def _receive(self, view: memoryview) -> None:
        """Receive what is to be decrypted into *view*, with its room as long as nothing is in it."""
        wanted = min(RECEIVE_BYTES, len(view) - HELD_BYTES)
        if wanted <= SMALL_BYTES:
            self._feed(self._small, self._socket.recv_into(self._small))
        else:
            self._feed(view, self._socket.recv_into(view, wanted, socket.MSG_WAITALL))

    def _feed(self, room: memoryview, count: int) -> None:
        if count:
            self._incoming.write(room[:count])
        else:
            self._incoming.write_eof()

    def _shake_hands(self, deadline: Deadline) -> None:
        try:
            while True:
                try:
                    self._object.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    self._flush()
                    self._receive_by(deadline)
        except ssl.SSLError:
            with suppress(OSError):
                self._flush()  # why it is not trusted
            raise
        self._flush()

    def _receive_by(self, deadline: Deadline) -> None:
        while True:
            if not deadline.remaining_s:
                raise TimeoutError("the handshake takes too long")
            self._socket.wait_at_most(deadline.remaining_s)
            with suppress(BlockingIOError):
                self._receive(self._small)
                return

    def _advance(self, step: Callable[[], int]) -> int:
        """Return what *step* returns, once it need not wait for the other side, and send what it has to say."""
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                self._receive(self._small)
            finally:
                self._flush()

    def _flush(self) -> None:
        if self._outgoing.pending:
            self._socket.sendall(self._outgoing.read())
