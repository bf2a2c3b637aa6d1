"""Opening a connection: all addresses of a name within one time, and a kernel that notices when nobody is there."""

import errno
import os
import select
import socket
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from urllib3.util.connection import allowed_gai_family

from casfs.api.http.tls import TlsSocket
from casfs.waiting import Deadline

NEXT_ADDRESS_S = 0.25
"""An address that has said nothing for so long is joined by the next one. Source: RFC 8305, section 5."""

KEEPALIVE_IDLE_S, KEEPALIVE_EACH_S, KEEPALIVE_TIMES = 10, 3, 3
"""What says nothing for 10 s is asked whether it is there, and is dead after three questions, one where it was used
before: sooner than the 30 s that a response may stall, which a service that is alive may use."""

UNHEARD_S = 1.5
"""What is sent over a connection that was used before is acknowledged by the other kernel within this, however slow
the service is, or nobody is there: room for two losses in a row at 100 ms of round trip. The kernel counts from its
first repetition. Source: measured 2026-11-27, Linux 6.18: 2.0 became 2.4 s, 1.5 became 1.9."""
RTO_AT = 8
"""Where struct tcp_info has the retransmission timeout, 32 bits of microseconds: behind eight single bytes."""

_Address = tuple[Any, ...]
LookUp = Callable[[str, int, socket.AddressFamily, socket.SocketKind], list[_Address]]


def connect(host: str, port: int, timeout_s: float, look_up: LookUp = socket.getaddrinfo) -> socket.socket:
    """Return a connection to the address of *host* that answers first, its timeout what is left of *timeout_s*.

    The addresses are tried in their order, side by side once one keeps silent: a dead one costs a quarter of a second.

    Args:
        host: name or address.
        port: where somebody listens.
        timeout_s: for the look-up, all addresses, and whatever the caller has to do before the connection is one.
        look_up: finds addresses.

    Raises:
        socket.gaierror, UnicodeError: there is no such host.
        TimeoutError: in *timeout_s*, for all addresses and their look-up together, nobody answered.
        OSError: every address refused; why the last one did.
    """
    deadline = Deadline.after(timeout_s)
    connected = _Race(_addresses(look_up, host.strip("[]"), port, deadline)).winner(deadline)
    connected.settimeout(deadline.timeout_s)
    ask_whether_alive(connected)
    return connected


def ask_whether_alive(sock: socket.socket) -> None:
    """Let the kernel ask, while nothing comes, whether there is still somebody at the other end of *sock*."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_IDLE_S)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, KEEPALIVE_EACH_S)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, KEEPALIVE_TIMES)


def expect_to_be_heard(sock: socket.socket | TlsSocket) -> None:
    """Let what is sent from now on fail with ETIMEDOUT once it is clear that it does not arrive.

    A link whose queues are full acknowledges late, and the kernel knows how late: its retransmission timeout.
    """
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, RTO_AT + 4)
    rto_s = int.from_bytes(info[RTO_AT:], sys.byteorder) / 1e6
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(1000 * max(UNHEARD_S, 3 * rto_s)))


def _addresses(look_up: LookUp, host: str, port: int, deadline: Deadline) -> list[_Address]:
    """Return what *host* stands for. A look-up knows no deadline, so that it has a thread of its own, left if late."""
    found: Future[list[_Address]] = Future()

    def find() -> None:
        try:
            found.set_result(look_up(host, port, allowed_gai_family(), socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            found.set_exception(error)

    threading.Thread(target=find, name="casfs-look-up", daemon=True).start()
    return found.result(deadline.remaining_s)


class _Race:
    """Connections to several addresses that are being opened; all but the first that answers are closed.

    Args:
        addresses: as getaddrinfo gives them.
    """

    def __init__(self, addresses: list[_Address]) -> None:
        self._behind = addresses
        self._count = len(addresses)
        self._running: dict[int, socket.socket] = {}
        self._poll = select.poll()
        self._failure = OSError(errno.EHOSTUNREACH, "no address")

    def winner(self, deadline: Deadline) -> socket.socket:
        """Return the first connection that is open; as ``connect``."""
        next_s = min(NEXT_ADDRESS_S, deadline.remaining_s / (self._count + 1))
        try:
            while self._behind or self._running:
                if self._behind:
                    self._begin(*self._behind.pop(0))
                if opened := self._opened(next_s if self._behind else deadline.remaining_s):
                    return opened
                if not deadline.remaining_s:
                    raise TimeoutError
        finally:
            for sock in self._running.values():
                sock.close()
        raise self._failure

    def _begin(self, family: int, kind: int, protocol: int, _: str, address: _Address) -> None:
        try:
            sock = socket.socket(family, kind | socket.SOCK_NONBLOCK, protocol)
        except OSError as error:  # a family that this kernel does not have
            self._failure = error
            return
        failed = sock.connect_ex(address)
        if failed in {0, errno.EINPROGRESS}:
            self._running[sock.fileno()] = sock
            self._poll.register(sock, select.POLLOUT)
        else:
            self._failed(sock, failed)

    def _opened(self, seconds: float) -> socket.socket | None:
        """Return a connection that is open within *seconds*, or None after them or as soon as one failed."""
        for number, _ in self._poll.poll(1000 * seconds if self._running else 0):
            self._poll.unregister(number)
            sock = self._running.pop(number)
            failed = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if not failed:
                return sock
            self._failed(sock, failed)
        return None

    def _failed(self, sock: socket.socket, failed: int) -> None:
        self._failure = OSError(failed, os.strerror(failed))
        sock.close()
