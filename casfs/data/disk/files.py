"""What the store asks of the file system: a seam, so that a test can break each call, or crash between two."""

import ctypes
import errno
import fcntl
import functools
import itertools
import mmap
import os
import secrets
import stat
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

FOLDER_MODE = 0o700
FILE_MODE = 0o600
STAT_UNIT = 512
"""Bytes of one of ``st_blocks``, whatever the file system. Source: stat(3type)."""

PUNCH_HOLE, KEEP_SIZE = 0x02, 0x01
"""Source: linux/falloc.h."""

NOT_DIRECT = frozenset({errno.EINVAL, errno.EOPNOTSUPP})
"""What a file system says that cannot write so, or not from there. Source: open(2), O_DIRECT."""

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
FLOCK = struct.Struct("hhqqi4x")
"""``struct flock``: type, whence, start, length, process. Source: fcntl(2), on machines of 64 bits."""


@dataclass(frozen=True, slots=True)
class FileState:
    """A file as the file system has it.

    Attributes:
        disk_bytes: what it takes on disk, holes left out.
        length: where it ends.
        is_linked: whether it has a name still.
    """

    disk_bytes: int
    length: int
    is_linked: bool


class Files(Protocol):
    """A file system. Every method raises OSError where it fails.

    Threads: any, many at once; locks are of the descriptor, so that threads exclude each other as processes do.
    """

    def open(self, path: str, *, write: bool = False, create: bool = False) -> int:
        """Return a descriptor; what it creates is the owner's alone from the first instant."""
        ...

    def close(self, fd: int) -> None:
        """Give the descriptor back, and every lock and claim with it."""
        ...

    def read(self, fd: int, length: int, offset: int) -> bytes:
        """Return the bytes there, fewer only at the end of the file."""
        ...

    def read_into(self, fd: int, buffers: Sequence[memoryview], offset: int) -> int:
        """Fill the buffers in turn from *offset* on; return how many bytes came, fewer only at the end of the file."""
        ...

    def write(self, fd: int, data: bytes | memoryview, offset: int) -> None:
        """Write all of *data*."""
        ...

    def write_from(self, fd: int, buffers: Sequence[memoryview], offset: int) -> None:
        """Write all of *buffers* in turn, past the memory in which the system keeps files if it can be done."""
        ...

    def truncate(self, fd: int, length: int) -> None:
        """End the file at *length*."""
        ...

    def punch(self, fd: int, offset: int, length: int) -> None:
        """Make a hole, which reads as zeros and takes no room."""
        ...

    def sync(self, fd: int) -> None:
        """Return once what was written would outlive a loss of power."""
        ...

    def sync_folder(self, path: str) -> None:
        """Return once the names in it would outlive a loss of power."""
        ...

    def state(self, fd: int) -> FileState:
        """Return how large the file is."""
        ...

    def unlink(self, path: str) -> None:
        """Take the name away; a folder that has it is given another one, with all that somebody put there."""
        ...

    def make_folder(self, path: str) -> bool:
        """Make a folder that is the owner's alone; return False where it exists, and is left as it is."""
        ...

    def names(self, path: str) -> list[str]:
        """Return every name in a folder."""
        ...

    def device(self, path: str) -> int:
        """Return a number of the file system that a folder is on."""
        ...

    def lock(self, fd: int, *, shared: bool) -> bool:
        """Take the lock of the whole file, and return whether it was to be had; never wait."""
        ...

    def claim(self, fd: int, start: int, length: int) -> bool:
        """Take bytes for this descriptor, and return whether they were to be had; never wait."""
        ...

    def is_claimed(self, fd: int, start: int, length: int) -> bool:
        """Say whether another descriptor has any of these bytes."""
        ...

    def boot_id(self) -> bytes:
        """Return 16 bytes that are others after the machine started anew."""
        ...


class SystemFiles:
    """The file system of this machine."""

    def open(self, path: str, *, write: bool = False, create: bool = False) -> int:
        """See Files. A symbolic link is refused: whoever could place one could have others' files overwritten.

        So is whatever else is no file; nothing waits for who opens the other end, where somebody placed a pipe.
        """
        flags = (os.O_RDWR if write else os.O_RDONLY) | (os.O_CREAT if create else 0)
        fd = os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, FILE_MODE)
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise OSError(errno.ENXIO, "is no regular file", path)
        return fd

    def close(self, fd: int) -> None:
        """See Files."""
        os.close(fd)

    def read(self, fd: int, length: int, offset: int) -> bytes:
        """See Files."""
        return os.pread(fd, length, offset)

    def read_into(self, fd: int, buffers: Sequence[memoryview], offset: int) -> int:
        """See Files."""
        wanted, got = sum(map(len, buffers)), 0
        rest = list(buffers)
        while got < wanted:
            came = os.preadv(fd, rest, offset + got)
            if not came:
                break
            got += came
            rest = after(rest, came)
        return got

    def write(self, fd: int, data: bytes | memoryview, offset: int) -> None:
        """See Files."""
        rest = memoryview(data)
        while rest:
            written = os.pwrite(fd, rest, offset)
            rest, offset = rest[written:], offset + written

    def write_from(self, fd: int, buffers: Sequence[memoryview], offset: int) -> None:
        """See Files. What a file system, or a buffer, is not fit for goes through that memory, buffer by buffer."""
        written = _write_direct(fd, buffers, offset)
        for rest in after(buffers, written):
            self.write(fd, rest, offset + written)
            written += len(rest)

    def truncate(self, fd: int, length: int) -> None:
        """See Files."""
        os.ftruncate(fd, length)

    def punch(self, fd: int, offset: int, length: int) -> None:
        """See Files. The standard library has no call that makes holes."""
        arguments = (fd, PUNCH_HOLE | KEEP_SIZE, ctypes.c_int64(offset), ctypes.c_int64(length))
        while _libc().fallocate(*arguments):
            number = ctypes.get_errno()
            if number != errno.EINTR:
                raise OSError(number, os.strerror(number))

    def sync(self, fd: int) -> None:
        """See Files."""
        os.fdatasync(fd)

    def sync_folder(self, path: str) -> None:
        """See Files."""
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def state(self, fd: int) -> FileState:
        """See Files."""
        found = os.fstat(fd)
        return FileState(found.st_blocks * STAT_UNIT, found.st_size, found.st_nlink > 0)

    def unlink(self, path: str) -> None:
        """See Files."""
        try:
            Path(path).unlink()
        except IsADirectoryError:
            Path(path).rename(f"{path}.{secrets.token_hex(8)}")

    def make_folder(self, path: str) -> bool:
        """See Files."""
        try:
            Path(path).mkdir(FOLDER_MODE)
        except FileExistsError:
            return False
        return True

    def names(self, path: str) -> list[str]:
        """See Files."""
        return [entry.name for entry in Path(path).iterdir()]

    def device(self, path: str) -> int:
        """See Files."""
        return Path(path).stat().st_dev

    def lock(self, fd: int, *, shared: bool) -> bool:
        """See Files."""
        try:
            fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def claim(self, fd: int, start: int, length: int) -> bool:
        """See Files."""
        try:
            fcntl.fcntl(fd, fcntl.F_OFD_SETLK, FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, start, length, 0))
        except (BlockingIOError, PermissionError):
            return False
        return True

    def is_claimed(self, fd: int, start: int, length: int) -> bool:
        """See Files."""
        asked = FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, start, length, 0)
        return bool(FLOCK.unpack(fcntl.fcntl(fd, fcntl.F_OFD_GETLK, asked))[0] != fcntl.F_UNLCK)

    def boot_id(self) -> bytes:
        """See Files."""
        return _boot_id()


def _write_direct(fd: int, buffers: Sequence[memoryview], offset: int) -> int:
    """Write whole pages straight from *buffers*, and return how many bytes were: fewer, or none, where it cannot be.

    A fifth of the processor time, and the memory of the system is left to what is read. It is the descriptor that says
    so, which is used for one step by one thread.
    """
    whole = list(itertools.takewhile(lambda buffer: not len(buffer) % mmap.PAGESIZE, buffers))
    flags = fcntl.fcntl(fd, fcntl.F_GETFL)
    try:
        fcntl.fcntl(fd, fcntl.F_SETFL, flags | os.O_DIRECT)
        return os.pwritev(fd, whole, offset) if whole else 0
    except OSError as error:
        if error.errno not in NOT_DIRECT:
            raise
        return 0
    finally:
        fcntl.fcntl(fd, fcntl.F_SETFL, flags)


def after(buffers: Sequence[memoryview], filled: int) -> list[memoryview]:
    """Return what is left of *buffers* once their first *filled* bytes are left out."""
    rest = list(buffers)
    while rest and filled >= len(rest[0]):
        filled -= len(rest.pop(0))
    return [rest[0][filled:], *rest[1:]] if rest else []


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


@functools.cache
def _boot_id() -> bytes:
    return bytes.fromhex(BOOT_ID.read_text(encoding="ascii").strip().replace("-", ""))
