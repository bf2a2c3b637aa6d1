"""What is written to the file of one content: room is reserved first, and leaves say what is there last."""

import errno
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from casfs.data.disk import layout
from casfs.data.disk.content_file import NO_HOLES, ContentFile, ContentFiles, taken
from casfs.data.disk.layout import ContentKey, Identity, Label, StoredLeaf
from casfs.data.disk.room import Room


@dataclass(frozen=True, slots=True)
class NewBlock:
    """A block to be kept.

    Attributes:
        block: its number.
        data: its bytes; nobody changes them meanwhile.
        leaf: their hash.
    """

    block: int
    data: memoryview
    leaf: StoredLeaf


class ContentWriter:
    """Writes one content.

    Threads: any, many at once. Every method raises OSError where the disk fails.
    """

    def __init__(self, key: ContentKey, room: Room, files: ContentFiles) -> None:
        self._identity = Identity.of(key)
        self._digest = files.digest
        self._source = key.source
        self._room = room
        self._files = files

    def write(self, new: Sequence[NewBlock]) -> int:
        """See StoredContent."""
        lacking = self._lacking([self._sourced(one) for one in new])
        is_kept = not lacking or self._write_lacking(lacking)
        return len(new) if is_kept else len(new) - len(lacking)

    def note(self, label: Label) -> bool:
        """See StoredContent."""
        with self._files.reading() as file:
            if file is None or file.identity != self._identity:
                return False
            if file.labels.has(label):
                return True
        if not self._room.reserve(self._digest, layout.SLOT_SIZE):
            return False
        try:
            with self._files.locked() as file:
                if file is not None:
                    file.write_labels(file.labels.noted(label))
                return file is not None
        finally:
            self._settle(layout.SLOT_SIZE)

    def make(self) -> bool:
        """See that the content has a file; return False where there is no room for one."""
        with self._files.reading() as file:
            if file is not None and file.identity == self._identity:
                return True
        return self._made(0)

    def _sourced(self, new: NewBlock) -> NewBlock:
        """Return a block with the source of its leaf; not by ``replace``, which makes eight calls of it."""
        return NewBlock(new.block, new.data, StoredLeaf(new.leaf.digest, new.leaf.is_proven, self._source))

    def _lacking(self, new: Sequence[NewBlock]) -> list[NewBlock]:
        with self._files.reading() as file:
            held = _held(file, new)
        return [one for one in new if not _is_as_good(held.get(one.block), one.leaf)]

    def _write_lacking(self, new: Sequence[NewBlock]) -> bool:
        wanted = sum(layout.pages(len(one.data)) for one in new) + layout.pages(len(new) * layout.LEAF_SIZE)
        if not self._made(wanted):
            return False
        try:
            with self._files.locked(shared=True) as file:
                return file is not None and self._write_blocks(file, new)
        finally:
            self._settle(wanted + OVERHEAD_BYTES)

    def _write_blocks(self, file: ContentFile, new: Sequence[NewBlock]) -> bool:
        held = _held(file, new)
        lacking = [one for one in new if not _is_same(held.get(one.block), one.leaf)]
        try:
            for first, run in _runs(lacking):
                file.write_blocks(first, run)
            file.sync()
        except OSError as error:
            self._take_back(file, lacking)
            if error.errno == errno.EFBIG:  # that block is not for this file system; others are
                return False
            raise
        file.write_leaves((one.block, one.leaf) for one in new)
        self._room.owe(self._digest)
        return True

    def _take_back(self, file: ContentFile, new: Sequence[NewBlock]) -> None:
        """Give the room of blocks back of which some could not be written, as far as the disk still lets one."""
        try:
            for one in new:
                file.drop(range(one.block, one.block + 1))
        except OSError as error:
            if error.errno not in NO_HOLES | {errno.EFBIG}:
                self._room.failed(error, reading=False)

    def _made(self, wanted: int) -> bool:
        """Reserve room, and see that there is a file; return False where there is no room."""
        total = wanted + OVERHEAD_BYTES
        if not self._room.reserve(self._digest, total):
            return False
        try:
            self._files.make(self._identity)
        except OSError:
            self._settle(total)
            raise
        if not wanted:
            self._settle(total)
        return True

    def _settle(self, reserved: int) -> None:
        with self._files.reading() as file:
            self._room.settle(self._digest, taken(file.state) if file is not None else 0, reserved)


OVERHEAD_BYTES = 64 << 10
"""Reserved beside the data of each write, and given back after: the file's first pages, those in which leaves are, and
what the file system itself needs to note where the data are."""


def _runs(new: Sequence[NewBlock]) -> Iterator[tuple[int, list[memoryview]]]:
    """Yield the number of the first, and the bytes, of each run of neighbours."""
    for _, run in groupby(enumerate(new), lambda item: item[1].block - item[0]):
        members = [one for _, one in run]
        yield members[0].block, [one.data for one in members]


def _held(file: ContentFile | None, new: Sequence[NewBlock]) -> dict[int, StoredLeaf | None]:
    part = range(new[0].block, new[-1].block + 1) if new else range(0)
    return dict(zip(part, file.leaves(part), strict=True)) if file is not None else {}


def _is_as_good(held: StoredLeaf | None, new: StoredLeaf) -> bool:
    return held is not None and _is_same(held, new) and held.is_proven >= new.is_proven and held.is_for(new.source)


def _is_same(held: StoredLeaf | None, new: StoredLeaf) -> bool:
    return held is not None and held.digest == new.digest
