"""One part from the moment somebody wants it until its blocks are in the cache."""

from collections import Counter
from concurrent.futures import Future

from casfs.data.content import Content
from casfs.errors import CasfsError, DeadlineError, InterruptedCallError
from casfs.waiting import Deadline


class Flight:
    """A part on its way; whoever wants one of its blocks joins it instead of asking again.

    Attributes:
        content: whose blocks.
        part: which blocks; one request.
        deadline: when it gives up; None for a prefetch until it is sent.
        for_reader: whether a call that waited asked for it, and not a prefetch.
        readers: calls that want it: those that wait for one of its blocks, and those that will.
        owners: windows that want it ahead of their readers.
        waiting: calls that wait, by block: these blocks are pinned when they land.
        is_sent: whether a worker has it.
        is_over: whether it has landed or failed; then nobody joins it any more.
        has_landed: whether its blocks are in the cache.
        is_yielding: whether it gives its connection up, and is to be sent again.
        progress_s: when it last brought something, or was sent.
        progress_bytes: what came since.
        future: done when it is over.

    Threads: every attribute but the future and the progress, which is that of its worker, is guarded by the lock of the
    flights.
    """

    __slots__ = (
        "content",
        "deadline",
        "for_reader",
        "future",
        "has_landed",
        "is_over",
        "is_sent",
        "is_yielding",
        "owners",
        "part",
        "progress_bytes",
        "progress_s",
        "readers",
        "waiting",
    )

    def __init__(self, content: Content, part: range, deadline: Deadline | None) -> None:
        self.content = content
        self.part = part
        self.deadline = deadline
        self.for_reader = deadline is not None
        self.readers = 0
        self.owners: set[object] = set()
        self.waiting: Counter[int] = Counter()
        self.is_sent = False
        self.is_over = False
        self.has_landed = False
        self.is_yielding = False
        self.progress_s = 0.0
        self.progress_bytes = 0
        self.future: Future[None] = Future()

    def is_unwanted(self) -> bool:
        """Say whether nobody can use it any more. Threads: any, without the lock."""
        return self.is_over or self.content.failure is not None or not (self.readers or self.owners)

    def gave_up(self, error: CasfsError) -> bool:
        """Say whether *error*, caught by a call that had joined, only means that this flight was given up.

        Then the call asks for itself: the deadline or the signal was another call's, or the failure a prefetch's,
        which nobody has tried again on behalf of the call.
        """
        if not self.future.done() or self.future.exception() is not error:
            return False
        if isinstance(error, DeadlineError | InterruptedCallError):
            return True
        return error.retryable and not self.for_reader
