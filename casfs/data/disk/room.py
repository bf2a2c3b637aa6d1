"""What the contents of one store share: the folder, the bound, and what is known of the disk."""

import errno
import threading
from collections.abc import Callable
from typing import TypeVar

from casfs.data.disk.accounts import Account
from casfs.data.disk.content_file import ContentFiles
from casfs.data.disk.files import Files
from casfs.data.disk.folder import Folder
from casfs.data.disk.outage import DiskHealth
from casfs.data.disk.trimming import Trimmer
from casfs.errors import ConfigError
from casfs.waiting import Clock

T = TypeVar("T")

ROUNDS = 8
"""How often room is made for one write: others may take what was made. After that it is not written."""


class Room:
    """The room that the contents of a store have.

    Attributes:
        capacity_bytes: what all of them together may take, over all processes that share the folder.

    Threads: any.
    """

    def __init__(  # noqa: PLR0913 - the system's ways to be, each given by a test
        self,
        files: Files,
        folder: Folder,
        health: DiskHealth,
        *,
        capacity_bytes: int,
        clock: Clock,
        sleep: Callable[[float], None],
    ) -> None:
        self.files = files
        self.folder = folder
        self.sleep = sleep
        self.damaged_blocks = 0
        self.capacity_bytes = capacity_bytes
        self._health = health
        self._clock = clock
        self._trimmer = Trimmer(files, folder, capacity_bytes, clock)
        self._lock = threading.Lock()
        self._owed: set[bytes] = set()

    def resize(self, capacity_bytes: int) -> None:
        """Give the contents so much from now on; what is over it goes when something is written, or by ``shrink``."""
        self.capacity_bytes = self._trimmer.capacity_bytes = capacity_bytes

    @property
    def now_ns(self) -> int:
        """The time, by the clock of the store."""
        return int(self._clock() * 1e9)

    def reading(self, step: Callable[[], T]) -> T | None:
        """Do a step that reads; return None where the disk is not asked, or fails."""
        return self._attempt(step, reading=True) if self._health.may_read else None

    def writing(self, step: Callable[[], T]) -> T | None:
        """Do a step that changes something; return None where the disk is not asked, or fails."""
        if not self._health.may_write:
            return None
        return self._attempt(step if self._health.outage is None else lambda: self._mended(step), reading=False)

    def failed(self, error: OSError, *, reading: bool) -> None:
        """Note that the disk failed."""
        self._health.failed(error, reading=reading)

    def count_damaged(self) -> None:
        """Count a block that was not what its leaf says."""
        with self._lock:
            self.damaged_blocks += 1

    def owe(self, digest: bytes) -> None:
        """Note that what a content says of its blocks is not synced."""
        with self._lock:
            self._owed.add(digest)

    def owed(self) -> list[bytes]:
        """Return the contents of which that is noted."""
        with self._lock:
            return list(self._owed)

    def flush(self, digest: bytes) -> None:
        """Sync what a content says of its blocks, unless it is.

        Raises:
            OSError: the disk fails.
        """
        with self._lock:
            if digest not in self._owed:
                return
            self._owed.remove(digest)  # before the sync: what is written meanwhile is owed anew
        with ContentFiles(self.files, self.folder.file_of(digest), digest, 0, self.sleep).locked(shared=True) as file:
            if file is not None:
                file.sync()

    def reserve(self, digest: bytes, wanted: int) -> bool:
        """Promise room to a content, making some where it has to be; return False where there is none.

        Raises:
            OSError: the disk fails.
        """
        for _ in range(ROUNDS):
            lacking = self.folder.journal.reserve(digest, wanted, self.capacity_bytes, self.now_ns)
            if not lacking:
                return lacking is not None
            if wanted > self.capacity_bytes or not self._trimmer.make_room(lacking):
                return False
        return False

    def settle(self, digest: bytes, used: int, reserved: int) -> None:
        """Note what a content takes, and that *reserved* bytes of what it was promised are no longer.

        Raises:
            OSError: the disk fails.
        """

        def settled(account: Account) -> Account | None:
            after = account.settled(used, reserved)
            return after if after.charged else None

        self.folder.journal.change(digest, settled)

    def shrink(self, target_bytes: int) -> int:
        """Make room until what is taken is *target_bytes* at most, or nothing more may go; return what is taken.

        Raises:
            OSError: the disk fails.
        """
        while (taken := self.taken()) > target_bytes:
            if not self._trimmer.make_room(taken - target_bytes):
                break
        return taken

    def taken(self) -> int:
        """Return how much of the bound is taken.

        Raises:
            OSError: the disk fails.
        """
        with self.folder.journal.locked() as books:
            return books.total if books is not None else 0

    def _mended(self, step: Callable[[], T]) -> T:
        """Do a step after an outage: all may have been deleted, or the disk mounted anew."""
        try:
            self.folder.mend()
        except ConfigError as error:
            raise FileNotFoundError(errno.ENOENT, str(error)) from error
        return step()

    def _attempt(self, step: Callable[[], T], *, reading: bool) -> T | None:
        was = self._health.outage
        try:
            done = step()
        except OSError as error:
            self._health.failed(error, reading=reading)
            return None
        if was is not None:  # what began before an outage does not end it
            self._health.worked(reading=reading)
        return done
