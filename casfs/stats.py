"""Counters of one account: one object, handed down, read by ``user.cas.stats``.

Threads: every method may be called from any thread.
"""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Literal, get_args

CounterName = Literal[
    "requests",
    "bytes_fetched",
    "bytes_read",
    "cache_hits",
    "cache_misses",
    "prefetched_blocks",
    "prefetch_unused_blocks",
    "blocks_verified",
    "hash_mismatches",
    "retries",
    "throttled",
    "errors",
    "disk_blocks_read",
    "disk_blocks_written",
    "disk_blocks_skipped",
]
GaugeName = Literal["blocks_cached", "cache_bytes", "in_flight", "disk_blocks_damaged", "disk_fails"]


class Stats:
    """What has happened since it was made.

    Invariants: a counter never falls; a gauge is asked of its owner when the stats are read.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began_s = clock()
        self._lock = threading.Lock()
        self._counts: dict[CounterName, int] = dict.fromkeys(get_args(CounterName), 0)
        self._by_operation: Counter[str] = Counter()
        self._gauges: dict[GaugeName, Callable[[], int]] = dict.fromkeys(get_args(GaugeName), lambda: 0)

    def count(self, name: CounterName, amount: int = 1) -> None:
        """Add *amount* to the counter *name*.

        Raises:
            KeyError: there is no such counter.
        """
        with self._lock:
            self._counts[name] += amount

    def read(self, hits: int, misses: int, length: int) -> None:
        """Count one read that was served: blocks that were there, blocks that were not, and its bytes.

        One lock for the three: three calls made a cached read of 4 KiB a tenth longer. Source: measured 2026-11-20.
        """
        with self._lock:
            self._counts["cache_hits"] += hits
            self._counts["cache_misses"] += misses
            self._counts["bytes_read"] += length

    def request(self, operation: str) -> None:
        """Count one HTTP request of *operation*, e.g. ``list_jobs``."""
        with self._lock:
            self._counts["requests"] += 1
            self._by_operation[operation] += 1

    def gauge(self, name: GaugeName, read: Callable[[], int]) -> None:
        """Let *read* answer for the gauge *name*; it must not block.

        Raises:
            KeyError: there is no such gauge.
        """
        if name not in self._gauges:
            raise KeyError(name)
        self._gauges[name] = read

    def snapshot(self) -> dict[str, object]:
        """Return every figure by its public name."""
        with self._lock:
            counts = dict(self._counts)
            operations = dict(self._by_operation)
        figures: dict[str, object] = {"uptime_s": round(self._clock() - self._began_s, 3)}
        figures |= counts | {"requests_by_operation": operations}
        return figures | {name: read() for name, read in self._gauges.items()}

    def line(self) -> str:
        """Return the snapshot as one line of ASCII JSON."""
        return json.dumps(self.snapshot(), separators=(",", ":"))
