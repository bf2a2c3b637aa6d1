"""Who downloads which blocks, told to the other processes that share the folder, so that each block comes once.

A lease is of the descriptor that took it: the kernel takes it back when its process ends, however that ends. It bars
nobody: whoever waited long enough for another's block may download it as well.
"""

import errno

from casfs.data.disk.files import Files

CLAIMS_OFFSET = 1 << 61
"""Where in the numbers of bytes the claims of blocks begin: no file has bytes there, so that a claim locks none."""
NO_CLAIMS = frozenset({errno.EINVAL, errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP})
"""What a file system says that keeps no such locks; then nobody is told."""

WAIT_STEP_S = 0.02
"""How often whoever waits for another's download looks: a fifteenth of the 0.3 s that a part takes at least."""


class Lease:
    """Blocks that this process downloads.

    Threads: any.
    """

    def __init__(self, files: Files, fd: int | None) -> None:
        self._files = files
        self._fds = [] if fd is None else [fd]

    def release(self) -> None:
        """Let others download them; to be called once they are on disk, or will not come. May be called again."""
        while self._fds:
            self._files.close(self._fds.pop())


def take(files: Files, path: str, part: range) -> Lease | None:
    """Take a lease of blocks; return None where another has any of them.

    Raises:
        OSError: the disk fails.
    """
    try:
        fd = files.open(path, write=True)
    except FileNotFoundError:  # it has just made room for another content
        return Lease(files, None)
    try:
        is_had = files.claim(fd, CLAIMS_OFFSET + part.start, len(part))
    except OSError as error:
        files.close(fd)
        if error.errno in NO_CLAIMS:
            return Lease(files, None)
        raise
    if not is_had:
        files.close(fd)
        return None
    return Lease(files, fd)


def is_taken(files: Files, path: str, part: range) -> bool:
    """Say whether another has a lease of any of the blocks.

    Raises:
        OSError: the disk fails.
    """
    try:
        fd = files.open(path, write=True)
    except FileNotFoundError:
        return False
    try:
        return files.is_claimed(fd, CLAIMS_OFFSET + part.start, len(part))
    except OSError as error:
        if error.errno in NO_CLAIMS:
            return False
        raise
    finally:
        files.close(fd)
