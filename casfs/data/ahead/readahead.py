"""Decides which blocks a reader will want next, from the blocks it has read. Pure.

A *stream* is a sequence of reads of one handle, perhaps out of order, perhaps one of two that alternate. From its
second block on it has a *window*: the blocks right ahead of it that shall be there or on their way.

Source: the shape is Mountpoint for S3's (grow when the reader waited, keep on small steps) with
JuiceFS's two sessions a handle.
"""

from dataclasses import dataclass

from casfs.data.fetch import parts
from casfs.data.hashing import blocks
from casfs.data.hashing.blocks import BLOCK_SIZE

FIRST_WINDOW_BLOCKS = 8
"""Blocks of a window when its sequence is recognised: each doubling that a smaller start adds costs one round trip.
Source: simulated 2026-11-20 for 512 MiB at 30 ms and 60 MB/s a connection: 628 MB/s from 2, 713 from 4, 751 from 8, 753
from 16."""

COPY_WINDOW_BLOCKS = 48
"""The same for a sequence that begins with the output itself: that is a copy, as a rule, and every connection gets a
part at once. Others may be records of some MiB out of its middle, and would waste most of it. Source: measured
2026-11-20, 512 MiB: 1.06 times as fast as from 8 at 30 ms and 60 MB/s a connection (32: 1.03, 64: no faster), and 1.08
at 100 ms and 10 MB/s."""

MAX_FORWARD_GAP_BYTES = 512 * 1024
"""How many bytes from the end of the last read a read may enter the next block to go on: as four requests of 128 KiB
that overtook each other do. Of n blocks, random reads do so in one case of 8 n: a first window costs them nothing."""

MAX_BACKWARD_BLOCKS = 8
"""How many blocks a read may step back without ending its sequence: as many as the kernel's own read-ahead, in 128 KiB
requests or in 1 MiB ones, was seen to be out of order, and what programs that look twice at a header step back."""

MAX_STREAMS = 2
"""Sequences followed at once, a handle: two programs that share a descriptor, or one that merges two stretches. More
would take more random reads for sequences."""


@dataclass(slots=True, eq=False)
class Stream:
    """One sequence of reads.

    Attributes:
        end: one past the furthest byte that was read.
        head: one past the furthest block that was read.
        ahead: one past the furthest block that was asked for ahead.
        window: how many blocks to have ahead of ``head``; 0 until the sequence is recognised.
        waited: one past the furthest block that a read had to wait for.
        first: the block from which on its length counts.
        start: how many blocks the window has at first.
    """

    end: int
    head: int
    ahead: int
    window: int = 0
    waited: int = 0
    first: int = 0
    start: int = FIRST_WINDOW_BLOCKS

    def due(self, count: int, limit: int, width: int) -> range:
        """Return the blocks to ask for now: whole parts, as soon as there is place for one.

        Waiting until half of the window is used, as others do, left connections idle: 713 MB/s became 649. Source:
        simulated 2026-11-20 for 512 MiB at 30 ms and 60 MB/s a connection.

        Args:
            count: blocks of the output.
            limit: blocks that the window may have for now.
            width: blocks of the last part, a power of two.
        """
        reach = self.head + min(self.window, limit)
        return range(self.ahead, count if reach >= count else reach // width * width)

    def press(self) -> None:
        """Halve the window, since there was no memory for it, and let it earn its place anew."""
        self.window = max(1, self.window // 2)
        self.first = self.head


class ReadAhead:
    """The streams of one handle.

    Args:
        limit: blocks that all its windows may have together.

    Threads: none of its own; the caller locks. ``position`` any.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._streams: list[Stream] = []

    @property
    def position(self) -> int:
        """One past the furthest byte of the stream that was read last; 0 where there is none."""
        latest = self._streams[:1]  # at once: others may change it
        return latest[0].end if latest else 0

    @property
    def reach(self) -> int:
        """One past the furthest block that a stream has read, or asked for; 0 where nothing was read."""
        reach = 0
        for stream in self._streams:
            reach = max(reach, stream.head, stream.ahead)
        return reach

    def is_inside(self, start: int, stop: int) -> bool:
        """Say whether a read stays in the furthest block of the stream that was read last: it tells nothing new."""
        head = self._streams[0].head if self._streams else 0
        if not (head - 1) * BLOCK_SIZE <= start < stop <= head * BLOCK_SIZE:
            return False
        self._streams[0].end = max(self._streams[0].end, stop)
        return True

    def observe(self, start: int, stop: int, *, waited: bool) -> tuple[Stream, Stream | None]:
        """Take note of a read of the bytes ``range(start, stop)``, which are not none.

        Args:
            start: its first byte.
            stop: one past its last byte.
            waited: whether some of them were not there.

        Returns:
            The stream that the read belongs to, and the one that is given up for it, if it was a jump.
        """
        head = blocks.count(stop)
        stream = self._find(start)
        if stream is None:
            return self._begin(start, stop)
        if stream is not self._streams[0]:
            self._streams.remove(stream)
            self._streams.insert(0, stream)
        stream.end = max(stream.end, stop)
        if head > stream.head:
            self._advance(stream, head)
        if waited and stream.window and head > stream.waited:
            stream.window *= 2  # once a block, though eight reads of 128 KiB may wait for it
            stream.waited = head
        stream.window = min(stream.window, self._share())
        return stream, None

    def forget(self) -> None:
        """Begin anew, as with a handle that was never read."""
        self._streams.clear()

    def _find(self, start: int) -> Stream | None:
        block = start // BLOCK_SIZE
        for stream in self._streams:
            if stream.window:
                if stream.head - 1 - MAX_BACKWARD_BLOCKS <= block <= max(stream.head, stream.ahead):
                    return stream
            elif abs(start - stream.end) <= MAX_FORWARD_GAP_BYTES or block == stream.head - 1:
                return stream
        return None

    def _begin(self, start: int, stop: int) -> tuple[Stream, Stream | None]:
        head = blocks.count(stop)
        stream = Stream(
            stop, head, ahead=head, first=head, start=COPY_WINDOW_BLOCKS if start < BLOCK_SIZE else FIRST_WINDOW_BLOCKS
        )
        self._streams.insert(0, stream)
        return stream, self._streams.pop() if len(self._streams) > MAX_STREAMS else None

    def _advance(self, stream: Stream, head: int) -> None:
        if not stream.window:
            stream.window = stream.start
            stream.waited = head  # nobody could have been ready for this one
        stream.head = head
        # Half of what was read in sequence is a modest bet that it goes on, and makes place for large parts.
        stream.window = max(stream.window, min(parts.SEQUENTIAL_WINDOW_BLOCKS, (head - stream.first) // 2))
        stream.ahead = max(stream.ahead, head)

    def _share(self) -> int:
        sequences = sum([stream.window > 0 for stream in self._streams])
        return max(1, self._limit // max(1, sequences))
