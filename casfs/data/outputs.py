"""Every output that was opened: what is known of it, and readers of its bytes."""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable

from cachetools import LRUCache

from casfs.data.ahead.prefetch import Prefetch
from casfs.data.content import Content
from casfs.data.fetch.fetcher import Fetcher
from casfs.data.fetch.monitor import Monitor
from casfs.data.reader import Reader
from casfs.data.settings import DataSettings
from casfs.data.source import RangeSource
from casfs.errors import CasfsError, ProtocolError, SizeChangedError
from casfs.models import LARGEST_OUTPUT, Output, Verification
from casfs.stats import Stats
from casfs.waiting import Clock, Deadline, Interrupted, never, wait_for

log = logging.getLogger(__name__)

REMEMBERED = 100_000
"""Outputs of which is remembered what was learnt and checked: as many as the listing of a large vault; with some 800
bytes each they make 80 MB. The one opened longest ago is forgotten first, and never one that is open or went wrong."""


REFUSED = 1024
"""Outputs of which is remembered that they were refused, so that each is a line in the log and not one a ``stat``."""


def ignore(_output: Output) -> None:
    """Take no note of what is told of an output."""


class Outputs:
    """The bytes stage of one mount.

    Args:
        source: where bytes come from.
        settings: bounds of memory, connections and time.
        stats: counters of the mount.
        interrupted: asked by calls that wait, on their own thread: whether their program was signalled.
        clock: monotonic seconds.
        on_gone: called with each output that the service no longer has, on a thread of ours and with no lock held.
        on_wrong: called likewise with each output of which the kernel may hold pages that have proved wrong.
        remembered: outputs of which is remembered what was learnt.

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
        on_gone: Callable[[Output], None] = ignore,
        on_wrong: Callable[[Output], None] = ignore,
        remembered: int = REMEMBERED,
    ) -> None:
        self._settings = settings
        self._stats = stats
        self._interrupted = interrupted
        self._clock = clock
        self._on_gone = on_gone
        self._on_wrong = on_wrong
        fetcher = Fetcher(source, settings.verify, stats)
        self._monitor = Monitor(fetcher, settings, stats, clock, on_gone=self._tell_gone, on_wrong=self._tell_wrong)
        self._contents: OrderedDict[tuple[str, str], Content] = OrderedDict()
        self._remembered = remembered
        self._has_forgotten = False
        self._refused: LRUCache[Output, None] = LRUCache(REFUSED)

    def start(self) -> None:
        """Begin one thread, which the first request does otherwise: called after the fork.

        Raises:
            ShortageError: the system gives none.
        """
        self._monitor.start()

    def stop(self) -> None:
        """End every request and wake every call that waits, with an error."""
        self._monitor.stop()

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
        with self._monitor.lock:
            content = self._content(output, is_opening=True)
            content.gone = None  # the tree believes in it: ask again
        if not self._learn(content, self._settings.read_timeout_s) and content.failure is not None:
            raise content.failure.with_traceback(None)  # no read will come that could tell
        with self._monitor.lock:
            self._contents.move_to_end((output.vault, output.job))
            open_reader = content.open(are_pages_forgotten=self._has_forgotten)
        budget = self._monitor.budget
        return Reader(
            content,
            self._monitor,
            self._stats,
            open_reader=open_reader,
            prefetch=Prefetch(content, self._monitor, budget) if budget.limit else None,
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
        with self._monitor.lock:
            size = self._learnt(output)
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
        with self._monitor.lock:
            content = self._content(output)
        return self._learn(content, timeout_s)

    def verification(self, output: Output) -> Verification:
        """Return how much of *output* was checked. No request."""
        with self._monitor.lock:
            content = self._known(output) or Content(output, output.size, self._settings.verify, self._stats)
            return content.verification()

    def media_type(self, output: Output) -> str | None:
        """Return the Content-Type of *output*, None until an answer had one. No request."""
        with self._monitor.lock:
            content = self._known(output)
            return None if content is None else content.media_type

    def _check_possible(self, output: Output) -> None:
        """Refuse an output that is said to be larger than any is: what else its document says is no better."""
        if output.size is None or output.size <= LARGEST_OUTPUT:
            return
        said = f"{output.vault}/{output.job}: its document says {output.size} bytes or more, and no output has as many"
        with self._monitor.lock:
            is_new = output not in self._refused
            self._refused[output] = None
        if is_new:
            log.warning("%s", said)
        raise ProtocolError(said)

    def _known(self, output: Output) -> Content | None:
        """Return what is known of *output*, None where nothing is, or where its document said otherwise. Lock held."""
        content = self._contents.get((output.vault, output.job))
        return content if content is not None and content.output == output else None

    def _learnt(self, output: Output) -> int | None:
        """Return the length that an answer told, unless the document has another since. Lock held."""
        content = self._contents.get((output.vault, output.job))
        if content is None or content.output.size != output.size:
            return None
        return content.failure.size if isinstance(content.failure, SizeChangedError) else content.size

    def _content(self, output: Output, *, is_opening: bool = False) -> Content:
        """Return what is believed of *output*, made anew where that has proved wrong. Lock held.

        What does not fit a hash is believed in until somebody opens the output again: damage may pass.
        """
        content = self._known(output)
        is_over = content is not None and isinstance(content.failure, SizeChangedError)
        if content is not None and not is_over and not (is_opening and content.is_mismatch):
            return content
        key = (output.vault, output.job)
        before = self._contents.get(key)
        if before is not None and not before.open_readers:
            self._monitor.cache.drop(before)
        content = Content(output, self._size_to_believe(output), self._settings.verify, self._stats, before)
        self._contents[key] = content
        if len(self._contents) > self._remembered:
            self._forget()
        return content

    def _size_to_believe(self, output: Output) -> int | None:
        """Return the length that *output* begins with, None where it has to be learnt. Lock held."""
        before = self._contents.get((output.vault, output.job))
        size = None if before is not None and before.is_mismatch and not before.size else self._learnt(output)
        return output.size if size is None and not output.is_inventory else size

    def _forget(self) -> None:
        """Forget the output that was opened longest ago of those that may be. Lock held."""
        for key, content in self._contents.items():
            if content.is_forgettable:
                del self._contents[key]
                self._has_forgotten = True
                return

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

    def _learn(self, content: Content, timeout_s: float) -> int:
        deadline = Deadline.after(timeout_s, self._clock)
        while True:
            with self._monitor.lock:
                if content.size is not None:
                    return content.size
                flight, is_ours = self._monitor.probe(content, deadline)
            try:
                wait_for(flight.future, deadline, self._interrupted, f"{content.name}: learning its size")
            except CasfsError as error:
                is_answered = content.size is not None  # though its first block cannot be trusted
                if not is_answered and (is_ours or not flight.gave_up(error)):
                    raise
            finally:
                with self._monitor.lock:
                    self._monitor.leave(flight)
