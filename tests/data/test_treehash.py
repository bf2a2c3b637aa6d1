"""The tree hash against published vectors, and the rule for nodes against the tree itself."""

import hashlib

import pytest

from casfs.data.hashing import treehash
from casfs.data.hashing.blocks import BLOCK_SIZE
from tests.data.nodes import is_node

MIB = BLOCK_SIZE
# Byte i is i % 251. Source: produced by botocore and Tencent's Python SDK, which agree.
VECTORS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    MIB - 1: "8b55c6a2d3444092a316985030e00c1e6f8608eaf912c896dee7c374d440ed11",
    MIB: "631b84027d6b9e52b539c4e8373622d23032dfadc64d60af87339c9037e4f769",
    MIB + 1: "a9c574ce937d2371daf87cdd0e75396b096d7f74a66c764e4c656bd12b2e7bf9",
    2 * MIB: "bf4dff263ae686b64403208c35a3767e38453d6477e841947588d13d04e1d816",
    3 * MIB: "2e7d51c0ffe06ce95fe74beed9a4ab35d18837f4ab2a9f4f066a60359eb999a1",
    7 * MIB // 2: "390f48176c50ae5a31f92724791e509d8f66d26ba3305714d153f6d01be83289",
    5 * MIB: "1eccd0ca741241ce114bde6d24a8de044ccee139ef6651bec9006d2f558751ef",
    13 * MIB // 2: "8bcaa7b4b8f991ca140f306627f2c4e84601364cde8e054b6e0924433ca7482f",
    7 * MIB: "8bfce57c6a4076b3e930e725fbaa00beeffff0f0d9a6491a89a53baa73b4810d",
}
PATTERN = bytes(range(251)) * (7 * MIB // 251 + 1)


def leaves_of(size: int) -> list[bytes]:
    return [treehash.leaf(PATTERN[at : min(at + MIB, size)]) for at in range(0, size, MIB)]


@pytest.mark.parametrize(("size", "expected"), VECTORS.items(), ids=map(str, VECTORS))
def test_root_is_the_published_tree_hash(size: int, expected: str) -> None:
    assert treehash.root(leaves_of(size)).hex() == expected


def test_hash_of_nothing_is_that_of_an_empty_string() -> None:
    assert hashlib.sha256(b"").hexdigest() == treehash.EMPTY


def nodes(count: int) -> set[tuple[int, int]]:
    """Every [p, q) that some node of the tree over *count* leaves stands for, by building the tree."""
    level = [(at, at + 1) for at in range(count)]
    found = set(level)
    while len(level) > 1:
        above = [(level[i][0], level[i + 1][1]) for i in range(0, len(level) - 1, 2)]
        level = above + level[len(above) * 2 :]
        found.update(level)
    return found


@pytest.mark.parametrize("count", range(1, 70))
def test_a_run_is_a_node_exactly_if_the_tree_has_one_for_it(count: int) -> None:
    runs = {(p, q) for p in range(count) for q in range(p + 1, count + 1)}
    assert {(p, q) for p, q in runs if is_node(range(p, q), count)} == nodes(count)


@pytest.mark.parametrize("count", range(1, 40))
def test_a_run_is_a_node_exactly_if_its_hash_occurs_in_the_tree(count: int) -> None:
    leaves = [treehash.leaf(bytes([number])) for number in range(count)]
    hashes = {treehash.root(leaves[p:q]) for p, q in nodes(count)}
    for p in range(count):
        for q in range(p + 1, count + 1):
            assert is_node(range(p, q), count) == (treehash.root(leaves[p:q]) in hashes)


def test_examples_of_the_documents() -> None:
    seven = "[0,1)[0,2)[0,4)[0,7)[1,2)[2,3)[2,4)[3,4)[4,5)[4,6)[4,7)[5,6)[6,7)"
    assert "".join(f"[{p},{q})" for p, q in sorted(nodes(7))) == seven
    assert not is_node(range(1, 4), 4)
    assert is_node(range(2, 4), 4)
