"""Whichever lanes were measured to be quicker take the blocks: one, a few, or many."""

import itertools
from collections.abc import Iterator, Sequence

import pytest

from casfs.data.hashing import lane_plan
from casfs.data.hashing.lane_kinds import HASHLIB, Lanes
from tests.data.lanes.compiling import one_by_one, some

Taken = list[tuple[str, int]]


def lanes_of(name: str, width: int, taken: Taken) -> Lanes:
    def digests(messages: Sequence[memoryview]) -> list[bytes]:
        assert len(messages) <= width
        taken.append((name, len(messages)))
        return one_by_one(messages)

    return Lanes(name, width, digests)


@pytest.mark.parametrize(
    ("costs", "width", "expected"),
    [
        pytest.param(
            {"one": (1, 1.0), "four": (4, 2.6), "sixteen": (16, 5.8)},
            16,
            {
                1: [("one", 1)],
                2: [("one", 1)] * 2,
                3: [("four", 3)],
                4: [("four", 4)],
                5: [("one", 1), ("four", 4)],
                8: [("four", 4)] * 2,
                9: [("sixteen", 9)],
                16: [("sixteen", 16)],
                20: [("sixteen", 16), ("four", 4)],
            },
            id="sixteen where there are many, though some are left empty",
        ),
        pytest.param(
            {"one": (1, 1.0), "two": (2, 1.3), "four": (4, 2.2), "eight": (8, 8.0)},
            4,
            {1: [("one", 1)], 2: [("two", 2)], 3: [("four", 3)], 6: [("two", 2), ("four", 4)], 8: [("four", 4)] * 2},
            id="more lanes are not quicker",
        ),
        pytest.param({"one": (1, 1.0), "eight": (8, 8.5)}, 1, {8: [("one", 1)] * 8}, id="side by side is slower"),
        pytest.param(
            {"four": (4, 1.0), "eight": (8, 1.95)}, 4, {4: [("four", 4)], 8: [("eight", 8)]}, id="no longer a wait"
        ),
    ],
)
def test_blocks_go_where_all_of_them_are_done_soonest(
    costs: dict[str, tuple[int, float]], width: int, expected: dict[int, Taken]
) -> None:
    taken: Taken = []
    plan = lane_plan.quickest({lanes_of(name, lanes, taken): cost for name, (lanes, cost) in costs.items()})
    assert plan.width == width
    for count, kinds in expected.items():
        taken.clear()
        blocks = some(count, 100)
        assert plan.leaves(blocks) == one_by_one(blocks)
        assert taken == kinds, count


def test_a_kind_costs_the_least_that_it_took_with_every_lane_full() -> None:
    taken: Taken = []
    times = iter([0, 50, 0, 90, 0, 40, 0, 95, 0, 45, 0, 80, 0, 60, 0, 99])
    four = lanes_of("four", 4, taken)
    assert lane_plan.costs([HASHLIB, four], lambda: next(times)) == {HASHLIB: 40, four: 80}
    assert taken == [("four", 4)] * lane_plan.ROUNDS


def test_kinds_take_turns_so_that_a_slow_moment_is_nobody_s_alone() -> None:
    taken: Taken = []
    ticks: Iterator[int] = itertools.count()
    lane_plan.costs([lanes_of("one", 1, taken), lanes_of("two", 2, taken)], lambda: next(ticks))
    assert taken == [("one", 1), ("two", 2)] * lane_plan.ROUNDS
