"""Decides which blocks a reader will want next, from the blocks it has read. Pure.

A *stream* is a sequence of reads of one handle, perhaps out of order, perhaps one of two that alternate. From its
second block on it has a *window*: the blocks right ahead of it that shall be there or on their way.

Source: the shape is Mountpoint for S3's (grow when the reader waited, extend under one half, keep on small steps) with
JuiceFS's two sessions a handle.
"""

from dataclasses import dataclass

START = 4
"""Blocks of a window when its sequence is recognised. Random reads rarely touch the next block by chance, and then
waste this much; each doubling that a small start adds costs a sequential reader one round trip."""

BACK = 8
"""How many blocks a read may step back without ending its sequence: as many as the kernel's own read-ahead, in 128 KiB
requests or in 1 MiB ones, was seen to be out of order, and what programs that look twice at a header step back."""

STREAMS = 2
"""Sequences followed at once, a handle: two programs that share a descriptor, or one that merges two stretches. More
would take more random reads for sequences."""


@dataclass(slots=True, eq=False)
class Stream:
    """One sequence of reads.

    Attributes:
        head: one past the furthest block that was read.
        ahead: one past the furthest block that was asked for ahead; meaningless without a window.
        window: how many blocks to have ahead of ``head``; 0 until the sequence is recognised.
    """

    head: int
    ahead: int
    window: int = 0
    waited: int = 0

    def due(self, count: int, limit: int) -> range:
        """Return the blocks to ask for now: none while half of the window remains.

        Args:
            count: blocks of the output.
            limit: blocks that the window may have for now.
        """
        window = min(self.window, limit)
        if 2 * (self.ahead - self.head) >= window:
            return range(0)
        return range(self.ahead, min(self.head + window, count))

    def press(self) -> None:
        """Halve the window: there was no memory for it."""
        self.window = max(1, self.window // 2)


class ReadAhead:
    """The streams of one handle.

    Args:
        limit: blocks that all its windows may have together.

    Threads: none of its own; the caller locks.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._streams: list[Stream] = []

    @property
    def streams(self) -> list[Stream]:
        """Those that are followed, the one read last first."""
        return self._streams

    def observe(self, first: int, stop: int, *, waited: bool) -> tuple[Stream, Stream | None]:
        """Take note of a read of the blocks ``range(first, stop)``.

        Args:
            first: its first block.
            stop: one past its last block.
            waited: whether one of them was not there.

        Returns:
            The stream that the read belongs to, and the one that is given up for it, if it was a jump.
        """
        stream = self._find(first)
        if stream is None:
            return self._begin(stop)
        if stream is not self._streams[0]:
            self._streams.remove(stream)
            self._streams.insert(0, stream)
        if stop > stream.head:
            self._advance(stream, stop)
        if waited and stream.window and stop > stream.waited:
            stream.window *= 2  # once a block, though eight reads of 128 KiB may wait for it
            stream.waited = stop
        stream.window = min(stream.window, self._share())
        return stream, None

    def forget(self) -> None:
        """Begin anew, as with a handle that was never read."""
        self._streams.clear()

    def _find(self, first: int) -> Stream | None:
        for stream in self._streams:
            low, high = (stream.head - 1, stream.head)
            if stream.window:
                low, high = (low - BACK, max(high, stream.ahead))
            if low <= first <= high:
                return stream
        return None

    def _begin(self, stop: int) -> tuple[Stream, Stream | None]:
        stream = Stream(head=stop, ahead=stop)
        self._streams.insert(0, stream)
        return stream, self._streams.pop() if len(self._streams) > STREAMS else None

    def _advance(self, stream: Stream, stop: int) -> None:
        if not stream.window:
            stream.window = START
            stream.waited = stop  # nobody could have been ready for this one
        stream.head = stop
        stream.ahead = max(stream.ahead, stop)

    def _share(self) -> int:
        return self._limit // max(1, sum(1 for stream in self._streams if stream.window))
