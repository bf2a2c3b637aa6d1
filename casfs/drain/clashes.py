"""Paths that two archives cannot both have: found in one walk through all of them, in order. Pure.

Of two that are the same to some file system, or of a file and a path that needs a folder of its name, the later one in
the inventory gives way. The walk keeps the files on the way to where it is, and nothing else.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

SEPARATOR = "\x01"
"""In place of ``/`` in what paths are sorted by: what is in a folder stands directly behind a file of its name. No path
has it, since no path has what is not printed."""


@dataclass(frozen=True, slots=True)
class Clash:
    """A path that has to give way.

    Attributes:
        number: of its archive.
        depth: which of its names is another one's, counted from 0.
    """

    number: int
    depth: int


def sort_key(folded: str) -> str:
    """Return what the paths of a ledger are sorted by."""
    return folded.replace("/", SEPARATOR)


@dataclass(slots=True)
class _File:
    """A file on the way: its key, its archive, and the earliest archive that would be below it."""

    key: str
    number: int
    below: int | None = None


def losers(paths: Iterable[tuple[str, int]]) -> Iterator[Clash]:
    """Yield the files that have to give way to an earlier one of their name, or to an earlier path below them.

    Args:
        paths: sort key and number of every archive, sorted by both.
    """
    way: list[_File] = []
    for key, number in paths:
        while way and not key.startswith(way[-1].key + SEPARATOR) and key != way[-1].key:
            yield from _left(way)
        if way and way[-1].key == key:
            yield Clash(number, key.count(SEPARATOR))
            continue
        for file in way:
            file.below = number if file.below is None else min(number, file.below)
        way.append(_File(key, number))
    while way:
        yield from _left(way)


def _left(way: list[_File]) -> Iterator[Clash]:
    file = way.pop()
    if file.below is not None and file.below < file.number:
        yield Clash(file.number, file.key.count(SEPARATOR))


def within_files(paths: Iterable[tuple[str, int, bool]]) -> Iterator[Clash]:
    """Yield the paths that need a folder where an earlier archive is a file.

    Args:
        paths: as above, each with whether it gives way anyhow.
    """
    way: list[tuple[str, int]] = []
    for key, number, gives_way in paths:
        while way and key != way[-1][0] and not key.startswith(way[-1][0] + SEPARATOR):
            way.pop()
        earlier = next((file for file, before in way if before < number and file != key), None)
        if earlier is not None:
            yield Clash(number, earlier.count(SEPARATOR))
        elif not gives_way:
            way.append((key, number))
