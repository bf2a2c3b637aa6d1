"""One part from the service, whole and checked, or an error."""

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


@dataclass(frozen=True, slots=True)
class Fetcher:
    """Fetches parts of outputs, and hashes each block once, when it and its neighbours have just been filled.

    Threads: any, many at once; blocks for the network.
    """

    source: RangeSource
    verify: Verify
    stats: Stats
    hash_coverage: HashCoverage = field(default_factory=HashCoverage)

    def fetch(self, content: Content, part: range, room: Room, deadline: Deadline, watch: Watch) -> None:
        """Fill *room* with the blocks of *part*; returns if they may be served.

        What fails its check is fetched once more, and what comes without the hash that it should have, again and again.

        Raises:
            CorruptDataError, UncheckableError: as ``Content.admit``.
            CasfsError: whatever the source raises.
        """
        size = content.size or 0
        digests = [b""] * len(part)
        check = AnswerCheck(content, part, self.verify, self.stats, self.hash_coverage)

        def into(index: int) -> memoryview:
            return room[index][: blocks.length(part[index], size)]

        def filled(index: int) -> None:
            first = index - index % lanes.width()
            if index + 1 in (first + lanes.width(), len(part)):
                digests[first : index + 1] = self._leaves([into(i) for i in range(first, index + 1)])

        self.source.fetch(
            content.output,
            size,
            range(part.start * blocks.BLOCK_SIZE, min(part.stop * blocks.BLOCK_SIZE, size)),
            into=into,
            filled=filled,
            accept=lambda answer: check.judge(answer, digests),
            deadline=deadline,
            cancelled=watch.cancelled,
            came=watch.came,
        )

    def probe(self, content: Content, room: Room, deadline: Deadline, watch: Watch) -> None:
        """Learn the size of *content* and fill *room*, of one block, with its first block, if it has one.

        Raises:
            As ``fetch``.
        """
        check = AnswerCheck(content, range(1), self.verify, self.stats, self.hash_coverage)

        def accept(answer: RangeResponse) -> None:
            if content.size is None:
                content.learn(answer.size)
            if content.failure is not None:
                raise content.failure.with_traceback(None)
            if answer.size != content.size:
                raise TransferError(f"the service says that the output has {answer.size} bytes, not {content.size}")
            if content.count:
                check.judge(answer, self._leaves([room[0][: answer.length]]))

        self.source.probe(content.output, room[0], accept, deadline, cancelled=watch.cancelled, came=watch.came)

    def _leaves(self, views: list[memoryview]) -> list[bytes]:
        return [b""] * len(views) if self.verify is Verify.OFF else lanes.leaves(views)
