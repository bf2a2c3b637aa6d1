"""What may be asked for ahead on links of every speed."""

import math

import pytest

from casfs.data.fetch.throttle import MAX_AHEAD_S, MAX_PART_S, Throttle
from casfs.data.hashing.blocks import BLOCK_SIZE


def measured(connections: int, block_s: float, rounds: int = 30, timeout_s: float = 120.0) -> Throttle:
    """A link on which *connections* blocks at a time take *block_s*."""
    throttle = Throttle(timeout_s)
    for number in range(rounds):
        for _ in range(connections):
            throttle.sent(number * block_s)
        for _ in range(connections):
            throttle.ended((number + 1) * block_s, number * block_s, BLOCK_SIZE)
    return throttle


def test_nothing_is_bounded_before_anything_was_measured() -> None:
    assert Throttle(120.0).max_ahead_blocks == math.inf
    assert Throttle(120.0).max_part_blocks == math.inf


def test_a_fast_link_bounds_nothing() -> None:
    throttle = measured(connections=30, block_s=0.05)
    assert throttle.max_ahead_blocks > 128
    assert throttle.max_part_blocks > 8


@pytest.mark.parametrize("connections", [1, 8, 32])
def test_a_link_of_one_mib_a_second_has_no_more_asked_ahead_than_it_brings_in_time(connections: int) -> None:
    throttle = measured(connections, block_s=float(connections))
    assert throttle.max_ahead_blocks == pytest.approx(MAX_AHEAD_S, rel=0.01)
    assert throttle.max_part_blocks == pytest.approx(max(1.0, MAX_PART_S / connections), rel=0.01)


@pytest.mark.parametrize(("block_s", "is_fast"), [(0.002, True), (0.009, True), (0.047, False), (0.2, False)], ids=str)
def test_only_a_service_that_is_near_and_fast_is_worth_larger_parts(block_s: float, *, is_fast: bool) -> None:
    assert (measured(connections=8, block_s=block_s).min_part_blocks > 2) is is_fast
    assert Throttle(120.0).min_part_blocks == 0


def test_a_short_deadline_bounds_more() -> None:
    throttle = measured(connections=1, block_s=1.0, timeout_s=8.0)
    assert throttle.max_ahead_blocks == pytest.approx(2.0, rel=0.01)
    assert throttle.max_part_blocks == 1.0


def test_a_link_that_brings_nothing_still_gets_one_block() -> None:
    throttle = Throttle(120.0)
    throttle.sent(0.0)
    throttle.ended(60.0, 0.0, 0)
    assert throttle.max_ahead_blocks == 1.0


def test_time_in_which_nothing_was_asked_for_does_not_count() -> None:
    throttle = Throttle(120.0)
    for began in (0.0, 1000.0, 2000.0):
        throttle.sent(began)
        throttle.ended(began + 0.5, began, 4 * BLOCK_SIZE)
    assert throttle.max_ahead_blocks == pytest.approx(8 * MAX_AHEAD_S)


def test_a_link_that_recovers_is_soon_believed() -> None:
    throttle = measured(connections=1, block_s=1.0)
    for number in range(400):
        began = 30 + number * 0.02
        throttle.sent(began)
        throttle.ended(began + 0.02, began, BLOCK_SIZE)
    assert throttle.max_ahead_blocks > 128
