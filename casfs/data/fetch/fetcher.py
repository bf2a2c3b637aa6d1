"""One part from the service, whole and checked, or an error."""

from collections.abc import Callable
from dataclasses import dataclass, field

from casfs.data.content import Content
from casfs.data.fetch.answer_check import AnswerCheck
from casfs.data.hash_coverage import HashCoverage
from casfs.data.hashing import blocks, lanes
from casfs.data.memory.room import Room
from casfs.data.settings import Verify
from casfs.data.source import RangeSource, Watch
from casfs.errors import TransferError
from casfs.models import RangeResponse
from casfs.stats import Stats
from casfs.waiting import Deadline

Leaves = Callable[[list[memoryview]], list[bytes]]


class PartSink:
    """The room of a part: a ``Sink`` that hashes each block once, when it and its neighbours have just been filled.

    Args:
        content: whose blocks.
        part: which of them.
        room: where to.
        check: judges responses.
        leaves: hashes blocks.
        watch: who follows.

    Threads: one at a time.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what, where to, and who judges and follows it
        self, content: Content, part: range, room: Room, check: AnswerCheck, leaves: Leaves, watch: Watch
    ) -> None:
        self.is_cancelled = watch.is_cancelled
        self.received = watch.received
        self._size = content.size or 0
        self._part = part
        self._room = room
        self._check = check
        self._leaves = leaves
        self._digests = [b""] * len(part)

    def buffer(self, index: int) -> memoryview:
        """Return as much of a buffer as its block has bytes."""
        return self._room[index][: blocks.length(self._part[index], self._size)]

    def filled(self, index: int) -> None:
        """Hash what was filled, once there is a block for each lane, or the last one has come."""
        first = index - index % lanes.width()
        if index + 1 in (first + lanes.width(), len(self._part)):
            self._digests[first : index + 1] = self._leaves([self.buffer(i) for i in range(first, index + 1)])

    def accept(self, response: RangeResponse) -> None:
        """Judge a response, as ``AnswerCheck.judge``."""
        self._check.judge(response, self._digests)


class ProbeSink:
    """The room of a first block: a ``Sink`` that tells *content* its size.

    Args:
        content: whose size is not known.
        room: of one block.
        check: judges responses.
        leaves: hashes blocks.
        watch: who follows.

    Threads: one at a time.
    """

    def __init__(self, content: Content, room: Room, check: AnswerCheck, leaves: Leaves, watch: Watch) -> None:
        self.is_cancelled = watch.is_cancelled
        self.received = watch.received
        self._content = content
        self._room = room
        self._check = check
        self._leaves = leaves

    def buffer(self, index: int) -> memoryview:
        """Return the buffer of one block, which may not be filled."""
        return self._room[index]

    def filled(self, index: int) -> None:
        """Wait for the response, which says how much was filled."""

    def accept(self, response: RangeResponse) -> None:
        """Believe the size of a first response, and judge what came with it.

        Raises:
            TransferError: a later one has another size.
            CasfsError: as ``AnswerCheck.judge``; or with this size the output cannot be served.
        """
        content = self._content
        if content.size is None:
            content.learn(response.size)
        if content.failure is not None:
            raise content.failure.with_traceback(None)
        if response.size != content.size:
            raise TransferError(f"the service says that the output has {response.size} bytes, not {content.size}")
        if content.count:
            self._check.judge(response, self._leaves([self._room[0][: response.length]]))


@dataclass(frozen=True, slots=True)
class Fetcher:
    """Fetches parts of outputs, and has them checked.

    Threads: any, many at once; blocks for the network.
    """

    source: RangeSource
    verify: Verify
    stats: Stats
    hash_coverage: HashCoverage = field(default_factory=HashCoverage)

    def fetch(self, content: Content, part: range, room: Room, deadline: Deadline, watch: Watch) -> None:
        """Fill *room* with the blocks of *part*; returns if they may be served.

        What fails its check is fetched once more, and what comes without the hash that it should have, again and again.
        Where the size of *content* is not known it is learnt, and the first block comes with it, if there is one.

        Raises:
            CorruptDataError, UncheckableError: as ``Content.admit``.
            CasfsError: whatever the source raises.
        """
        size = content.size
        check = AnswerCheck(content, part, self.verify, self.stats, self.hash_coverage)
        if size is None:
            self.source.probe(content.output, ProbeSink(content, room, check, self._leaves, watch), deadline)
            return
        span = range(part.start * blocks.BLOCK_SIZE, min(part.stop * blocks.BLOCK_SIZE, size))
        sink = PartSink(content, part, room, check, self._leaves, watch)
        self.source.fetch(content.output, size, span, sink, deadline)

    def _leaves(self, views: list[memoryview]) -> list[bytes]:
        return [b""] * len(views) if self.verify is Verify.OFF else lanes.leaves(views)
