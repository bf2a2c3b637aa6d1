"""The table of the journal: what each content takes of the bound, and when it was used last. Bytes in, values out."""

import hashlib
import heapq
import struct
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, replace

from casfs.data.hashing.leaves import DIGEST_SIZE

SLOT = struct.Struct("<32sQQQQQ8s")
"""Digest, bytes used, bytes reserved, time of last use, first and last block read, check."""
CHECK_SIZE = 8
WORDS = SLOT.size // 8
USED, RESERVED, USED_AT = 4, 5, 6
"""Columns of the table, in words of 8 bytes."""
EMPTY = bytes(SLOT.size)

LEASE_NS = 120 * 10**9
"""How long a content counts as in use after it was used: long beside the seconds in which readers and writers say so
again, and so short that one whose process was killed soon goes as all others do."""


@dataclass(frozen=True, slots=True)
class Account:
    """What is known of one content without a look at its file.

    Attributes:
        digest: of its key.
        used: bytes that its file takes on disk.
        reserved: bytes that writers have been promised beside.
        used_at_ns: when it was read or written last, by the clock of the store.
        first: the first block that a reader stands at.
        last: the last block that a reader stands at.
    """

    digest: bytes
    used: int = 0
    reserved: int = 0
    used_at_ns: int = 0
    first: int = 0
    last: int = 0

    @property
    def charged(self) -> int:
        """What it takes of the bound."""
        return self.used + self.reserved

    def is_in_use(self, now_ns: int) -> bool:
        """Whether it was used just now; a time to come is that of a clock that was set back."""
        return abs(now_ns - self.used_at_ns) < LEASE_NS

    def pack(self) -> bytes:
        """Return its slot."""
        packed = SLOT.pack(self.digest, self.used, self.reserved, self.used_at_ns, self.first, self.last, b"")
        return packed[:-CHECK_SIZE] + _check(packed)

    @classmethod
    def unpack(cls, raw: bytes) -> "Account | None":
        """Return what a slot says, None where it is empty or damaged."""
        if len(raw) < SLOT.size or raw[-CHECK_SIZE:] != _check(raw):
            return None
        return cls(*SLOT.unpack(raw)[:-1])

    def settled(self, used: int, released: int) -> "Account":
        """Return it with *used* bytes on disk, and *released* bytes no longer reserved."""
        return replace(self, used=used, reserved=max(0, self.reserved - released))


class Table:
    """All slots, as they were read.

    Threads: one.
    """

    def __init__(self, raw: bytes) -> None:
        self.raw = bytearray(raw[: len(raw) // SLOT.size * SLOT.size])
        self._first_free = 0

    def __len__(self) -> int:
        return len(self.raw) // SLOT.size

    def account(self, number: int) -> Account | None:
        """Return what a slot says, None where it is empty or damaged."""
        return Account.unpack(bytes(self.raw[number * SLOT.size : (number + 1) * SLOT.size]))

    def put(self, number: int, packed: bytes) -> None:
        """Note what is written to a slot."""
        if packed == EMPTY:
            self._first_free = min(self._first_free, number)
        self.raw[number * SLOT.size : (number + 1) * SLOT.size] = packed

    def find(self, digest: bytes, first: int = 0) -> int | None:
        """Return the slot of a content, from the slot *first* on, None where it has none."""
        at = self.raw.find(digest, first * SLOT.size)
        while at >= 0 and at % SLOT.size:
            at = self.raw.find(digest, at + 1)
        return at // SLOT.size if at >= 0 else None

    def free(self) -> int:
        """Return a slot that is empty, behind the last one where none is."""
        number = self.find(EMPTY[:DIGEST_SIZE], self._first_free)
        self._first_free = len(self) if number is None else number
        return self._first_free

    def beginning_with(self, byte: int) -> Iterator[int]:
        """Yield the slots of contents whose digests begin with *byte*, and those that are damaged so that they do."""
        column = self.raw[:: SLOT.size]
        at = column.find(byte)
        while at >= 0:
            yield at
            at = column.find(byte, at + 1)

    def total(self) -> int:
        """Return what all contents together take of the bound."""
        words = self._words()
        return sum(words[USED::WORDS]) + sum(words[RESERVED::WORDS])

    def oldest(self, count: int, now_ns: int) -> list[int]:
        """Return up to *count* slots that are not empty, least recently used first.

        Before them come those of a time to come, since a clock that was set back would keep them for as long.
        """
        words = self._words()
        times, used, reserved = words[USED_AT::WORDS], words[USED::WORDS], words[RESERVED::WORDS]
        numbers = (number for number in range(len(times)) if used[number] or reserved[number])
        latest = now_ns + LEASE_NS
        return heapq.nsmallest(count, numbers, key=lambda number: times[number] if times[number] < latest else 0)

    def _words(self) -> "array[int]":
        words = array("Q")
        words.frombytes(self.raw)
        return words


def _check(packed: bytes) -> bytes:
    return hashlib.blake2b(packed[:-CHECK_SIZE], digest_size=CHECK_SIZE).digest()
