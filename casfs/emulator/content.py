"""Where an archive's bytes come from: memory, a file, or a generator that needs no memory."""

import hashlib
import mmap
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

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
