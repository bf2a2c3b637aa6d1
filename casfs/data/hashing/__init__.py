"""Hashes of blocks: the arithmetic of blocks and tree, what is known of the leaves, and how they are computed."""
