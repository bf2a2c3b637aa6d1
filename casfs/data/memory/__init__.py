"""Blocks in memory: which are kept, and the buffers that they are in."""
