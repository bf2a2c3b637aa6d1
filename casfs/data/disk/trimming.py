"""Which blocks make room: those of contents that nobody uses first, then what open readers have behind them."""

from collections.abc import Iterator
from dataclasses import replace
from enum import Enum, auto

from casfs.data.disk.accounts import Account
from casfs.data.disk.content_file import NO_HOLES, ContentFile, ContentFiles, strides, taken
from casfs.data.disk.files import Files
from casfs.data.disk.folder import Folder
from casfs.data.hashing import blocks
from casfs.data.hashing.blocks import BLOCK_SIZE
from casfs.waiting import Clock

CANDIDATES = 256
"""Contents that are looked at for room at once: to find them means to look through all accounts."""
LEAST_BYTES, LEAST_SHARE, LEAST_LIMIT = 4 << 20, 256, 256 << 20
"""What is made room for at least, so that not every block that is written means a search, which costs 50 ms where there
are 100,000 contents: a share of the bound, between two limits."""


class Stage(Enum):
    """What may go, in this order."""

    UNUSED = auto()
    """Contents that nobody uses, from their ends: who begins to read one anew has its beginning at once."""
    BEHIND = auto()
    """What the readers of a content have passed."""
    BEYOND = auto()
    """What lies ahead of all of them, from the end."""
    BETWEEN = auto()
    """What one reader has passed, and another one has not; but for the blocks that they stand at."""


def order(stage: Stage, account: Account, count: int) -> tuple[range, bool]:
    """Return which of the *count* blocks of a content may go at *stage*, and whether from their end."""
    match stage:
        case Stage.UNUSED:
            return range(count), True
        case Stage.BEHIND:
            return range(min(account.first, count)), False
        case Stage.BEYOND:
            return range(min(account.last + 1, count), count), True
        case Stage.BETWEEN:
            return range(account.first + 1, max(account.first + 1, min(account.last, count))), False


class Trimmer:
    """Makes room in a folder.

    Threads: any; two that make room at once may make more than was needed.

    Attributes:
        capacity_bytes: what all contents together may take; whoever owns it may change it.
    """

    def __init__(self, files: Files, folder: Folder, capacity_bytes: int, clock: Clock) -> None:
        self._files = files
        self._folder = folder
        self.capacity_bytes = capacity_bytes
        self._clock = clock

    def make_room(self, wanted: int) -> int:
        """Free about *wanted* bytes or more, and return how many were; 0 where nothing may go.

        Raises:
            OSError: the disk fails; nothing goes because of it.
        """
        wanted = max(wanted, LEAST_BYTES, min(self.capacity_bytes // LEAST_SHARE, LEAST_LIMIT))
        candidates = list(self._candidates())
        freed = 0
        for stage in Stage:
            for account in candidates:
                if freed >= wanted:
                    return freed
                if account.is_in_use(self._now_ns) == (stage is not Stage.UNUSED):
                    freed += self._trim(account, stage, wanted - freed)
        return freed

    @property
    def _now_ns(self) -> int:
        return int(self._clock() * 1e9)

    def _candidates(self) -> Iterator[Account]:
        with self._folder.journal.locked() as books:
            if books is None:
                return
            found = [(number, books.table.account(number)) for number in books.table.oldest(CANDIDATES, self._now_ns)]
            if not all(account for _, account in found):
                books.distrust()
        for number, account in found:
            if account is not None:
                self._folder.journal.remember(account.digest, number)
                yield account

    def _trim(self, account: Account, stage: Stage, wanted: int) -> int:
        """Free room in one content, and settle its account; return how much the bound got back."""
        path = self._folder.file_of(account.digest)
        with ContentFiles(self._files, path, account.digest, 0).reading() as file:
            if file is None:
                return self._settle(account, None) if stage is Stage.UNUSED else 0
            identity = file.identity
        size = identity.size if identity is not None and identity.digest == account.digest else 0
        opener = ContentFiles(self._files, path, account.digest, size)
        with opener.locked(tries=1) as locked:
            if locked is None:  # it is being written to
                return 0
            freed = free_blocks(locked, *order(stage, account, blocks.count(size)), wanted)
            if stage is Stage.UNUSED and freed < wanted:
                opener.unlink()
                locked.empty()
                return self._settle(account, None)
            return self._settle(account, taken(locked.state)) if freed else 0

    def _settle(self, account: Account, used: int | None) -> int:
        """Note what a content takes now, None where it is gone."""
        freed = 0

        def settled(now: Account) -> Account | None:
            nonlocal freed
            # What was promised to a writer stays so, unless there was none for long: then it was killed.
            reserved = now.reserved if now.is_in_use(self._now_ns) else 0
            after = replace(now, used=used or 0, reserved=reserved)
            freed = now.charged - after.charged
            return after if used is not None or reserved else None

        self._folder.journal.change(account.digest, settled)
        return freed


def free_blocks(file: ContentFile, part: range, backwards: bool, wanted: int) -> int:  # noqa: FBT001 - as ``order`` has it
    """Give up held blocks of *part* until *wanted* bytes are free, or none is left; return how many bytes are free."""
    before, freed = file.state.disk_bytes, 0
    for stride in strides(part, backwards=backwards):
        held = [block for block, leaf in zip(stride, file.leaves(stride), strict=True) if leaf is not None]
        while held and freed < wanted:
            few = -(-(wanted - freed) // BLOCK_SIZE)
            chosen, held = (held[-few:], held[:-few]) if backwards else (held[:few], held[few:])
            if not give_up(file, range(chosen[0], chosen[-1] + 1)):
                return 0
            freed = before - file.state.disk_bytes
    return freed


def give_up(file: ContentFile, part: range) -> bool:
    """Give up all of *part*, data that no leaf speaks of too; return False where the file system makes no holes."""
    try:
        file.drop(part)
    except OSError as error:
        if error.errno not in NO_HOLES:
            raise
        return False
    return True
