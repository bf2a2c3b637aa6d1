"""Counters of one account: one object, handed down, read by ``user.cas.stats``.

Threads: every method may be called from any thread.
"""

import bisect
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

CounterName = Literal[
    "requests",
    "bytes_fetched",
    "bytes_read",
    "cache_hits",
    "cache_misses",
    "prefetched_blocks",
    "prefetch_unused_blocks",
    "prefetched_outputs",
    "prefetch_unused_outputs",
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


BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
"""Of the buckets of times: from a read out of memory to the default of ``--read-timeout``."""


SERVED = "ok"
"""What came of a read that was answered."""


@dataclass(frozen=True, slots=True)
class Times:
    """How long things took.

    Attributes:
        counts: how many took as long as each of BOUNDS_S at most and longer than the one before; the last is of those
            that took longer than all.
        sum_s: of all together.
    """

    counts: tuple[int, ...]
    sum_s: float


class _Times:
    """Counts times; whoever has it guards it."""

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS_S) + 1)
        self.sum_s = 0.0

    def add(self, seconds: float) -> None:
        self.counts[bisect.bisect_left(BOUNDS_S, seconds)] += 1
        self.sum_s += seconds


@dataclass(frozen=True, slots=True)
class Exchanges:
    """What is told in more detail than ``snapshot`` has.

    Attributes:
        answers: how many requests ended, by operation and HTTP status; ``none`` where no answer came.
        requests: how long they took, their bodies included, by operation.
        reads: how long reads took, by what came of them: SERVED, or the name of an errno.
    """

    answers: Mapping[tuple[str, str], int]
    requests: Mapping[str, Times]
    reads: Mapping[str, Times]


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
        self._answers: Counter[tuple[str, str]] = Counter()
        self._requests_took: dict[str, _Times] = {}
        self._served_took = _Times()
        self._reads_took = {SERVED: self._served_took}
        self._gauges: dict[GaugeName, Callable[[], int]] = dict.fromkeys(get_args(GaugeName), lambda: 0)

    def count(self, name: CounterName, amount: int = 1) -> None:
        """Add *amount* to the counter *name*.

        Raises:
            KeyError: there is no such counter.
        """
        with self._lock:
            self._counts[name] += amount

    def read(self, hits: int, misses: int, length: int, seconds: float = 0.0) -> None:
        """Count one read that was served: blocks that were there, blocks that were not, its bytes, and its time.

        One lock for all: three calls made a cached read of 4 KiB a tenth longer. Source: measured 2026-11-20.
        """
        with self._lock:
            self._counts["cache_hits"] += hits
            self._counts["cache_misses"] += misses
            self._counts["bytes_read"] += length
            self._served_took.add(seconds)

    def read_failed(self, code: str, seconds: float) -> None:
        """Count one read that failed: the name of its errno, and its time."""
        with self._lock:
            self._reads_took.setdefault(code, _Times()).add(seconds)

    def request(self, operation: str) -> None:
        """Count one HTTP request of *operation*, e.g. ``list_jobs``."""
        with self._lock:
            self._counts["requests"] += 1
            self._by_operation[operation] += 1

    def answer(self, operation: str, status: int | None, seconds: float) -> None:
        """Count one HTTP request that ended, its body included.

        Args:
            operation: as for ``request``.
            status: of the answer, None where none came.
            seconds: how long that took.
        """
        with self._lock:
            self._answers[operation, "none" if status is None else str(status)] += 1
            self._requests_took.setdefault(operation, _Times()).add(seconds)

    def exchanges(self) -> Exchanges:
        """Return what took how long, and what was answered."""
        with self._lock:
            return Exchanges(dict(self._answers), _frozen(self._requests_took), _frozen(self._reads_took))

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


def _frozen(times: Mapping[str, _Times]) -> dict[str, Times]:
    return {name: Times(tuple(each.counts), each.sum_s) for name, each in times.items()}
