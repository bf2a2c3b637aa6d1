"""What is asked of the monitor: a read, or the size of an output."""

from dataclasses import dataclass
from typing import NamedTuple, NoReturn

from casfs.data.content import Content
from casfs.data.fetch.flight import Flight
from casfs.data.open_readers import OpenReader
from casfs.errors import BadHandleError


@dataclass(slots=True, eq=False)
class Call:
    """The bytes ``range(start, stop)`` of an output, for one of its readers.

    Attributes:
        content: whose bytes.
        reader: for whom.
        buffer: writable bytes, as many as wanted or more, written from the front.
        start: first byte.
        stop: one past the last byte.
        began_s: when it began.
        done: how many bytes were written.
        asked: flights that were asked for by it.
        joined: flights of others that it joined.
        flight: the one it waits for, None where it waits for none.
        block: the block that it waits for, or waited for last.

    Threads: one at a time.
    """

    content: Content
    reader: OpenReader
    buffer: memoryview
    start: int
    stop: int
    began_s: float
    done: int = 0
    asked: tuple[Flight, ...] = ()
    joined: tuple[Flight, ...] = ()
    flight: Flight | None = None
    block: int = 0

    def may_ask_anew(self, error: BaseException) -> bool:
        """Say whether *error*, with which a wait ended, was only that of the flight of another."""
        return self.flight is not None and self.flight not in self.asked and self.flight.gave_up(error)

    def refuse(self) -> NoReturn:
        """Raise why its reader serves nothing any more."""
        if self.reader.is_closed:
            raise BadHandleError(f"{self.content.name}: the reader is closed")
        if self.content.failure is not None:
            raise self.content.failure.with_traceback(None)  # raised often: its traceback would grow
        raise self.reader.deception(self.content.name)


class Probe(NamedTuple):
    """A flight that brings the size of an output, and whether it was asked for by this call."""

    flight: Flight
    is_ours: bool
