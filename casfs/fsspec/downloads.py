"""A local copy that has its name only once it is whole."""

import os
import secrets
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

_PIECE_BYTES = 1 << 20
"""A block: what a read copies at once."""


def local_paths(found: Sequence[str], base: str | None, target: str, *, is_inside: bool) -> list[str]:
    """Return where each of the paths *found* is copied to.

    fsspec's own arithmetic takes a directory at the top for its contents, and a directory for the single file in it.

    Args:
        found: files and directories, without the protocol.
        base: what *target* stands for, which all of them begin with; None puts each there by its last name alone.
        target: a local path.
        is_inside: whether *base* goes into *target*, and does not become it.
    """
    root = target.rstrip("/")
    if base is None:
        return [f"{root}/{path.rpartition('/')[2]}" for path in found]
    skipped = len(base.rpartition("/")[0] if is_inside else base)
    return ["/".join(filter(None, (root, path[skipped:].strip("/")))) for path in found]


class Source(Protocol):
    """What can be read from the front."""

    def readinto(self, buffer: bytearray, /) -> int:
        """Fill the buffer; return how many bytes there were."""
        ...


class Target(Protocol):
    """What can be written to, as any file can."""

    def write(self, data: memoryview, /) -> int | None:
        """Write, and return how many bytes were taken; None for all."""
        ...


def copy_bytes(source: Source, target: Target, copied: Callable[[int], object]) -> None:
    """Write all of *source* to *target*.

    Args:
        source: read to its end.
        target: a file; one that takes less than it is given is given the rest again.
        copied: called with the length of each piece.
    """
    buffer = bytearray(_PIECE_BYTES)
    while count := source.readinto(buffer):
        left = memoryview(buffer)[:count]
        while left:
            taken = target.write(left)
            left = left[count if taken is None else taken :]
        copied(count)


@contextmanager
def local_file(path: Path) -> Iterator[Target]:
    """Open *path* for writing; what stood there stays until the block has ended well, and else for good.

    Bytes go to a hidden file beside it, which is renamed at the end; what is no regular file (a device, a pipe) is
    written to itself. Through a link, what it leads to is replaced.
    """
    path = Path(os.path.realpath(path))
    if path.exists() and not stat.S_ISREG(path.stat().st_mode):
        with path.open("wb") as file:
            yield file
        return
    part = path.with_name(f".casfs-part-{secrets.token_hex(8)}")
    try:
        with part.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())  # else the name may outlive a loss of power that the bytes do not
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
