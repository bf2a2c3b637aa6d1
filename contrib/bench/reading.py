"""Reads as programs make them, and whether what they read was right."""

import hashlib
import mmap
import os
import random
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from plan import MIB

SMALL_READ = 4096


def whole(path: Path, start: int = 0) -> int:
    """Read a file from *start* to its end and then from its beginning to *start*, 1 MiB a call; give its size.

    Into whole pages, as cat does: the kernel copies to 16 bytes behind the start of one, where malloc puts what is this
    large, a ninth as fast on some processors. Source: measured 2026-11-27, rep movsb on an EPYC of family 25: 0.34 s a
    GB, and 0.04 s elsewhere.

    Raises:
        OSError: a read failed, or less came than the file is long.
    """
    fh = os.open(path, os.O_RDONLY)
    try:
        buffer = memoryview(mmap.mmap(-1, MIB))
        size = os.fstat(fh).st_size
        seen = _to(fh, buffer, start, size) + _to(fh, buffer, 0, start)
    finally:
        os.close(fh)
    if seen != size:
        raise OSError(f"{path}: {seen} of {size} bytes")
    return size


def _to(fh: int, buffer: memoryview, start: int, stop: int) -> int:
    at = start
    while at < stop:
        came = os.preadv(fh, [buffer[: stop - at]], at)
        if not came:
            break
        at += came
    return at - start


def forget(path: Path) -> None:
    """Have the kernel let go of what it holds of a file, once that is on disk."""
    fh = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fh)
        os.posix_fadvise(fh, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(fh)


def load(path: Path) -> None:
    """Have the kernel hold a file: all of it that is no hole."""
    whole(path)


def digest(path: Path) -> str:
    """Give the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def random_offsets(size: int, reads: int) -> list[int]:
    """Choose where to read, the same places in every run, each within one block."""
    source = random.Random(reads)  # noqa: S311 - reproducible, not secret
    return [source.randrange(0, size // SMALL_READ) * SMALL_READ for _ in range(reads)]


def at_random(path: Path, offsets: Sequence[int]) -> list[float]:
    """Read 4 KiB at each offset and give the seconds each took; the kernel is told that it is random."""
    fh = os.open(path, os.O_RDONLY)
    try:
        os.posix_fadvise(fh, 0, 0, os.POSIX_FADV_RANDOM)
        return [_timed(fh, at) for at in offsets]
    finally:
        os.close(fh)


def _timed(fh: int, offset: int) -> float:
    started = time.perf_counter()
    if not os.pread(fh, SMALL_READ, offset):
        raise OSError("nothing came")
    return time.perf_counter() - started


def together(works: Sequence[Callable[[], object]]) -> None:
    """Do all works at once, each in a thread of its own.

    Raises:
        RuntimeError: one of them failed; the first failure is its cause.
    """
    failures: list[Exception] = []

    def run(work: Callable[[], object]) -> None:
        try:
            work()
        except Exception as failure:  # noqa: BLE001 - handed to the caller below
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise RuntimeError(f"{len(failures)} of {len(works)} readers failed") from failures[0]
