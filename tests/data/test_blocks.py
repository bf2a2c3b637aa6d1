"""Block arithmetic against plain sizes."""

import pytest

from casfs.data.hashing import blocks
from casfs.data.hashing.blocks import BLOCK_SIZE


@pytest.mark.parametrize("size", [0, 1, BLOCK_SIZE - 1, BLOCK_SIZE, BLOCK_SIZE + 1, 7 * BLOCK_SIZE - 3])
def test_the_lengths_of_all_blocks_are_the_size(size: int) -> None:
    count = blocks.count(size)
    assert sum(blocks.length(block, size) for block in range(count)) == size
    assert all(blocks.length(block, size) for block in range(count))
    assert blocks.length(count, size) == 0
