"""Block arithmetic against plain slices."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casfs.data.hashing import blocks
from casfs.data.hashing.blocks import BLOCK_SIZE, Piece

SIZES = st.integers(0, 70 * BLOCK_SIZE)


@given(offset=SIZES, wanted=st.integers(0, 9 * BLOCK_SIZE), size=SIZES)
def test_pieces_are_the_bytes_of_the_read_in_order_and_no_others(offset: int, wanted: int, size: int) -> None:
    at = offset
    for block, start, stop in blocks.pieces(offset, wanted, size):
        assert block * BLOCK_SIZE + start == at
        assert start < stop <= blocks.length(block, size)
        at += stop - start
    assert at - offset == max(0, min(wanted, size - offset))


@pytest.mark.parametrize("size", [0, 1, BLOCK_SIZE - 1, BLOCK_SIZE, BLOCK_SIZE + 1, 7 * BLOCK_SIZE - 3])
def test_the_lengths_of_all_blocks_are_the_size(size: int) -> None:
    count = blocks.count(size)
    assert sum(blocks.length(block, size) for block in range(count)) == size
    assert all(blocks.length(block, size) for block in range(count))
    assert blocks.length(count, size) == 0


def test_a_read_of_two_halves_has_two_pieces() -> None:
    half = BLOCK_SIZE // 2
    assert blocks.pieces(half, BLOCK_SIZE, 9 * BLOCK_SIZE) == [Piece(0, half, BLOCK_SIZE), Piece(1, 0, half)]
