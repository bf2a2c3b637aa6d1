"""The SHA-256 tree hash over 1 MiB leaves. Pure.

Source: Tencent CAS documentation 572/9157 and Amazon Glacier "Computing checksums".
"""

import hashlib
from collections.abc import Sequence

EMPTY = hashlib.sha256(b"").hexdigest()
"""Tree hash of nothing. Source: botocore, Tencent's Node SDK and Glacier's Java sample agree; Tencent's Python SDK
gives the empty string, which is no hash."""


def leaf(block: memoryview | bytes) -> bytes:
    """Return the 32 bytes that stand for one block in the tree.

    Threads: lets other threads run while it hashes.
    """
    return hashlib.sha256(block).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """Return the 32 bytes at the top of the tree over *leaves*; an odd last node moves up unchanged.

    Args:
        leaves: 32 bytes each, at least one.
    """
    level = list(leaves)
    while len(level) > 1:
        above = [hashlib.sha256(level[i] + level[i + 1]).digest() for i in range(0, len(level) - 1, 2)]
        level = above + level[len(above) * 2 :]
    return level[0]
