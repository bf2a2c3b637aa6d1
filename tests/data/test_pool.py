"""Buffers are made once, reused, and never more than asked for."""

import subprocess
import sys

from casfs.data.hashing.blocks import BLOCK_SIZE
from casfs.data.memory.pool import SLAB_BLOCKS, Pool


def test_all_buffers_are_of_one_block_and_none_shares_memory_with_another() -> None:
    pool = Pool(SLAB_BLOCKS + 3)
    pool.reserve(SLAB_BLOCKS + 3)
    buffers = [pool.take() for _ in range(SLAB_BLOCKS + 3)]
    for number, buffer in enumerate(buffers):
        assert len(buffer) == BLOCK_SIZE
        buffer[:2] = buffer[-2:] = number.to_bytes(2)
    ends = [(int.from_bytes(buffer[:2]), int.from_bytes(buffer[-2:])) for buffer in buffers]
    assert ends == [(number, number) for number in range(len(buffers))]
    assert pool.free == 0


def test_the_buffer_given_back_last_is_taken_first_and_before_untouched_ones() -> None:
    pool = Pool(8)
    pool.reserve(2)
    first, second = pool.take(), pool.take()
    pool.give(first)
    pool.give(second)
    assert pool.free == 8
    pool.reserve(2)
    assert pool.take() is second
    assert pool.take() is first


def test_what_was_reserved_and_not_taken_is_released() -> None:
    pool = Pool(4)
    pool.reserve(3)
    assert pool.free == 1
    pool.give(pool.take())
    pool.release(2)
    assert pool.free == 4


LIMITED = """
import resource
from pathlib import Path
from casfs.data.memory.pool import Pool
pool = Pool(512)
pool.reserve(40)
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (50 << 20),) * 2)
print(len([pool.take() for _ in range(40)]))
"""


def test_buffers_are_had_one_by_one_where_address_space_is_short() -> None:
    done = subprocess.run([sys.executable, "-c", LIMITED], capture_output=True, text=True, timeout=20, check=True)
    assert done.stdout == "40\n"
