"""Looking after a cache while others use it: every file of it looked through, mended or taken away.

Each step is about one file, under that file's own lock. Who reads or writes it meanwhile is not hurt: what goes was
rotten, or is fetched again.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from casfs.data.disk import root_proof
from casfs.data.disk.accounts import Account
from casfs.data.disk.content_file import ContentFile, ContentFiles, strides, taken
from casfs.data.disk.entry import Entry, described
from casfs.data.disk.layout import Identity
from casfs.data.disk.rebuilding import GROUPS
from casfs.data.disk.room import Room
from casfs.data.disk.root_proof import RootProof
from casfs.data.disk.trimming import give_up
from casfs.data.hashing import blocks, lanes
from casfs.data.hashing.blocks import BLOCK_SIZE


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found of one file of the cache.

    Attributes:
        digest: 64 hex digits, by which the file is named.
        identity: whose bytes it holds; None where it does not say, and was taken away.
        right: blocks that are what their leaves say.
        dropped: blocks that were not, or could not be read, and are given up.
        busy: blocks that are not, and could not be given up since another process holds the file locked.
    """

    digest: str
    identity: Identity | None
    right: int = 0
    dropped: int = 0
    busy: int = 0

    @property
    def is_sound(self) -> bool:
        """Whether all of it is as it was written."""
        return self.identity is not None and not self.dropped and not self.busy


class Upkeep:
    """What is done to all files of a cache. Every method raises OSError where the disk fails.

    Threads: one at a time; others, and other processes, use the cache meanwhile.
    """

    def __init__(self, room: Room, beat: Callable[[], None]) -> None:
        self._room = room
        self._beat = beat

    def inspect(self) -> Iterator[Inspection]:
        """Read every block that is held, and give up what is rotten; yield what was found of each file."""
        for opener in self._files():
            found = self._unopened(opener) if opener.is_no_file() else self._inspected(opener)
            if found is not None:
                yield found

    def clear(self) -> Iterator[tuple[str, bool]]:
        """Give up every content, in use or not; yield the name of each, and whether it is gone.

        One that is not is locked by another process.
        """
        for opener in self._files():
            yield opener.digest.hex(), self._is_cleared(opener)

    def _is_cleared(self, opener: ContentFiles) -> bool:
        if opener.is_no_file():
            self._unopened(opener)
            return True
        with opener.locked() as file:
            if file is not None:
                self._take_away(opener, file)
        with opener.reading() as left:
            return left is None

    def entries(self) -> Iterator[Entry]:
        """Yield what each file says of itself."""
        for opener in self._files():
            entry = described(self._room.files, opener.path, opener.digest)
            if entry is not None:
                yield entry

    @cached_property
    def _buffers(self) -> list[memoryview]:
        return [memoryview(bytearray(BLOCK_SIZE)) for _ in range(lanes.width())]

    def _files(self) -> Iterator[ContentFiles]:
        for group in range(GROUPS):
            for digest in self._room.folder.digests(group):
                yield self._opener(digest, 0)

    def _opener(self, digest: bytes, size: int) -> ContentFiles:
        room = self._room
        return ContentFiles(room.files, room.folder.file_of(digest), digest, size, room.sleep)

    def _inspected(self, opener: ContentFiles) -> Inspection | None:
        with opener.reading() as file:
            if file is None:
                return None
            identity = _identity(file)
        if identity is None or identity.digest != opener.digest:
            return self._stranger(opener)
        opener = self._opener(opener.digest, identity.size)
        found = Inspection(opener.digest.hex(), identity)
        for stride in strides(range(blocks.count(identity.size))):
            right, suspects = self._looked_at(opener, stride)
            found = replace(found, right=found.right + right)
            found = self._dropped(opener, found, suspects) if suspects else found
        return self._proved(opener, found, identity)

    def _stranger(self, opener: ContentFiles) -> Inspection | None:
        """Take a file away that does not say that it is what its name says, unless it does by now."""
        with opener.locked() as file:
            if file is None:
                return None
            identity = _identity(file)
            if identity is None or identity.digest != opener.digest:
                self._take_away(opener, file)
                return Inspection(opener.digest.hex(), None)
        return None

    def _looked_at(self, opener: ContentFiles, stride: range) -> tuple[int, list[int]]:
        """Return how many blocks of *stride* are right, and which of those that are held are not."""
        with opener.reading() as file:
            if file is None:
                return 0, []
            marked = file.marked(stride)
            few = len(self._buffers)
            right = [block for at in range(0, len(marked), few) for block in self._right(file, marked[at : at + few])]
            return len(right), sorted(set(marked) - set(right))

    def _right(self, file: ContentFile, few: Sequence[int]) -> list[int]:
        """Return those of some blocks whose bytes are what their leaves say."""
        self._beat()
        views = [self._buffers[at][: blocks.length(block, file.size)] for at, block in enumerate(few)]
        leaves = [file.leaves(range(block, block + 1))[0] for block in few]
        came = [_is_read(file, block, view) for block, view in zip(few, views, strict=True)]
        found = zip(few, leaves, came, lanes.leaves(views), strict=True)
        return [block for block, leaf, is_whole, digest in found if is_whole and leaf and leaf.digest == digest]

    def _dropped(self, opener: ContentFiles, found: Inspection, suspects: Sequence[int]) -> Inspection:
        """Give up those of *suspects* that are wrong while nobody writes, and note what came of them all."""
        with opener.locked() as file:
            if file is None:
                return replace(found, busy=found.busy + len(suspects))
            right, dropped = 0, 0
            for block in (block for block in suspects if file.marked(range(block, block + 1))):
                if self._right(file, [block]):
                    right += 1
                else:
                    give_up(file, range(block, block + 1))
                    dropped += 1
            self._room.settle(opener.digest, taken(file.state), 0)
        return replace(found, right=found.right + right, dropped=found.dropped + dropped)

    def _proved(self, opener: ContentFiles, found: Inspection, identity: Identity) -> Inspection:
        """Hold the leaves of a content that is whole against its tree hash."""
        count = blocks.count(identity.size)
        if identity.tree_hash is None or found.right < count:
            return found
        with opener.locked() as file:
            if file is None or root_proof.prove(file, count, identity.tree_hash) is not RootProof.REFUTED:
                return found
            self._room.settle(opener.digest, taken(file.state), 0)
        return replace(found, right=0, dropped=count)

    def _unopened(self, opener: ContentFiles) -> Inspection:
        """Take away what has the name of a content and cannot be opened as one."""
        opener.unlink()
        self._account_gone(opener)
        return Inspection(opener.digest.hex(), None)

    def _take_away(self, opener: ContentFiles, file: ContentFile) -> None:
        opener.unlink()
        file.empty()
        self._account_gone(opener)

    def _account_gone(self, opener: ContentFiles) -> None:
        now_ns = self._room.now_ns

        def gone(account: Account) -> Account | None:
            # What was promised to somebody who writes just now stays so until he settles.
            return replace(account, used=0) if account.is_in_use(now_ns) and account.reserved else None

        self._room.folder.journal.change(opener.digest, gone)


def _identity(file: ContentFile) -> Identity | None:
    """Return whose bytes a file says it holds, None where it does not, or cannot be read."""
    try:
        return file.identity
    except OSError:
        return None


def _is_read(file: ContentFile, block: int, view: memoryview) -> bool:
    """Fill *view* with a block; say whether it could be read: a bad sector is no reason to leave the rest unread."""
    try:
        return file.read_into(block, [view])
    except OSError:
        return False
