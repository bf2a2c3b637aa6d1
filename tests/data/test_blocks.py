"""Block arithmetic against plain sizes."""

import itertools

import pytest

from casfs.data.hashing import blocks
from casfs.data.hashing.blocks import BLOCK_SIZE


@pytest.mark.parametrize("size", [0, 1, BLOCK_SIZE - 1, BLOCK_SIZE, BLOCK_SIZE + 1, 7 * BLOCK_SIZE - 3])
def test_the_lengths_of_all_blocks_are_the_size(size: int) -> None:
    count = blocks.count(size)
    assert sum(blocks.length(block, size) for block in range(count)) == size
    assert all(blocks.length(block, size) for block in range(count))
    assert blocks.length(count, size) == 0


@pytest.mark.parametrize("numbers", [[], [3], [0, 1, 2], [0, 2, 3, 7], [5, 6, 8, 9, 10]])
def test_runs_are_as_few_as_can_be_and_have_every_number(numbers: list[int]) -> None:
    runs = list(blocks.runs(numbers))
    assert [number for run in runs for number in run] == numbers
    assert all(before.stop < after.start for before, after in itertools.pairwise(runs))
