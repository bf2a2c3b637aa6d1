"""A file system over a folder, whose calls fail as a file says: ``ERRNO CALL…``, read anew for each call.

With 0 they hang.

python -m tests.disk.faulty_disk FOLDER MOUNTPOINT FAULTS
"""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import mfusepy

T = TypeVar("T")


class FaultyDisk(mfusepy.Operations):
    """What the folder says, or the failure that the test asked for."""

    use_ns = True

    def __init__(self, folder: str, faults: Path) -> None:
        self._folder = folder
        self._faults = faults

    def _do(self, call: str, step: Callable[[], T]) -> T:
        number, calls = self._asked()
        while call in calls and not number:
            time.sleep(0.01)
            number, calls = self._asked()
        if call in calls:
            raise OSError(number, f"refused: {call}")
        return step()

    def _asked(self) -> tuple[int, list[str]]:
        number, *calls = self._faults.read_text().split() or ["0"]
        return int(number), calls

    def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:
        def look() -> dict[str, Any]:
            found = os.lstat(self._folder + path)
            names = ("st_mode", "st_nlink", "st_uid", "st_gid", "st_size", "st_blocks", "st_ino")
            return {name: getattr(found, name) for name in names}

        return self._do("getattr", look)

    def readdir(self, path: str, fh: int) -> list[str]:
        return self._do("readdir", lambda: [".", "..", *(one.name for one in Path(self._folder + path).iterdir())])

    def mkdir(self, path: str, mode: int) -> None:
        self._do("mkdir", lambda: Path(self._folder + path).mkdir(mode))

    def unlink(self, path: str) -> None:
        self._do("unlink", lambda: Path(self._folder + path).unlink())

    def open(self, path: str, flags: int) -> int:
        return self._do("open", lambda: os.open(self._folder + path, flags & ~os.O_NOFOLLOW))

    def create(self, path: str, mode: int, fi: object = None) -> int:
        return self._do("create", lambda: os.open(self._folder + path, os.O_RDWR | os.O_CREAT, mode))

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        return self._do("read", lambda: os.pread(fh, size, offset))

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        return self._do("write", lambda: os.pwrite(fh, data, offset))

    def truncate(self, path: str, length: int, fh: int | None = None) -> None:
        self._do("truncate", lambda: os.truncate(self._folder + path, length))

    def fsync(self, path: str, datasync: int, fh: int) -> None:
        self._do("fsync", lambda: os.fsync(fh))

    def fsyncdir(self, path: str, datasync: int, fh: int) -> None:
        self._do("fsyncdir", lambda: None)

    def release(self, path: str, fh: int) -> None:
        os.close(fh)


if __name__ == "__main__":
    mfusepy.FUSE(
        FaultyDisk(sys.argv[1], Path(sys.argv[3])),
        sys.argv[2],
        foreground=True,
        nothreads=True,
        direct_io=True,  # what was written must be asked for again, not come out of the kernel's memory
        attr_timeout=0,
        entry_timeout=0,
        fsname="faulty_disk",
    )
