"""Which ranges of an output are nodes of its tree.

Source: held against "its hash occurs in the tree" by brute force for every range of up to 69 leaves, in test_treehash.
"""


def is_node(blocks: range, count: int) -> bool:
    """Say whether *blocks* are all that hangs under one node of the tree over *count* leaves.

    Args:
        blocks: a run ``range(p, q)`` with ``0 <= p < q <= count``.
        count: leaves of the whole output.
    """
    first, stop = blocks.start, blocks.stop
    width = 1 << (stop - first - 1).bit_length()
    if stop < count:
        return width == stop - first and first % width == 0
    # A run that touches the end stands for every width that reaches it: the smallest divides wherever a larger does.
    return first % width == 0
