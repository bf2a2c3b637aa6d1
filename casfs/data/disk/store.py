"""The cache on disk: blocks that were fetched and checked once, kept for all processes that share a folder."""

import errno
import functools
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from casfs.data.disk.entry import Entry, described
from casfs.data.disk.files import Files, SystemFiles
from casfs.data.disk.folder import Folder
from casfs.data.disk.layout import ContentKey, Label
from casfs.data.disk.outage import DiskHealth, Outage
from casfs.data.disk.rebuilding import GROUPS, Rebuild
from casfs.data.disk.room import Room
from casfs.data.disk.stored_content import StoredContent
from casfs.data.disk.upkeep import Upkeep
from casfs.errors import ConfigError, DeadlineError
from casfs.waiting import Clock, within

TO_BE_MENDED = frozenset({errno.ENOENT, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG})
"""What is wrong with the name of a folder, or its permissions: its user is told. What else fails is the disk."""


HANG_S = 5.0
"""How long a disk that may fail is waited for when it is opened: as long as for a block of it."""


class Store:
    """A folder of contents, bounded over all processes that share it.

    Threads: any; it has none of its own, and each call blocks for the disk. No method but ``open`` raises: a disk that
    fails holds nothing, takes nothing, and is tried again later.
    """

    def __init__(self, room: Room, health: DiskHealth, clock: Clock) -> None:
        self._room = room
        self._health = health
        self._clock = clock

    @classmethod
    def open(  # noqa: PLR0913 - what it is, and what tests replace
        cls,
        path: Path,
        capacity_bytes: int,
        *,
        may_fail: bool = False,
        files: Files | None = None,
        clock: Clock = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> "Store":
        """Open the cache in a folder, which is made where there is none. Nothing in it is looked through.

        Args:
            path: the folder; nothing else may be in it.
            capacity_bytes: what all contents together may take on disk.
            may_fail: whether a disk that fails now, or does not answer in 5 s, is tried again later.
            files: the file system.
            clock: seconds since 1970, the same for all processes and over restarts.
            sleep: waits between two tries of a lock.

        Raises:
            ConfigError: the folder cannot be used; the message says why.
        """
        system = files or SystemFiles()
        folder = Folder(system, path, sleep)
        health = DiskHealth(str(path), clock)
        try:
            if may_fail:
                within(HANG_S, folder.prepare, str(path))
            else:
                folder.prepare()
        except DeadlineError:
            health.failed(OSError(errno.ETIMEDOUT, "it does not answer"), reading=False)
        except OSError as error:
            if error.errno in TO_BE_MENDED or not may_fail:
                raise ConfigError(f"{path}: cannot be used for the cache: {error.strerror}") from error
            health.failed(error, reading=False)
        room = Room(system, folder, health, capacity_bytes=capacity_bytes, clock=clock, sleep=sleep)
        return cls(room, health, clock)

    @property
    def outage(self) -> Outage | None:
        """Why the disk is not used now, None where it is."""
        return self._health.outage

    @property
    def damaged_blocks(self) -> int:
        """How many blocks were given up since it was opened because they were not what was written."""
        return self._room.damaged_blocks

    @property
    def needs_rebuild(self) -> bool:
        """Whether the accounts are not known to be right: then nothing is written before they were made anew."""

        def look() -> bool:
            with self._room.folder.journal.locked() as books:
                return books is not None and not books.is_complete

        return bool(self._room.writing(look))

    def rebuild(self) -> Iterator[None]:
        """Make the accounts anew in some hundred steps, each of which yields; may be given up after any.

        At the end what is over the bound goes: a loss of power may bring back what had made room.
        """
        steps = Rebuild(self._room.files, self._room.folder, self._clock).steps()
        while self._room.writing(lambda: next(steps, None)) is not None:
            yield
        self.shrink(self._room.capacity_bytes)

    def content(self, key: ContentKey) -> StoredContent:
        """Return one content; nothing is asked of the disk yet."""
        return StoredContent(key, self._room)

    def flush(self) -> None:
        """Return once what was written of all contents would outlive a loss of power."""
        for digest in self._room.owed():
            self._room.writing(functools.partial(self._room.flush, digest))

    def used_bytes(self) -> int:
        """Return how much of the bound is taken; 0 where that cannot be told."""
        return self._room.writing(self._room.taken) or 0

    def resize(self, capacity_bytes: int) -> None:
        """Bound what all contents together take by *capacity_bytes* from now on; returns once what is over it is gone.

        Nothing is written over the new bound meanwhile.
        """
        self._room.resize(capacity_bytes)
        self.shrink(capacity_bytes)

    def shrink(self, target_bytes: int) -> int:
        """Let go of the least recently used until *target_bytes* are taken at most; return what is taken then."""
        return self._room.writing(lambda: self._room.shrink(target_bytes)) or 0

    def entries(self) -> Iterator[Entry]:
        """Yield every content, in no order; those that cannot be read are left out."""
        for group in range(GROUPS):
            for digest in self._room.reading(functools.partial(self._room.folder.digests, group)) or []:
                entry = self._room.reading(functools.partial(self._described, digest))
                if entry is not None:
                    yield entry

    def entry(self, digest: bytes) -> Entry | None:
        """Return one content; None where there is none, or it cannot be read."""
        return self._room.reading(functools.partial(self._described, digest))

    def upkeep(self, beat: Callable[[], None] = lambda: None) -> Upkeep:
        """Return what looks after every file of the cache; its methods raise, and call *beat* as they go on."""
        return Upkeep(self._room, beat)

    def labels(self) -> Iterator[tuple[Label, Entry]]:
        """Yield every place where a content of the cache was seen, in no order, with what is held of it.

        Each step opens a file at most, so that 100,000 contents delay nobody who takes them one by one.
        """
        for entry in self.entries():
            for label in entry.labels:
                yield label, entry

    def _described(self, digest: bytes) -> Entry | None:
        return described(self._room.files, self._room.folder.file_of(digest), digest)
