"""The folder of a cache: who may write there, of which version it is, and where in it everything is."""

import errno
import os
import re
import stat
import time
from collections.abc import Callable
from pathlib import Path

from casfs.data.disk.files import Files
from casfs.data.disk.journal import Journal, acquire
from casfs.errors import ConfigError

VERSION = b"casfs cache 1\n"
OWN_NAMES = frozenset({"VERSION", "journal", "contents"})
OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
NAME = re.compile("[0-9a-f]{64}")
DIGITS = 2
"""Of a content's digest, in the name of its folder: 256 of them, since a folder of a million names is slow to read on
many file systems, and since accounts are made anew one folder at a time."""


class Folder:
    """A folder that holds a cache, and nothing else.

    Threads: any.
    """

    def __init__(self, files: Files, path: Path, sleep: Callable[[float], None] = time.sleep) -> None:
        self._files = files
        self._sleep = sleep
        self.path = str(path)
        self.contents = f"{path}/contents"
        self._version = f"{path}/VERSION"
        self._device = 0
        self.journal = Journal(files, f"{path}/journal", sleep)

    @staticmethod
    def is_cache(path: Path) -> bool:
        """Whether a cache is in a folder, be it of another version, or one whose making was cut short.

        Raises:
            OSError: it cannot be looked at.
        """
        return (path / "VERSION").exists()

    def file_of(self, digest: bytes) -> str:
        """Return the path of a content's file."""
        name = digest.hex()
        return f"{self.contents}/{name[:DIGITS]}/{name}"

    def digests(self, first_byte: int) -> list[bytes]:
        """Return the digests of the contents that begin so and have a file; a name that is none is another's.

        Raises:
            OSError: the listing fails, so that nothing is known.
        """
        try:
            names = self._files.names(self.group(first_byte))
        except (FileNotFoundError, NotADirectoryError):
            self._files.names(self.contents)  # all of it may be gone
            return []
        return [bytes.fromhex(name) for name in names if NAME.fullmatch(name) and name.startswith(f"{first_byte:02x}")]

    def group(self, first_byte: int) -> str:
        """Return the path of the folder of the contents whose digests begin so."""
        return f"{self.contents}/{first_byte:02x}"

    def prepare(self) -> None:
        """Make what is missing of the folder, of those above it, and of its own files.

        Raises:
            ConfigError: it is of another version, holds something else, or is not this user's alone.
            OSError: the disk fails.
        """
        check_owner(Path(self.path))
        self._make(Path(self.path))
        self._device = self._files.device(self.path)
        self._complete()

    def mend(self) -> None:
        """Make what was deleted of the folder's own files; where another file system is there now, nothing is made.

        Raises:
            ConfigError, OSError: as ``prepare``.
        """
        if not self._device:  # the disk failed when it was to be prepared
            self.prepare()
        if self._files.device(self.path) != self._device:
            raise FileNotFoundError(errno.ENOENT, "another file system is there now", self.path)
        check_owner(Path(self.path))
        self._complete()

    def _make(self, path: Path) -> None:
        """Make a folder and those above it, as far as they are missing."""
        try:
            self._files.make_folder(str(path))
        except FileNotFoundError:
            if path == path.parent:
                raise
            self._make(path.parent)
            self._files.make_folder(str(path))

    def _complete(self) -> None:
        if not OWN_NAMES.issuperset(names := self._files.names(self.path)) and "VERSION" not in names:
            raise ConfigError(f"{self.path}: is not empty, and no cache of casfs; name another folder")
        fd = self._files.open(self._version, write=True, create=True)
        try:
            if not acquire(self._files, fd, self._sleep):
                raise ConfigError(f"{self.path}: another process holds its VERSION locked")
            self._settle_version(fd)
        finally:
            self._files.close(fd)

    def _settle_version(self, fd: int) -> None:
        found = self._files.read(fd, 2 * len(VERSION), 0)
        is_new = VERSION.startswith(found.rstrip(b"\0")) and found != VERSION
        if not is_new and found != VERSION:
            text = found.decode("ascii", "replace").strip()[:40]
            raise ConfigError(f"{self.path}: is a cache of another version ({text!r}); name another folder")
        self._files.make_folder(self.contents)
        self._files.close(self._files.open(self.journal.path, write=True, create=True))
        if is_new:  # last: a folder whose making was cut short is made again
            self._begin_journal()
            self._files.write(fd, VERSION, 0)
            self._files.sync(fd)
            self._files.sync_folder(self.path)

    def _begin_journal(self) -> None:
        with self.journal.locked() as books:
            if books is not None and not self._files.names(self.contents):
                books.complete()


def check_owner(path: Path) -> None:
    """Refuse a folder that others can write to, or that is not ours: they could delay reads, if never change them.

    Raises:
        ConfigError: it is one, or no folder.
        OSError: it cannot be looked at.
    """
    try:
        found = path.stat()
    except FileNotFoundError:
        return
    if not stat.S_ISDIR(found.st_mode):
        raise ConfigError(f"{path}: is no folder")
    if found.st_uid != os.geteuid():
        raise ConfigError(f"{path}: belongs to another user (uid {found.st_uid}); name a folder of your own")
    if found.st_mode & OTHERS_WRITE:
        raise ConfigError(f"{path}: others can write there (mode {stat.S_IMODE(found.st_mode):04o}); chmod it to 0700")
