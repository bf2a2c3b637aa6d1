"""A RangeSource in memory that does what a test tells it to, and checks what casfs may never do."""

import contextlib
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from casfs.data.ahead.walk import Following
from casfs.data.fetch.disk_cache import DiskCache
from casfs.data.hashing import blocks, treehash
from casfs.data.outputs import Outputs, nothing_follows
from casfs.data.reader import Reader
from casfs.data.settings import DataSettings, Verify
from casfs.data.source import RangeResponse, Sink
from casfs.errors import CasfsError, InterruptedCallError, SizeChangedError
from casfs.models import Output
from casfs.stats import Stats
from casfs.waiting import Clock, Deadline, Interrupted, never
from tests.data.nodes import is_node

MIB = blocks.BLOCK_SIZE
PATIENCE_S = 60.0
"""How long a test waits for what must happen: a bound for when it does not, never a delay."""


def ignore(_output: Output) -> None:
    """Be told, and do nothing."""


def still() -> float:
    """Tell a time that does not pass: then no link is measured, and parts have the sizes of an unknown one."""
    return 0.0


def sample(size: int, seed: int = 1) -> bytes:
    """Bytes of which no two blocks, and no two stretches of a block, are alike."""
    noise = random.Random(seed).randbytes(MIB)
    turns = ((number * 4099) % MIB for number in range(blocks.count(size)))
    return b"".join(noise[turn:] + noise[:turn] for turn in turns)[:size]


def tree_hash(data: bytes) -> str:
    leaves = [treehash.leaf(data[at : at + MIB]) for at in range(0, len(data), MIB)]
    return treehash.root(leaves).hex() if leaves else treehash.EMPTY


@dataclass(frozen=True)
class Request:
    """One call of the source: the first byte and the number of bytes; probes ask from 0."""

    job: str
    start: int
    length: int
    deadline: Deadline
    cancelled: Callable[[], bool]

    @property
    def part(self) -> tuple[int, int]:
        return self.start // MIB, blocks.count(self.start + self.length)


@dataclass
class Service:
    """Outputs by job id.

    Attributes:
        hashes: whether ranges that are nodes come with their hash.
        omits: whether one answer comes without its hash all the same.
        given: the hash that one answer comes with in place of its own.
        tries: how often a request is made if its answer is not accepted.
        act: called with each request before it is answered: may raise, or return bytes to answer with instead.
        stumbles: how often an answer fills all buffers but the last with other bytes, and then begins anew.
        concealed: how many bytes fewer an answer says than came.
        is_held: whether requests wait until they are let through.
        stalled: jobs whose requests wait until they are cancelled.
        requests: what was asked, in order.
        in_flight, most_in_flight: requests at once.
    """

    data: dict[str, bytes]
    hashes: bool = True
    omits: Callable[[Request], bool] = lambda _request: False
    given: Callable[[Request], str | None] = lambda _request: None
    tries: int = 6
    act: Callable[[Request], bytes | None] = lambda _request: None
    is_held: bool = False
    stalled: set[str] = field(default_factory=set)
    stumbles: int = 0
    concealed: int = 0
    requests: list[Request] = field(default_factory=list)
    in_flight: int = 0
    most_in_flight: int = 0
    watch: Callable[[int], None] = lambda _bytes_in_flight: None
    _bytes_in_flight: int = 0
    _passes: set[tuple[int, int]] = field(default_factory=set)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def parts(self) -> list[tuple[int, int]]:
        return [request.part for request in self.requests]

    def fetch(self, output: Output, size: int, span: range, sink: Sink, deadline: Deadline) -> RangeResponse:
        response = self._judged(lambda: self._answered(output, size, span, sink, deadline), sink.accept)
        sink.received(response.length)
        return response

    def _judged(self, answered: Callable[[], RangeResponse], accept: Callable[[RangeResponse], None]) -> RangeResponse:
        """Answer anew as often as *accept* wants it, up to *tries*, as a client that waits for nothing would."""
        for left in reversed(range(self.tries)):
            answer = answered()
            try:
                accept(answer)
            except CasfsError as error:
                if not (error.retryable and left):
                    raise
            else:
                return answer
        raise AssertionError("no try")

    def _answered(self, output: Output, size: int, span: range, sink: Sink, deadline: Deadline) -> RangeResponse:
        start, length = span.start, len(span)
        assert length > 0
        assert span.stop <= size
        request = Request(output.job, start, length, deadline, sink.is_cancelled)
        served = self._served(request, blocks.count(length))
        whole = self.data[output.job]
        if len(whole) != size:
            raise SizeChangedError("it has another size", len(whole))
        part = served if served is not None else whole[start : start + length]
        if self.stumbles:
            self.stumbles -= 1
            for index in range(max(1, blocks.count(length) - 1)):
                sink.buffer(index)[:] = b"?" * len(sink.buffer(index))
                sink.filled(index)
        for index in range(blocks.count(length)):
            if sink.is_cancelled():
                raise InterruptedCallError("cancelled")
            sink.buffer(index)[:] = part[index * MIB : (index + 1) * MIB]
            sink.filled(index)
        run = range(start // MIB, blocks.count(start + length))
        assert is_node(run, blocks.count(size)), f"{run} is no node"
        return RangeResponse(
            size,
            length - self.concealed,
            *self._described(request, whole[start : start + length], "application/octet-stream"),
        )

    def probe(self, output: Output, sink: Sink, deadline: Deadline) -> RangeResponse:
        block = sink.buffer(0)
        request = Request(output.job, 0, len(block), deadline, sink.is_cancelled)
        response = self._judged(lambda: self._probed(request, block), sink.accept)
        sink.received(response.length)
        return response

    def _probed(self, request: Request, block: memoryview) -> RangeResponse:
        served = self._served(request, 1)
        if request.cancelled():
            raise InterruptedCallError("cancelled")
        whole = self.data[request.job]
        part = served if served is not None else whole[: len(block)]
        block[: len(part)] = part
        return RangeResponse(len(whole), len(part), *self._described(request, whole[: len(block)], "text/csv"))

    def _described(self, request: Request, part: bytes, kind: str) -> tuple[str | None, str, str]:
        """Return the hash of an answer, its type, and what stands in the place of a hash that is none."""
        if not self.hashes or not part or self.omits(request):
            return None, kind, ""
        says = self.given(request) or tree_hash(part)
        return (says, kind, "") if len(says) == 64 else (None, kind, says)

    def arrived(self, count: int) -> list[tuple[int, int]]:
        """Wait until *count* requests have come, all in all; return their parts."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.requests) >= count, PATIENCE_S), self.parts
            return self.parts

    def let(self, *parts: tuple[int, int]) -> None:
        """Let the requests for *parts* through."""
        with self._changed:
            self._passes.update(parts)
            self._changed.notify_all()

    def release(self) -> None:
        """Let every request through."""
        with self._changed:
            self.is_held = False
            self.stalled.clear()
            self._changed.notify_all()

    def stir(self) -> None:
        """Let held requests see that they are cancelled."""
        with self._changed:
            self._changed.notify_all()

    def _served(self, request: Request, buffers: int) -> bytes | None:
        with self._changed:
            self.requests.append(request)
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
            self._bytes_in_flight += buffers * MIB
            self.watch(self._bytes_in_flight)
            self._changed.notify_all()
        try:
            with self._changed:
                may_go = self._changed.wait_for(lambda: self._is_free(request) or request.cancelled(), PATIENCE_S)
                assert may_go, "nobody let the request through"
            return self.act(request)
        finally:
            with self._changed:
                self.in_flight -= 1
                self._bytes_in_flight -= buffers * MIB
                self._changed.notify_all()

    def _is_free(self, request: Request) -> bool:
        if request.job in self.stalled:
            return False
        return not self.is_held or request.part in self._passes


@contextlib.contextmanager
def mounted(
    service: Service,
    with_settings: DataSettings | None = None,
    stats: Stats | None = None,
    interrupted: Interrupted = never,
    clock: Clock = time.monotonic,
    *,
    disk: DiskCache | None = None,
    on_gone: Callable[[Output], None] = ignore,
    on_wrong: Callable[[Output], None] = ignore,
    following: Following = nothing_follows,
) -> Iterator[Outputs]:
    """The bytes stage over *service*; every request it makes is held to the bound of its memory."""
    stats = stats or Stats()
    chosen = with_settings or settings()
    made = Outputs(
        service, chosen, stats, interrupted, clock, disk=disk, on_gone=on_gone, on_wrong=on_wrong, following=following
    )

    def bounded(bytes_in_flight: int) -> None:
        held = stats.snapshot()["cache_bytes"]
        assert isinstance(held, int)
        assert held + bytes_in_flight <= max(MIB, chosen.block_cache_bytes)

    service.watch = bounded
    made.start()
    try:
        yield made
    finally:
        service.release()
        made.stop()
    cache = made._monitor._cache
    until(lambda: cache.capacity - cache._pool.free == len(cache))  # no buffer is lost: a worker may give one back yet


def settle(outputs: Outputs) -> None:
    """Wait until nothing is asked for any more, and what came is where it belongs.

    That the service has answered is not enough: its worker has yet to end the flight.
    """
    monitor = outputs._monitor

    def is_settled() -> bool:
        with monitor._lock:  # a flight ends before its blocks are put where they belong
            return not (monitor._flights._flying or monitor._flights.in_flight)

    until(is_settled)


def until(is_so: Callable[[], bool]) -> None:
    """Wait for what no event tells."""
    pause = threading.Event()
    for _ in range(int(PATIENCE_S / 0.002)):
        if is_so():
            return
        pause.wait(0.002)
    raise AssertionError("it never was")


def read(reader: Reader, offset: int, length: int) -> bytes:
    """What a program gets; its memory is not clean before."""
    buffer = bytearray(b"?" * length)
    done = reader.read_into(offset, memoryview(buffer))
    assert done == max(0, min(length, reader.size - offset))
    return bytes(buffer[:done])


def archive(data: bytes, job: str = "job", *, hashed: bool = True) -> Output:
    return Output("vault", job, len(data), tree_hash(data) if hashed else None, is_inventory=False)


def settings(
    cache: int = 64, connections: int = 8, read_ahead: int = 0, verify: Verify = Verify.AUTO, timeout_s: float = 60.0
) -> DataSettings:
    """Settings with the sizes in blocks."""
    return DataSettings(cache * MIB, connections, read_ahead * MIB, verify, timeout_s)
