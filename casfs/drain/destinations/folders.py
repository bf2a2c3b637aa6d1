"""Folders below a root, entered name by name: no link is followed, so that nothing leads out."""

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from casfs.drain.destinations.destination import Found
from casfs.errors import DestinationError

NO_SUCH = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EEXIST, errno.ENAMETOOLONG})
"""What is said of a path that no file has: something on the way is missing, or is no folder."""

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


@contextmanager
def failing(what: str) -> Iterator[None]:
    """Make a DestinationError about *what* of each failure of the system."""
    try:
        yield
    except OSError as error:
        raise DestinationError(f"{what}: {error.strerror or type(error).__name__}") from error


@contextmanager
def folder(root: str, names: Sequence[str], *, make: bool) -> Iterator[int]:
    """Open the folder that *names* lead to from *root*, which may itself be reached through links.

    Args:
        root: a folder.
        names: of folders, each in the one before.
        make: whether those that are missing are made, and on disk when the block begins.

    Yields:
        Its descriptor.

    Raises:
        OSError: there is none, or a name is a link or another kind of file.
    """
    opened = os.open(root, _FOLDER)
    try:
        for name in names:
            inner = _entered(opened, name, make=make, mode=0o777)
            os.close(opened)
            opened = inner
        yield opened
    finally:
        os.close(opened)


class OneFolder:
    """The last folder that was looked into, kept open: paths that follow each other are often of one.

    Args:
        root: as ``folder``.
        opened: what closes it in the end.

    Threads: one.
    """

    def __init__(self, root: str, opened: ExitStack) -> None:
        self._root = root
        self._opened = opened
        self._names: Sequence[str] | None = None
        self._within: int | None = None

    def look(self, names: Sequence[str]) -> Found | None:
        """Return the file that *names* lead to; None where there is none, or a link is on the way.

        Raises:
            OSError: it cannot be asked.
        """
        *folders, name = names
        try:
            if folders != self._names:
                self._enter(folders)
            found = None if self._within is None else os.stat(name, dir_fd=self._within, follow_symlinks=False)
        except OSError as error:
            if error.errno not in NO_SUCH:
                raise
            return None
        if found is None or not stat.S_ISREG(found.st_mode):
            return None
        return Found(found.st_size, found.st_ctime_ns)

    def _enter(self, folders: Sequence[str]) -> None:
        self._opened.close()
        self._names, self._within = folders, None
        self._within = self._opened.enter_context(folder(self._root, folders, make=False))


@contextmanager
def private_folder(root: str, name: str) -> Iterator[int]:
    """Open the folder *name* in *root*, made for nobody else to look into where it is missing."""
    opened = os.open(root, _FOLDER)
    try:
        inner = _entered(opened, name, make=True, mode=0o700)
    finally:
        os.close(opened)
    try:
        yield inner
    finally:
        os.close(inner)


def kind_of(name: str, within: int) -> int | None:
    """Return the type bits of what *name* is, a link for a link; None where there is nothing."""
    try:
        return stat.S_IFMT(os.stat(name, dir_fd=within, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return None


def _entered(within: int, name: str, *, make: bool, mode: int) -> int:
    try:
        return os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=within)
    except FileNotFoundError:
        if not make:
            raise
    except NotADirectoryError as error:
        is_link = kind_of(name, within) == stat.S_IFLNK
        if is_link:
            raise OSError(errno.ELOOP, f"{name!a} in it is a symbolic link, which may lead out") from error
        raise OSError(errno.EEXIST, f"{name!a} in it is no folder") from error
    try:
        os.mkdir(name, mode, dir_fd=within)
        os.fsync(within)
    except FileExistsError:  # another output's has just been made
        pass
    return os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=within)
