"""Mounts taken away by a descriptor of their root, so that none is that was made at the same path meanwhile."""

import ctypes
import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from casfs.mount.privileges import fusermount

MNT_DETACH = 2
UMOUNT_NOFOLLOW = 8
"""Source: umount(2)."""
UNMOUNT_TIMEOUT_S = 10.0
"""A lazy unmount takes milliseconds: it waits for nobody. Ten seconds are for a machine that is swapping."""
OWN_FDS = Path("/proc/self/fd")
OWN_FDINFO = Path("/proc/self/fdinfo")

_libc = ctypes.CDLL(None, use_errno=True)


@contextmanager
def held(path: str | Path) -> Iterator[int]:
    """Hold what is mounted at *path*, without a question to it; give the descriptor.

    Raises:
        OSError: it cannot be had.
    """
    fd = os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        yield fd
    finally:
        os.close(fd)


def mount_id(fd: int) -> int | None:
    """Return the number of the mount that *fd* is on, None where the kernel does not tell."""
    return number("mnt_id", fd)


def number(name: str, fd: int) -> int | None:
    """Return one field of what the kernel tells about a descriptor. Source: proc_pid_fdinfo(5)."""
    try:
        text = (OWN_FDINFO / str(fd)).read_text(encoding="ascii")
    except OSError:
        return None
    fields = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    return int(fields[name]) if name in fields else None


def detach(fd: int, path: str | Path) -> bool:
    """Take away the mount that *fd* is the root of; by its *path* where only fusermount may do that.

    Returns:
        Whether it is away; who has files open in it keeps them.
    """
    if _libc.umount2(b"%s/%d" % (os.fsencode(OWN_FDS), fd), MNT_DETACH) == 0:
        return True
    return _by_program("-u", "-z", str(path)) == ""


def unmount(path: str) -> str | None:
    """Take away the mount at *path*, unless somebody uses it; return what was said where it is not away."""
    if _libc.umount2(os.fsencode(path), UMOUNT_NOFOLLOW) == 0:
        return None
    number = ctypes.get_errno()
    return (_by_program("-u", path) or None) if number == errno.EPERM else os.strerror(number)


def _by_program(*arguments: str) -> str:
    """Have fusermount take a mount away; return what it says, nothing where that is done."""
    program = fusermount()
    if program is None:
        return os.strerror(errno.EPERM)
    try:
        done = subprocess.run(  # noqa: S603 - a fixed program, and the path is an argument that begins with a slash
            [program, *arguments],
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=UNMOUNT_TIMEOUT_S,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return "" if done.returncode == 0 else done.stderr.strip() or f"{program} ended with {done.returncode}"
