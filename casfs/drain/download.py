"""One output into a part of a destination: gone on with where an attempt has left something, and checked as a whole."""

from collections.abc import Callable
from dataclasses import dataclass

from casfs.data.hashing import blocks
from casfs.drain.destinations.destination import Part
from casfs.errors import CorruptDataError, TransferError
from casfs.file import File
from casfs.models import Verification, VerificationState
from casfs.tree_hash import PIECE_BYTES, fill


@dataclass(frozen=True, slots=True)
class Downloaded:
    """What came of a download.

    Attributes:
        fetched: bytes that were read of the output: all of it but those that were there.
        verification: how much of it was checked.
    """

    fetched: int
    verification: Verification


def download(
    open_file: Callable[[], File], part: Part, tree_hash: str | None, moved: Callable[[int], object]
) -> Downloaded:
    """Make *part* the whole of an output, not yet committed.

    Args:
        open_file: opens the output.
        part: what is there of it.
        tree_hash: what the whole must have; None where nobody knows one, and then what was there counts for nothing.
        moved: called with the length of each piece that was written.

    Raises:
        CorruptDataError: the bytes have another tree hash; the part is empty then.
        DestinationError: they cannot be written.
        CasfsError: they cannot be had; what came before is there.
    """
    with open_file() as file:
        if tree_hash is None or part.size > file.size:
            part.restart()
        kept = part.size
        _copy(file, part, moved)
        if kept and part.tree_hash != tree_hash:
            part.restart()
            kept = 0
            _copy(file, part, moved)
    if tree_hash is None:
        return Downloaded(part.size, file.verification)
    if part.tree_hash != tree_hash:
        found = part.tree_hash
        part.restart()
        raise CorruptDataError(f"{file.name}: the tree hash of its bytes is {found}, and should be {tree_hash}")
    return Downloaded(part.size - kept, whole(part.size))


def whole(size: int) -> Verification:
    """Return that of an output of *size* bytes that has the tree hash that it should have."""
    return Verification(VerificationState.WHOLE, blocks.count(size), blocks.count(size))


def _copy(file: File, part: Part, moved: Callable[[int], object]) -> None:
    """Write what is missing of *file*."""
    file.seek(part.size)
    buffer = memoryview(bytearray(PIECE_BYTES))
    while data := fill(file, buffer):
        part.write(data)
        moved(len(data))
    if part.size != file.size:
        raise TransferError(f"{file.name}: {part.size} bytes came of {file.size}")
