"""A block that is built in, and read as outputs are: it shows that reads are answered, and costs no request.

Its blocks have a memory and a worker of their own, behind the lock of all others. So a service that is slow to answer,
which may hold every connection and every buffer, does not hold it up; and a lock that is never let go does.
"""

import secrets
import threading
from dataclasses import replace

from casfs.data.content import Content
from casfs.data.fetch.fetcher import Fetcher
from casfs.data.fetch.monitor import Monitor
from casfs.data.hashing import blocks, treehash
from casfs.data.open_readers import OpenReader
from casfs.data.reader import Reader
from casfs.data.settings import DataSettings, Verify
from casfs.data.source import RangeResponse, Sink
from casfs.models import Output
from casfs.stats import Stats
from casfs.waiting import Clock, Deadline, Interrupted


class BuiltIn:
    """A ``RangeSource`` of one short output.

    Args:
        text: its bytes, fewer than a block.
    """

    def __init__(self, text: bytes) -> None:
        self._text = text
        self.output = Output("", "built in", len(text), treehash.leaf(text).hex(), is_inventory=False)

    def fetch(self, output: Output, size: int, span: range, sink: Sink, deadline: Deadline) -> RangeResponse:
        """Fill the buffers of *sink*, as ``RangeSource.fetch`` promises; nobody asks for less than all of it."""
        deadline.check(output)
        sink.buffer(0)[: len(span)] = self._text
        sink.filled(0)
        response = RangeResponse(size, len(span), output.tree_hash, "text/plain")
        sink.accept(response)
        return response

    def probe(self, output: Output, sink: Sink, deadline: Deadline) -> RangeResponse:
        """Answer as ``fetch``: the size is no secret."""
        return self.fetch(output, len(self._text), range(len(self._text)), sink, deadline)


class ProbeReader(Reader):
    """Reads the block that is built in; what it has read is forgotten when it is closed."""

    def __init__(  # noqa: PLR0913 - as its base class
        self,
        content: Content,
        monitor: Monitor,
        stats: Stats,
        *,
        open_reader: OpenReader,
        timeout_s: float,
        interrupted: Interrupted,
        clock: Clock,
    ) -> None:
        super().__init__(
            content,
            monitor,
            Stats(),  # reads of it are no reads of outputs
            open_reader=open_reader,
            lookahead=None,
            timeout_s=timeout_s,
            interrupted=interrupted,
            clock=clock,
        )
        self._counters = stats

    def read_into(self, offset: int, buffer: memoryview) -> int:
        """Fill *buffer*, as ``Reader.read_into``; where the counters are not to be had, that waits too."""
        count = super().read_into(offset, buffer)
        self._counters.count("bytes_read", 0)
        return count

    def close(self) -> None:
        """Serve no more, and forget the block: the next reader has it brought again."""
        super().close()
        self._monitor.drop_unread(self._content)


class Probe:
    """The output that is built in.

    Args:
        lock: that of the monitor of all other outputs.
        settings: the deadline of one read.
        stats: counters of the mount.
        interrupted: as ``Outputs`` has it.
        clock: monotonic seconds.

    Attributes:
        text: its bytes: those of no other mount.

    Threads: any. Its worker begins with the first read.
    """

    def __init__(
        self, lock: threading.Lock, settings: DataSettings, stats: Stats, interrupted: Interrupted, clock: Clock
    ) -> None:
        self.text = f"casfs answers reads here: {secrets.token_hex(16)}\n".encode()
        self._source = BuiltIn(self.text)
        self._timeout_s = settings.read_timeout_s
        self._stats = stats
        self._interrupted = interrupted
        self._clock = clock
        own, uncounted = _settings(settings), Stats()
        fetcher = Fetcher(self._source, own.verify, uncounted)
        self._monitor = Monitor(
            lock, fetcher, own, uncounted, clock, disk=None, on_gone=_tell_nobody, on_wrong=_tell_nobody
        )

    def open(self) -> Reader:
        """Return a reader of it."""
        content = Content(self._source.output, len(self.text), Verify.AUTO, Stats())
        return ProbeReader(
            content,
            self._monitor,
            self._stats,
            open_reader=self._monitor.open(content, are_pages_forgotten=True),
            timeout_s=self._timeout_s,
            interrupted=self._interrupted,
            clock=self._clock,
        )

    def read(self) -> bytes:
        """Return what a read of it does, by the deadline of every read.

        Raises:
            CasfsError: it is not answered.
        """
        reader, buffer = self.open(), bytearray(len(self.text))
        try:
            return bytes(buffer[: reader.read_into(0, memoryview(buffer))])
        finally:
            reader.close()

    def stop(self) -> None:
        """End its worker, and every wait with an error."""
        self._monitor.stop()


def _settings(settings: DataSettings) -> DataSettings:
    return replace(settings, block_cache_bytes=blocks.BLOCK_SIZE, connections=1, read_ahead_bytes=0, verify=Verify.AUTO)


def _tell_nobody(_output: Output) -> None:
    """Tell nobody that the block is gone, or wrong: it is neither."""
