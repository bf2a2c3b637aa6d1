"""One open output: reads are exact, short only at its end, or an error."""

from casfs.data.content import Content
from casfs.data.fetch.call import Call
from casfs.data.fetch.flight import Flight
from casfs.data.fetch.monitor import Monitor
from casfs.data.fetch.windows import Lookahead
from casfs.data.hashing.blocks import BLOCK_SIZE
from casfs.data.open_readers import OpenReader
from casfs.errnos import name_of
from casfs.stats import Stats
from casfs.waiting import Clock, Deadline, Interrupted, wait_for


class Reader:
    """Reads of one open output.

    Attributes:
        keep_pages: whether what the kernel holds of this output from before may be served.
        uses_pages: whether what it holds may be served at all.

    Threads: any, many at once.
    """

    def __init__(  # noqa: PLR0913 - one reader of one content, and what every wait needs
        self,
        content: Content,
        monitor: Monitor,
        stats: Stats,
        *,
        open_reader: OpenReader,
        lookahead: Lookahead | None,
        timeout_s: float,
        interrupted: Interrupted,
        clock: Clock,
    ) -> None:
        self.keep_pages = open_reader.keep_pages
        self.uses_pages = open_reader.uses_pages
        self._open_reader = open_reader
        self._content = content
        self._size = content.size or 0
        self._monitor = monitor
        self._lookahead = lookahead
        self._stats = stats
        self._timeout_s = timeout_s
        self._interrupted = interrupted
        self._clock = clock

    @property
    def size(self) -> int:
        """Length of the output in bytes, as this reader believes in it."""
        return self._size

    @property
    def position(self) -> int:
        """Where it stands: the end of what was read, or about that; costs a read nothing."""
        stands = 0 if self._lookahead is None else self._lookahead.position
        return min(stands or self._open_reader.block * BLOCK_SIZE, self._size)

    @property
    def read_s(self) -> float | None:
        """When it was read last, in monotonic seconds; None where nobody keeps that."""
        return None if self._lookahead is None else self._lookahead.read_s or None

    def read_into(self, offset: int, buffer: memoryview) -> int:
        """Fill *buffer* with the bytes from *offset* on; return how many: ``min(len(buffer), size - offset)``.

        Args:
            offset: first byte wanted; at or past the size yields 0.
            buffer: writable bytes, written from the front; on an error what it holds is undefined.

        Raises:
            CorruptDataError, UncheckableError: the bytes came, and cannot be trusted.
            SizeChangedError: the output has another length; this reader will never serve a byte again.
            GoneError: the service no longer has it.
            DeadlineError: the time of one read is over.
            InterruptedCallError: the program that reads was signalled, or the file system is stopping.
            CasfsError: any other failure of the service, after the retries. Whatever failed is remembered for
                ``open_readers.FAILURE_TTL_S``, for all that have the output open.
        """
        stop = max(offset, min(offset + len(buffer), self._size))
        call = Call(self._content, self._open_reader, buffer, offset, stop, self._clock())
        if self._lookahead is not None:
            self._lookahead.prepare(offset)
        first = offset // BLOCK_SIZE
        touched = hits = -(-stop // BLOCK_SIZE) - first if stop > offset else 0
        try:
            flight = self._monitor.board(call, self._lookahead)
            if flight is not None:
                hits = call.block - first
                self._finish(call, flight)
        except BaseException as error:
            self._stats.read_failed(name_of(error), self._clock() - call.began_s)
            raise
        self._stats.read(hits, touched - hits, call.done, self._clock() - call.began_s)
        return call.done

    def check(self) -> None:
        """Return if nothing that was served has proved wrong.

        Raises:
            CorruptDataError: what was served, by the kernel too, cannot be trusted.
        """
        if self._open_reader.is_deceived:
            raise self._open_reader.deception(self._content.name)

    def close(self) -> None:
        """Serve no more; what was asked for ahead is called back."""
        self._monitor.close(self._content, self._open_reader, self._lookahead)

    def _finish(self, call: Call, flight: Flight | None) -> None:
        deadline = Deadline(call.began_s + self._timeout_s, self._clock)
        while flight is not None:
            what = f"{self._content.name}: reading block {call.block}"
            try:
                wait_for(flight.future, deadline, self._interrupted, what)
            except BaseException as error:
                if not call.may_ask_anew(error):
                    self._monitor.give_up(call, error)
                    raise
            flight = self._monitor.land(call)
