"""Leaf hashes of outputs of any size, in little memory."""

import tracemalloc

import pytest

from casfs.data.hashing import treehash
from casfs.data.hashing.leaves import DIGEST_SIZE, STRETCH, Leaves


def digest(block: int) -> bytes:
    return treehash.leaf(block.to_bytes(8))


@pytest.mark.parametrize("count", [1, 2, 7, STRETCH, STRETCH + 1, 3 * STRETCH - 1])
def test_the_root_over_stretches_is_the_root_over_all_leaves(count: int) -> None:
    leaves = Leaves(count)
    for block in reversed(range(count)):
        leaves.put(block, digest(block), proven=False)
    assert leaves.known == count
    assert leaves.root() == treehash.root([digest(block) for block in range(count)])


def test_a_leaf_is_counted_once_however_often_it_is_learnt() -> None:
    leaves = Leaves(3)
    for proven in (False, True, False):
        leaves.put(1, digest(1), proven=proven)
    assert (leaves.known, leaves.proven) == (1, 1)
    assert [leaves.is_proven(block) for block in range(3)] == [False, True, False]
    assert leaves.get(1) == digest(1)
    assert leaves.get(0) is None


def test_only_a_leaf_that_nothing_proved_is_forgotten() -> None:
    leaves = Leaves(2)
    leaves.put(0, digest(0), proven=True)
    leaves.put(1, digest(1), proven=False)
    leaves.forget(0)
    leaves.forget(1)
    assert (leaves.known, leaves.proven) == (1, 1)


@pytest.mark.parametrize("count", [40_000_000, 1 << 43])
def test_an_output_costs_what_was_read_of_it_however_large_it_is_said_to_be(count: int) -> None:
    tracemalloc.start()
    try:
        leaves = Leaves(count)
        leaves.put(count - 1, digest(1), proven=True)
        leaves.forget(5)
        assert (leaves.get(count - 1), leaves.get(7), leaves.is_proven(7)) == (digest(1), None, False)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 2 * STRETCH * DIGEST_SIZE
