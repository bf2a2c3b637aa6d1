"""One open output: reads are exact, short only at its end, or an error."""

from dataclasses import dataclass

from casfs.copying import copy
from casfs.data.ahead.prefetch import Prefetch
from casfs.data.content import Content
from casfs.data.fetch.flight import Flight
from casfs.data.fetch.monitor import Monitor
from casfs.data.hashing import blocks
from casfs.data.hashing.blocks import Piece
from casfs.data.memory.cache import BlockCache
from casfs.data.open_readers import OpenReader
from casfs.errors import BadHandleError, CasfsError, CorruptDataError, InterruptedCallError
from casfs.stats import Stats
from casfs.waiting import Clock, Deadline, Interrupted, wait_for


@dataclass(slots=True)
class _Call:
    """One read: when it began, how far it has come, and the flights it asked for or joined."""

    content: Content
    pieces: list[Piece]
    into: memoryview
    began_s: float
    served: int = 0
    done: int = 0
    asked: tuple[Flight, ...] = ()
    joined: tuple[Flight, ...] = ()

    def fill(self, cache: BlockCache[Flight]) -> int | None:
        """Copy what is held, in order; return the first block that is not, None where all is done."""
        while self.served < len(self.pieces):
            block, start, stop = self.pieces[self.served]
            view = cache.get((self.content, block))
            if view is None:
                return block
            copy(view[start:stop], self.into[self.done :])
            if not self.content.root_met:
                self.content.open_readers.expose()
            self.done += stop - start
            self.served += 1
        return None


class Reader:
    """Reads of one open output.

    Attributes:
        keep_pages: whether what the kernel holds of this output from before may be served.

    Threads: any, many at once.

    Invariants: a call waits for one block at a time and holds none while it waits, so that any number of them get on
    with a single buffer.
    """

    def __init__(  # noqa: PLR0913 - one reader of one content, and what every wait needs
        self,
        content: Content,
        monitor: Monitor,
        stats: Stats,
        *,
        open_reader: OpenReader,
        prefetch: Prefetch | None,
        timeout_s: float,
        interrupted: Interrupted,
        clock: Clock,
    ) -> None:
        self.keep_pages = open_reader.keep_pages
        self._open_reader = open_reader
        self._content = content
        self._size = content.size or 0
        self._monitor = monitor
        self._prefetch = prefetch
        self._stats = stats
        self._timeout_s = timeout_s
        self._interrupted = interrupted
        self._clock = clock
        self._is_closed = False

    @property
    def size(self) -> int:
        """Length of the output in bytes, as this reader believes in it."""
        return self._size

    def read_into(self, offset: int, into: memoryview) -> int:
        """Fill *into* with the bytes from *offset* on; return how many: exactly ``min(len(into), size - offset)``.

        Args:
            offset: first byte wanted; at or past the size yields 0.
            into: writable bytes, written from the front; on an error what it holds is undefined.

        Raises:
            CorruptDataError, UncheckableError: the bytes came, and cannot be trusted.
            SizeChangedError: the output has another length; this reader will never serve a byte again.
            GoneError: the service no longer has it.
            DeadlineError: the time of one read is over.
            InterruptedCallError: the program that reads was signalled, or the file system is stopping.
            CasfsError: any other failure of the service, after the retries. Whatever failed is remembered for
                ``open_readers.FAILURE_TTL_S``, for all that have the output open.
        """
        call = _Call(self._content, blocks.pieces(offset, len(into), self._size), into, self._clock())
        flight = None
        with self._monitor.lock:
            self._check()
            missing = call.fill(self._monitor.cache)
            hits = call.served
            if missing is not None:
                flight = self._board(call, missing)
            if self._prefetch is not None and call.pieces:  # after what is waited for, so that it comes first
                stop = min(offset + len(into), self._size)
                self._prefetch.observe(offset, stop, call.began_s, waited=missing is not None)
        if flight is not None:
            self._finish(call, flight)
        self._stats.read(hits, len(call.pieces) - hits, call.done)
        return call.done

    def check(self) -> None:
        """Do nothing if nothing that was served has proved wrong.

        Raises:
            CorruptDataError: what was served, by the kernel too, cannot be trusted.
        """
        if self._open_reader.is_deceived:
            raise CorruptDataError(f"{self._content.name}: bytes that were served before have proved wrong")

    def close(self) -> None:
        """Serve no more; what was asked for ahead is called back."""
        with self._monitor.lock:
            self._content.open_readers.close(self._open_reader)
            self._is_closed = True
            if self._prefetch is not None:
                self._prefetch.release()

    def _check(self) -> None:
        if self._is_closed:
            raise BadHandleError(f"{self._content.name}: the reader is closed")
        if self._content.failure is not None:
            raise self._content.failure.with_traceback(None)  # raised often: its traceback would grow
        self.check()

    def _finish(self, call: _Call, flight: Flight | None) -> None:
        try:
            while flight is not None:
                self._wait(call, flight)
                with self._monitor.lock:
                    self._check()
                    missing = call.fill(self._monitor.cache)
                    flight = None if missing is None else self._board(call, missing)
        finally:
            with self._monitor.lock:
                for flight in call.asked + call.joined:
                    self._monitor.leave(flight)

    def _board(self, call: _Call, block: int) -> Flight:
        """Join the flight that brings *block*, or ask for it and for what the call misses right behind it."""
        flight = self._monitor.flying((self._content, block))
        if flight is None:
            self._raise_remembered(block, call.began_s)
            asked = self._monitor.ask(self._content, self._missing(call), self._deadline(call))
            call.asked += tuple(asked)
            flight = asked[0]
        elif flight not in call.asked and flight not in call.joined:
            flight.readers += 1
            call.joined += (flight,)
            self._monitor.hurry(flight)
        flight.waiting[block] += 1
        return flight

    def _deadline(self, call: _Call) -> Deadline:
        return Deadline(call.began_s + self._timeout_s, self._clock)

    def _missing(self, call: _Call) -> range:
        first = stop = call.pieces[call.served].block
        for piece in call.pieces[call.served : call.served + self._monitor.most]:
            if self._monitor.has((self._content, piece.block)):
                break
            stop = piece.block + 1
        return range(first, stop)

    def _wait(self, call: _Call, flight: Flight) -> None:
        """Wait for the next block and copy it; or return without it, if the failure was another's: then ask again."""
        block = call.pieces[call.served].block
        try:
            wait_for(
                flight.future, self._deadline(call), self._interrupted, f"{self._content.name}: reading block {block}"
            )
            with self._monitor.lock:
                self._check()
                call.fill(self._monitor.cache)
        except CasfsError as error:
            if flight in call.asked or not flight.gave_up(error):
                self._remember(block, error)
                raise
        finally:
            with self._monitor.lock:
                self._monitor.unwait(flight, block)

    def _remember(self, block: int, error: CasfsError) -> None:
        if isinstance(error, InterruptedCallError):  # the next call may be one that nobody interrupts
            return
        with self._monitor.lock:
            self._content.open_readers.fail(self._open_reader, block, error, self._clock())

    def _raise_remembered(self, block: int, began_s: float) -> None:
        error = self._open_reader.failed(block, began_s, self._clock())
        if error is not None:
            raise error.with_traceback(None)
