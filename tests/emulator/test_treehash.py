"""The tree hash against published vectors, and the rule for nodes against the tree walked from its root."""

import hashlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casfs.emulator.treehash import BLOCK, TreeHash
from tests.emulator.client import tree_hash

VECTORS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    1048575: "8b55c6a2d3444092a316985030e00c1e6f8608eaf912c896dee7c374d440ed11",
    1048576: "631b84027d6b9e52b539c4e8373622d23032dfadc64d60af87339c9037e4f769",
    1048577: "a9c574ce937d2371daf87cdd0e75396b096d7f74a66c764e4c656bd12b2e7bf9",
    2097152: "bf4dff263ae686b64403208c35a3767e38453d6477e841947588d13d04e1d816",
    3145728: "2e7d51c0ffe06ce95fe74beed9a4ab35d18837f4ab2a9f4f066a60359eb999a1",
    3670016: "390f48176c50ae5a31f92724791e509d8f66d26ba3305714d153f6d01be83289",
    5242880: "1eccd0ca741241ce114bde6d24a8de044ccee139ef6651bec9006d2f558751ef",
    6815744: "8bcaa7b4b8f991ca140f306627f2c4e84601364cde8e054b6e0924433ca7482f",
    7340032: "8bfce57c6a4076b3e930e725fbaa00beeffff0f0d9a6491a89a53baa73b4810d",
    0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
}
"""By size, of bytes that count up modulo 251. Source: reference section 4.1, three implementations agreeing."""


def counted(size: int) -> memoryview:
    return memoryview((bytes(range(251)) * (size // 251 + 1))[:size])


@pytest.mark.parametrize("size", VECTORS)
def test_root_is_that_of_the_published_vectors(size: int) -> None:
    assert TreeHash.over([counted(size)]).root == VECTORS[size]


@given(st.lists(st.integers(0, 1 << 20), max_size=6))
def test_root_does_not_depend_on_how_the_bytes_are_cut(cuts: list[int]) -> None:
    data = counted(2 * BLOCK + 1000)
    edges = [0, *sorted(cuts), len(data)]
    pieces = [data[start:stop] for start, stop in itertools.pairwise(edges)]
    assert TreeHash.over(pieces).root == tree_hash(bytes(data))


def nodes(first: int, beyond: int) -> list[tuple[int, int]]:
    """Return every node over the leaves of [first, beyond), found from the root down: the left child is a full tree."""
    if beyond - first == 1:
        return [(first, beyond)]
    left = 1
    while left * 2 < beyond - first:
        left *= 2
    return [(first, beyond), *nodes(first, first + left), *nodes(first + left, beyond)]


def tree_of(count: int) -> TreeHash:
    """Return a tree over *count* one-byte blocks, each as if it were a whole one."""
    leaves = [hashlib.sha256(bytes([number])).digest() for number in range(count)]
    levels = [leaves]
    while len(levels[-1]) > 1:
        pairs = [levels[-1][at : at + 2] for at in range(0, len(levels[-1]), 2)]
        levels.append([hashlib.sha256(b"".join(pair)).digest() if len(pair) == 2 else pair[0] for pair in pairs])
    return TreeHash(count * BLOCK, levels)


@pytest.mark.parametrize("count", range(1, 40))
def test_exactly_the_nodes_of_the_tree_have_a_hash(count: int) -> None:
    tree = tree_of(count)
    found = {(p, q) for p in range(count) for q in range(p + 1, count + 1) if tree.of_blocks(p, q)}
    assert found == set(nodes(0, count))


def test_the_nodes_of_seven_blocks_are_those_of_the_reference() -> None:
    listed = "01 02 04 07 12 23 24 34 45 46 47 56 67"
    tree = tree_of(7)
    assert {f"{p}{q}" for p in range(7) for q in range(p + 1, 8) if tree.of_blocks(p, q)} == set(listed.split())


def test_a_range_has_the_hash_of_its_own_bytes() -> None:
    data = counted(6 * BLOCK + BLOCK // 2)
    tree = TreeHash.over([data])
    for first, beyond in nodes(0, 7):
        start, stop = first * BLOCK, min(beyond * BLOCK, len(data))
        assert tree.of_range(start, stop) == tree_hash(bytes(data[start:stop]))


@pytest.mark.parametrize(
    ("start", "stop"),
    [(1, BLOCK), (0, BLOCK - 1), (0, BLOCK + 1), (BLOCK, 3 * BLOCK), (0, 8 * BLOCK), (BLOCK, BLOCK), (-BLOCK, BLOCK)],
)
def test_a_range_that_is_no_node_has_no_hash(start: int, stop: int) -> None:
    assert TreeHash.over([counted(6 * BLOCK + 5)]).of_range(start, stop) is None
