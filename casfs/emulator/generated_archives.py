"""Archives that are made up as they are asked for: a vault of millions takes no memory."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache

from casfs.emulator.content import Generated
from casfs.emulator.jobs import Archive
from casfs.emulator.rows import COLUMNS, Row, date

KINDS = 64
"""Contents that the archives share, so that a tree hash need not be computed for each."""
A_SECOND = 100
"""Archives made in one second."""
DIGITS = 10
"""Of an archive's number in its id and description, which are so all of one length."""

_cached_date = lru_cache(16)(date)


@dataclass(frozen=True, slots=True)
class GeneratedArchives:
    """Archives numbered from 0 on, in the order of their ids and of their dates.

    Attributes:
        count: how many.
        id_length: characters of an id.
        created_s: when the first of them were made.
        smallest: bytes in the smallest; the others are up to twice as large.
    """

    count: int
    id_length: int = 128
    created_s: float = 1.5e9
    smallest: int = 100_000

    @property
    def size(self) -> int:
        """Bytes in all of them."""
        sizes = [content_of(kind, self.smallest).size for kind in range(KINDS)]
        return self.count // KINDS * sum(sizes) + sum(sizes[: self.count % KINDS])

    def archive(self, number: int) -> Archive:
        """Return the archive of that number."""
        content = content_of(number % KINDS, self.smallest)
        return Archive(self.id(number), content, description(number), self._made_s(number))

    def id(self, number: int) -> str:
        """Return the id of the archive of that number."""
        return f"{number:0{DIGITS}d}".ljust(self.id_length, "-")

    def number(self, archive: str) -> int | None:
        """Return the number of the archive of that id, None if there is none."""
        digits = archive[:DIGITS]
        found = int(digits) if digits.isascii() and digits.isdecimal() else self.count
        return found if found < self.count and self.id(found) == archive else None

    def between(self, first_s: float, end_s: float, *, end_included: bool) -> range:
        """Return the numbers of those that were made from *first_s* up to *end_s*."""
        numbers, ends = range(self.count), bisect_right if end_included else bisect_left
        return numbers[bisect_left(numbers, first_s, key=self._made_s) : ends(numbers, end_s, key=self._made_s)]

    def rows(self, write: Callable[[Row], bytes]) -> Callable[[int], str]:
        """Return what writes the row of a number, as *write* does but some ten times as fast; all are of one length."""
        pattern = write({name: f"%({name})s" for name in COLUMNS}).decode()
        pattern = pattern.replace('"%(Size)s"', "%(Size)s")  # a number is not quoted in JSON
        sizes = [content_of(kind, self.smallest).size for kind in range(KINDS)]
        roots = [root_of(kind, self.smallest) for kind in range(KINDS)]

        def written(number: int) -> str:
            return pattern % {
                "ArchiveId": self.id(number),
                "ArchiveDescription": description(number),
                "CreationDate": _cached_date(self._made_s(number)),
                "Size": sizes[number % KINDS],
                "SHA256TreeHash": roots[number % KINDS],
            }

        return written

    def _made_s(self, number: int) -> float:
        return self.created_s + number // A_SECOND


NO_ARCHIVES = GeneratedArchives(0)


def description(number: int) -> str:
    """Return how the archive of that number is described: as a path, a thousand of them in each folder."""
    return f"made/{number // 1000:0{DIGITS}d}/{number:0{DIGITS}d}.bin"


def content_of(kind: int, smallest: int) -> Generated:
    """Return the bytes that archives of a kind have."""
    return Generated(smallest + kind * (smallest // KINDS), seed=kind)


@cache
def root_of(kind: int, smallest: int) -> str:
    """Return the tree hash of the bytes that archives of a kind have."""
    return Archive("", content_of(kind, smallest)).tree.root
