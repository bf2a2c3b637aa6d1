"""A folder of this machine, or of one that it shares: parts in a folder of their own, renamed once they are on disk."""

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from io import BufferedReader

from casfs.drain.destinations.destination import LONGEST_LINE, UNFINISHED, Found, Label
from casfs.drain.destinations.folders import OneFolder, failing, folder, kind_of
from casfs.drain.destinations.local_part import (
    CLAIM,
    LEAVES,
    LocalPart,
    check_replaceable,
    files_of,
    remove,
    remove_folder,
    sweep,
)
from casfs.drain.destinations.paths import is_name, names_of
from casfs.errors import DestinationError
from casfs.tree_hash import hash_all


@dataclass(frozen=True)
class LocalDestination:
    """A folder, made with its parents when the first part begins; as ``Destination``.

    Attributes:
        root: its path, absolute; what leads there may be links.
    """

    root: str

    def where(self, path: str) -> str:
        """Return the path of the file."""
        return os.path.join(self.root, path)  # noqa: PTH118 - a name that is no text stays as it is

    def is_folder(self) -> bool:
        """Say whether it is a folder that is there."""
        return os.path.isdir(self.root)  # noqa: PTH112 - as above

    def holds(self, path: str, size: int, tree_hash: str | None) -> bool:
        """Say whether *path* is a file with this content; as ``Destination.holds``."""
        *folders, name = names_of(path)
        with failing(self.where(path)):
            try:
                with folder(self.root, folders, make=False) as within:
                    check_replaceable(name, within)
                    is_to_read = tree_hash is not None and kind_of(name, within) == stat.S_IFREG
                    return is_to_read and _has(name, within, size, tree_hash)
            except FileNotFoundError:
                return False

    def look(self, paths: Iterable[str]) -> Iterator[Found | None]:
        """Yield files; as ``Destination.look``."""
        with ExitStack() as opened:
            last = OneFolder(self.root, opened)
            for path in paths:
                with failing(self.where(path)):
                    found = last.look(names_of(path))
                yield found

    def lines(self, path: str) -> Iterator[bytes]:
        """Yield the lines of a file; as ``Destination.lines``."""
        *folders, name = names_of(path)
        with failing(self.where(path)), suppress(FileNotFoundError):
            with folder(self.root, folders, make=False) as within:
                if kind_of(name, within) != stat.S_IFREG:
                    return
                file = _opened(name, within)
            with file:
                yield from iter(lambda: file.readline(LONGEST_LINE), b"")

    def part(self, path: str, attempt: str) -> LocalPart:
        """Begin or go on with a file; as ``Destination.part``."""
        names = names_of(path)
        if not is_name(attempt + LEAVES):
            raise DestinationError(f"{attempt!a} is no name of an attempt")
        with failing(self.where(path)):
            self._make()
            with suppress(FileNotFoundError), folder(self.root, names[:-1], make=False) as within:
                check_replaceable(names[-1], within)
            attempt, data, leaves = files_of(self.root, attempt)
        part = LocalPart(data, leaves, root=self.root, names=names, attempt=attempt, where=self.where(path))
        try:
            part.resume()
        except BaseException:
            part.close()
            raise
        return part

    def sweep(self) -> None:
        """Remove what nobody is at; as ``Destination.sweep``."""
        sweep(self.root)

    def claim(self, name: str, text: bytes) -> None:
        """Leave a file behind; as ``Destination.claim``."""
        with failing(self.where(UNFINISHED)):
            self._make()
            attempt, data, leaves = files_of(self.root, name)
        names, where = (UNFINISHED, name + CLAIM), self.where(UNFINISHED)
        with LocalPart(data, leaves, root=self.root, names=names, attempt=attempt, where=where) as part:
            part.restart()
            part.write(memoryview(bytearray(text)))
            part.commit(Label())

    def claimed(self, name: str) -> bytes:
        """Return the text of a claim; as ``Destination.claimed``."""
        with (
            failing(self.where(UNFINISHED)),
            suppress(FileNotFoundError),
            folder(self.root, [UNFINISHED], make=False) as parts,
            _opened(name + CLAIM, parts) as file,
        ):
            return file.read(LONGEST_LINE)
        return b""

    def disclaim(self, name: str) -> None:
        """Take a claim away; as ``Destination.disclaim``."""
        with suppress(OSError), folder(self.root, [UNFINISHED], make=False) as parts:
            remove([name + CLAIM], parts)
        remove_folder(self.root)

    @contextmanager
    def mark(self, name: str) -> Iterator[None]:
        """Leave something for the time of a block; as ``Destination.mark``: it is locked, so that no sweep takes it."""
        with self.part(name, name) as part:
            try:
                yield
            finally:
                part.discard()

    def check_mark(self, name: str) -> None:
        """Raise DestinationError unless it is here, and something can be written; as ``Destination.check_mark``."""
        parts = self.where(UNFINISHED)
        if not os.path.isfile(os.path.join(parts, name)):  # noqa: PTH113, PTH118 - a root that is no text
            raise DestinationError(f"{self.root} is not the folder of the run: all workers must share it")
        if not os.access(parts, os.W_OK | os.X_OK):
            raise DestinationError(f"{self.root} cannot be written to")

    def _make(self) -> None:
        try:
            os.makedirs(self.root, exist_ok=True)  # noqa: PTH103 - a root that is no text
        except FileExistsError as error:  # which would be said of one name in it too
            raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from error


def _has(name: str, within: int, size: int, tree_hash: str | None) -> bool:
    with _opened(name, within) as file:
        return os.fstat(file.fileno()).st_size == size and hash_all(file.raw).hexdigest() == tree_hash


def _opened(name: str, within: int) -> BufferedReader:
    opened = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=within)
    return os.fdopen(opened, "rb")
