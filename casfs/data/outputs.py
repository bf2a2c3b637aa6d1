"""Every output that was opened: what is known of it, and readers of its bytes."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence

from cachetools import LRUCache

from casfs.data.ahead.prefetch import Prefetch
from casfs.data.ahead.step import Step
from casfs.data.ahead.walk import Following
from casfs.data.ahead.walks import Walks
from casfs.data.content import Content
from casfs.data.contents import MAX_REMEMBERED_OUTPUTS, Contents
from casfs.data.fetch.disk_cache import DiskCache
from casfs.data.fetch.fetcher import Fetcher
from casfs.data.fetch.monitor import Monitor
from casfs.data.probe import Probe
from casfs.data.reader import Reader
from casfs.data.settings import DataSettings
from casfs.data.source import RangeSource
from casfs.errors import CasfsError, DeadlineError, ProtocolError
from casfs.models import LARGEST_OUTPUT, Cached, Output, Verification
from casfs.stats import Stats
from casfs.waiting import Clock, Deadline, Interrupted, never, wait_for

log = logging.getLogger(__name__)

MAX_REFUSED_OUTPUTS = 1024
"""Outputs of which is remembered that they were refused, so that each is a line in the log and not one a ``stat``."""


DISK_TIMEOUT_S = 10.0
"""How long the disk is asked what it holds, for an attribute: one that hangs is as good as none."""


def ignore(_output: Output) -> None:
    """Take no note of what is told of an output."""


def nothing_follows(_output: Output) -> Sequence[Iterator[Output]]:
    """Tell of no order in which outputs may be read."""
    return []


class Outputs:
    """The bytes stage of one mount.

    Args:
        source: where bytes come from.
        settings: bounds of memory, connections and time.
        stats: counters of the mount.
        interrupted: asked by calls that wait, on their own thread: whether their program was signalled.
        clock: monotonic seconds.
        disk: the cache on disk, None where there is none.
        on_gone: called with each output that the service no longer has, on a thread of ours and with no lock held.
        on_wrong: called likewise with each output of which the kernel may hold pages that have proved wrong.
        following: tells which outputs may be read after another, asking nobody.
        remembered: outputs of which is remembered what was learnt.

    Attributes:
        probe: the output that is built in.

    Threads: any. Whoever calls only waits here; the threads that do I/O are made at the first request.
    """

    def __init__(  # noqa: PLR0913 - what it is made of, whom it tells, and what tests replace
        self,
        source: RangeSource,
        settings: DataSettings,
        stats: Stats,
        interrupted: Interrupted = never,
        clock: Clock = time.monotonic,
        *,
        disk: DiskCache | None = None,
        on_gone: Callable[[Output], None] = ignore,
        on_wrong: Callable[[Output], None] = ignore,
        following: Following = nothing_follows,
        remembered: int = MAX_REMEMBERED_OUTPUTS,
    ) -> None:
        self._settings = settings
        self._stats = stats
        self._interrupted = interrupted
        self._clock = clock
        self._disk = disk
        self._on_gone = on_gone
        self._on_wrong = on_wrong
        fetcher, lock = Fetcher(source, settings.verify, stats), threading.Lock()
        self._monitor = Monitor(
            lock, fetcher, settings, stats, clock, disk=disk, on_gone=self._tell_gone, on_wrong=self._tell_wrong
        )
        self.probe = Probe(lock, settings, stats, interrupted, clock)
        self._contents = Contents(settings.verify, stats, remembered)
        self._walks = Walks(following, self._believed, self._monitor.read_ahead_blocks, stats, clock)
        self._refused: LRUCache[Output, None] = LRUCache(MAX_REFUSED_OUTPUTS)
        self._refusing = threading.Lock()

    def start(self) -> None:
        """Begin one thread, which the first request does otherwise: called after the fork.

        Raises:
            ShortageError: the system gives none.
        """
        self._monitor.start()

    def stop(self) -> None:
        """End every request and wake every call that waits, with an error."""
        self._monitor.stop()
        self.probe.stop()

    def open(self, output: Output) -> Reader:
        """Return a reader of *output*; asks the service only where the size has to be learnt first.

        Raises:
            GoneError: the service no longer has it.
            CorruptDataError: it is empty, and its hash says that it should not be.
            DeadlineError: the size could not be learnt in time.
            ProtocolError: its document tells a size that no output has.
            CasfsError: nor could it for another reason.
        """
        self._check_possible(output)
        if self._disk is not None:
            self._disk.sightings.add(output)
        content = self._content(output, is_opening=True)
        # The tree believes in it, whatever the service said before: ask again.
        if not self._learn(content, self._settings.read_timeout_s, is_opening=True) and content.failure is not None:
            raise content.failure.with_traceback(None)  # no read will come that could tell
        self._contents.opened(content)
        open_reader = self._monitor.open(content, are_pages_forgotten=self._contents.has_forgotten)
        return Reader(
            content,
            self._monitor,
            self._stats,
            open_reader=open_reader,
            lookahead=self._lookahead(content),
            timeout_s=self._settings.read_timeout_s,
            interrupted=self._interrupted,
            clock=self._clock,
        )

    def size_of(self, output: Output) -> int | None:
        """Return the length that the service told last, else the document's; None where nobody knows. No request.

        Raises:
            ProtocolError: the document tells one that no output has.
        """
        self._check_possible(output)
        size = self._contents.learnt_size(output)
        return output.size if size is None else size

    def learn_size(self, output: Output, timeout_s: float) -> int:
        """Return the length of *output*, asked of the service where the document's cannot be trusted.

        Args:
            output: whose.
            timeout_s: when to give up.

        Raises:
            As ``open``.
        """
        self._check_possible(output)
        return self._learn(self._content(output), timeout_s, is_opening=False)

    def verification(self, output: Output) -> Verification:
        """Return how much of *output* was checked, over restarts where it is kept on disk. No request."""
        content = self._known_or_new(output)
        self._held(content)
        return content.verification()

    def cached(self, output: Output) -> Cached | None:
        """Return how much of *output* is kept on disk; None where there is no cache on disk. No request."""
        if self._disk is None:
            return None
        content = self._known_or_new(output)
        return Cached(self._held(content), None if content.size is None else content.count)

    def media_type(self, output: Output) -> str | None:
        """Return the Content-Type of *output*, None until an answer had one. No request."""
        content = self._contents.known(output)
        return None if content is None else content.media_type

    def _lookahead(self, content: Content) -> Step | None:
        limit = self._monitor.read_ahead_blocks
        return Step(content, Prefetch(content, limit), self._walks) if limit else None

    def _known_or_new(self, output: Output) -> Content:
        """Return what is known of *output*; where nothing is, what its document says, which is not remembered."""
        return self._contents.known(output) or Content(output.bare, output.size, self._settings.verify, self._stats)

    def _held(self, content: Content) -> int:
        """Return how many blocks of *content* are on disk; it is told of those that it does not know of."""
        try:
            future = self._monitor.disk.recall(content)
            held = wait_for(future, Deadline.after(DISK_TIMEOUT_S, self._clock), self._interrupted, content.name)
        except DeadlineError:
            return 0
        if held:
            self._contents.adopt(content)
        return held

    def _check_possible(self, output: Output) -> None:
        """Refuse an output that is said to be larger than any is: what else its document says is no better."""
        if output.size is None or output.size <= LARGEST_OUTPUT:
            return
        said = f"{output}: its document says {output.size} bytes or more, and no output has as many"
        with self._refusing:
            is_new = output not in self._refused
            self._refused[output] = None
        if is_new:
            log.warning("%s", said)
        raise ProtocolError(said)

    def _content(self, output: Output, *, is_opening: bool = False) -> Content:
        """Return what is believed of *output*, as ``Contents.believed``."""
        if output.is_inventory:
            self._recall_size(output)
        return self._believed(output, is_opening=is_opening)

    def _believed(self, output: Output, *, is_opening: bool = False) -> Content:
        content, before = self._contents.believed(output.bare, is_opening=is_opening)
        if before is not None:
            self._monitor.drop_unread(before)
        return content

    def _recall_size(self, output: Output) -> None:
        """Believe the document's size where something of that size is on disk: the service told it when that came."""
        if output.size and self._disk is not None and self._contents.known(output) is None:
            self._held(self._known_or_new(output))

    def _tell_gone(self, output: Output) -> None:
        try:
            self._on_gone(output)
        except Exception:  # what others make of it is no reason to leave readers waiting
            log.exception("%s/%s: telling that it is gone failed", output.vault, output.job)

    def _tell_wrong(self, output: Output) -> None:
        try:
            self._on_wrong(output)
        except Exception:
            log.exception("%s/%s: having its pages dropped failed", output.vault, output.job)

    def _learn(self, content: Content, timeout_s: float, *, is_opening: bool) -> int:
        deadline = Deadline.after(timeout_s, self._clock)
        while True:
            found = self._monitor.probe(content, deadline, is_opening=is_opening)
            if isinstance(found, int):
                return found
            is_opening = False
            try:
                wait_for(found.flight.future, deadline, self._interrupted, f"{content.name}: learning its size")
            except CasfsError as error:
                is_answered = content.size is not None  # though its first block cannot be trusted
                if not is_answered and (found.is_ours or not found.flight.gave_up(error)):
                    raise
            finally:
                self._monitor.leave(found.flight)
