"""How slow an answer may be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casfs.api.http.idle_timeout import FLOOR_BYTES, LONGEST_IDLE_S, SHORTEST_IDLE_S, IdleTimeout, idle_s
from casfs.waiting import Deadline


class Clock:
    """Moved by the test."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.mark.parametrize(
    ("patience_s", "expected_s"), [(0, 1), (2, 1), (4, 1), (20, 5), (30, 7.5), (120, 30), (3600, 30)]
)
def test_an_attempt_may_stall_for_a_quarter_of_the_patience_within_bounds(patience_s: float, expected_s: float) -> None:
    assert idle_s(patience_s) == expected_s


@given(st.floats(4.5, 1e6))
def test_a_stall_leaves_room_for_three_more_attempts(patience_s: float) -> None:
    assert SHORTEST_IDLE_S <= idle_s(patience_s) <= LONGEST_IDLE_S
    assert idle_s(patience_s) * 4 <= patience_s


def test_a_head_must_be_whole_in_time_however_much_of_it_has_come(clock: Clock) -> None:
    timeout = IdleTimeout(5, clock)
    clock.now_s += 4.5
    timeout.took(FLOOR_BYTES)
    assert timeout.patience_s() == pytest.approx(0.5)
    clock.now_s += 0.5
    with pytest.raises(TimeoutError, match="5 s"):
        timeout.patience_s()


def test_a_body_has_as_long_as_it_needs_while_enough_of_it_comes(clock: Clock) -> None:
    timeout = IdleTimeout(5, clock)
    timeout.body(5, Deadline(1e9, clock))
    for _ in range(1000):
        clock.now_s += 4.9
        timeout.took(FLOOR_BYTES)
        assert timeout.patience_s() == pytest.approx(5)


def test_a_body_that_drips_is_over_when_it_has_not_brought_its_floor(clock: Clock) -> None:
    timeout = IdleTimeout(5, clock)
    timeout.body(5, Deadline(1e9, clock))
    for _ in range(4):
        clock.now_s += 1
        timeout.took(1)
        timeout.patience_s()
    clock.now_s += 1
    with pytest.raises(TimeoutError, match="64 KiB in 5 s"):
        timeout.patience_s()


def test_no_body_outlives_the_deadline_however_fast_it_comes(clock: Clock) -> None:
    timeout = IdleTimeout(5, clock)
    timeout.body(5, Deadline(clock.now_s + 7, clock))
    clock.now_s += 4
    timeout.took(1 << 20)
    assert timeout.patience_s() == pytest.approx(3)
    clock.now_s += 3
    timeout.took(1 << 20)
    with pytest.raises(TimeoutError):
        timeout.patience_s()
