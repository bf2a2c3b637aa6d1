"""Lanes of one processor, in which the leaves of several blocks are hashed side by side.

SHA-256 was a third of the processor time of a cold read, and half of that the unit that computes it waited for itself:
the leaves of a tree do not depend on each other, so four of them keep it busy. ``lanes.c`` does that on x86 processors
with SHA instructions, if there was a C compiler when casfs was installed; otherwise ``hashlib`` takes one by one.

Source: measured 2026-11-20, GB/s of one processor: ``hashlib`` (OpenSSL 3.0) 2.0; two lanes 3.1, four 3.7. Mounted,
interleaved, 6 rounds: 1.08 times as fast at 30 ms and 60 MB/s a connection, 1.17 times unshaped.
"""

import ctypes
import functools
from collections.abc import Sequence
from pathlib import Path

from casfs.copying import address
from casfs.data.hashing import treehash
from casfs.data.hashing.leaves import DIGEST_SIZE

LIBRARY = Path(__file__).with_name("liblanes.so")
LANES = 4
"""Messages that ``lanes.c`` takes in step at most: three are as fast, and do not divide parts."""


def width() -> int:
    """Return how many blocks are best given to ``leaves`` at once; 1 where none are hashed side by side."""
    return LANES if _library() else 1


def leaves(blocks: Sequence[memoryview]) -> list[bytes]:
    """Return the 32 bytes that stand for each block in the tree.

    Args:
        blocks: at least one; writable and contiguous, and nobody writes to them meanwhile.

    Threads: any; lets other threads run while it hashes.
    """
    library = _library()
    # The last block of an output may be shorter, and lanes go in step.
    if library is None or len(blocks) == 1 or any(len(block) != len(blocks[0]) for block in blocks):
        return [treehash.leaf(block) for block in blocks]
    return _side_by_side(library, blocks)


def _side_by_side(library: ctypes.CDLL, blocks: Sequence[memoryview]) -> list[bytes]:
    pointers = (ctypes.c_void_p * len(blocks))(*map(address, blocks))
    digests = ctypes.create_string_buffer(len(blocks) * DIGEST_SIZE)
    library.lanes_sha256(pointers, ctypes.c_size_t(len(blocks)), ctypes.c_size_t(len(blocks[0])), digests)
    return [digests.raw[at : at + DIGEST_SIZE] for at in range(0, len(digests), DIGEST_SIZE)]


@functools.cache
def _library() -> ctypes.CDLL | None:
    """Return what ``lanes.c`` was compiled to, None where it was not, or cannot be trusted on this processor."""
    try:
        library = ctypes.CDLL(str(LIBRARY))
        return library if library.lanes_work() and _is_right(library) else None
    except (OSError, AttributeError):
        return None


def _is_right(library: ctypes.CDLL) -> bool:
    samples = [memoryview(bytearray([number]) * 200) for number in range(LANES)]
    right = [treehash.leaf(sample) for sample in samples]
    return all(_side_by_side(library, samples[:few]) == right[:few] for few in range(2, LANES + 1))
