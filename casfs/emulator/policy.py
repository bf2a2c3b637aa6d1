"""How much a service lets its clients retrieve: its data retrieval policy."""

import threading
from collections import deque

DAY_S = 86400.0
"""The window, unless it is told otherwise: what is free of charge, and what people plan by, is so much a day."""


class Policy:
    """The bytes and the jobs that may be retrieved in any window of time.

    Attributes:
        most_bytes: of archives; None sets no bound. One archive that is larger is always refused.
        most_jobs: that retrieve archives; None sets no bound.
        window_s: seconds over which both are counted.

    Threads: any.
    """

    def __init__(self, *, most_bytes: int | None = None, most_jobs: int | None = None, window_s: float = DAY_S) -> None:
        self.most_bytes = most_bytes
        self.most_jobs = most_jobs
        self.window_s = window_s
        self._lock = threading.Lock()
        self._admitted: deque[tuple[float, int]] = deque()

    def admits(self, size: int, now_s: float) -> bool:
        """Say whether *size* bytes may be retrieved now, and count them if they may."""
        with self._lock:
            while self._admitted and self._admitted[0][0] <= now_s - self.window_s:
                self._admitted.popleft()
            fits = self._fits(size)
            if fits:
                self._admitted.append((now_s, size))
            return fits

    def _fits(self, size: int) -> bool:
        retrieved = size + sum(before for _, before in self._admitted)
        few = self.most_jobs is None or len(self._admitted) < self.most_jobs
        return few and (self.most_bytes is None or retrieved <= self.most_bytes)
