"""What is fetched first, what will be too late, and what has no room. Pure arithmetic."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

from casfs.cache.target import Target

OVERHEAD_BYTES = 256 << 10
"""What a content takes in a cache beside its bytes, at most: head, places, leaves of 4 GiB."""
NEVER_NS = 1 << 63


@dataclass(frozen=True, slots=True)
class Plan:
    """An order in which to fetch.

    Attributes:
        order: all of it: what can be had before it expires, the soonest first, and then ``late``.
        late: what will have expired, or the deadline passed, before its turn is over.
    """

    order: Sequence[Target]
    late: Sequence[Target]


def due_ns(target: Target, deadline_ns: int | None) -> int:
    """Return by when a target should be there."""
    return min(NEVER_NS if target.expires_ns is None else target.expires_ns, deadline_ns or NEVER_NS)


def planned(targets: Iterable[Target], now_ns: int, rate: float | None, deadline_ns: int | None = None) -> Plan:
    """Return the order in which the most outputs are there in time.

    The soonest to expire goes first; where that would make one late, the largest of those so far is left for the end:
    what is left then is as much as any order could save.

    Args:
        targets: what is to be fetched.
        now_ns: the time.
        rate: bytes a second that all together are fetched at, None while nobody knows.
        deadline_ns: when all ends.

    Source: Moore, "An n job, one machine sequencing algorithm for minimizing the number of late jobs", 1968.
    """
    by_due = sorted(targets, key=lambda target: (due_ns(target, deadline_ns), due_ns(target, None), target.name))
    chosen: list[tuple[int, int]] = []
    late: set[int] = set()
    total = 0
    for number, target in enumerate(by_due):
        heappush(chosen, (-target.missing_bytes, number))
        total += target.missing_bytes
        needed_ns = int(total / rate * 1e9) if rate else 0
        if now_ns + needed_ns > due_ns(target, deadline_ns):
            size, largest = heappop(chosen)
            total += size
            late.add(largest)
    in_time = [target for number, target in enumerate(by_due) if number not in late]
    too_late = [by_due[number] for number in sorted(late)]
    return Plan([*in_time, *too_late], too_late)


def without_room(targets: Iterable[Target]) -> list[Target]:
    """Return those that their caches cannot hold beside what is named before them.

    What is there counts first, and then the soonest to expire: to fetch more would drive out what was fetched.
    """
    left: dict[str, int] = {}
    refused = []
    for target in sorted(targets, key=lambda one: (not one.holding.is_done, due_ns(one, None), one.name)):
        cache = target.cache
        room = left.setdefault(cache.path, cache.capacity_bytes) - target.size - OVERHEAD_BYTES
        if room < 0:
            refused.append(target)
        else:
            left[cache.path] = room
    return refused
