"""Asks for blocks before their reader does."""

from casfs.data.ahead.readahead import MAX_BACKWARD_BLOCKS, ReadAhead, Stream
from casfs.data.content import Content
from casfs.data.fetch.window import Window
from casfs.data.fetch.windows import Windows


class Prefetch:
    """The sequences of one open output, turned into windows: a ``Lookahead``.

    Args:
        content: what is read.
        limit: blocks that its windows may have together.

    Attributes:
        read_s: when its reader read last.

    Threads: none of its own; called within the steps of the monitor. ``read_s`` and ``position`` any.
    """

    def __init__(self, content: Content, limit: int) -> None:
        self.read_s = 0.0
        self._content = content
        self._readahead = ReadAhead(limit)
        self._windows: dict[Stream, Window] = {}

    @property
    def position(self) -> int:
        """One past the furthest byte of the sequence that was read last; 0 before the first read."""
        return self._readahead.position

    @property
    def reaches_end(self) -> bool:
        """Whether what was read and asked for in sequence goes up to the end of the output."""
        return self._readahead.reach >= self._content.count

    def prepare(self, start: int) -> None:
        """Take no note of a read before it is boarded."""

    def observe(self, windows: Windows, start: int, stop: int, now_s: float, *, waited: bool) -> None:
        """Take note of a read of the bytes ``range(start, stop)`` at *now_s*, and ask for what it makes likely."""
        self.read_s = now_s
        if not waited and self._readahead.is_inside(start, stop):
            return
        stream, dropped = self._readahead.observe(start, stop, waited=waited)
        if dropped is not None:
            self._drop(windows, dropped)
        due = self._due(windows, stream, now_s)
        if due:
            self._extend(windows, stream, due)

    def release(self, windows: Windows) -> None:
        """Call everything back that only this reader wanted; its sequences are to be recognised anew."""
        for stream in list(self._windows):
            self._drop(windows, stream)
        self._readahead.forget()

    def _due(self, windows: Windows, stream: Stream, now_s: float) -> range:
        """Return the blocks to ask for now; most reads make none due, and need not know what others hold."""
        count, window = self._content.count, stream.window
        if not window or stream.ahead >= count:
            return range(0)
        width = windows.width(self._content, window, window)  # of the part that comes last, and waits for its room
        due = stream.due(count, window, width)
        return due and stream.due(count, windows.share(self._content, now_s), width)

    def _extend(self, windows: Windows, stream: Stream, run: range) -> None:
        window = self._windows.get(stream) or Window(self._content)
        windows.let_pass(window, stream.head - MAX_BACKWARD_BLOCKS)
        while stream.ahead < run.stop:
            stop = windows.claim(window, stream.ahead) or self._ask(windows, window, stream, run.stop)
            if stop is None:
                break
            stream.ahead = stop
        if windows.is_open(window):
            self._windows[stream] = window
            windows.join(self)

    def _ask(self, windows: Windows, window: Window, stream: Stream, stop: int) -> int | None:
        """Ask for the next part, which ends before *stop*; return where it ends, None where it cannot be had yet."""
        width = windows.width(self._content, stream.window, stream.ahead - stream.head)
        part = windows.next_part(window, range(stream.ahead, min(stream.ahead + width, stop)), width)
        if not windows.is_soon_enough(part):
            return None
        if windows.ask(window, part, self.read_s):
            return part.stop
        stream.press()
        return None

    def _drop(self, windows: Windows, stream: Stream) -> None:
        window = self._windows.pop(stream, None)
        if window is not None:
            windows.close(window)
        if not self._windows:
            windows.leave(self)
