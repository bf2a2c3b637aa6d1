"""What the file of one content looks like. Pure.

    0       identity: whose bytes it holds
    4096    labels: where the content was seen; two slots, a page of each that is written in most files
    135168  leaves, 48 bytes a block: what was checked; zeros where a block is not held
    ...     data, from the next multiple of 4096 on, each block where it is in the output; holes where none is held

A leaf is bound to its content and its block by a check of its own. So a leaf in the wrong place, or of another file, is
no leaf; and whatever happens to the rest of the file, nothing but the leaf and the block beside it need be believed.
They are in one file, since then one name is made or taken away at once, and the next sync carries the leaves too.
"""

import hashlib
import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

from casfs.data.hashing import blocks
from casfs.data.hashing.blocks import BLOCK_SIZE
from casfs.data.hashing.leaves import DIGEST_SIZE

PAGE = 4096
LABELS_OFFSET = PAGE
SLOT_SIZE = 64 << 10
"""Of the labels: room for the documents of twenty jobs as the services send them."""
LEAVES_OFFSET = LABELS_OFFSET + 2 * SLOT_SIZE
MAGIC = b"casfs c1"
IDENTITY = struct.Struct("<8s32sQ32s")
CHECK_SIZE = 16
SOURCE_SIZE = 8
ANYBODY = b"\xff" * SOURCE_SIZE
"""In the place of a source: the content's tree hash proves the leaf, whoever it came from."""
LEAF_CHECK_SIZE = 7
"""With the byte that says how far a leaf was proven, it makes a multiple of 8. It tells a leaf from an accident but for
one in 2**56; that the block is the leaf's is for the leaf itself to say."""
MARK_OFFSET = DIGEST_SIZE + SOURCE_SIZE
LEAF_SIZE = MARK_OFFSET + 1 + LEAF_CHECK_SIZE
HELD, PROVEN = 1, 3


@dataclass(frozen=True, slots=True)
class ContentKey:
    """What makes two outputs the same bytes.

    Attributes:
        size: length in bytes.
        tree_hash: 64 hex digits, None where the service tells none.
        place: endpoint, account, vault and job, where there is no tree hash; else empty.
        source: that of the job, on whose service's word blocks are believed as long as not all of them are there; two
            keys that differ in it alone are the same.
    """

    size: int
    tree_hash: str | None
    place: tuple[str, ...] = ()
    source: bytes = field(default=ANYBODY, compare=False)

    @classmethod
    def of(cls, size: int, tree_hash: str | None, place: tuple[str, ...]) -> "ContentKey":
        """Return the key of an output: by its tree hash where there is one, else by its *place*."""
        return cls(size, tree_hash, () if tree_hash is not None else place, source_of(place))

    @property
    def digest(self) -> bytes:
        """32 bytes that stand for the key, and tell nothing of the place to who sees them."""
        text = json.dumps([self.size, self.tree_hash, self.place], ensure_ascii=True)
        return hashlib.sha256(text.encode()).digest()


@dataclass(frozen=True, slots=True)
class Identity:
    """What the file says of itself.

    Attributes:
        digest: that of its key.
        size: length of the content in bytes.
        tree_hash: 64 hex digits, None where the key is a place.
    """

    digest: bytes
    size: int
    tree_hash: str | None

    @classmethod
    def of(cls, key: ContentKey) -> "Identity":
        """Return that of a content."""
        return cls(key.digest, key.size, key.tree_hash)

    def pack(self) -> bytes:
        """Return its bytes in the file."""
        root = bytes.fromhex(self.tree_hash) if self.tree_hash is not None else bytes(DIGEST_SIZE)
        packed = IDENTITY.pack(MAGIC, self.digest, self.size, root)
        return packed + _check(packed)

    @classmethod
    def unpack(cls, raw: bytes) -> "Identity | None":
        """Return what *raw* says, None where it is damaged."""
        packed = raw[: IDENTITY.size]
        if len(packed) < IDENTITY.size or raw[IDENTITY.size : IDENTITY_SIZE] != _check(packed):
            return None
        _, digest, size, root = IDENTITY.unpack(packed)
        return cls(digest, size, root.hex() if any(root) else None)


IDENTITY_SIZE = IDENTITY.size + CHECK_SIZE


@dataclass(frozen=True, slots=True)
class Label:
    """Where a content was seen: what a listing of the cache shows. It holds no secret.

    Attributes:
        endpoint: of the service.
        account: of whom it is.
        vault: its vault.
        job: the job whose output it is.
        expires_ns: when the service drops it, None where that is not known.
        seen_ns: when it was seen last.
        document: what the service said of the job, as one line of JSON in ASCII; None where that is not known.
    """

    endpoint: str
    account: str
    vault: str
    job: str
    expires_ns: int | None
    seen_ns: int
    document: str | None = None

    @property
    def place(self) -> tuple[str, str, str, str]:
        """What makes it the label of one place."""
        return self.endpoint, self.account, self.vault, self.job


@dataclass(frozen=True, slots=True)
class StoredLeaf:
    """The hash of a block that is held.

    Attributes:
        digest: 32 bytes.
        is_proven: whether a hash that the service gave was met.
        source: on whose word it is the content's; ANYBODY where the tree hash of the content proves it.
    """

    digest: bytes
    is_proven: bool
    source: bytes = ANYBODY

    def is_for(self, source: bytes) -> bool:
        """Whether it may be believed by who reads the job of *source*.

        What a service says of a part is of the output that it sends for a job: that this has the tree hash it is kept
        under shows once all of it is there. A service that confuses two archives of one size is so found out by whoever
        reads the other job, and not believed.
        """
        return self.source in (ANYBODY, source)


def source_of(place: Sequence[str]) -> bytes:
    """Return what stands in leaves for a job, by endpoint, account, vault and id, and is never ANYBODY."""
    return b"\0" + hashlib.sha256(json.dumps(place).encode()).digest()[: SOURCE_SIZE - 1]


def pack_leaf(content: bytes, block: int, leaf: StoredLeaf) -> bytes:
    """Return the bytes of a leaf in the file of the content whose key has the digest *content*."""
    packed = leaf.digest + leaf.source + bytes([PROVEN if leaf.is_proven else HELD])
    return packed + _leaf_check(content, block, packed)


def unpack_leaf(content: bytes, block: int, raw: bytes) -> StoredLeaf | None:
    """Return what *raw* says of a block, None where it is not held, or the leaf is not its own."""
    packed = raw[: MARK_OFFSET + 1]
    if len(raw) < LEAF_SIZE or not packed[-1] or raw[MARK_OFFSET + 1 :] != _leaf_check(content, block, packed):
        return None
    return StoredLeaf(packed[:DIGEST_SIZE], packed[-1] == PROVEN, packed[DIGEST_SIZE:MARK_OFFSET])


def leaf_offset(block: int) -> int:
    """Return where the leaf of a block is in the file."""
    return LEAVES_OFFSET + block * LEAF_SIZE


def data_offset(block: int, size: int) -> int:
    """Return where *block* of a content of *size* bytes is in its file."""
    return pages(leaf_offset(blocks.count(size))) + block * BLOCK_SIZE


def pages(length: int) -> int:
    """Return *length* rounded up to whole pages."""
    return -(-length // PAGE) * PAGE


def _leaf_check(content: bytes, block: int, packed: bytes) -> bytes:
    person = block.to_bytes(hashlib.blake2b.PERSON_SIZE, "little")
    return hashlib.blake2b(packed, digest_size=LEAF_CHECK_SIZE, key=content, person=person).digest()


def _check(raw: bytes) -> bytes:
    return hashlib.blake2b(raw, digest_size=CHECK_SIZE).digest()
