"""What was asked of the server, in order, and what it sent, for tests and people to count."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

KEPT = 100_000
"""Requests remembered: those of 800 GB in 8 MiB parts, in some 50 MB of memory."""


@dataclass(frozen=True, slots=True)
class Record:
    """One request and how it was answered.

    Attributes:
        operation: e.g. ``get_job_output``.
        vault: name, or None.
        job: id, or None.
        archive: id of the archive that it is about, or None.
        range: the Range header as sent, or None.
        status: of the answer; 0 where there was none.
        signature: as sent; empty if none.
        at_s: when it was answered, by the server's clock.
        connection: number of the connection, from 0 on.
        request_id: what the answer calls it.
        fault: kind of the fault that met it, or None.
    """

    operation: str
    vault: str | None
    job: str | None
    archive: str | None
    range: str | None
    status: int
    signature: str
    at_s: float
    connection: int
    request_id: str
    fault: str | None


class Journal:
    """The last requests, how many there were and were in flight at once, and the bytes sent in answer.

    Threads: any.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: deque[Record] = deque(maxlen=KEPT)
        self._delivered: deque[Record] = deque(maxlen=KEPT)
        self._in_flight = 0
        self._most_in_flight = 0
        self._exchanges = 0
        self._sent_bytes = 0

    def add(self, record: Record) -> None:
        """Remember a request; called before its answer leaves, so that who has the answer finds the record."""
        with self._lock:
            self._records.append(record)

    def add_delivered(self, record: Record) -> None:
        """Remember a request whose answer has been sent to its end, to a client that was still there."""
        with self._lock:
            self._delivered.append(record)

    @contextmanager
    def exchange(self) -> Iterator[None]:
        """Count one request as in flight until the block ends."""
        with self._lock:
            self._exchanges += 1
            self._in_flight += 1
            self._most_in_flight = max(self._most_in_flight, self._in_flight)
        try:
            yield
        finally:
            with self._lock:
                self._in_flight -= 1

    def count_sent(self, size: int) -> None:
        """Count bytes that the kernel took for a client."""
        with self._lock:
            self._sent_bytes += size

    def records(self) -> list[Record]:
        """Return the requests so far, oldest first."""
        with self._lock:
            return list(self._records)

    def delivered(self) -> list[Record]:
        """Return those of the requests whose answers were sent to their end; a client may be gone a moment later."""
        with self._lock:
            return list(self._delivered)

    def clear(self) -> None:
        """Forget the requests so far, the most in flight, and what was sent."""
        with self._lock:
            self._records.clear()
            self._delivered.clear()
            self._exchanges = self._sent_bytes = 0
            self._most_in_flight = self._in_flight

    @property
    def most_in_flight(self) -> int:
        """Most requests that were being answered at once."""
        return self._most_in_flight

    @property
    def exchanges(self) -> int:
        """Requests that have come, those in other protocols too."""
        return self._exchanges

    @property
    def sent_bytes(self) -> int:
        """Bytes sent, heads and unfinished answers too."""
        return self._sent_bytes
