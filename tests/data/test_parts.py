"""Cutting runs into parts, for every run of small outputs."""

import itertools

import pytest

from casfs.data.fetch import parts
from tests.data.nodes import is_node


@pytest.mark.parametrize("largest", [1, 2, 3, 4, 7, 8, 64, 128])
@pytest.mark.parametrize("count", [*range(1, 20), 33, 64, 69])
def test_parts_are_nodes_that_cover_the_run_and_nothing_else(count: int, largest: int) -> None:
    for first in range(count):
        for stop in range(first, count + 1):
            cut = list(parts.cut(range(first, stop), count, largest))
            assert [block for part in cut for block in part] == list(range(first, stop))
            assert all(is_node(part, count) and len(part) <= largest for part in cut)


@pytest.mark.parametrize("count", range(1, 40))
def test_no_two_neighbours_could_have_been_one_part(count: int) -> None:
    for first in range(count):
        for stop in range(first, count + 1):
            cut = list(parts.cut(range(first, stop), count, 64))
            joined = [range(one.start, two.stop) for one, two in itertools.pairwise(cut)]
            assert not any(is_node(run, count) for run in joined)


def test_the_tail_is_one_part_although_it_is_no_power_of_two() -> None:
    assert list(parts.cut(range(4, 7), 7, 4)) == [range(4, 7)]
    assert list(parts.cut(range(4, 7), 8, 4)) == [range(4, 6), range(6, 7)]
    assert list(parts.cut(range(7), 7, 8)) == [range(7)]


@pytest.mark.parametrize(
    ("distance", "blocks"),
    [(0, 1), (4, 1), (7, 1), (8, 2), (15, 2), (16, 4), (31, 4), (32, 8), (64, 16), (1000, 16)],
)
@pytest.mark.parametrize("largest", [1, 2, 3, 4, 8, 16, 100])
def test_parts_are_the_larger_the_further_ahead_and_leave_work_for_every_connection(
    distance: int, blocks: int, largest: int
) -> None:
    assert parts.width(distance, 128, largest, min_blocks=0.0) == min(blocks, parts.floor(largest))


@pytest.mark.parametrize(
    ("min_blocks", "window", "blocks"),
    [(0.9, 32, 1), (2.5, 32, 2), (100, 32, 8), (100, 8, 2), (100, 3, 1), (0.9, 128, 1)],
)
def test_fast_connections_get_large_parts_at_once_where_the_window_has_place_for_some(
    min_blocks: float, window: int, blocks: int
) -> None:
    assert parts.width(0, window, 4, min_blocks) == blocks
