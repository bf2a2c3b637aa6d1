"""Buffers are made once, reused, and never more than asked for."""

import ctypes
import itertools
import re
from pathlib import Path

import pytest

from casfs.data.blocks import BLOCK_SIZE
from casfs.data.pool import SLAB_BLOCKS, Pool


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


def advice(address: int) -> set[str]:
    """Return the flags of the mapping that *address* is in. Source: proc_pid_smaps(5)."""
    is_it = False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if found := re.match("([0-9a-f]+)-([0-9a-f]+) ", line):
            is_it = int(found[1], 16) <= address < int(found[2], 16)
        elif is_it and line.startswith("VmFlags:"):
            return set(line.split()[1:])
    return set()


@pytest.mark.parametrize(("touch_s", "flag"), [(0.0001, "hg"), (0.002, "nh")])
def test_huge_pages_are_asked_for_unless_they_are_dear(touch_s: float, flag: str) -> None:
    pool = Pool(8, clock=itertools.count(step=touch_s).__next__)
    pool.reserve(1)
    flags = advice(ctypes.addressof(ctypes.c_char.from_buffer(pool.take())))
    if not flags & {"hg", "nh"}:
        pytest.skip("a kernel without huge pages")
    assert flag in flags
