"""An output that was opened through fsspec: the library's file, with Python's errors."""

import io
import os
from typing import TYPE_CHECKING

from casfs.fsspec.errors import as_python
from casfs.models import Verification

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

    from casfs.file import File


class OutputFile(io.BufferedIOBase):
    """An output, opened for reading; fsspec puts no cache on top, since blocks and read-ahead are below.

    Attributes:
        path: ``VAULT/JOB/output``.
        size: length in bytes.
        mode: ``rb``.

    Threads: any; each call is one step.
    """

    mode = "rb"

    def __init__(self, path: str, file: "File") -> None:
        self.path = self.name = path
        self.size = file.size
        self._file = file

    def __del__(self) -> None:
        """Leave it to the library's file, which may not be closed by whoever collects garbage."""

    @property
    def verification(self) -> Verification:
        """How much of the output was checked."""
        return self._file.verification

    def readable(self) -> bool:
        """Return True: it is open for reading only."""
        return self._file.readable()

    def seekable(self) -> bool:
        """Return True."""
        return self._file.seekable()

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next *size* bytes, or all that are left if it is negative or None; fewer at the end only."""
        with as_python(self.path):
            return self._file.read(size)

    def read1(self, size: int = -1, /) -> bytes:
        """Return some of the next bytes, *size* at most."""
        with as_python(self.path):
            return self._file.read1(size)

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """Fill *buffer* with the next bytes; return how many: fewer at the end only."""
        with as_python(self.path):
            return self._file.readinto(buffer)

    def readinto1(self, buffer: "WriteableBuffer", /) -> int:
        """Fill *buffer* with some of the next bytes; return how many."""
        with as_python(self.path):
            return self._file.readinto1(buffer)

    def readline(self, size: int | None = -1, /) -> bytes:
        """Return the next line, or *size* bytes of it."""
        with as_python(self.path):
            return self._file.readline(size)

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Move to *offset* from the beginning, the position or the end; return where that is."""
        with as_python(self.path):
            return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the position."""
        return self._file.tell()

    def close(self) -> None:
        """Close it.

        Raises:
            OSError: bytes that were read have proved wrong since.
        """
        super().close()
        with as_python(self.path):
            self._file.close()
