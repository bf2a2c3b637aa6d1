"""Where an archive's bytes come from: memory, a file, or a generator that needs no memory."""

import hashlib
import mmap
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol, overload

ARENA = 8388617
"""Bytes that generated content is cut from. A prime, so that no two blocks of one archive are alike below 8 TB; of
about 8 MiB, so that it stays in the processor's cache and the emulator is not what a benchmark measures."""


class StoredContent(Protocol):
    """The bytes of an archive or an inventory. Immutable, so any thread may read."""

    @property
    def size(self) -> int:
        """Length in bytes."""
        ...

    def pieces(self, start: int, stop: int) -> Sequence[memoryview]:
        """Return the bytes from *start* up to *stop*, both within the size, in order and without copying them."""
        ...


@dataclass(frozen=True, slots=True)
class InMemory:
    """Bytes as they were given."""

    data: bytes

    @property
    def size(self) -> int:
        """Length in bytes."""
        return len(self.data)

    def pieces(self, start: int, stop: int) -> Sequence[memoryview]:
        """Return the bytes from *start* up to *stop* as one view."""
        return [memoryview(self.data)[start:stop]]


@dataclass(frozen=True, slots=True)
class Generated:
    """Pseudo-random bytes that are the same for the same seed, on every machine.

    Attributes:
        size: length in bytes; any, since nothing is stored.
        seed: contents of different seeds differ from the first byte on.
    """

    size: int
    seed: int = 0

    def pieces(self, start: int, stop: int) -> Sequence[memoryview]:
        """Return the bytes from *start* up to *stop* as views of one shared arena."""
        arena, found = _arena(), []
        while start < stop:
            at = (_phase(self.seed) + start) % ARENA
            found.append(arena[at : at + stop - start])
            start += len(found[-1])
        return found


@dataclass(frozen=True, slots=True)
class OnDisk:
    """The bytes of a file that nobody changes while the emulator runs.

    Attributes:
        path: the file.
        size: its length in bytes, when it was found.
    """

    path: Path
    size: int

    def pieces(self, start: int, stop: int) -> Sequence[memoryview]:
        """Map the file as far as *stop*; the mapping lives as long as the view, and costs what of it is touched.

        Mapped for each request and not for good: a folder may have more files than a process may have mappings.
        """
        if start == stop:
            return []
        with self.path.open("rb") as fh:
            return [memoryview(mmap.mmap(fh.fileno(), stop, access=mmap.ACCESS_READ))[start:]]


@dataclass(frozen=True, slots=True)
class Repeated:
    """Rows of one length between a head and a tail, each made when its bytes are read.

    Attributes:
        head: before the first row.
        row: writes the row of a number, in ASCII.
        numbers: of the rows, in order; at least one.
        separator: between two rows.
        tail: after the last row.
    """

    head: bytes
    row: Callable[[int], str]
    numbers: range
    separator: str
    tail: bytes

    @property
    def size(self) -> int:
        """Length in bytes."""
        return len(self.head) + self._rows_size + len(self.tail)

    def pieces(self, start: int, stop: int) -> Sequence[memoryview]:
        """Return the bytes from *start* up to *stop*, made piece by piece when they are read."""
        return MadeWhenRead(self._cut, start, stop)

    @property
    def _stride(self) -> int:
        return len(self.row(self.numbers[0])) + len(self.separator)

    @property
    def _rows_size(self) -> int:
        return len(self.numbers) * self._stride - len(self.separator)

    def _cut(self, start: int, stop: int) -> bytes:
        at, beyond = len(self.head), len(self.head) + self._rows_size
        rows = self._rows(max(0, start - at), min(beyond, stop) - at)
        return self.head[start:stop] + rows + self.tail[max(0, start - beyond) : max(0, stop - beyond)]

    def _rows(self, start: int, stop: int) -> bytes:
        if start >= stop:
            return b""
        first = start // self._stride
        texts = map(self.row, self.numbers[first : -(-stop // self._stride)])
        text = self.separator.join((*texts, ""))
        return text[start - first * self._stride : stop - first * self._stride].encode("ascii")


class MadeWhenRead(Sequence[memoryview]):
    """The pieces of a stretch of bytes, made anew each time that one is read."""

    LENGTH = 16 << 10
    """Bytes of a piece: of a client that asks for gigabytes at once 8 MiB are in memory, all that one send takes."""

    def __init__(self, cut: Callable[[int, int], bytes], start: int, stop: int) -> None:
        self._cut = cut
        self._starts = range(start, stop, self.LENGTH)
        self._stop = stop
        self.size = stop - start

    def __len__(self) -> int:
        return len(self._starts)

    @overload
    def __getitem__(self, index: int) -> memoryview: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[memoryview]: ...

    def __getitem__(self, index: int | slice) -> memoryview | Sequence[memoryview]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        start = self._starts[index]
        return memoryview(self._cut(start, min(start + self.LENGTH, self._stop)))


def read(content: StoredContent, start: int = 0, stop: int | None = None) -> bytes:
    """Return a copy of the bytes of *content* from *start* up to *stop*, its end if None."""
    return b"".join(content.pieces(start, content.size if stop is None else stop))


@cache
def _arena() -> memoryview:
    return memoryview(random.Random(0).randbytes(ARENA))  # noqa: S311 - sample data; repeatable is the point


@cache
def _phase(seed: int) -> int:
    """Where in the arena the content of *seed* begins."""
    return int.from_bytes(hashlib.sha256(str(seed).encode()).digest()[:8]) % ARENA
