"""One part from the moment somebody wants it until its blocks are in the cache."""

from collections import Counter
from concurrent.futures import Future
from enum import IntEnum, auto

from casfs.data.content import Content
from casfs.data.disk.leases import Lease
from casfs.data.fetch.window import Window
from casfs.errors import CasfsError, DeadlineError, InterruptedCallError
from casfs.waiting import Deadline


class State(IntEnum):
    """Where a flight is. An int for the same reason as ``memory.cache.Place``."""

    QUEUED = auto()
    """It waits for a worker, or for room in the memory."""
    LOOKED_FOR = auto()
    """A worker looks for it on disk."""
    SENT = auto()
    """A worker has it."""
    YIELDING = auto()
    """A worker has it, and is to give its connection up, so that others go first."""
    LANDED = auto()
    """Its blocks are in the cache, but for those that its heirs bring."""
    FAILED = auto()
    """It ended with an error."""
    CALLED_BACK = auto()
    """Nobody wanted it any more before it was sent."""


OVER = frozenset({State.LANDED, State.FAILED, State.CALLED_BACK})
"""States that nothing follows: nobody joins such a flight any more."""

TRANSITIONS: dict[State, frozenset[State]] = {
    State.QUEUED: frozenset({State.LOOKED_FOR, State.SENT, State.FAILED, State.CALLED_BACK}),
    State.LOOKED_FOR: frozenset({State.QUEUED, State.LANDED, State.FAILED}),
    State.SENT: frozenset({State.YIELDING, State.LANDED, State.FAILED}),
    State.YIELDING: frozenset({State.QUEUED, State.LANDED, State.FAILED}),
} | dict.fromkeys(OVER, frozenset())
"""What may follow each state. A stop fails what is queued and what is sent alike."""


class Flight:
    """A part on its way; whoever wants one of its blocks joins it instead of asking again.

    Attributes:
        content: whose blocks.
        part: which blocks; one request.
        deadline: when it gives up; None for a prefetch until it is sent.
        for_reader: whether a call that waited asked for it, and not a prefetch.
        state: where it is.
        readers: calls that want it: those that wait for one of its blocks, and those that will.
        windows: those that want it ahead of their readers.
        waiting: calls that wait, by block: these blocks are pinned when they land.
        is_for_disk: whether it is to be looked for on disk first.
        lease: what tells other processes that it is downloaded, None where none is told.
        waits_until_s: how long another process is waited for that downloads some of it, None where none does.
        heirs: flights that bring what of it was not on disk, where some was.
        origin: whose heir it is.
        progress_s: when it last brought something, or was sent.
        progress_bytes: what came since.
        future: done when it has landed or failed.

    Threads: every attribute but the future and the progress, which is that of its worker, is guarded by the lock of the
    monitor.
    """

    __slots__ = (
        "content",
        "deadline",
        "for_reader",
        "future",
        "heirs",
        "is_for_disk",
        "lease",
        "origin",
        "part",
        "progress_bytes",
        "progress_s",
        "readers",
        "state",
        "waiting",
        "waits_until_s",
        "windows",
    )

    def __init__(self, content: Content, part: range, deadline: Deadline | None) -> None:
        self.content = content
        self.part = part
        self.deadline = deadline
        self.for_reader = deadline is not None
        self.state = State.QUEUED
        self.readers = 0
        self.windows: set[Window] = set()
        self.waiting: Counter[int] = Counter()
        self.is_for_disk = False
        self.lease: Lease | None = None
        self.waits_until_s: float | None = None
        self.heirs: tuple[Flight, ...] = ()
        self.origin: Flight | None = None
        self.progress_s = 0.0
        self.progress_bytes = 0
        self.future: Future[None] = Future()

    @property
    def is_awaited(self) -> bool:
        """Whether a call waits for it, or waited when it was asked for."""
        return self.for_reader or self.readers > 0 or (self.origin is not None and self.origin.is_awaited)

    @property
    def is_wanted_ahead(self) -> bool:
        """Whether a window wants it."""
        return bool(self.windows) or (self.origin is not None and self.origin.is_wanted_ahead)

    @property
    def is_wanted(self) -> bool:
        """Whether anybody wants it still. Threads: any, without the lock."""
        return bool(self.readers or self.windows) or (self.origin is not None and self.origin.is_wanted)

    def brings(self, block: int) -> bool:
        """Say whether a block of its part is its own to bring, and not an heir's."""
        return not any(block in heir.part for heir in self.heirs)

    def inherit(self, part: range) -> "Flight":
        """Return a flight of some of its blocks, for all who want this one."""
        heir = Flight(self.content, part, self.deadline)
        heir.origin = self
        self.heirs += (heir,)
        return heir

    def enter(self, state: State) -> None:
        """Be in another state from now on.

        Raises:
            RuntimeError: that one never follows this one.
        """
        if state not in TRANSITIONS[self.state]:
            raise RuntimeError(f"a flight that is {self.state.name} cannot be {state.name}")
        self.state = state

    def is_useless(self) -> bool:
        """Say whether nobody can use what it brings any more. Threads: any, without the lock."""
        return self.state in OVER or self.content.failure is not None or not self.is_wanted

    def gave_up(self, error: BaseException) -> bool:
        """Say whether *error*, caught by a call that had joined, only means that this flight was given up.

        Then the call asks for itself: the deadline or the signal was another call's, or the failure a prefetch's,
        which nobody has tried again on behalf of the call.
        """
        if not self.future.done() or self.future.exception() is not error:
            return False
        if isinstance(error, DeadlineError | InterruptedCallError):
            return True
        return isinstance(error, CasfsError) and error.retryable and not self.for_reader
