"""Lanes of one processor, in which the leaves of several blocks are hashed side by side.

SHA-256 was a third of the processor time of a cold read, and half of that the unit that computes it waited for itself:
the leaves of a tree do not depend on each other, so several of them keep it busy. Which instructions are the quickest
differs from processor to processor, and with the number of blocks: what is there is measured when a block is first to
be hashed, in a few milliseconds. Nobody outside knows which it came to be.
"""

import functools
import itertools
import time
from collections.abc import Sequence
from pathlib import Path

from casfs.data.hashing import lane_kinds, lane_plan
from casfs.data.hashing.lane_plan import Plan

LIBRARY = Path(__file__).with_name("liblanes.so")


def width() -> int:
    """Return how many blocks are best given to ``leaves`` at once; 1 where none are hashed side by side."""
    return _plan().width


def leaves(blocks: Sequence[memoryview]) -> list[bytes]:
    """Return the 32 bytes that stand for each block in the tree.

    Args:
        blocks: none empty; writable and contiguous, and nobody writes to them meanwhile.

    Threads: any; lets other threads run while it hashes.
    """
    # The last block of an output may be shorter, and lanes go in step.
    groups = itertools.groupby(blocks, len)
    return [leaf for _, group in groups for leaf in _plan().leaves(list(group))]


def described() -> str:
    """Return in words how many blocks are hashed at a time, and by what."""
    plan = _plan()
    return f"blocks are hashed {plan.width} at a time, by {plan.firsts[plan.width - 1].name}"


def is_compiled() -> bool:
    """Say whether there is more than ``hashlib`` that could be used, on this processor or another."""
    return lane_kinds.is_compiled(LIBRARY)


# No lock: two threads that come at once both measure, and a child of fork never waits for a thread that it has not.
@functools.cache
def _plan() -> Plan:
    kinds = lane_kinds.trusted([lane_kinds.HASHLIB, *lane_kinds.compiled(LIBRARY)])
    return lane_plan.quickest(lane_plan.costs(kinds, time.thread_time_ns))
