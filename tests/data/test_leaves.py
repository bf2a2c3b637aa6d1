"""Leaf hashes of outputs of any size, in little memory."""

import pytest

from casfs.data import treehash
from casfs.data.leaves import STRETCH, Leaves


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


def test_an_output_of_40_tb_costs_only_what_was_read_of_it() -> None:
    leaves = Leaves(40_000_000)
    leaves.put(39_999_999, digest(1), proven=True)
    assert leaves.get(39_999_999) == digest(1)
    assert sum(stretch is not None for stretch in leaves._stretches) == 1
