"""One part from the service, whole and checked, or an error."""

from collections.abc import Callable
from dataclasses import dataclass

from casfs.data import blocks, lanes
from casfs.data.content import Content
from casfs.data.room import Room
from casfs.data.settings import Verify
from casfs.data.source import RangeSource
from casfs.errors import CorruptDataError, TransferError
from casfs.models import RangeAnswer
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

    def fetch(
        self,
        content: Content,
        part: range,
        room: Room,
        deadline: Deadline,
        cancelled: Callable[[], bool],
    ) -> None:
        """Fill *room* with the blocks of *part*; returns if they may be served.

        What fails its check is fetched once more.

        Raises:
            CorruptDataError, UncheckableError: as ``Content.admit``.
            CasfsError: whatever the source raises.
        """
        if not self._attempt(content, part, room, deadline, cancelled, last_try=False):
            self._attempt(content, part, room, deadline, cancelled, last_try=True)

    def probe(self, content: Content, room: Room, deadline: Deadline, cancelled: Callable[[], bool]) -> None:
        """Learn the size of *content* and fill *room*, of one block, with its first block, if it has one.

        Raises:
            As ``fetch``.
        """
        answer = self.source.probe(content.output, room[0], deadline)
        content.learn(answer.size)
        if not content.count:
            return
        digests = self._leaves([room[0][: blocks.length(0, answer.size)]])
        if not self._admitted(content, range(1), digests, answer, last_try=False):
            self._attempt(content, range(1), room, deadline, cancelled, last_try=True)

    def _attempt(  # noqa: PLR0913 - one fetch, as often as it is tried
        self,
        content: Content,
        part: range,
        room: Room,
        deadline: Deadline,
        cancelled: Callable[[], bool],
        *,
        last_try: bool,
    ) -> bool:
        size = content.size or 0
        digests = [b""] * len(part)

        def into(index: int) -> memoryview:
            return room[index][: blocks.length(part[index], size)]

        def filled(index: int) -> None:
            first = index - index % lanes.width()
            if index + 1 in (first + lanes.width(), len(part)):
                digests[first : index + 1] = self._leaves([into(i) for i in range(first, index + 1)])

        answer = self.source.fetch(
            content.output,
            size,
            range(part.start * blocks.BLOCK_SIZE, min(part.stop * blocks.BLOCK_SIZE, size)),
            into=into,
            filled=filled,
            deadline=deadline,
            cancelled=cancelled,
        )
        return self._admitted(content, part, digests, answer, last_try=last_try)

    def _leaves(self, views: list[memoryview]) -> list[bytes]:
        return [b""] * len(views) if self.verify is Verify.OFF else lanes.leaves(views)

    def _admitted(
        self, content: Content, part: range, digests: list[bytes], answer: RangeAnswer, *, last_try: bool
    ) -> bool:
        wanted = sum(blocks.length(block, content.size or 0) for block in part)
        if answer.length != wanted:
            raise TransferError(f"{content.name}: {answer.length} bytes came where {wanted} were asked for")
        content.media_type = answer.content_type or content.media_type
        if self.verify is Verify.OFF:
            return True
        try:
            content.admit(part, digests, answer.tree_hash, last_try=last_try)
        except CorruptDataError:
            self.stats.count("hash_mismatches")
            if last_try:
                raise
            return False
        return True
