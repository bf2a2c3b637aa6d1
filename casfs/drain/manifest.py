"""MANIFEST.jsonl: what is where it was to go, one archive a line, in the order of the inventory."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from casfs.drain.destinations.destination import Destination, Label
from casfs.drain.names import MANIFEST

PIECE_BYTES = 1 << 20
"""What is written at once: a whole block, as parts are."""


def write(lines: Iterator[Mapping[str, Any]], destination: Destination, path: str = MANIFEST) -> None:
    """Put the manifest where the archives are, in place of an older one.

    Args:
        lines: what to tell of each archive.
        destination: where they are.
        path: of the manifest there.

    Raises:
        DestinationError: it is not there, and an older one still is.
    """
    with destination.part(path, "manifest") as part:
        part.restart()
        held = bytearray()
        for line in lines:
            held += json.dumps(line, ensure_ascii=True).encode() + b"\n"
            while len(held) >= PIECE_BYTES:
                part.write(memoryview(held[:PIECE_BYTES]))
                del held[:PIECE_BYTES]
        if held:
            part.write(memoryview(held))
        part.commit(Label())
