"""Open files: the number that the kernel holds, and the reader behind it."""

import itertools
from dataclasses import dataclass

from casfs.errors import BadHandleError
from casfs.fs.needs import Reader
from casfs.models import Output
from casfs.tree.nodes import OutputFile, ProbeFile


@dataclass(frozen=True, slots=True)
class Opened:
    """An open file: what it is, who reads it, and where it was opened."""

    node: OutputFile | ProbeFile
    reader: Reader
    path: str


class Handles:
    """The files that are open.

    Threads: every method may be called from any thread; each is one step of a dict or a counter, which CPython makes
    whole.

    Invariants: a number is never given twice in the life of a mount, so that a late request of a closed file can not
    read another one.
    """

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._opened: dict[int, Opened] = {}

    def outputs(self) -> int:
        """Return how many outputs are open."""
        return len(self.readers())

    def readers(self) -> list[tuple[Output, Reader]]:
        """Return the outputs that are open, and who reads each."""
        opened = list(self._opened.values())
        return [(one.node.output, one.reader) for one in opened if isinstance(one.node, OutputFile)]

    def add(self, opened: Opened) -> int:
        """Return the number that *opened* goes by from now on."""
        fh = next(self._numbers)
        self._opened[fh] = opened
        return fh

    def get(self, fh: int) -> Opened:
        """Return what is open as *fh*.

        Raises:
            BadHandleError: nothing is.
        """
        try:
            return self._opened[fh]
        except KeyError:
            raise BadHandleError(f"no file is open as {fh}") from None

    def path_of(self, output: Output) -> str | None:
        """Return where *output* is open, None where it is not."""
        opened = list(self._opened.values())
        return next(
            (one.path for one in opened if isinstance(one.node, OutputFile) and one.node.output == output), None
        )

    def take(self, fh: int) -> Opened:
        """Return what was open as *fh*, which is closed from now on.

        Raises:
            BadHandleError: nothing was.
        """
        opened = self.get(fh)
        self._opened.pop(fh, None)
        return opened
