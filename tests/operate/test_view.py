"""What is seen between two looks at a mount."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from casfs.models import Output
from casfs.operate.activity import Reading, activity_line
from casfs.operate.inquiry import Told
from casfs.operate.view import Place, View, quantile_of
from casfs.stats import Stats

PLACE = Place("/mnt", "ap-chengdu:")
OUTPUT = Output("v", "job", 1000, None, is_inventory=False, expires_ns=3600 * 10**9)
OPTIONS = {"block_cache_size": 1 << 20, "cache_dir": None}


def looked(*looks: tuple[float, Callable[[Stats], None], int]) -> list[Told]:
    """Return what a mount tells: when, after what was counted, and where the reader of OUTPUT stands then."""
    now_s, found = [0.0], list[Told]()
    stats = Stats(lambda: now_s[0])
    for at_s, count, position in looks:
        now_s[0] = at_s
        count(stats)
        reading = [Reading(OUTPUT, 1000, position, at_s)]
        activity = activity_line(stats.exchanges(), reading, [OUTPUT], None, at_s)
        found.append(Told(stats.snapshot(), json.loads(activity), dict(OPTIONS)))
    return found


def nothing(_stats: Stats) -> None:
    """Count nothing."""


def before(stats: Stats) -> None:
    stats.read(0, 1, 100, 500.0)


def between(stats: Stats) -> None:
    for _ in range(9):
        stats.read(1, 0, 100, 0.004)
    stats.read_failed("EIO", 0.04)


def fields(first: Told, second: Told) -> dict[str, Any]:
    return View(PLACE, first, second, lambda: 0.0).fields()


def test_rates_and_times_are_of_what_was_between() -> None:
    seen = fields(*looked((10.0, before, 100), (15.0, between, 600)))
    assert (seen["read_bytes_per_s"], seen["reads_per_s"], seen["interval_s"]) == (180.0, 2.0, 5.0)
    assert seen["memory"] == {"bytes": 0, "limit_bytes": 1 << 20, "hit_rate": 1.0}
    assert 0.0025 < seen["read_latency_s"]["p50"] <= 0.005
    assert 0.025 < seen["read_latency_s"]["p99"] <= 0.05
    assert (seen["request_latency_s"], seen["failed_reads"], seen["disk"]) == (None, {"EIO": 1}, None)
    assert seen["reading"][0]["bytes_per_s"] == 100.0
    assert seen["expiring"][0]["seconds"] == 3600.0


def test_reader_that_steps_back_has_no_speed() -> None:
    assert fields(*looked((1.0, nothing, 100), (2.0, nothing, 50)))["reading"][0]["bytes_per_s"] is None


def test_mount_that_took_the_place_of_another_has_no_rates_yet() -> None:
    (old,), (new,) = looked((100.0, before, 100)), looked((1.0, between, 600))
    seen = fields(old, new)
    assert (seen["interval_s"], seen["read_bytes_per_s"], seen["read_latency_s"]) == (0.0, None, None)
    assert seen["failed_reads"] == {"EIO": 1}


def test_mount_of_an_older_casfs_is_shown_as_far_as_it_tells() -> None:
    first, second = (Told(told.stats, {}, {}) for told in looked((1.0, nothing, 0), (2.0, before, 0)))
    seen = fields(first, second)
    assert seen["read_bytes_per_s"] == 100.0
    assert [seen[name] for name in ("reads_per_s", "read_latency_s", "failed_reads", "expiring", "open_outputs")] == [
        None
    ] * 5
    assert seen["reading"] == []


@pytest.mark.parametrize(
    ("quantile", "counts", "seconds"),
    [
        (0.5, (4, 0, 0), 0.5),
        (0.5, (2, 2, 0), 1.0),
        (0.75, (2, 2, 0), 2.0),
        (0.99, (0, 0, 3), 3.0),
        (1.0, (0, 1, 0), 3.0),
    ],
)
def test_quantiles_are_those_of_prometheus(quantile: float, counts: tuple[int, ...], seconds: float) -> None:
    assert quantile_of(quantile, (1.0, 3.0), counts) == seconds
