"""Read an output from end to end inside of Python, 1 MiB a call: what a program does that needs no mount.

Run as `inpython.py HOW URL VAULT/JOB [digest]`; HOW is library, fsspec or s3fs (the Python one, on the S3 face). Prints
the seconds it took from the opening on, and the most MiB that the process held; or the SHA-256 of it all.
"""

import hashlib
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import processes
from plan import MIB

Open = Callable[[str], Any]


def library(url: str) -> Open:
    """Open with casfs's own library."""
    import casfs  # noqa: PLC0415 - it is not where s3fs is

    account = casfs.connect(url)
    return lambda path: account.open(*path.split("/"))


def fsspec(url: str) -> Open:
    """Open as cas://."""
    import fsspec  # noqa: PLC0415 - it is not where only casfs is

    found = fsspec.filesystem("cas", source=url)
    return lambda path: found.open(f"{path}/output")


def s3fs(url: str) -> Open:
    """Open as s3://, with the defaults of s3fs and no credentials."""
    import s3fs  # noqa: PLC0415 - it is installed apart

    opened: Open = s3fs.S3FileSystem(anon=True, endpoint_url=url).open
    return opened


WAYS = {"library": library, "fsspec": fsspec, "s3fs": s3fs}


def each(file: Any, use: Callable[[memoryview], object]) -> int:
    """Give all bytes of a file to *use*, and say how many there were."""
    buffer, seen = memoryview(bytearray(MIB)), 0
    while count := file.readinto(buffer):
        use(buffer[:count])
        seen += count
    return seen


def main() -> int:
    """Read; status 1 if a byte is missing."""
    how, url, path = sys.argv[1:4]
    opened = WAYS[how](url)
    if sys.argv[4:]:
        digest = hashlib.sha256()
        with opened(path) as file:
            each(file, digest.update)
        sys.stdout.write(digest.hexdigest())
        return 0
    started = time.perf_counter()
    with opened(path) as file:
        seen, size = each(file, len), file.size
    sys.stdout.write(f"{time.perf_counter() - started} {processes.peak_mib(os.getpid())}\n")
    return 0 if seen == size else 1


if __name__ == "__main__":
    sys.exit(main())
