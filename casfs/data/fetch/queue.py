"""Flights that wait for a worker: those that calls wait for, and behind them what was asked for ahead."""

from collections import deque

from casfs.data.fetch.flight import Flight


class Queue:
    """Two rows of flights, each in the order in which they came.

    Attributes:
        urgent: those that a call waits for.
        ahead: the others.

    Threads: none of its own; the caller locks.
    """

    def __init__(self) -> None:
        self.urgent: deque[Flight] = deque()
        self.ahead: deque[Flight] = deque()

    def push(self, flight: Flight) -> None:
        """Let a flight wait at the end of its row."""
        (self.urgent if flight.is_awaited else self.ahead).append(flight)

    def hurry(self, flight: Flight) -> bool:
        """Put a flight that a call waits for now into the other row; return False where it waits there already."""
        if flight not in self.ahead:
            return False
        self.ahead.remove(flight)
        self.urgent.append(flight)
        return True

    def remove(self, flight: Flight) -> None:
        """Let a flight wait no more."""
        (self.urgent if flight in self.urgent else self.ahead).remove(flight)

    def clear(self) -> None:
        """Let none wait any more."""
        self.urgent.clear()
        self.ahead.clear()
