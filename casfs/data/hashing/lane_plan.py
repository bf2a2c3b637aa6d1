"""Which kinds of lanes take how many blocks: whichever were measured to be quicker on this processor."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from casfs.data.hashing.lane_kinds import WIDEST, Lanes, samples

ROUNDS = 4
"""How often each kind is measured: the least counts, since what disturbs a measurement only makes it longer."""

GOOD_ENOUGH = 1.05
"""Blocks are hashed as soon as so many are there that more of them would save less than this."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is done with one block, with two, and so on.

    Attributes:
        firsts: the kind that begins with one block, with two, up to WIDEST; with what it leaves another one goes on.
        width: how many blocks are best had at once.
    """

    firsts: tuple[Lanes, ...]
    width: int

    def leaves(self, blocks: Sequence[memoryview]) -> list[bytes]:
        """Return the SHA-256 of each block; they are of one length, not empty, writable and contiguous."""
        found: list[bytes] = []
        while len(found) < len(blocks):
            left = blocks[len(found) : len(found) + WIDEST]
            kind = self.firsts[len(left) - 1]
            found += kind.digests(left[: kind.width])
        return found


def costs(kinds: Iterable[Lanes], clock_ns: Callable[[], int]) -> dict[Lanes, int]:
    """Return the nanoseconds that each of *kinds* takes for as many messages of some length as it has lanes.

    Args:
        kinds: which ones.
        clock_ns: had better be one of this thread's time: a busy machine takes the processor away meanwhile.
    """
    least: dict[Lanes, int] = {}
    for kind in list(kinds) * ROUNDS:
        messages = samples()[: kind.width]
        began = clock_ns()
        kind.digests(messages)
        took = clock_ns() - began
        least[kind] = min(took, least.get(kind, took))
    return least


def quickest(costs: Mapping[Lanes, float]) -> Plan:
    """Return the plan that costs least. Pure.

    Args:
        costs: of each kind of lanes, for one message in each of them or in fewer: lanes go in step, so that an empty
            one takes as long. There is one kind at least.
    """
    firsts: list[Lanes] = []
    totals = [0.0]
    for count in range(1, WIDEST + 1):
        totals_by_kind = {kind: cost + totals[max(0, count - kind.width)] for kind, cost in costs.items()}
        first = min(totals_by_kind, key=totals_by_kind.__getitem__)
        firsts.append(first)
        totals.append(totals_by_kind[first])
    each = [totals[count] / count for count in range(1, WIDEST + 1)]
    width = next(count for count, cost in enumerate(each, start=1) if cost <= min(each) * GOOD_ENOUGH)
    return Plan(tuple(firsts), width)
