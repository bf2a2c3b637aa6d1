"""How much of the bound is taken, by what, over all processes that share the folder.

One file: a head with the total, and a table of slots, one a content. It is changed under its lock, a slot at a time:
the head is written first, with the new total and the new slot, and then the slot. Whoever locks it next writes the slot
of the head again, so that a process that was killed between the two has done neither or both. It is not synced: after a
loss of power, which another boot id tells, it is made anew from the files of the contents.
"""

import contextlib
import hashlib
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from casfs.data.disk.accounts import EMPTY, SLOT, Account, Table
from casfs.data.disk.files import Files
from casfs.data.disk.layout import PAGE

MAGIC = b"casfs j1"
HEAD = struct.Struct(f"<8sQ16sQ{SLOT.size}s")
CHECK_SIZE = 16
NO_SLOT = 2**64 - 1
UNKNOWN_BOOT = bytes(16)

LOCK_TRIES, LOCK_PAUSE_S = 400, 0.005
"""2 s: who holds it does a few reads and writes. One that was stopped meanwhile must hold up nobody."""


HINTS = 4096
"""Slots that are remembered: more than contents are written to, or make room, at one time."""


class Books:
    """The journal while it is locked.

    Attributes:
        total: bytes of the bound that are taken.
        is_complete: whether the total is known to be right.

    Threads: the one that locked it.
    """

    def __init__(self, files: Files, fd: int) -> None:
        self._files = files
        self._fd = fd
        self._boot = files.boot_id()
        self._table: Table | None = None
        head = files.read(fd, HEAD.size + CHECK_SIZE, 0)
        is_whole = len(head) == HEAD.size + CHECK_SIZE and head[HEAD.size :] == _check(head[: HEAD.size])
        self.total, self.is_complete = 0, False
        if is_whole:
            _, self.total, boot, number, packed = HEAD.unpack(head[: HEAD.size])
            self.is_complete = boot == self._boot
            self._redo(number, packed)

    @property
    def table(self) -> Table:
        """Every slot."""
        if self._table is None:
            length = self._files.state(self._fd).length
            self._table = Table(self._files.read(self._fd, max(0, length - PAGE), PAGE))
        return self._table

    @property
    def disk_bytes(self) -> int:
        """What the journal itself takes."""
        return self._files.state(self._fd).disk_bytes

    def find(self, digest: bytes, hint: int | None = None) -> tuple[int, Account]:
        """Return slot and account of a content, new ones where it has none; *hint* is the slot that it had before."""
        if hint is not None:
            account = Account.unpack(self._files.read(self._fd, SLOT.size, PAGE + hint * SLOT.size))
            if account is not None and account.digest == digest:
                return hint, account
        number = self.table.find(digest)
        if number is None:
            return self.table.free(), Account(digest)
        account = self.table.account(number)
        if account is None:
            self.distrust()
        return number, account or Account(digest)

    def put(self, number: int, was: Account, account: Account | None) -> None:
        """Let the slot *number*, which said *was*, say *account*, or nothing."""
        packed = account.pack() if account is not None else EMPTY
        self.total = max(0, self.total - was.charged + (account.charged if account is not None else 0))
        self._write_head(number, packed)
        self._files.write(self._fd, packed, PAGE + number * SLOT.size)
        if self._table is not None:
            self._table.put(number, packed)

    def complete(self) -> None:
        """Note that every slot is right, and so is their sum."""
        self.total, self.is_complete = self.table.total(), True
        self._write_head(NO_SLOT, EMPTY)

    def distrust(self) -> None:
        """Note that the total cannot be right, so that it is counted anew."""
        self.is_complete = False
        self._write_head(NO_SLOT, EMPTY)

    def _redo(self, number: int, packed: bytes) -> None:
        offset = PAGE + number * SLOT.size
        if number != NO_SLOT and self._files.read(self._fd, SLOT.size, offset) != packed:
            self._files.write(self._fd, packed, offset)

    def _write_head(self, number: int, packed: bytes) -> None:
        boot = self._boot if self.is_complete else UNKNOWN_BOOT
        head = HEAD.pack(MAGIC, self.total, boot, number, packed)
        self._files.write(self._fd, head + _check(head), 0)


class Journal:
    """The journal of a folder.

    Threads: any; each locks a descriptor of its own.
    """

    def __init__(self, files: Files, path: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self._files = files
        self.path = path
        self._sleep = sleep
        self._hints: dict[bytes, int] = {}

    @contextlib.contextmanager
    def locked(self, tries: int = LOCK_TRIES) -> Iterator[Books | None]:
        """Lock the journal; yield None where another process does not let go of it.

        Raises:
            OSError: the disk fails.
        """
        fd = self._files.open(self.path, write=True)
        try:
            yield Books(self._files, fd) if acquire(self._files, fd, self._sleep, tries=tries) else None
        finally:
            self._files.close(fd)

    def change(self, digest: bytes, change: Callable[[Account], Account | None], tries: int = LOCK_TRIES) -> bool:
        """Let a content's account be what *change* makes of it; return False where the journal was not to be had.

        Raises:
            OSError: the disk fails.
        """
        with self.locked(tries) as books:
            if books is not None:
                self.apply(books, digest, change)
            return books is not None

    def apply(self, books: Books, digest: bytes, change: Callable[[Account], Account | None]) -> None:
        """Do the same with a journal that is locked."""
        number, account = books.find(digest, self._hints.get(digest))
        books.put(number, account, change(account))
        self.remember(digest, number)

    def remember(self, digest: bytes, number: int) -> None:
        """Remember the slot of a content: it saves a look through the table, of 8 MiB where there are 100,000."""
        if len(self._hints) > HINTS:
            self._hints.clear()
        self._hints[digest] = number

    def reserve(self, digest: bytes, wanted: int, limit: int, now_ns: int) -> int | None:
        """Promise *wanted* bytes to a content, and note that it is in use.

        Returns:
            0 once they are; else how many bytes have to go first. None where the total is not known, or not to be had.

        Raises:
            OSError: the disk fails.
        """
        with self.locked() as books:
            if books is None or not books.is_complete:
                return None
            lacking = books.total + books.disk_bytes + SLOT.size + PAGE + wanted - limit
            if lacking > 0:
                return lacking

            def promised(account: Account) -> Account:
                # A writer that was promised room and did not write for so long was killed.
                before = account.reserved if account.is_in_use(now_ns) else 0
                return replace(account, reserved=before + wanted, used_at_ns=now_ns)

            self.apply(books, digest, promised)
            return 0


def acquire(
    files: Files, fd: int, sleep: Callable[[float], None], *, shared: bool = False, tries: int = LOCK_TRIES
) -> bool:
    """Lock a file, and return whether it was to be had within so many tries."""
    for turn in range(tries):
        if files.lock(fd, shared=shared):
            return True
        if turn + 1 < tries:
            sleep(LOCK_PAUSE_S)
    return False


def _check(head: bytes) -> bytes:
    return hashlib.blake2b(head, digest_size=CHECK_SIZE).digest()
