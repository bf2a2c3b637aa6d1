"""A node's extended attributes. Nothing here makes a request."""

from collections.abc import Iterator
from typing import assert_never

from casfs.attributes import CACHED, MEDIA_TYPE, of_job, of_output, of_vault, printable
from casfs.fs.needs import Outputs
from casfs.tree.nodes import JobDir, Node, OutputFile, ProbeFile, Root, VaultDir

LINE_BYTES = 1024
"""What a line of figures is filled up to a multiple of: twice what it takes, so that it hardly ever changes."""


def attributes_of(node: Node, outputs: Outputs) -> dict[str, bytes]:
    """Return every attribute of *node* by its name, in the order in which they are listed."""
    match node:
        case Root() | ProbeFile():
            found: dict[str, bytes] = {}
        case VaultDir(vault):
            found = of_vault(vault)
        case JobDir(job):
            found = of_job(job)
        case OutputFile(job):
            found = of_output(job, outputs.verification(node.output)) | dict(_learnt(node, outputs))
        case _:
            assert_never(node)
    return found


def filled_up(line: bytes) -> bytes:
    """Return *line* with spaces behind it, so that it does not change its length while it is asked for.

    ``rsync -X`` gives up (status 23) where a value has not the length that it was told a moment ago.
    """
    return line.ljust(-(-len(line) // LINE_BYTES) * LINE_BYTES)


def _learnt(node: OutputFile, outputs: Outputs) -> Iterator[tuple[str, bytes]]:
    cached = outputs.cached(node.output)
    if cached is not None:
        yield CACHED, str(cached).encode()
    media_type = outputs.media_type(node.output)
    if media_type is not None:
        yield MEDIA_TYPE, printable(media_type).encode()
