"""A content of the cache, for who lists it: what its file says, without a look at its data."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from casfs.data.disk.content_file import ContentFiles, strides
from casfs.data.disk.files import Files
from casfs.data.disk.layout import ANYBODY, Label, source_of
from casfs.data.hashing import blocks


@dataclass(frozen=True, slots=True)
class Entry:
    """A content of the cache, for who lists it.

    Attributes:
        digest: 64 hex digits, by which its file is named.
        size: length of the content in bytes.
        tree_hash: 64 hex digits, None where its key is its place.
        blocks: how many blocks the content has.
        held: how many of them are held.
        proven: how many of these met a hash that the service gave.
        sources: on whose word how many of them are held.
        disk_bytes: what they take.
        labels: where it was seen, last first; empty where that is not known.
    """

    digest: str
    size: int
    tree_hash: str | None
    blocks: int
    held: int
    proven: int
    sources: Mapping[bytes, int]
    disk_bytes: int
    labels: tuple[Label, ...]

    @property
    def label(self) -> Label | None:
        """Where it was seen last, None where that is not known."""
        return self.labels[0] if self.labels else None

    def is_whole_for(self, place: Sequence[str]) -> bool:
        """Whether all of it is held, and none of it on the word of another job's service alone."""
        return sum(self.sources.get(source, 0) for source in (ANYBODY, source_of(place))) == self.blocks


def described(files: Files, path: str, digest: bytes) -> Entry | None:
    """Return the content whose file is at *path*; None where there is none, or it does not say that it is that.

    Raises:
        OSError: it cannot be read.
    """
    with ContentFiles(files, path, digest, 0).reading() as file:
        identity = file.identity if file is not None else None
        if file is None or identity is None or identity.digest != digest:
            return None
        count = blocks.count(identity.size)
        parts = strides(range(count))
        sources = sum((file.sources(part) for part in parts), Counter[bytes]())
        return Entry(
            digest=digest.hex(),
            size=identity.size,
            tree_hash=identity.tree_hash,
            blocks=count,
            held=sources.total(),
            proven=sum(map(file.proven, parts)),
            sources=sources,
            disk_bytes=file.state.disk_bytes,
            labels=file.labels.places,
        )
