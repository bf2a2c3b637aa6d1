"""Bytes for destinations, and how they are put there."""

import random
from pathlib import Path

from casfs.data.hashing.blocks import BLOCK_SIZE
from casfs.drain.destinations.destination import Destination, Label, Part
from casfs.tree_hash import TreeHasher

ATTEMPT = "attempt"
DATA = random.Random(7).randbytes(5 * BLOCK_SIZE + 77)


def tree_hash(data: bytes) -> str:
    hasher = TreeHasher()
    hasher.update(memoryview(bytearray(data)))
    return hasher.hexdigest()


def fill_part(part: Part, data: bytes = DATA) -> None:
    """Write what is missing of *data*, in pieces of two blocks."""
    while rest := data[part.size : part.size + 2 * BLOCK_SIZE]:
        part.write(memoryview(bytearray(rest)))


def put(destination: Destination, path: str, data: bytes = DATA, label: Label = Label()) -> None:  # noqa: B008 - frozen
    with destination.part(path, f"{ATTEMPT}-{path.replace('/', '-')}") as part:
        fill_part(part, data)
        part.commit(label)


def files_below(folder: Path) -> dict[str, bytes]:
    """Return all files, by path, links not followed."""
    found = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}
