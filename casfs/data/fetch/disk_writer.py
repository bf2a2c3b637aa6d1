"""The thread that keeps on disk what has come from the service: behind the readers, and never in their way."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from casfs import shortage
from casfs.data.content import Content
from casfs.data.disk.layout import StoredLeaf
from casfs.data.disk.leases import Lease
from casfs.data.disk.stored_content import NewBlock, StoredContent
from casfs.data.fetch.backlog import Backlog, Batch, Part
from casfs.data.fetch.disk_cache import DiskCache
from casfs.data.fetch.flight import Flight
from casfs.data.hashing import blocks
from casfs.data.hashing.blocks import runs
from casfs.data.memory.cache import BlockCache, Slot
from casfs.errors import ShortageError
from casfs.stats import Stats
from casfs.waiting import Clock

log = logging.getLogger(__name__)

MARK_S = 60.0
"""How often what is open is marked as in use: half of how long a mark is good for."""

STOP_TIMEOUT_S = 2.0
"""How long what waits is still written at the end; the thread is a daemon, and cannot hold up the exit."""


@dataclass(slots=True)
class Errands:
    """What else the thread is to do, outside of the lock.

    Attributes:
        leases: to be ended.
        wrong: contents that have proved wrong.
        opened: contents to be marked as in use.
        lacking: contents of which the disk may lack what is in memory.
    """

    leases: list[Lease] = field(default_factory=list)
    wrong: set[Content] = field(default_factory=set)
    opened: set[Content] = field(default_factory=set)
    lacking: set[Content] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.leases or self.wrong or self.opened or self.lacking)


class DiskWriter:
    """One thread: a part of the monitor, and a ``Keeper``.

    Args:
        lock: the monitor's.
        cache: where the blocks are that come.
        disk: where they are kept.
        stats: counts them.
        clock: monotonic seconds.

    Threads: ``keep``, ``forsake``, ``distrust``, ``opened`` and ``closed`` want the lock held; the others take it.
    """

    def __init__(
        self, lock: threading.Lock, cache: BlockCache[Flight], disk: DiskCache, stats: Stats, clock: Clock
    ) -> None:
        self._lock = lock
        self._wake = threading.Condition(lock)
        self._cache = cache
        self._disk = disk
        self._stats = stats
        self._clock = clock
        self._backlog = Backlog(cache, stats)
        self._errands = Errands()
        self._open: dict[Content, int] = {}
        self._written: set[Content] = set()
        self._is_ready = True
        self._thread: threading.Thread | None = None
        self._marked_s = clock()
        self._over_s: float | None = None
        self._stir: Callable[[], None] = lambda: None

    def serve(self, stir: Callable[[], None]) -> None:
        """Be told what to call, with the lock held, once there may be room that was not there before."""
        self._stir = stir

    def start(self) -> None:
        """Begin the thread, which the first block does otherwise: after the fork."""
        with self._lock:
            self._begin()

    def keep(self, flight: Flight) -> None:
        """Keep the blocks of a flight, which are in the cache, and end its lease then."""
        if not self._is_ready:  # it will take a while, and others are not to wait for it
            self.forsake(flight)
        lease = flight.lease if self._is_ready else None
        self._forget_about(self._backlog.add(Part(flight.content, flight.part, lease)))
        self._begin()
        self._wake.notify()

    def forsake(self, flight: Flight) -> None:
        """End the lease of a flight that brings nothing."""
        if flight.lease is not None:
            self._errands.leases.append(flight.lease)
            self._wake.notify()

    def distrust(self, content: Content) -> None:
        """Give up all of a content that has proved wrong."""
        self._forget_about(self._backlog.drop(content))
        self._errands.wrong.add(content)
        self._begin()
        self._wake.notify()

    def opened(self, content: Content) -> None:
        """Mark a content as in use, now and as long as it is open; and have written what is in memory alone."""
        self._open[content] = self._open.get(content, 0) + 1
        if self._open[content] == 1:
            self._errands.opened.add(content)
        self._errands.lacking.add(content)
        self._begin()
        self._wake.notify()

    def closed(self, content: Content) -> None:
        """Note that one reader of a content has closed it."""
        self._open[content] -= 1
        if not self._open[content]:
            del self._open[content]

    def stop(self) -> None:
        """Write what waits, for a while, and end the thread."""
        with self._lock:
            self._over_s = self._clock() + STOP_TIMEOUT_S
            self._wake.notify_all()
            thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(STOP_TIMEOUT_S)

    def _begin(self) -> None:
        if self._thread is not None or self._over_s is not None:
            return
        thread = threading.Thread(target=self._work, name="casfs-disk-writer", daemon=True)
        try:
            with shortage.named():
                thread.start()
        except ShortageError as error:
            log.debug("no thread to write the cache on disk: %s", error)
        else:
            self._thread = thread

    def _forget_about(self, parts: list[Part]) -> None:
        self._errands.leases += [part.lease for part in parts if part.lease is not None]

    def _work(self) -> None:
        self._attempt(self._rebuild)
        while (work := self._next()) is not None:
            self._attempt(work)
        self._flush()

    def _attempt(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception:  # what it holds is given back; and another process is not to wait for what never comes
            log.exception("keeping blocks on disk failed")

    def _rebuild(self) -> None:
        """Make the accounts anew, where they may be wrong: until then nothing is written."""
        if not self._disk.store.needs_rebuild:
            return
        log.info("the accounts of the cache on disk are made anew")
        self._is_ready = False
        try:
            for _ in self._disk.store.rebuild():
                if self._over_s is not None:
                    return
        finally:
            self._is_ready = True

    def _next(self) -> Callable[[], None] | None:
        """Wait for something to do."""
        with self._lock:
            while True:
                if self._errands:
                    errands, self._errands = self._errands, Errands()
                    return partial(self._run, errands)
                is_late = self._over_s is not None and self._clock() >= self._over_s
                batch = None if is_late else self._backlog.next()
                if batch is not None:
                    return partial(self._write, batch)
                if self._over_s is not None:
                    return None
                if self._written:
                    return self._flush
                self._rest()

    def _rest(self) -> None:
        """Wait until there may be something to do."""
        self._wake.wait(MARK_S if self._open else None)
        if self._clock() - self._marked_s >= MARK_S:
            self._marked_s = self._clock()
            self._errands.opened.update(self._open)

    def _run(self, errands: Errands) -> None:
        for lease in errands.leases:
            lease.release()
        for content in errands.wrong:
            stored = self._disk.of(content)
            if stored is not None:
                stored.forget(range(stored.count))
        for content in errands.opened:
            stored = self._disk.of(content)
            if stored is not None:
                stored.use(content.open_readers.span)
            self._disk.note(content)
        for content in errands.lacking:
            self._complete(content)

    def _complete(self, content: Content) -> None:
        """Have those blocks written that are in memory, and that the disk has lost since, or was too full for."""
        stored = self._disk.of(content)
        if stored is None or self._disk.store.outage is not None:
            return
        with self._lock:
            found = self._cache.settled(content)
        lacking = [run for part in runs(found) for run in runs(_without(stored, part))]
        with self._lock:
            for run in lacking:
                self._forget_about(self._backlog.add(Part(content, run, None)))

    def _write(self, batch: Batch) -> None:
        """Write what there is of some parts, and end their leases."""
        try:
            stored = self._disk.of(batch.content)
            if stored is not None:
                new = [one for slot in batch.slots if (one := _new(slot)) is not None]
                written = stored.write(new) if new else 0
                self._written.add(batch.content)
                self._stats.count("disk_blocks_written", written)
                self._stats.count("disk_blocks_skipped", len(batch.slots) - written)
        finally:
            with self._lock:
                for slot in batch.slots:
                    self._cache.take_back(slot)
                self._stir()
            for part in batch.parts:
                if part.lease is not None:
                    part.lease.release()

    def _flush(self) -> None:
        """See that what was written would outlive a loss of power, and what was proved since is noted as such."""
        for content in self._written:
            stored = self._disk.of(content)
            if stored is not None and content.root_met:
                stored.prove_root()
            self._disk.note(content)
        self._written = set()
        self._disk.store.flush()


def _without(stored: StoredContent, part: range) -> list[int]:
    return [block for block, leaf in zip(part, stored.held(part), strict=True) if leaf is None]


def _new(slot: Slot[Flight]) -> NewBlock | None:
    """Return a block to be kept; None where nothing is believed of it any more."""
    content, block = slot.key
    leaf = content.leaf(block)
    if leaf is None:
        return None
    digest, is_proven = leaf
    return NewBlock(block, slot.buffer[: blocks.length(block, content.size or 0)], StoredLeaf(digest, is_proven))
