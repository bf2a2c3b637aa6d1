"""Figures of the lanes: how fast each kind hashes 1, 2, 4, 8 and 16 blocks of 1 MiB, and what is chosen of them.

A second is one of processor time, so that other programs disturb little.

taskset -c 1 python -m tests.data.lanes.figures
"""

import statistics
import sys
import time

from casfs.data.hashing import lane_kinds, lane_plan, lanes
from casfs.data.hashing.lane_kinds import WIDEST
from casfs.data.hashing.lane_plan import Plan
from tests.data.lanes.compiling import some

BLOCK = 1 << 20
COUNTS = (1, 2, 4, 8, 16)
ROUNDS = 31


def gigabytes_a_second(plan: Plan, blocks: list[memoryview]) -> float:
    began = time.thread_time()
    plan.leaves(blocks)
    return len(blocks) * BLOCK / (time.thread_time() - began) / 1e9


def main() -> None:
    kinds = [lane_kinds.HASHLIB, *lane_kinds.compiled(lanes.LIBRARY)]
    plans = {f"{kind.width} by {kind.name}": Plan((kind,) * WIDEST, kind.width) for kind in kinds}
    plans["what is chosen"] = lane_plan.quickest(lane_plan.costs(kinds, time.thread_time_ns))
    blocks = some(max(COUNTS), BLOCK)
    figures: dict[tuple[str, int], list[float]] = {}
    for _ in range(ROUNDS):
        for name, plan in plans.items():
            for count in COUNTS:
                figures.setdefault((name, count), []).append(gigabytes_a_second(plan, blocks[:count]))
    sys.stdout.write(f"GB/s, median (and most) of {ROUNDS} rounds".ljust(42))
    sys.stdout.write("".join(f"{count:>2} blocks   " for count in COUNTS) + "\n")
    for name in plans:
        rates = [figures[name, count] for count in COUNTS]
        cells = [f"{statistics.median(rate):5.2f} ({max(rate):4.2f})" for rate in rates]
        sys.stdout.write(f"{name:40}  {' '.join(cells)}\n")


if __name__ == "__main__":
    main()
