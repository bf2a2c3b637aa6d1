"""MANIFEST.jsonl: what is where it was to go, one archive a line, in the order of the inventory."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from casfs.drain.destinations.destination import Destination, Found, Label
from casfs.drain.names import MANIFEST

PIECE_BYTES = 1 << 20
"""What is written at once: a whole block, as parts are."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """Where a manifest is.

    Attributes:
        destination: the folder: that of the archives, or one beside the ledger where they are not to be written to.
        path: its name there.
    """

    destination: Destination
    path: str = MANIFEST

    def __str__(self) -> str:
        return self.destination.where(self.path)

    def check(self) -> None:
        """Raise DestinationError unless it may be written, as far as can be said without doing it."""
        with self.destination.part(self.path, "manifest") as part:
            part.discard()

    def look(self) -> Found | None:
        """Return it as it is seen without reading it, None where there is none."""
        return next(iter(self.destination.look([self.path])))

    def sweep(self) -> None:
        """Take away what is unfinished, of archives too: on a full disk it makes room."""
        self.destination.sweep()

    def write(self, lines: Iterator[Mapping[str, Any]]) -> int:
        """Put it there in place of an older one, and return its length.

        Args:
            lines: what to tell of each archive.

        Raises:
            DestinationError: it is not there, and an older one still is.
        """
        with self.destination.part(self.path, "manifest") as part:
            part.restart()
            held = bytearray()
            for line in lines:
                held += json.dumps(line, ensure_ascii=True).encode() + b"\n"
                while len(held) >= PIECE_BYTES:
                    part.write(memoryview(held[:PIECE_BYTES]))
                    del held[:PIECE_BYTES]
            if held:
                part.write(memoryview(held))
            size = part.size
            part.commit(Label())
        return size
