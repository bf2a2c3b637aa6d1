"""What of a part is on disk, read and checked; and who downloads the rest."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from casfs.data.content import Content
from casfs.data.disk.content_file import STRIDE
from casfs.data.disk.files import SystemFiles
from casfs.data.disk.layout import ANYBODY, StoredLeaf
from casfs.data.disk.leases import Lease
from casfs.data.disk.stored_content import StoredContent
from casfs.data.fetch import parts
from casfs.data.fetch.disk_cache import DiskCache
from casfs.data.fetch.flight import Flight
from casfs.data.fetch.lookups import Missing
from casfs.data.hashing import blocks
from casfs.data.memory.room import Room
from casfs.data.settings import Verify
from casfs.errors import CasfsError, CorruptDataError
from casfs.waiting import Clock

PATIENCE_S = 10.0
PATIENCE_SHARE = 1 / 4
"""How long another process that downloads what is wanted is waited for, and how much of the deadline of a read that may
be: a part takes 2 s at most, unless the link of that process is worse than this one's."""


NO_LEASE = Lease(SystemFiles(), None)
"""Of who downloads without telling others, or though another process does."""


Held: TypeAlias = Mapping[int, StoredLeaf]
"""Blocks that are on disk, in order, and what their leaves say."""


class Found(NamedTuple):
    """Blocks that are on disk: those that may be served, and the others."""

    right: frozenset[int]
    wrong: frozenset[int]


NOTHING = Found(frozenset(), frozenset())


class DiskReader:
    """Reads parts of contents from disk.

    Args:
        disk: where they are kept.
        verify: how much checking a read asks for.
        timeout_s: deadline of one read.
        clock: monotonic seconds.

    Threads: any, many at once; blocks for the disk.
    """

    def __init__(self, disk: DiskCache, verify: Verify, timeout_s: float, clock: Clock) -> None:
        self._disk = disk
        self._verify = verify
        self._patience_s = min(PATIENCE_S, timeout_s * PATIENCE_SHARE)
        self._clock = clock

    def held(self, flight: Flight) -> Held:
        """Return what is on disk of a flight, as far as was written there; nothing of it is read."""
        stored = self._disk.of(flight.content)
        return _held(flight.part, stored.held(flight.part)) if stored is not None else {}

    def read(self, flight: Flight, held: Held, room: Room) -> Found:
        """Fill *room* with those blocks of a flight that are *held*.

        What is on disk and not what it should be is given up there.
        """
        stored = self._disk.of(flight.content)
        if stored is None:
            return NOTHING
        right = frozenset(
            block
            for run in blocks.runs(list(held))
            for block in self._read(flight, stored, run, [held[block] for block in run], room)
        )
        return Found(right, frozenset(held) - right)

    def missing(self, flight: Flight, found: Found) -> list[Missing]:
        """Return the parts of a flight that were not *found*, each with a lease where this process is to fetch it."""
        if len(found.right) == len(flight.part):
            return []
        runs = _runs(flight.part, lambda block: block not in found.right)
        cut = [part for run in runs for part in parts.cut(run, flight.content.count, parts.MAX_PART_BLOCKS)]
        return [Missing(part, self._lease(flight, part, found)) for part in (cut if found.right else [flight.part])]

    def recall(self, content: Content) -> int:
        """Tell *content* of the leaves on disk, where there are more than it knows of; return how many are there.

        Where the tree hash has proved one that is not what *content* knows, wrong bytes were served, and are in memory:
        it fails, and who opens it next begins anew.
        """
        stored = self._disk.of(content)
        held = stored.held_count() if stored is not None else 0
        if stored is not None and held > content.known and self._verify is not Verify.OFF:
            for first in range(0, content.count, STRIDE):
                part = range(first, min(first + STRIDE, content.count))
                on_disk = _held(part, stored.held(part))
                proved = {block: leaf.digest for block, leaf in on_disk.items() if leaf.source == ANYBODY}
                content.refute(proved, proved, content.size)
                if content.failure is not None:
                    break
                fitting = {block: leaf for block, leaf in on_disk.items() if _fits(content, block, leaf)}
                self._admitted(content, stored, fitting)
        return held

    def _read(
        self, flight: Flight, stored: StoredContent, run: range, leaves: Sequence[StoredLeaf], room: Room
    ) -> list[int]:
        content, first = flight.content, flight.part.start
        views = [room[block - first][: blocks.length(block, content.size or 0)] for block in run]
        return self._admitted(content, stored, _held(run, stored.read(run, leaves, views)))

    def _admitted(self, content: Content, stored: StoredContent, held: Held) -> list[int]:
        """Return those blocks that may be served, as far as is known of *content*; the others are given up on disk."""
        if self._verify is Verify.OFF:
            return list(held)
        return [
            block
            for run in blocks.runs(list(held))
            for block in self._admitted_run(content, stored, run, [held[block] for block in run])
        ]

    def _admitted_run(
        self, content: Content, stored: StoredContent, run: range, leaves: Sequence[StoredLeaf]
    ) -> Sequence[int]:
        """Hold neighbours against what is known: at once where all are alike, and else each by itself."""
        is_proven = leaves[0].is_proven
        try:
            if all(leaf.is_proven is is_proven for leaf in leaves):
                content.recall(run, [leaf.digest for leaf in leaves], is_proven=is_proven)
                return run
        except CasfsError as error:
            if len(run) == 1:
                # What the tree hash has proved is not given up for what came since.
                is_proved = leaves[0].source == ANYBODY
                if isinstance(error, CorruptDataError) and content.failure is None and not is_proved:
                    stored.forget(run)
                return ()
        each = (self._admitted_run(content, stored, run[at : at + 1], leaves[at : at + 1]) for at in range(len(run)))
        return [block for admitted in each for block in admitted]

    def _lease(self, flight: Flight, part: range, found: Found) -> Lease | None:
        """Return a lease of *part*; None where another process has one, or had and has it on disk by now."""
        stored = self._disk.of(flight.content)
        if stored is None or self._verify is Verify.OFF:  # nothing will be written
            return NO_LEASE
        lease = stored.claim(part)
        if lease is not None:
            if not any(leaf and block not in found.wrong for block, leaf in zip(part, stored.held(part), strict=True)):
                return lease
            lease.release()
            return None
        if flight.waits_until_s is None:
            flight.waits_until_s = self._clock() + self._patience_s
        return None if self._clock() < flight.waits_until_s else NO_LEASE


def _held(part: range, leaves: Iterable[StoredLeaf | None]) -> Held:
    return {block: leaf for block, leaf in zip(part, leaves, strict=False) if leaf is not None}


def _fits(content: Content, block: int, leaf: StoredLeaf) -> bool:
    """Say whether what is known of a block, which may be in memory, is not otherwise."""
    known = content.leaf(block)
    return known is None or known[0] == leaf.digest


def _runs(part: range, belongs: Callable[[int], bool]) -> list[range]:
    """Return the runs of those blocks of *part* that belong."""
    return list(blocks.runs([block for block in part if belongs(block)]))
