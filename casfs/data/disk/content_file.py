"""The file of one content, opened for one step at a time.

A descriptor lives as long as the step: an open costs 5 µs beside the 300 of a block. So no lock
outlives a step, nothing is closed under whoever uses it, and 100,000 outputs that are open take none.
"""

import contextlib
import errno
import sys
import time
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby

from casfs.data.disk import layout
from casfs.data.disk.files import Files, FileState
from casfs.data.disk.journal import LOCK_TRIES, acquire
from casfs.data.disk.labels import Labels
from casfs.data.disk.layout import LEAF_SIZE, Identity, StoredLeaf
from casfs.data.hashing import blocks
from casfs.data.hashing.leaves import DIGEST_SIZE

NO_FILE = frozenset({errno.ENXIO, errno.ELOOP, errno.EISDIR, errno.ENOTDIR})
"""What is told where something else has the name of a file: a folder, a link, a pipe, a device. It is damage like any
other, and no failure of the disk: nothing of it is followed, and it makes place for the file once there is one."""

WORD = 8
"""Bytes of a source, and of what a leaf is a multiple of: so that sources can be counted without a look at each."""


class ContentFile:
    """An open file of a content.

    Threads: the one that opened it.
    """

    def __init__(self, files: Files, fd: int, digest: bytes, size: int) -> None:
        self._files = files
        self._fd = fd
        self._digest = digest
        self.size = size

    @property
    def state(self) -> FileState:
        """What it takes on disk."""
        return self._files.state(self._fd)

    @property
    def identity(self) -> Identity | None:
        """Whose bytes it says it holds, None where that cannot be read."""
        return Identity.unpack(self._files.read(self._fd, layout.IDENTITY_SIZE, 0))

    @property
    def labels(self) -> Labels:
        """Where the content was seen."""
        return Labels.read(self._digest, lambda length, offset: self._files.read(self._fd, length, offset))

    def leaves(self, part: range) -> list[StoredLeaf | None]:
        """Return the leaf of each block, None for those that are not held."""
        raw = self._raw_leaves(part)
        records = (raw[at : at + LEAF_SIZE] for at in range(0, len(part) * LEAF_SIZE, LEAF_SIZE))
        return [layout.unpack_leaf(self._digest, block, record) for block, record in zip(part, records, strict=True)]

    def sources(self, part: range) -> "Counter[bytes]":
        """Return how many blocks have a leaf on whose word, whatever it says."""
        words = array("Q")
        raw = self._raw_leaves(part)
        words.frombytes(raw[: len(raw) // LEAF_SIZE * LEAF_SIZE])
        counts = Counter(words[DIGEST_SIZE // WORD :: LEAF_SIZE // WORD])
        return Counter({source.to_bytes(WORD, sys.byteorder): count for source, count in counts.items() if source})

    def count(self, part: range, source: bytes) -> int:
        """Return how many blocks have a leaf that is for *source*, whatever it says."""
        found = self.sources(part)
        return found[source] + found[layout.ANYBODY]

    def proven(self, part: range) -> int:
        """Return how many blocks have a leaf that was proven, whatever it says."""
        return self._marks(part).count(layout.PROVEN)

    def marked(self, part: range) -> list[int]:
        """Return the blocks that have a leaf, whatever it says."""
        return [block for block, mark in zip(part, self._marks(part), strict=False) if mark]

    def first_missing(self, part: range) -> int | None:
        """Return the first block of *part* that has no leaf; None where each has one, whatever it says."""
        found = self._marks(part).ljust(len(part), b"\0").find(0)
        return None if found < 0 else part[found]

    def read_into(self, first: int, buffers: Sequence[memoryview]) -> bool:
        """Fill *buffers* with blocks from *first* on; return whether all came."""
        offset = layout.data_offset(first, self.size)
        return self._files.read_into(self._fd, buffers, offset) == sum(map(len, buffers))

    def write_blocks(self, first: int, buffers: Sequence[memoryview]) -> None:
        """Write the bytes of neighbours, from the block *first* on; nothing says yet that they are there."""
        self._files.write_from(self._fd, buffers, layout.data_offset(first, self.size))

    def write_leaves(self, leaves: Iterable[tuple[int, StoredLeaf]]) -> None:
        """Say that blocks are held, whose data were synced."""
        for _, run in groupby(enumerate(leaves), lambda item: item[1][0] - item[0]):
            members = [item for _, item in run]
            raw = b"".join(layout.pack_leaf(self._digest, block, leaf) for block, leaf in members)
            self._files.write(self._fd, raw, layout.leaf_offset(members[0][0]))

    def write_labels(self, labels: Labels) -> None:
        """Note where the content was seen, and return once that would outlive a loss of power."""
        self._files.write(self._fd, *labels.pack(self._digest))
        self.sync()  # the next write takes the other slot, which is then the only one that may be spoilt

    def sync(self) -> None:
        """Return once what was written would outlive a loss of power."""
        self._files.sync(self._fd)

    def drop(self, part: range) -> None:
        """Give up blocks: first the leaves, then the room."""
        self._files.write(self._fd, bytes(len(part) * LEAF_SIZE), layout.leaf_offset(part.start))
        start = layout.data_offset(part.start, self.size)
        last = layout.data_offset(part[-1], self.size) + blocks.length(part[-1], self.size)
        # To the end of the page in which a short last block ends, so that its page goes too.
        self._files.punch(self._fd, start, layout.pages(last) - start)

    def adopt(self, identity: Identity) -> None:
        """Let the file be that of *identity*; one that says it is another's is emptied first."""
        found = self.identity
        if found is not None and found != identity:
            self._files.truncate(self._fd, 0)
        if found != identity:
            self._files.write(self._fd, identity.pack(), 0)
            self._stretch(identity.size)

    def _stretch(self, size: int) -> None:
        """Give the file its length: to grow a file, file systems take room ahead, which the bound does not know of."""
        try:
            self._files.truncate(self._fd, layout.data_offset(0, size) + size)
        except OSError as error:
            if error.errno != errno.EFBIG:  # what lies within its limit is kept
                raise

    def empty(self) -> None:
        """Give all room back, though others may have it open."""
        self._files.truncate(self._fd, 0)

    def _marks(self, part: range) -> bytes:
        """Return how far each block is proven, 0 where it is not held; less at the end of the file."""
        return self._raw_leaves(part)[layout.MARK_OFFSET :: LEAF_SIZE]

    def _raw_leaves(self, part: range) -> bytes:
        return self._files.read(self._fd, len(part) * LEAF_SIZE, layout.leaf_offset(part.start))


class ContentFiles:
    """Opens the file of one content.

    Threads: any.
    """

    def __init__(
        self, files: Files, path: str, digest: bytes, size: int, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._files = files
        self.path = path
        self.digest = digest
        self.size = size
        self._sleep = sleep

    @contextlib.contextmanager
    def reading(self) -> Iterator[ContentFile | None]:
        """Open the file as it is, without a lock; yield None where there is none."""
        fd = self._open(write=False)
        try:
            yield self._file(fd) if fd is not None else None
        finally:
            self._close(fd)

    @contextlib.contextmanager
    def locked(self, *, shared: bool = False, tries: int = LOCK_TRIES) -> Iterator[ContentFile | None]:
        """Open the file that has the name, and lock it; yield None where there is none, or it was not to be had."""
        fd = self._open(write=True)
        try:
            is_had = fd is not None and acquire(self._files, fd, self._sleep, shared=shared, tries=tries)
            # While the lock was waited for, the name may have been taken away, and given to another file.
            yield self._file(fd) if fd is not None and is_had and self._files.state(fd).is_linked else None
        finally:
            self._close(fd)

    def make(self, identity: Identity) -> None:
        """Make the file, or mend one that does not say whose it is; its account must be there."""
        with self.reading() as file:
            if file is not None and file.identity == identity:
                return
        folder = self.path.rpartition("/")[0]
        try:
            fd = self._made(folder)
        except OSError as error:
            if error.errno not in NO_FILE:
                raise
            self._files.unlink(folder if error.errno == errno.ENOTDIR else self.path)
            fd = self._made(folder)
        try:
            if acquire(self._files, fd, self._sleep) and self._files.state(fd).is_linked:
                self._file(fd).adopt(identity)
        finally:
            self._files.close(fd)
        # A name that a loss of power took away would cost all that was fetched, though it was synced.
        self._files.sync_folder(folder)

    def unlink(self) -> None:
        """Take the name away; its lock must be held, so that nobody writes to a file without a name."""
        self._files.unlink(self.path)

    def is_no_file(self) -> bool:
        """Say whether something else has the name, or a file that nobody may open.

        Raises:
            OSError: the disk fails.
        """
        try:
            self._files.close(self._files.open(self.path))
        except FileNotFoundError:
            return False
        except OSError as error:
            if error.errno not in NO_FILE | {errno.EACCES}:
                raise
            return True
        return False

    def _made(self, folder: str) -> int:
        if self._files.make_folder(folder):
            self._files.sync_folder(folder.rpartition("/")[0])
        return self._files.open(self.path, write=True, create=True)

    def _file(self, fd: int) -> ContentFile:
        return ContentFile(self._files, fd, self.digest, self.size)

    def _open(self, *, write: bool) -> int | None:
        try:
            return self._files.open(self.path, write=write)
        except OSError as error:
            if error.errno not in NO_FILE | {errno.ENOENT}:
                raise
            return None

    def _close(self, fd: int | None) -> None:
        if fd is not None:
            self._files.close(fd)


NO_HOLES = frozenset({errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL})
"""What a file system says that cannot make holes. Source: fallocate(2)."""

STRIDE = 1024
"""Blocks whose leaves are looked at in one go: 48 KiB, some ten microseconds."""


def strides(part: range, *, backwards: bool = False) -> list[range]:
    """Split a run of blocks into those that are looked at in one go."""
    starts = range(part.start, part.stop, STRIDE)
    found = [range(start, min(start + STRIDE, part.stop)) for start in starts]
    return found[::-1] if backwards else found


def taken(state: FileState) -> int:
    """Return what a content's file takes of the bound: its place in its folder counts as a page."""
    return state.disk_bytes + layout.PAGE
