"""Whether the leaves on disk are those of the content's tree hash: 32 bytes a MiB prove all of it, without its data."""

from dataclasses import replace
from enum import Enum, auto

from casfs.data.disk.content_file import ContentFile, strides
from casfs.data.disk.layout import ANYBODY, StoredLeaf
from casfs.data.hashing import blocks, treehash


class RootProof(Enum):
    """What the leaves on disk say of the content's tree hash."""

    MET = auto()
    """All are there, and they are what it says."""
    OPEN = auto()
    """Some are missing, or there is no tree hash, or several jobs brought them, of which one is wrong."""
    REFUTED = auto()
    """All were there, and they are not: what one job brought is not any more, nor what was damaged since."""


def prove(file: ContentFile, count: int, tree_hash: str) -> RootProof:
    """Hold the *count* leaves of a content against its tree hash, and note what comes of it in its file.

    Raises:
        OSError: the disk fails.
    """
    nodes, sources = [], {ANYBODY}
    for stride in strides(range(count)):
        leaves = [leaf for leaf in file.leaves(stride) if leaf is not None]
        if len(leaves) < len(stride):
            return RootProof.OPEN
        nodes.append(treehash.root([leaf.digest for leaf in leaves]))
        sources |= {leaf.source for leaf in leaves}
    is_met = bool(nodes) and treehash.root(nodes).hex() == tree_hash
    if not is_met and len(sources - {ANYBODY}) > 1:  # what one of them brought may be right, and was paid for
        return RootProof.OPEN
    for stride in strides(range(count)):
        if is_met:
            _mark_proven(file, stride)
        else:
            _drop(file, stride, is_proved_too=not sources - {ANYBODY})
    return RootProof.MET if is_met else RootProof.REFUTED


def _mark_proven(file: ContentFile, stride: range) -> None:
    leaves = zip(stride, file.leaves(stride), strict=True)
    owed = [(block, leaf) for block, leaf in leaves if leaf is not None and leaf != _proven(leaf)]
    file.write_leaves((block, _proven(leaf)) for block, leaf in owed)


def _drop(file: ContentFile, stride: range, *, is_proved_too: bool) -> None:
    """Give up what is on a job's word; what the tree hash has proved before, only where there is nothing else."""
    leaves = zip(stride, file.leaves(stride), strict=True)
    doubted = [block for block, leaf in leaves if is_proved_too or leaf is None or leaf.source != ANYBODY]
    for run in blocks.runs(doubted):
        file.drop(run)


def _proven(leaf: StoredLeaf) -> StoredLeaf:
    return replace(leaf, is_proven=True, source=ANYBODY)
