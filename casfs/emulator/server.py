"""The archive service on a loopback socket: HTTP/1.1, connections kept alive, a thread for each.

In a program or a test::

    state = State()
    state.add_vault("vault")
    with Server(state, credentials={"id": "key"}) as server:
        server.faults.add(Fault(kind=Kind.DROP))
        server.shaping = Shaping(first_byte_s=0.03, bytes_per_s=60e6)
        ...  # ask server.url, then look at server.requests

Signatures that others rely on::

    Server(state, *, host="127.0.0.1", port=0, credentials=None, token=None, shaping=Shaping(), faults=None,
           clock=None, dialect=CAS, also=None, tls=None)
    .start() -> None     .url -> str     .stop() -> None
    .faults: Faults      .shaping: Shaping (may be set at any time)
    .requests -> list[Record]     .journal: Journal (.clear(), .exchanges, .most_in_flight, .sent_bytes)

Measured 2026-11, two cores shared with the reader, 4 MiB ranges over loopback: see tests/emulator/throughput.py.
"""

import contextlib
import itertools
import socket
import ssl
import threading
import uuid
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from casfs.emulator.delivery import Delivery, Ending, Outbox, head
from casfs.emulator.dialect import CAS, Dialect
from casfs.emulator.dispatch import Dispatcher
from casfs.emulator.faults import Faults
from casfs.emulator.journal import Journal, Record
from casfs.emulator.messages import Inbox, MalformedError, ReceivedRequest, Reply
from casfs.emulator.refusal import Refusal
from casfs.emulator.service import in_error
from casfs.emulator.shaping import Shaping
from casfs.emulator.signature import KnownKeys
from casfs.emulator.state import State

BACKLOG = 1024
"""Connections that may wait to be accepted: more than any client opens at once."""
STOP_S = 5.0
"""How long stop() waits for the threads, which have nothing left to wait for but a disk."""


class Server:
    """One service on one port.

    Threads: one that accepts, and one a connection; public methods may be called from any.
    """

    def __init__(  # noqa: PLR0913 - what a service is, each by its name
        self,
        state: State,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        credentials: Mapping[str, str] | None = None,
        token: str | None = None,
        shaping: Shaping = Shaping(),  # noqa: B008 - a frozen value
        faults: Faults | None = None,
        clock: Callable[[], float] | None = None,
        dialect: Dialect = CAS,
        also: Callable[[ReceivedRequest], Reply | None] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Describe a server; start() makes it.

        Args:
            state: what it holds; may be changed while it runs.
            host: address to listen at.
            port: 0 takes any that is free.
            credentials: secret key by secret id; None does not check signatures.
            token: temporary token that every request must carry, besides its signature.
            shaping: how slow it is.
            faults: what goes wrong; none if None.
            clock: for signatures and dates, seconds since 1970; the state's if None.
            dialect: which service it is.
            also: answers what is asked in other protocols, over the same link and without signatures, faults or
                records; None from it leaves the request to the service.
            tls: certificate and key to serve HTTPS with; None serves HTTP.
        """
        self.state = state
        self.shaping = shaping
        self.faults = Faults() if faults is None else faults
        self.journal = Journal()
        self._address = (host, port)
        self._clock = state.clock if clock is None else clock
        self._dialect = dialect
        known_keys = None if credentials is None else KnownKeys(credentials, token)
        self._also = also
        self._dispatcher = Dispatcher(state, dialect, known_keys, self.faults, self.journal, self._clock)
        self._listener: socket.socket | None = None
        self._acceptor: threading.Thread | None = None
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._tls = tls
        self._open: dict[socket.socket, threading.Thread] = {}
        self._numbers = itertools.count()

    def start(self) -> None:
        """Listen, and answer from now on; after stop(), at the same port again.

        Raises:
            OSError: the address cannot be had.
        """
        self._stopped.clear()
        family, _, _, _, address = socket.getaddrinfo(*self._address, type=socket.SOCK_STREAM)[0]
        listener = socket.create_server(address, family=family, backlog=BACKLOG)
        acceptor = threading.Thread(target=self._accept, args=(listener,), name="emulator", daemon=True)
        acceptor.start()
        self._listener, self._acceptor = listener, acceptor
        self._address = listener.getsockname()[:2]  # last: whoever sees where it answers may stop it

    def stop(self) -> None:
        """Close every connection and return once no thread is left. Harmless if nothing runs."""
        self._stopped.set()
        if self._listener is None or self._acceptor is None:
            return
        _shut(self._listener)
        self._acceptor.join(STOP_S)
        self._listener.close()
        with self._lock:
            still_open = dict(self._open)
        for connection in still_open:
            _shut(connection)
        for thread in still_open.values():
            thread.join(STOP_S)

    @property
    def url(self) -> str:
        """Where it answers, e.g. ``http://127.0.0.1:40123``: known once it has started, and kept when it stops."""
        host, port = self._address
        return f"{'https' if self._tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"

    @property
    def requests(self) -> list[Record]:
        """The requests so far, oldest first."""
        return self.journal.records()

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            connection = self._wrapped(plain)
            if connection is None:
                continue
            thread = threading.Thread(
                target=self._serve, args=(connection, next(self._numbers)), name="emulator connection", daemon=True
            )
            with self._lock:
                self._open[connection] = thread
            thread.start()

    def _wrapped(self, plain: socket.socket) -> socket.socket | None:
        """Return the connection to speak over, None if it broke; a handshake waits for the connection's own thread."""
        if self._tls is None:
            return plain
        try:
            return self._tls.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
        except OSError:
            plain.close()
            return None

    def _serve(self, connection: socket.socket, number: int) -> None:
        inbox, outbox = Inbox(connection), Outbox(connection, self._stopped, self.journal.count_sent)
        try:
            with connection, contextlib.suppress(OSError):  # a client may go when it likes
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                while self._answer_next(inbox, outbox, number):
                    pass
        finally:
            with self._lock:
                del self._open[connection]

    def _answer_next(self, inbox: Inbox, outbox: Outbox, number: int) -> bool:
        """Answer one request, and say whether the connection may serve another."""
        try:
            request = inbox.next()
        except MalformedError as error:
            outbox.whole(head_and_body(in_error(Refusal("BadRequest", str(error)), 400), self._clock()))
            return False
        if request is None or self._stopped.is_set():
            return False
        with self.journal.exchange():
            return self._answer(request, outbox, number)

    def _answer(self, request: ReceivedRequest, outbox: Outbox, number: int) -> bool:
        other = self._also(request) if self._also else None
        request_id = uuid.uuid4().hex
        delivery = Delivery(other) if other else self._dispatcher.deliver(request, number, request_id)
        keep = request.keep_alive and delivery.ending is Ending.KEEP
        more = {self._dialect.request_id_header: request_id}
        first = head(delivery.reply, self._clock() + delivery.clock_offset_s, more, keep_alive=request.keep_alive)
        outbox.send(delivery, first, body=request.method != "HEAD", shaping=self.shaping)
        if delivery.record and delivery.stop_at is None and not delivery.silent:
            self.journal.add_delivered(delivery.record)
        return keep


def head_and_body(answer: Reply, now_s: float) -> list[memoryview]:
    """Return all of an answer that ends its connection."""
    return [memoryview(head(answer, now_s, {}, keep_alive=False)), *answer.body]


def _shut(connection: socket.socket) -> None:
    """Wake whoever waits on the socket."""
    with contextlib.suppress(OSError):  # it has been closed meanwhile
        socket.socket.shutdown(connection, socket.SHUT_RDWR)  # that of an SSLSocket forgets its state under the reader
