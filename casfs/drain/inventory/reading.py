"""An inventory, whatever its form: JSON begins with a brace, and no CSV does."""

from collections.abc import Iterator
from itertools import chain
from typing import Protocol

from casfs.drain.archive import Archive
from casfs.drain.inventory import as_csv, as_json

PIECE_BYTES = 1 << 20
"""What is read at once: a block."""


class Readable(Protocol):
    """A binary file."""

    def read(self, size: int, /) -> bytes:
        """Return the next bytes, *size* at most; none at the end."""
        ...


def archives(file: Readable) -> Iterator[Archive]:
    """Yield the archives that an inventory lists, in its order; no more of it is in memory than some blocks.

    Raises:
        ProtocolError: it cannot be used, or is cut off.
    """
    pieces = iter(lambda: file.read(PIECE_BYTES), b"")
    first = next(pieces, b"")
    is_json = first.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{"
    found = as_json.archives if is_json else as_csv.archives
    return found(chain([first] if first else [], pieces))
