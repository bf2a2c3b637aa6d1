"""MANIFEST.jsonl: what is where it was to go, one archive a line, in the order of the inventory."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from casfs.drain.destinations.destination import Destination, Found, Label
from casfs.drain.names import MANIFEST, UNFINISHED
from casfs.errors import ConfigError

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

    def check_own(self, knows: Callable[[str], bool]) -> None:
        """Raise ConfigError unless each archive that it tells of is known.

        Args:
            knows: whether an archive with this id is one of the drain.

        Raises:
            DestinationError: it cannot be read.
        """
        strangers = sum(1 for line in self.destination.lines(self.path) if (id_ := _id_in(line)) and not knows(id_))
        if strangers:
            raise ConfigError(
                f"{self} tells of {strangers} archives that are not in the inventory of this drain, as after a drain of"
                " another vault, and they would be written over: name another DESTINATION, or move that file away"
            )

    def claim(self, ids: Iterable[str]) -> None:
        """Leave word whose archives come here, until there is a manifest: one that is killed before leaves none.

        Args:
            ids: of some archives of the drain.

        Raises:
            DestinationError: it is not there.
        """
        text = "".join(json.dumps({"archive_id": each}) + "\n" for each in ids)
        self.destination.claim(self.path, text.encode())

    def check_claim(self, knows: Callable[[str], bool]) -> None:
        """Raise ConfigError where a drain has left word, and none of the archives that it named is known.

        Args:
            knows: whether an archive with this id is one of the drain.

        Raises:
            DestinationError: it cannot be read.
        """
        ids = [id_ for line in self.destination.claimed(self.path).splitlines() if (id_ := _id_in(line))]
        if ids and not any(map(knows, ids)):
            raise ConfigError(
                f"{self.destination.where(UNFINISHED)}* tells of a drain of other archives, as of another vault, that"
                " is at work or was killed, and its files would be written over: name another DESTINATION, let that"
                " drain come to its end, or take what has that name away"
            )

    def disclaim(self) -> None:
        """Take the word away."""
        self.destination.disclaim(self.path)

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


def _id_in(line: bytes) -> str | None:
    """Return the id of the archive that a line tells of, None where it tells of none that an inventory may have."""
    with suppress(ValueError, KeyError, TypeError, RecursionError):
        found = json.loads(line)["archive_id"]
        if isinstance(found, str) and found.encode():
            return found
    return None
