"""The cache on disk as a part of the monitor: what is looked for there, and what is kept there."""

import threading
from collections.abc import Callable
from concurrent.futures import Future

from casfs.data.content import Content
from casfs.data.fetch.disk_cache import DiskCache
from casfs.data.fetch.disk_reader import DiskReader
from casfs.data.fetch.disk_workers import WORKERS, DiskWorkers
from casfs.data.fetch.disk_writer import DiskWriter
from casfs.data.fetch.flight import Flight
from casfs.data.fetch.flights import Flights
from casfs.data.fetch.lookups import Lookups
from casfs.data.memory.cache import BlockCache
from casfs.data.settings import DataSettings, Verify
from casfs.models import LARGEST_OUTPUT, Output
from casfs.stats import Stats
from casfs.waiting import Clock


class DiskStage:
    """Reads from disk, and writes there, by threads of its own.

    Args:
        lock: the monitor's.
        cache: where blocks land, and come from.
        disk: where they are kept, None where nothing is.
        settings: how much checking is asked for, and the deadline of one read.
        stats: counters of the mount.
        clock: monotonic seconds.
        on_wrong: called with each output of which the kernel may hold pages that have proved wrong.

    Attributes:
        lookups: what is to be looked for; None where nothing is kept.
        writer: keeps what comes; None where nothing is checked, and so nothing is written.

    Threads: ``opened`` and ``closed`` want the lock held; the others take it.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what it is made of, and whom it tells
        self,
        lock: threading.Lock,
        cache: BlockCache[Flight],
        disk: DiskCache | None,
        settings: DataSettings,
        stats: Stats,
        clock: Clock,
        on_wrong: Callable[[Output], None],
    ) -> None:
        self.lookups: Lookups | None = None
        self.writer: DiskWriter | None = None
        self._reader: DiskReader | None = None
        self._workers: DiskWorkers | None = None
        self._disk = disk
        if disk is None:
            return
        self._reader = reader = DiskReader(disk, settings.verify, settings.read_timeout_s, clock)
        self._workers = workers = DiskWorkers(lock, reader, stats, clock, on_wrong)
        self.lookups = Lookups(cache, WORKERS - 1, workers.stir)
        if settings.verify is not Verify.OFF:
            self.writer = DiskWriter(lock, cache, disk, stats, clock)
        stats.gauge("disk_blocks_damaged", lambda: disk.store.damaged_blocks)
        stats.gauge("disk_fails", lambda: int(disk.store.outage is not None))

    def serve(self, flights: Flights) -> None:
        """Be told whose blocks these are; before the first of them."""
        if self._workers is not None and self.lookups is not None:
            self._workers.serve(flights, self.lookups)
        if self.writer is not None:
            self.writer.serve(flights.stir)

    def start(self) -> None:
        """Begin the thread that writes, which the first output does otherwise: after the fork."""
        if self.writer is not None:
            self.writer.start()

    def stop(self) -> None:
        """End the threads; what has come is still written, for a while."""
        if self._workers is not None:
            self._workers.stop()
        if self.writer is not None:
            self.writer.stop()

    def opened(self, content: Content) -> None:
        """Note that one more reader has *content* open, and work out where it is on disk, so that no read has to."""
        if self._disk is not None:
            self._disk.of(content)
        if self.writer is not None:
            self.writer.opened(content)

    def closed(self, content: Content) -> None:
        """Note that one has closed it."""
        if self.writer is not None:
            self.writer.closed(content)

    def recall(self, content: Content) -> Future[int]:
        """Have *content* told of the blocks of it that are on disk; the result is how many, 0 where none can be."""
        future: Future[int] = Future()
        if self._reader is None or self._workers is None or not 0 < (content.size or 0) <= LARGEST_OUTPUT:
            future.set_result(0)
        else:
            self._workers.recall(content, future)
        return future
