"""Figures: those that were promised, and no others."""

import json
from typing import Any, get_args

import pytest

from casfs.stats import CounterName, GaugeName, Stats

PROMISED = {
    "uptime_s", "requests", "requests_by_operation", "bytes_fetched", "bytes_read", "blocks_cached", "cache_bytes",
    "cache_hits", "cache_misses", "prefetched_blocks", "prefetch_unused_blocks", "blocks_verified", "hash_mismatches",
    "prefetched_outputs", "prefetch_unused_outputs",
    "retries", "throttled", "errors", "in_flight", "disk_blocks_read", "disk_blocks_written", "disk_blocks_skipped",
    "disk_blocks_damaged", "disk_fails",
}  # fmt: skip
"""What ``user.cas.stats`` shows. Source: docs/semantics.md."""


def test_figures_are_those_that_were_promised_whatever_was_counted() -> None:
    stats = Stats()
    for name in get_args(CounterName):
        stats.count(name, 2)
    for gauge in get_args(GaugeName):
        stats.gauge(gauge, lambda: 3)
    stats.request("list_jobs")
    stats.read(1, 1, 10)
    shown = json.loads(stats.line())
    assert set(shown) == PROMISED
    assert (shown["retries"], shown["requests"], shown["bytes_read"], shown["in_flight"]) == (2, 3, 12, 3)


def test_counter_that_was_never_declared_is_an_error_and_no_figure() -> None:
    stats: Any = Stats()  # whose type would not let them pass
    with pytest.raises(KeyError, match="retrys"):
        stats.count("retrys")
    with pytest.raises(KeyError, match="in_fligth"):
        stats.gauge("in_fligth", lambda: 1)
    assert set(stats.snapshot()) == PROMISED
