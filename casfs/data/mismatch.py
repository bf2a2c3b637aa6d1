"""What is said of bytes and hashes that do not belong together: both hashes, and what may be behind it."""

from casfs.errors import CorruptDataError


def of_part(name: str, part: range, got: str, sent: str, *, is_of_all: bool) -> CorruptDataError:
    """Return the error of blocks that do not have the hash that was sent with them.

    Args:
        name: the output.
        part: the blocks.
        got: their tree hash.
        sent: what came with them.
        is_of_all: whether that is the tree hash of the whole output, of which they are a part.
    """
    hint = ", which is that of the whole output: does a proxy cut ranges out of it?" if is_of_all else ""
    which = f"{name}: blocks {part.start} to {part[-1]}"
    return CorruptDataError(f"{which} have the tree hash {got}, and came with the tree hash {sent}{hint}")


def of_versions(name: str, block: int, old: bytes, new: bytes) -> CorruptDataError:
    """Return the error of a block whose hash was *old* and is *new*, and nobody knows which is right."""
    return CorruptDataError(f"{name}: block {block} has the hash {new.hex()}, and had {old.hex()} when it came before")


def of_root(name: str, got: str, wanted: str) -> CorruptDataError:
    """Return the error of an output that is not the one of its job."""
    return CorruptDataError(f"{name}: the output has the tree hash {got}, and its job says {wanted}")
