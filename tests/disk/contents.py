"""Contents for the tests of the cache on disk, and the steps that most of them take."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from casfs.data.disk.files import Files
from casfs.data.disk.layout import ContentKey, StoredLeaf
from casfs.data.disk.store import Store
from casfs.data.disk.stored_content import NewBlock, StoredContent
from casfs.data.hashing import blocks, treehash
from tests.data.service import MIB, sample, tree_hash

PLACE = ("https://cas.example", "100", "vault", "job")
ROOT = Path("/cache")
SIZE = 3 * MIB + 7


@dataclass
class Time:
    """A time that passes when a test says so, and when the store sleeps."""

    now_s: float = 1_000_000.0

    def clock(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


@dataclass(frozen=True, repr=False)
class Archive:
    """Bytes, and the key they are kept under; a representation would be of all bytes, which takes seconds."""

    data: bytes
    key: ContentKey
    seed: int = 1

    @classmethod
    def of(cls, size: int, seed: int = 1, *, hashed: bool = True) -> "Archive":
        data = sample(size, seed)
        place = (*PLACE, str(seed))
        return cls(data, ContentKey.of(size, tree_hash(data) if hashed else None, place), seed)

    @property
    def place(self) -> tuple[str, ...]:
        """That of the job which its key was made for."""
        return (*PLACE, str(self.seed))

    @property
    def count(self) -> int:
        return blocks.count(len(self.data))

    def block(self, number: int) -> bytes:
        return self.data[number * MIB : (number + 1) * MIB]

    def new(self, numbers: Iterable[int], *, proven: bool = True) -> list[NewBlock]:
        return [new_block(number, self.block(number), proven=proven) for number in numbers]


def new_block(number: int, data: bytes, *, proven: bool = True) -> NewBlock:
    return NewBlock(number, memoryview(bytearray(data)), StoredLeaf(treehash.leaf(data), proven))


def open_store(path: Path, capacity: int = 64 * MIB, time: Time | None = None, files: Files | None = None) -> Store:
    time = time or Time()
    return Store.open(path, capacity, files=files, clock=time.clock, sleep=time.sleep)


def rebuilt(store: Store) -> Store:
    """Do what a mount does in the background."""
    if store.needs_rebuild:
        for _ in store.rebuild():
            pass
    return store


def served(content: StoredContent, archive: Archive, numbers: Sequence[int] | None = None) -> set[int]:
    """Read blocks, assert that each that is served is right, and return which were."""
    found = set()
    for number in range(archive.count) if numbers is None else numbers:
        buffer = memoryview(bytearray(len(archive.block(number))))
        one = range(number, number + 1)
        if content.read(one, content.held(one), [buffer])[0] is not None:
            assert buffer == archive.block(number)
            found.add(number)
    return found


def content_file(folder: Path, archive: Archive) -> Path:
    digest = archive.key.digest.hex()
    return folder / "contents" / digest[:2] / digest


def flip(path: Path, at: int) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 0x10]))
