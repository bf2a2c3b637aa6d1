"""What one sees of a mount between two looks: rates, and what it is at."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from casfs.operate.inquiry import Told

QUANTILES = (0.5, 0.9, 0.99)
TOTALS = ("in_flight", "errors", "retries", "throttled", "hash_mismatches")
OF_DISK = ("disk_blocks_read", "disk_blocks_written", "disk_blocks_skipped", "disk_blocks_damaged", "disk_fails")


@dataclass(frozen=True, slots=True)
class Place:
    """Which mount it is.

    Attributes:
        path: where it is mounted.
        source: what it is of.
    """

    path: str
    source: str


class View:
    """What is seen, for machines as it stands and for a screen to show.

    Args:
        place: which mount it is.
        before: an earlier look.
        now: a later one. One that has counted less is of another mount, which took the place of the first: then
            nothing is known of the time between.
        now_s: Unix time.
    """

    def __init__(self, place: Place, before: Told, now: Told, now_s: Callable[[], float] = time.time) -> None:
        self._place = place
        is_same = now.stats["uptime_s"] >= before.stats["uptime_s"]
        self._before = before if is_same else now
        self._now = now
        self._now_s = now_s()
        self._interval_s: float = now.stats["uptime_s"] - self._before.stats["uptime_s"]

    def fields(self) -> dict[str, Any]:
        """Return all of it, by name; None where something is not known, or did not happen."""
        stats = self._now.stats
        return {
            "mountpoint": self._place.path,
            "source": self._place.source,
            "uptime_s": stats["uptime_s"],
            "interval_s": round(self._interval_s, 3),
            "read_bytes_per_s": self._rate("bytes_read"),
            "fetched_bytes_per_s": self._rate("bytes_fetched"),
            "reads_per_s": self._events("reads"),
            "requests_per_s": self._rate("requests"),
            "read_latency_s": self._latency("reads"),
            "request_latency_s": self._latency("requests"),
            "failed_reads": self._failed(),
            **{name: stats.get(name) for name in TOTALS},
            "memory": self._memory(),
            "disk": self._disk(),
            "open_outputs": self._now.activity.get("open_outputs"),
            "reading": self._reading(),
            "expiring": self._expiring(),
        }

    def _rate(self, name: str) -> float | None:
        return self._per_s(self._now.stats[name] - self._before.stats[name])

    def _per_s(self, count: float) -> float | None:
        return round(count / self._interval_s, 1) if self._interval_s > 0 else None

    def _counts(self, what: str) -> list[int] | None:
        """Return how many took how long between the looks, of all *what* together; None where nobody tells."""
        if what not in self._now.activity:
            return None
        summed = [_summed(told.activity.get(what, {})) for told in (self._now, self._before)]
        return [now - (summed[1][index] if summed[1] else 0) for index, now in enumerate(summed[0])]

    def _events(self, what: str) -> float | None:
        counts = self._counts(what)
        return None if counts is None else self._per_s(sum(counts))

    def _latency(self, what: str) -> dict[str, float] | None:
        counts, bounds = self._counts(what), self._now.activity.get("bounds_s", [])
        if not counts or not sum(counts):
            return None
        return {f"p{quantile * 100:.0f}": round(quantile_of(quantile, bounds, counts), 6) for quantile in QUANTILES}

    def _failed(self) -> dict[str, int] | None:
        """Return how many reads failed since the mount was made, by errno."""
        reads = self._now.activity.get("reads")
        return None if reads is None else {code: sum(each["counts"]) for code, each in reads.items() if code != "ok"}

    def _memory(self) -> dict[str, Any]:
        hits, misses = (self._now.stats[name] - self._before.stats[name] for name in ("cache_hits", "cache_misses"))
        return {
            "bytes": self._now.stats["cache_bytes"],
            "limit_bytes": self._now.options.get("block_cache_size"),
            "hit_rate": round(hits / (hits + misses), 4) if hits + misses else None,
        }

    def _disk(self) -> dict[str, Any] | None:
        if not self._now.options.get("cache_dir"):
            return None
        stats, options = self._now.stats, self._now.options
        sizes = {"bytes": self._now.activity.get("disk_bytes"), "limit_bytes": options.get("cache_size")}
        return sizes | {name.removeprefix("disk_"): stats.get(name) for name in OF_DISK}

    def _reading(self) -> list[dict[str, Any]]:
        before = {(one["vault"], one["job"]): one["position"] for one in self._before.activity.get("reading", [])}
        return [self._moved(one, before) for one in self._now.activity.get("reading", [])]

    def _moved(self, one: dict[str, Any], before: Mapping[tuple[str, str], int]) -> dict[str, Any]:
        """Return a row with how fast its reader goes on; one that steps back reads here and there."""
        moved = one["position"] - before.get((one["vault"], one["job"]), one["position"])
        return one | {"bytes_per_s": self._per_s(moved) if moved >= 0 else None}

    def _expiring(self) -> list[dict[str, Any]] | None:
        rows = self._now.activity.get("expiring")
        return None if rows is None else [row | {"seconds": self._left(row["expires"])} for row in rows]

    def _left(self, expires: str | None) -> float | None:
        if expires is None:
            return None
        moment = datetime.fromisoformat(f"{expires[:19]}+00:00")
        return round(max(0.0, moment.timestamp() - self._now_s), 1)


def _summed(times: Mapping[str, Any]) -> list[int]:
    return [sum(column) for column in zip(*(each["counts"] for each in times.values()), strict=True)]


def quantile_of(quantile: float, bounds_s: Sequence[float], counts: Sequence[int]) -> float:
    """Return the time that this share of all took at most, as ``histogram_quantile`` of Prometheus estimates it.

    Args:
        quantile: the share, between 0 and 1.
        bounds_s: the upper bounds of all buckets but the last.
        counts: what each bucket has; not all of them nothing.

    >>> quantile_of(0.5, (1.0, 2.0), (2, 2, 0)), quantile_of(0.99, (1.0, 2.0), (0, 0, 1))
    (1.0, 2.0)
    """
    rank, below = quantile * sum(counts), 0
    for index, (bound, count) in enumerate(zip(bounds_s, counts, strict=False)):
        if count and below + count >= rank:
            least = bounds_s[index - 1] if index else 0.0
            return least + (bound - least) * (rank - below) / count
        below += count
    return bounds_s[-1]
