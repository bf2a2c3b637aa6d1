"""Whether the limits of the process leave what a mount takes: one line before it is made, and a named error later.

Source: getrlimit(2), RLIMIT_AS; pthread_create(3), which maps a stack of RLIMIT_STACK for each thread.
"""

import contextlib
import ctypes
import errno
import mmap
import os
import resource
from collections.abc import Iterator

from casfs.errors import MountError, ShortageError

MAX_OTHER_THREADS = 48
"""Beside one a connection: 17 for names, 5 for signals and the log, and the first of libfuse's, with some to spare."""

M_ARENA_MAX, MAX_ARENAS = -8, 4
"""glibc gives each thread a heap of its own, for which it sets 64 MiB of address space aside, up to eight a processor.
Source: mallopt(3), malloc.h."""

SPARE_BYTES = (MAX_ARENAS * 64 + 256) << 20
"""For those heaps, the libraries and documents."""

DEFAULT_STACK_BYTES = 8 << 20
"""What a thread's stack takes where its size has no limit."""


def check(cache_bytes: int, connections: int) -> None:
    """Raise MountError unless there is address space for a mount; where it is limited, use it sparingly from now on.

    Args:
        cache_bytes: memory for blocks.
        connections: requests in flight, each on a thread.

    Raises:
        MountError: there is not; it says how much it takes.
    """
    if resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY:
        return
    with contextlib.suppress(AttributeError):  # a C library without such heaps
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, MAX_ARENAS)
    stack = resource.getrlimit(resource.RLIMIT_STACK)[0]
    stack = DEFAULT_STACK_BYTES if stack == resource.RLIM_INFINITY else stack
    wanted = cache_bytes + (connections + MAX_OTHER_THREADS) * stack + SPARE_BYTES
    try:
        mmap.mmap(-1, wanted, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=mmap.PROT_READ).close()
    except (OSError, MemoryError, OverflowError) as error:
        raise MountError(
            f"a mount takes {wanted >> 20} MiB more of address space than its limit leaves: raise ulimit -v, or lower "
            "--block-cache-size, --connections or ulimit -s"
        ) from error


@contextlib.contextmanager
def named() -> Iterator[None]:
    """Name what is raised where the system gives no memory or no thread.

    Raises:
        ShortageError: it did not.
    """
    try:
        yield
    except (MemoryError, OSError, RuntimeError) as error:
        lacking = _lacking(error)
        if lacking is None:
            raise
        raise ShortageError(lacking) from error


def fork() -> int:
    """Fork, as ``os.fork``.

    Raises:
        ShortageError: the system gives no more processes.
    """
    try:
        with named():
            return os.fork()
    except BlockingIOError as error:
        raise ShortageError("the system gives no more processes: see ulimit -u") from error


def _lacking(error: Exception) -> str | None:
    """Return what the system does not give, in words; None where *error* is about something else."""
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return "the system gives no more memory: see ulimit -v"
    if isinstance(error, RuntimeError) and "start new thread" in str(error):
        return "the system gives no more threads: see ulimit -u and ulimit -v"
    return None
