"""The pacer is tried on a clock of the test's own; tests/emulator/throughput.py measures it on a real one."""

import pytest

from casfs.emulator.shaping import SEND_LIMIT, TURN_S, Pacer


class Link:
    """A clock that passes by sleeping, each time a little more than asked."""

    def __init__(self, late_s: float = 0.0) -> None:
        self.now_s = 100.0
        self.late_s = late_s
        self.sleeps = 0

    def wait(self, seconds: float) -> None:
        assert seconds > 0
        self.sleeps += 1
        self.now_s += seconds + self.late_s

    def clock(self) -> float:
        return self.now_s


def seconds(link: Link, pacer: Pacer, size: int, bytes_per_s: float) -> float:
    began, sent = link.now_s, 0
    for turn in pacer.turns([memoryview(bytes(size // 2)), memoryview(bytes(size - size // 2))], bytes_per_s):
        sent += len(turn)
        assert len(turn) <= SEND_LIMIT
    assert sent == size
    return link.now_s - began


@pytest.mark.parametrize("late_s", [0.0, 0.0001, 0.003])
@pytest.mark.parametrize("bytes_per_s", [1e4, 1e6, 10e6, 60e6, 900e6])
def test_bytes_pass_at_the_speed_of_the_link_however_late_a_sleep_is(bytes_per_s: float, late_s: float) -> None:
    link = Link(late_s)
    size = int(bytes_per_s)
    took = seconds(link, Pacer(link.wait, link.clock), size, bytes_per_s)
    assert took == pytest.approx(1.0, abs=0.02)


def test_a_fast_link_costs_few_sleeps() -> None:
    link = Link()
    seconds(link, Pacer(link.wait, link.clock), 60_000_000, 60e6)
    assert link.sleeps <= 1.1 / TURN_S


def test_idle_time_is_not_saved_up() -> None:
    link = Link()
    pacer = Pacer(link.wait, link.clock)
    link.now_s += 3600
    assert seconds(link, pacer, 1_000_000, 1e6) == pytest.approx(1.0, abs=0.01)
