"""What is unfinished in a folder: files that one attempt at a time has, by a lock that ends with its process."""

import errno
import fcntl
import os
import secrets
import stat
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, suppress

from casfs.drain.destinations.destination import UNFINISHED, Label
from casfs.drain.destinations.folders import failing, folder, kind_of, private_folder
from casfs.drain.destinations.part_file import PartFile

LEAVES = ".leaves"
"""What is put behind the name of an attempt, for the file of its leaves."""

CLAIM = ".claim"
"""What is put behind the name of a claim."""

TRIES = 100
"""How often a part is opened: the end of another one may take the folder away in between, or give the file its name."""

_FLAGS = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class LocalPart(PartFile):
    """A part in a folder; as ``Part``.

    Args:
        data: its bytes, open and locked.
        leaves: the file of its leaves.
        root: the destination.
        names: of the path that it is to get.
        attempt: the name that it has now.
        where: what a user calls the path.
    """

    def __init__(  # noqa: PLR0913 - two files, the two names of what they become, and what to call it
        self, data: int, leaves: int, *, root: str, names: Sequence[str], attempt: str, where: str
    ) -> None:
        super().__init__(data, leaves, where)
        self._root = root
        self._folders, self._name = names[:-1], names[-1]
        self._attempt = attempt

    def commit(self, label: Label) -> int:
        """Give it its name once it is on disk; as ``Part.commit``."""
        with failing(self._what):
            _put_on(label, self.fileno())
            os.fsync(self.fileno())
            with folder(self._root, self._folders, make=True) as into, private_folder(self._root, UNFINISHED) as parts:
                check_replaceable(self._name, into)
                os.rename(self._attempt, self._name, src_dir_fd=parts, dst_dir_fd=into)
                os.fsync(into)
                remove([self._attempt + LEAVES], parts)
            changed_ns = os.fstat(self.fileno()).st_ctime_ns
        remove_folder(self._root)
        return changed_ns

    def discard(self) -> None:
        """Take it away; as ``Part.discard``."""
        with suppress(OSError), private_folder(self._root, UNFINISHED) as parts:
            remove([self._attempt, self._attempt + LEAVES], parts)
        remove_folder(self._root)


def files_of(root: str, attempt: str) -> tuple[str, int, int]:
    """Return the files of an attempt, made where they are missing: their name, and the descriptors of bytes and leaves.

    Where somebody else is at them, or the file system knows no locks, they are new ones, of another name.

    Raises:
        OSError: they cannot be made.
    """
    for name in (attempt, secrets.token_hex(16)):
        files = _files_of(root, name, is_new=name != attempt)
        if files is not None:
            return name, *files
    raise AssertionError("a new file is taken as it is")


def check_replaceable(name: str, within: int) -> None:
    """Raise OSError unless a file may get the name: in place of nothing, of a file or of a link."""
    if kind_of(name, within) not in (None, stat.S_IFREG, stat.S_IFLNK):
        raise OSError(errno.EEXIST, "there is something, and it is no file")


def remove(names: Iterable[str], within: int) -> None:
    """Remove files that may be there."""
    for name in names:
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=within)


def remove_folder(root: str) -> None:
    """Remove the folder of what is unfinished, if nothing is."""
    with suppress(OSError):
        os.rmdir(os.path.join(root, UNFINISHED))  # noqa: PTH106, PTH118 - names that are no text stay as they are


def sweep(root: str) -> None:
    """Remove what is unfinished and locked by nobody, but for claims."""
    with suppress(OSError), private_folder(root, UNFINISHED) as parts:
        for name in sorted(os.listdir(parts)):  # noqa: PTH208 - of a descriptor
            if name.endswith(CLAIM):
                continue
            with suppress(OSError):
                _remove_free(name, parts)
    remove_folder(root)


def _remove_free(name: str, parts: int) -> None:
    flags = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        owner = os.open(name.removesuffix(LEAVES), flags, dir_fd=parts)
    except FileNotFoundError:  # leaves that were left alone
        return remove([name], parts)
    try:
        if _lock(owner):
            remove([name], parts)
    finally:
        os.close(owner)


def _is_at(name: str, within: int, descriptor: int) -> bool:
    return os.path.samestat(os.stat(name, dir_fd=within, follow_symlinks=False), os.fstat(descriptor))


def _files_of(root: str, name: str, *, is_new: bool) -> tuple[int, int] | None:
    for _ in range(TRIES):
        with suppress(FileNotFoundError), private_folder(root, UNFINISHED) as parts, ExitStack() as opened:
            data = _own(name, parts)
            opened.callback(os.close, data)
            if not _lock(data) and not is_new:
                return None
            if _is_at(name, parts, data):
                leaves = _own(name + LEAVES, parts)
                opened.pop_all()
                return data, leaves
    raise OSError(errno.EBUSY, f"somebody takes {UNFINISHED} away all the time")


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # somebody has it; or the file system knows no locks, and then it is nobody's to go on with
        return False
    return True


def _own(name: str, parts: int) -> int:
    """Open a file that is in this folder alone: what else has the name is removed, and nothing elsewhere changes."""
    if kind_of(name, parts) not in (None, stat.S_IFREG):
        os.unlink(name, dir_fd=parts)
    opened = os.open(name, _FLAGS, 0o666, dir_fd=parts)
    if os.fstat(opened).st_nlink == 1:
        return opened
    os.close(opened)
    os.unlink(name, dir_fd=parts)
    raise FileNotFoundError(errno.ENOENT, "removed, since it is elsewhere too", name)


def _put_on(label: Label, descriptor: int) -> None:
    """Keep of *label* what the file system takes."""
    for name, value in label.attributes.items():
        with suppress(OSError):
            os.setxattr(descriptor, name, value)
    if label.modified_ns is not None:
        os.utime(descriptor, ns=(label.modified_ns, label.modified_ns))
