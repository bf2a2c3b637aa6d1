"""One content of the cache: which blocks are held, how they are read and written, and what comes of a disk that fails.

No method raises OSError: what fails is a block that is not held, or is not written, and an outage of the store.
"""

import errno
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from casfs.data.disk import leases, root_proof
from casfs.data.disk.accounts import Account
from casfs.data.disk.content_file import ContentFile, ContentFiles, strides
from casfs.data.disk.content_writer import ContentWriter, NewBlock
from casfs.data.disk.layout import ContentKey, Label, StoredLeaf
from casfs.data.disk.leases import Lease
from casfs.data.disk.room import Room
from casfs.data.disk.root_proof import RootProof
from casfs.data.hashing import blocks, lanes
from casfs.waiting import Deadline

__all__ = ["NewBlock", "StoredContent"]

PROOFS = 8
"""How often each holds all leaves against the tree hash, at most, because it met what another job brought: that takes
seconds a terabyte, and proves nothing where a leaf is damaged."""


class StoredContent:
    """The blocks of one content on disk. It holds no descriptor, and no block that it found: others change it too.

    Threads: any, many at once; blocks for the disk, and for no lock longer than some seconds.
    """

    def __init__(self, key: ContentKey, room: Room) -> None:
        self.key = key
        self.count = blocks.count(key.size)
        self._room = room
        self._digest = key.digest
        self._file = ContentFiles(room.files, room.folder.file_of(self._digest), self._digest, key.size, room.sleep)
        self._writer = ContentWriter(key, room, self._file)
        self._all_before = 0
        self._proofs_left = PROOFS if key.tree_hash is not None else 0

    def held(self, part: range) -> list[StoredLeaf | None]:
        """Return the leaf of each block of *part*, None for those that are not held, or on another's word alone."""
        found = self._leaves(part)
        believed = self._believed(found)
        if believed != found and self._is_proved_now():
            believed = self._believed(self._leaves(part))
        return believed

    def held_count(self) -> int:
        """Return how many blocks are held, by what their leaves say, and not on another's word alone."""

        def count() -> int:
            with self._file.reading() as file:
                if file is None:
                    return 0
                return sum(file.count(part, self.key.source) for part in strides(range(self.count)))

        held = self._room.reading(count) or 0
        return self.count if held < self.count and self._is_proved_now() else held

    def read(
        self, part: range, leaves: Sequence[StoredLeaf | None], buffers: Sequence[memoryview]
    ) -> list[StoredLeaf | None]:
        """Read blocks, and check each against its leaf.

        Args:
            part: the blocks.
            leaves: what ``held`` said of them.
            buffers: one for each, writable and as long as the block; what it holds is undefined where the block is
                not held.

        Returns:
            The leaf of each block whose bytes are in its buffer and have this hash; None for the others.
        """

        def check() -> list[StoredLeaf | None]:
            with self._file.reading() as file:
                return [None] * len(part) if file is None else self._read(file, part, leaves, buffers)

        return self._room.reading(check) or [None] * len(part)

    def write(self, new: Sequence[NewBlock]) -> int:
        """Keep blocks: room first, then the data, then a sync, then the leaves.

        Args:
            new: blocks in ascending order; one sync is for all of them.

        Returns:
            How many of them are held now; fewer where there is no room, or the disk fails. A loss of power may take
            them, until ``flush`` or the next write.
        """
        return self._room.writing(lambda: self._writer.write(new)) or 0

    def flush(self) -> None:
        """Return once what this store wrote of it would outlive a loss of power; asks nothing where all would.

        For the end of a content, and for a writer that has nothing to write: the leaves of a write are synced by the
        next one.
        """
        self._room.writing(lambda: self._room.flush(self._digest))

    def forget(self, part: range) -> None:
        """Give up blocks that have proved wrong."""

        def drop() -> None:
            with self._file.locked() as file:
                if file is not None:
                    file.drop(part)

        self._room.writing(drop)

    def prove_root(self) -> RootProof:
        """Hold the leaves on disk against the content's tree hash, and note of all of them that they are proven."""

        def prove() -> RootProof | None:
            with self._file.locked() as file:
                return None if file is None or tree_hash is None else root_proof.prove(file, self.count, tree_hash)

        tree_hash = self.key.tree_hash
        return self._room.writing(prove) or RootProof.OPEN

    def note(self, label: Label) -> bool:
        """Note where the content was seen, beside the other places where it was.

        Returns:
            Whether it is noted: not where nothing of the content is held yet, or the disk fails.
        """
        return bool(self._room.writing(lambda: self._writer.note(label)))

    def use(self, readers: range) -> None:
        """Say that it is in use, and from which block to which its readers stand; good for two minutes."""

        def used(account: Account) -> Account | None:
            if not account.charged:
                return None
            last = max(readers.start, readers.stop - 1)
            return replace(account, used_at_ns=self._room.now_ns, first=readers.start, last=last)

        self._room.writing(lambda: self._room.folder.journal.change(self._digest, used, tries=1))

    def claim(self, part: range) -> Lease | None:
        """Tell the other processes that *part* is downloaded by this one; None where another downloads some of it.

        Where nobody can be told, because the disk fails or is full, everybody has the lease.
        """

        def take() -> Lease | None:
            if not self._writer.make():
                return Lease(self._room.files, None)
            return leases.take(self._room.files, self._file.path, part)

        is_told: list[Lease | None] = []
        self._room.writing(lambda: is_told.append(take()))
        return is_told[0] if is_told else Lease(self._room.files, None)

    def wait(self, part: range, deadline: Deadline) -> bool:
        """Wait until another process has *part* on disk, or no longer downloads it; return whether it is there.

        Returns:
            False too once the deadline has passed, or nobody waits any more.
        """
        while not all(self.held(part)):
            if not deadline.remaining_s or deadline.cancelled() or not self._is_claimed(part):
                return all(self.held(part))
            self._room.sleep(min(leases.WAIT_STEP_S, deadline.remaining_s))
        return True

    def _is_claimed(self, part: range) -> bool:
        return bool(self._room.writing(lambda: leases.is_taken(self._room.files, self._file.path, part)))

    def _read(
        self,
        file: ContentFile,
        part: range,
        leaves: Sequence[StoredLeaf | None],
        buffers: Sequence[memoryview],
    ) -> list[StoredLeaf | None]:
        found: list[StoredLeaf | None] = []
        for is_held, run in groupby(range(len(part)), lambda at: leaves[at] is not None):
            for few in _batches(list(run)):
                wanted, views = [leaves[at] for at in few], [buffers[at] for at in few]
                found += self._read_few(file, part[few[0]], wanted, views) if is_held else wanted
        return found

    def _leaves(self, part: range) -> list[StoredLeaf | None]:
        def look() -> list[StoredLeaf | None]:
            with self._file.reading() as file:
                return [None] * len(part) if file is None else file.leaves(part)

        return self._room.reading(look) or [None] * len(part)

    def _believed(self, leaves: Sequence[StoredLeaf | None]) -> list[StoredLeaf | None]:
        return [leaf if leaf is not None and leaf.is_for(self.key.source) else None for leaf in leaves]

    def _is_proved_now(self) -> bool:
        """Prove by the tree hash what the services of several jobs say, if all of it is there by now."""
        if self._proofs_left <= 0 or self._room.reading(self._is_any_missing) is not False:
            return False
        self._proofs_left -= 1
        self._all_before = 0
        return self.prove_root() is RootProof.MET

    def _is_any_missing(self) -> bool:
        """Look from where a block was missing last, since this is asked for each part."""
        with self._file.reading() as file:
            for part in strides(range(self._all_before, self.count)):
                self._all_before = part.start
                missing = file.first_missing(part) if file is not None else part.start
                if missing is not None:
                    self._all_before = missing
                    return True
        return False

    def _read_few(
        self, file: ContentFile, first: int, leaves: Sequence[StoredLeaf | None], views: Sequence[memoryview]
    ) -> list[StoredLeaf | None]:
        try:
            file.read_into(first, views)  # what the file no longer has is not what the leaf says
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            return self._read_around(file, first, leaves, views)
        found: list[StoredLeaf | None] = []
        for block, (leaf, digest) in enumerate(zip(leaves, lanes.leaves(views), strict=True), start=first):
            is_right = leaf is not None and leaf.digest == digest
            found.append(leaf if is_right else None)
            if leaf is not None and not is_right:
                self._distrust(block, leaf)
        return found

    def _read_around(
        self, file: ContentFile, first: int, leaves: Sequence[StoredLeaf | None], views: Sequence[memoryview]
    ) -> list[StoredLeaf | None]:
        """Read blocks one by one, and give up what cannot be read: its leaf could, so it is mere damage."""
        if len(views) > 1:
            each = (
                self._read_few(file, first + at, leaves[at : at + 1], views[at : at + 1]) for at in range(len(views))
            )
            return [leaf for found in each for leaf in found]
        if leaves[0] is not None:
            self._distrust(first, leaves[0])
        return [None]

    def _distrust(self, block: int, wrong: StoredLeaf) -> None:
        """Give up a block that is not what its leaf says, unless it was trimmed or written anew meanwhile."""

        def drop() -> None:
            with self._file.locked(tries=1) as file:
                one = range(block, block + 1)
                if file is not None and file.leaves(one) == [wrong]:
                    file.drop(one)
                    self._room.count_damaged()

        self._room.writing(drop)


def _batches(members: Sequence[int]) -> list[Sequence[int]]:
    """Split neighbours into as many as are hashed side by side."""
    few = lanes.width()
    return [members[at : at + few] for at in range(0, len(members), few)]
