"""How fast archives are downloaded: bytes a second of the time in which anything was downloaded. Pure."""

from collections import deque

LEAST_S = 10.0
"""A shorter time tells nothing."""
LEAST_BYTES = 16 << 20
"""Nor do fewer bytes: of small archives each costs what requests cost."""
WINDOW_S = 1800.0
"""What is longer ago does not count: links change with the hour."""


class Speed:
    """A rate over what was done lately.

    Args:
        before: bytes a second that an earlier run measured, None where none did.

    Threads: one.
    """

    def __init__(self, before: float | None = None) -> None:
        self._before = before
        self._done: deque[tuple[float, float, int]] = deque()

    def add(self, began_ns: int, ended_ns: int, size: int) -> None:
        """Take note of bytes that were downloaded within a time, alone or beside others."""
        ended_s = ended_ns / 1e9
        self._done.append((began_ns / 1e9, ended_s, size))
        while self._done[0][1] < ended_s - WINDOW_S:
            self._done.popleft()

    def get(self) -> float | None:
        """Return bytes a second, None where nobody has measured any."""
        busy_s, until_s = 0.0, float("-inf")
        for began_s, ended_s, _ in sorted(self._done):
            busy_s += max(0.0, ended_s - max(began_s, until_s))
            until_s = max(until_s, ended_s)
        size = sum(size for _, _, size in self._done)
        return size / busy_s if busy_s >= LEAST_S and size >= LEAST_BYTES else self._before
