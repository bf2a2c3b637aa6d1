"""One open output as a file of Python, over a reader of its bytes.

Whatever takes a binary file that can be read and sought takes it: io.TextIOWrapper, tarfile, zipfile, gzip, json.load.
"""

import io
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from operator import index
from typing import TYPE_CHECKING, NoReturn, Protocol

from casfs.data.hashing.blocks import BLOCK_SIZE
from casfs.errors import BadHandleError, CasfsError, InterruptedCallError
from casfs.models import Cached, Verification

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BUFFER_BYTES = 128 << 10
"""What a small read takes out of a block at once, so that lines and headers cost a call of C each."""


class Reader(Protocol):
    """Exact reads of one output.

    Threads: any, many at once.
    """

    @property
    def size(self) -> int:
        """Length of the output in bytes."""
        ...

    def read_into(self, offset: int, buffer: memoryview, /) -> int:
        """Fill the buffer with the bytes from *offset* on; return how many: all, or fewer at the end of the output."""
        ...

    def check(self) -> None:
        """Raise CorruptDataError if what was served before has proved wrong."""
        ...

    def close(self) -> None:
        """Serve no more."""
        ...


class _Buffer(io.BufferedReader):
    """What small reads take from; it is closed with its file, and not as it is collected."""

    def __del__(self) -> None: ...


class _Blocks(io.RawIOBase):
    """The bytes of an output, those of one block a call at most: so each block has all of the time of a read.

    Threads: one at a time.
    """

    def __init__(self, open_reader: Callable[[], Reader], position: int = 0) -> None:
        self._open_reader = open_reader
        self._reader: Reader | None = None
        self._position = position

    @property
    def reader(self) -> Reader:
        """The reader, opened when it is asked for first."""
        if self._reader is None:
            self._reader = self._open_reader()
        return self._reader

    @property
    def is_open(self) -> bool:
        """Whether there is a reader to close."""
        return self._reader is not None

    def disown(self) -> None:
        """Leave the reader, which is another process's, as it is."""
        self._reader = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        rest_of_block = BLOCK_SIZE - self._position % BLOCK_SIZE
        count = self.reader.read_into(self._position, memoryview(buffer).cast("B")[:rest_of_block])
        self._position += count
        return count

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        origins = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.reader.size}
        if whence not in origins:
            raise ValueError(f"whence is {whence}, and not 0, 1 or 2")
        if origins[whence] + offset < 0:
            raise ValueError(f"position {origins[whence] + offset} is before the beginning of the file")
        self._position = origins[whence] + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def __del__(self) -> None: ...

    def close(self) -> None:
        """Close the reader.

        Raises:
            CorruptDataError: what it served has proved wrong since.
        """
        if self.closed:
            return
        super().close()
        reader, self._reader = self._reader, None
        if reader is not None:
            try:
                reader.check()
            finally:
                reader.close()


class File(io.BufferedIOBase):
    """An output, opened for reading.

    A read returns the right bytes, all that were asked for up to the end of the output, or raises an error of
    ``casfs.errors``; then the position is where it was before. Each block that a read waits for has the whole of
    ``read_timeout``, so that a read of any length succeeds over a link that moves.

    Attributes:
        name: ``VAULT/JOB/output``.
        mode: ``rb``.
        size: length in bytes.
        verification: how much of the output was checked by now.
        cached: how much of it is kept on disk by now; None where there is no cache on disk.

    Threads: any; each call is one step, as with io.BufferedReader. What a handler of a signal asks for within a call
    that it broke into is a RuntimeError, as there; ``close`` takes effect when that call is over.

    Args:
        name: what it is called.
        open_reader: returns a new reader of the output, in this process or in a child of it.
        verified: tells how much was checked.
        kept: tells how much is on disk.
    """

    mode = "rb"

    def __init__(
        self,
        name: str,
        open_reader: Callable[[], Reader],
        verified: Callable[[], Verification],
        kept: Callable[[], Cached | None] = lambda: None,
    ) -> None:
        self._lock = threading.RLock()  # a handler of a signal may use the file while its thread does
        self._is_in_step = False
        self._began_at = 0
        self._blocks = _Blocks(open_reader)
        self._buffer = _Buffer(self._blocks, BUFFER_BYTES)
        self.name = name
        self.size = 0
        self._open_reader = open_reader
        self._verified = verified
        self._kept = kept
        self.size = self._blocks.reader.size

    @property
    def verification(self) -> Verification:
        """How much of the output was checked by now."""
        return self._verified()

    @property
    def cached(self) -> Cached | None:
        """How much of the output is kept on disk by now; None where there is no cache on disk."""
        return self._kept()

    def begin_anew(self) -> None:
        """Go on with a new reader: in a child of fork, where nobody holds the lock that another thread held."""
        self._lock = threading.RLock()
        self._is_in_step = False
        self._blocks.disown()  # it would be closed with its buffer, and whoever holds its locks is not here
        self._blocks = _Blocks(self._open_reader, self._began_at)
        self._buffer = _Buffer(self._blocks, BUFFER_BYTES)

    def __del__(self) -> None:
        """Close a file that was left open, on a thread of its own: who collects garbage may hold what closing locks."""
        if self._blocks.is_open and not self.closed:
            with suppress(RuntimeError, MemoryError):  # no thread is to be had: then it ends with the account
                threading.Thread(target=self._close_aside, name="casfs-close", daemon=True).start()

    def __getstate__(self) -> NoReturn:
        raise TypeError("an open file cannot be pickled: open it anew from a copy of its account")

    def readable(self) -> bool:
        """Return True: it is open for reading only."""
        self._check_open()
        return True

    def seekable(self) -> bool:
        """Return True."""
        self._check_open()
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next *size* bytes, or all that are left if it is negative or None; fewer at the end only."""
        with self._step() as buffer:
            return buffer.read(self._length(size))

    def read1(self, size: int = -1, /) -> bytes:
        """Return some of the next bytes, *size* at most, as are there with one look at a block."""
        with self._step() as buffer:
            return buffer.read1(self._length(size))

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """Fill *buffer* with the next bytes, without a copy in between; return how many: fewer at the end only."""
        with self._step() as own:
            return own.readinto(buffer)

    def readinto1(self, buffer: "WriteableBuffer", /) -> int:
        """Fill *buffer* with as many of the next bytes as are there with one look at a block; return how many."""
        with self._step() as own:
            return own.readinto1(buffer)

    def peek(self, size: int = 0, /) -> bytes:
        """Return some of the next bytes without moving on."""
        with self._step() as buffer:
            return buffer.peek(size)

    def readline(self, size: int | None = -1, /) -> bytes:
        """Return the next line, or *size* bytes of it."""
        with self._step() as buffer:
            return buffer.readline(self._length(size))

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Move to *offset* from the beginning, the position or the end; return where that is."""
        with self._step() as buffer:
            return buffer.seek(offset, whence)

    def tell(self) -> int:
        """Return the position."""
        with self._step():
            return self._began_at

    def close(self) -> None:
        """Close it.

        Raises:
            CorruptDataError: bytes that were read have proved wrong since.
        """
        with self._lock:
            if self.closed:
                return
            super().close()
            if not self._is_in_step:  # else the step does it, which a handler of a signal broke into
                self._buffer.close()

    def _close_aside(self) -> None:
        with suppress(CasfsError):  # of bytes that nobody has any more
            self.close()

    @contextmanager
    def _step(self) -> Iterator[_Buffer]:
        """Let the calling thread alone have the buffer; what fails leaves the position where it was."""
        with self._lock:
            self._check_open()
            if self._is_in_step:
                raise RuntimeError(f"{self.name}: the file is used within a call of it, by the same thread")
            self._began_at = self._buffer.tell()
            self._is_in_step = True
            try:
                yield self._buffer
            except (BadHandleError, InterruptedCallError) as error:
                raise ValueError(f"{self.name}: the file was closed meanwhile") from error
            except BaseException:
                self._buffer.seek(self._began_at)
                raise
            finally:
                self._is_in_step = False
                if self.closed:
                    self._buffer.close()

    def _length(self, size: int | None) -> int:
        """Return how many bytes of the next *size* there are: buffers are made for that many."""
        left = max(0, self.size - self._began_at)
        size = -1 if size is None else index(size)
        return left if size < 0 else min(size, left)

    def _check_open(self) -> None:
        if self.closed:
            raise ValueError(f"{self.name}: the file is closed")
