"""The tree hash of a stream is that of its leaves, and asks for no more memory than the tree is high."""

import io

import pytest

from casfs.data.hashing import treehash
from casfs.data.hashing.blocks import BLOCK_SIZE
from casfs.tree_hash import TreeHasher, hash_all

SIZES = [0, 1, BLOCK_SIZE - 1, BLOCK_SIZE, BLOCK_SIZE + 1, 3 * BLOCK_SIZE, 9 * BLOCK_SIZE + 5, 19 * BLOCK_SIZE]


def plain(data: bytes) -> str:
    leaves = [treehash.leaf(data[at : at + BLOCK_SIZE]) for at in range(0, len(data), BLOCK_SIZE)]
    return treehash.root(leaves).hex() if leaves else treehash.EMPTY


class Dribble(io.BytesIO):
    """Gives less than it is asked for, as pipes do."""

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # a narrower kind of buffer - the only one
        return super().readinto(buffer[:300_001])


@pytest.mark.parametrize("size", SIZES)
def test_stream_has_the_tree_hash_of_its_leaves(size: int) -> None:
    data = bytes(byte % 251 for byte in range(size % 7919)) * (size // max(1, size % 7919) + 1)
    data = (data + bytes(size))[:size]
    hashed: list[int] = []
    hasher = hash_all(Dribble(data), hashed.append)
    assert (hasher.size, hasher.hexdigest(), sum(hashed)) == (size, plain(data), size)


@pytest.mark.parametrize("count", range(1, 70))
def test_every_number_of_leaves_makes_the_same_tree(count: int) -> None:
    leaves = [treehash.leaf(bytes([number])) for number in range(count)]
    hasher = TreeHasher()
    for leaf in leaves:
        hasher.extend([leaf], BLOCK_SIZE)
        assert len(hasher._nodes) <= count.bit_length()
    assert hasher.hexdigest() == treehash.root(leaves).hex()


def test_nothing_comes_behind_half_a_block() -> None:
    hasher = TreeHasher()
    hasher.update(memoryview(bytearray(BLOCK_SIZE + 1)))
    with pytest.raises(ValueError, match="no whole blocks"):
        hasher.update(memoryview(bytearray(1)))
