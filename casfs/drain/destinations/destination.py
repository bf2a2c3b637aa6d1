"""What whoever fetches outputs needs of the place that they are put into."""

import errno
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol, Self

from casfs.errors import DestinationError

LONGEST_NAME = 255
"""Bytes of one name in a path. Source: Linux, NAME_MAX."""

LONGEST_LINE = 1 << 20
"""Bytes of one line that is read."""

UNFINISHED = ".casfs-part"
"""The folder, in a destination, of what is not whole yet."""


OF_ONE_FILE = frozenset(
    {errno.ENAMETOOLONG, errno.ELOOP, errno.EISDIR, errno.EEXIST, errno.EILSEQ, errno.EINVAL, errno.EFBIG}
)
"""What a file system says of one name or length, and not of all it has; of the root of a destination it is ENOTDIR."""


def is_of_one_file(error: BaseException | None) -> bool:
    """Say whether *error* is about one file in a destination, and others may do."""
    cause = error.__cause__ if error is not None else None
    is_of_one = cause is None or (isinstance(cause, OSError) and cause.errno in OF_ONE_FILE)
    return isinstance(error, DestinationError) and is_of_one


@dataclass(frozen=True, slots=True)
class Label:
    """What is kept of an output beside its bytes, as far as the destination can.

    Attributes:
        modified_ns: its mtime, None for when it was put there.
        attributes: extended attributes.
    """

    modified_ns: int | None = None
    attributes: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Found:
    """A file of a destination, as it is seen without reading it.

    Attributes:
        size: bytes.
        changed_ns: when anything about it was last changed, in nanoseconds since 1970; None where nobody says.
    """

    size: int
    changed_ns: int | None = None


class Part(Protocol):
    """What is there of one output before it is whole: under no name that anybody looks for.

    Left without ``commit``, it stays as a kill would leave it; ``discard`` takes it away.

    Threads: one at a time.
    """

    @property
    def size(self) -> int:
        """Bytes that are there: those of an earlier attempt too, which were read back and checked."""
        ...

    @property
    def tree_hash(self) -> str:
        """The tree hash of these bytes."""
        ...

    def __enter__(self) -> Self:
        """Return this part, which is closed at the end of the block."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it, as it is."""
        ...

    def write(self, data: memoryview) -> None:
        """Add the next bytes.

        Args:
            data: writable; whole blocks of 1 MiB, unless they are the last bytes of all.

        Raises:
            DestinationError: they are not there.
        """
        ...

    def restart(self) -> None:
        """Forget all bytes.

        Raises:
            DestinationError: they stay.
        """
        ...

    def commit(self, label: Label) -> int:
        """Give what is there its name, in place of what has it, once it is safe there.

        Returns:
            When that was, in nanoseconds since 1970, as ``Destination.look`` tells it where it does.

        Raises:
            DestinationError: what had the name before still has it, or, in a store, nothing may have it.
        """
        ...

    def discard(self) -> None:
        """Take it away; no error where that cannot be done."""
        ...


class Destination(Protocol):
    """Where outputs are put, each under a path of its own: relative, its names joined by ``/``.

    Nothing is ever written outside, whatever a path says and whoever puts links there. Copies by pickle are the same
    destination, in other processes and on other machines that share it.

    Threads: any, many at once; each attempt has its own part.
    """

    def where(self, path: str) -> str:
        """Return what a user calls *path*."""
        ...

    def is_folder(self) -> bool:
        """Say whether it is there already, and something that files can be in.

        Raises:
            DestinationError: it cannot be asked.
        """
        ...

    def holds(self, path: str, size: int, tree_hash: str | None) -> bool:
        """Say whether *path* has this content, by reading it back where the size is the right one.

        Args:
            path: relative.
            size: bytes.
            tree_hash: None for what nobody knows, which is held nowhere.

        Raises:
            DestinationError: it cannot be read, or what is there can give way to no file, or *path* is none.
        """
        ...

    def look(self, paths: Iterable[str]) -> Iterator[Found | None]:
        """Yield what has each of *paths*, in their order; None where no file has it, or a link does.

        Raises:
            DestinationError: it cannot be asked, or one of *paths* is none.
        """
        ...

    def lines(self, path: str) -> Iterator[bytes]:
        """Yield the lines of a file, each of 1 MiB at most; none where no file has *path*, or a link does.

        Raises:
            DestinationError: it cannot be read, or *path* is none.
        """
        ...

    def part(self, path: str, attempt: str) -> Part:
        """Begin what is to get the name *path*, or go on with what an earlier attempt of that name left.

        Where somebody else is at it, what is begun has a name of its own, and nothing in it.

        Args:
            path: relative.
            attempt: one name: what goes on is of the same content.

        Raises:
            DestinationError: nothing can be written there, or *path* is none.
        """
        ...

    def sweep(self) -> None:
        """Take away what every attempt left, of this run and of others that nobody is at; no error where that fails.

        A claim stays.
        """
        ...

    def claim(self, name: str, text: bytes) -> None:
        """Leave a claim among what is unfinished, whole and on disk, in place of an older one.

        Args:
            name: of it; one name.
            text: 1 MiB at most.

        Raises:
            DestinationError: it is not there.
        """
        ...

    def claimed(self, name: str) -> bytes:
        """Return the text of a claim, b"" where there is none.

        Raises:
            DestinationError: it cannot be read.
        """
        ...

    def disclaim(self, name: str) -> None:
        """Take a claim away; no error where that cannot be done."""
        ...

    def mark(self, name: str) -> AbstractContextManager[None]:
        """Leave something among what is unfinished for the time of a block, which whoever shares this can see.

        Args:
            name: of it; nobody else's.

        Raises:
            DestinationError: nothing can be written there.
        """
        ...

    def check_mark(self, name: str) -> None:
        """Raise DestinationError unless what ``mark`` has left is here, and something can be written."""
        ...
