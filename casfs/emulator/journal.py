"""What was asked of the server, in order, for tests and people to count."""

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
        range: the Range header as sent, or None.
        status: of the answer; 0 where there was none.
        signature: as sent; empty if none.
        at_s: when it was answered, by the server's clock.
        connection: number of the connection, from 0 on.
        fault: kind of the fault that met it, or None.
    """

    operation: str
    vault: str | None
    job: str | None
    range: str | None
    status: int
    signature: str
    at_s: float
    connection: int
    fault: str | None


class Journal:
    """The last requests, and how many were in flight at once.

    Threads: any.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: deque[Record] = deque(maxlen=KEPT)
        self._in_flight = 0
        self._most_in_flight = 0

    def add(self, record: Record) -> None:
        """Remember a request; called before its answer leaves, so that who has the answer finds the record."""
        with self._lock:
            self._records.append(record)

    @contextmanager
    def exchange(self) -> Iterator[None]:
        """Count one request as in flight until the block ends."""
        with self._lock:
            self._in_flight += 1
            self._most_in_flight = max(self._most_in_flight, self._in_flight)
        try:
            yield
        finally:
            with self._lock:
                self._in_flight -= 1

    def records(self) -> list[Record]:
        """Return the requests so far, oldest first."""
        with self._lock:
            return list(self._records)

    def clear(self) -> None:
        """Forget the requests so far, and the most in flight."""
        with self._lock:
            self._records.clear()
            self._most_in_flight = self._in_flight

    @property
    def most_in_flight(self) -> int:
        """Most requests that were being answered at once."""
        return self._most_in_flight
