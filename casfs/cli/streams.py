"""The three streams that a process is begun with: whether they are there, and whether what is written arrives."""

import errno
import io
import os
import sys
from typing import Any

from casfs.errors import CasfsError

MISSING = {0: os.O_WRONLY, 1: os.O_RDONLY, 2: os.O_RDWR}
"""How the null device stands in for a stream that is closed: input and output fail then, as they did before, and what
is said of errors is lost, as whoever closed it wants. No file that is opened later may be taken for one of them."""


class OutputError(CasfsError):
    """Results could not be written to standard output."""


class ReaderGoneError(OutputError):
    """Whoever read standard output has what was wanted, or is dead."""


class Output(io.FileIO):
    """Standard output, whose failures are an OutputError: no other OSError is taken for one of them."""

    def write(self, data: Any, /) -> int:
        """Write some of *data*.

        Raises:
            OutputError: it was not written.
        """
        try:
            return super().write(data)
        except OSError as error:
            kind = ReaderGoneError if error.errno == errno.EPIPE else OutputError
            raise kind(f"standard output: {error.strerror}") from error


def prepare() -> None:
    """Open what is closed, and have failures of standard output told."""
    for number, how in MISSING.items():
        _open(number, how)
    sys.stdin = sys.stdin or open(0, closefd=False, encoding="utf-8")  # noqa: SIM115 - for the whole process
    sys.stderr = sys.stderr or open(2, "w", closefd=False, encoding="utf-8")  # noqa: SIM115 - as above
    before = sys.stdout
    file = io.BufferedWriter(Output(1, "w", closefd=False))
    encoding, errors = (before.encoding, before.errors) if before else ("utf-8", None)
    sys.stdout = io.TextIOWrapper(file, encoding=encoding, errors=errors, line_buffering=os.isatty(1))


def forget_output() -> None:
    """Let what could not be written go, so that the end of the process does not fail by it again."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)


def _open(number: int, how: int) -> None:
    try:
        os.fstat(number)
    except OSError:
        opened = os.open(os.devnull, how)  # the lowest that is free: those below it are open
        os.set_inheritable(opened, True)
