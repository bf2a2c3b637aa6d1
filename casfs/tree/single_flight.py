"""Single flight: one request for one question, on a thread of its own, however many programs wait for the answer.

The threads that libfuse calls on never do network I/O: they wait here, so that the deadline and a Ctrl-C end the wait
whatever the network does.
"""

import logging
import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from cachetools import TTLCache

from casfs.errors import CasfsError, DeadlineError, InterruptedCallError
from casfs.tree.threads import ThreadPool
from casfs.waiting import Deadline, wait_for

log = logging.getLogger(__name__)

WAIT_S = 30.0
"""How long a program waits for a name. Source: docs/semantics.md, that nothing hangs."""

REQUEST_S = 28.0
"""Deadline of the request itself: so much earlier that its own error, which says more, arrives before "too late"."""

LISTING_S = 600.0
"""Deadline of a listing, all pages together. Whoever waits for it does so for WAIT_S; it goes on while anybody does.
100,000 jobs at 50 a page take 2,000 requests, some minutes."""

ABANDONED_S = 1.0
"""How long after nobody waits any more a request ends: a program that tries again at once finds it."""

FAILURE_TTL_S = 1.0
"""How long a failure answers the same question: one `ls` asks three times, and waits for a dead service once."""

MAX_FAILURES = 1024
"""Failures remembered at most; each is one exception."""

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


@dataclass(slots=True, eq=False)
class Call(Generic[T]):
    """One question that is being asked, and who waits for it.

    Attributes:
        answer: what comes of it.
        waiting: how many programs wait for it.
        left_s: when the last one left.
        is_abandoned: whether it was given up since nobody waited.
    """

    answer: Future[T] = field(default_factory=Future)
    waiting: int = 0
    left_s: float = 0.0
    is_abandoned: bool = False


class SingleFlight(Generic[K, T]):
    """Questions that are being asked.

    Threads: any thread may ask. The lock is held for dictionary work only, never while asking or waiting.
    Invariants: at most one request per key is in flight; whoever asks for a key that is gets that request's answer, or
    its failure, rather than a request of its own.

    Args:
        threads: those that ask the service.
        vault_of: which vault a key is about.
        request_s: deadline of a request.
    """

    def __init__(self, threads: ThreadPool, vault_of: Callable[[K], str], request_s: float = REQUEST_S) -> None:
        self._threads = threads
        self._vault_of = vault_of
        self._request_s = request_s
        self._lock = threading.Lock()
        self._calls: dict[K, Call[T]] = {}
        self._failed: TTLCache[K, CasfsError] = TTLCache(MAX_FAILURES, FAILURE_TTL_S, timer=threads.clock)

    def ask(self, key: K, work: Callable[[Deadline], T], what: str) -> T:
        """Return what *work* returns, run on another thread, once for all who ask for *key* meanwhile.

        Args:
            key: the question.
            work: asks the service, stores the answer where it is remembered, and returns it. Its deadline says when
                nobody waits for it any more.
            what: the question in words, for the error.

        Raises:
            DeadlineError: nobody answered for WAIT_S seconds; the request goes on if somebody else waits for it.
            InterruptedCallError: the program that waits was signalled; so may this one.
            CasfsError: whatever *work* raised, now or less than FAILURE_TTL_S ago.
        """
        with self._lock:
            failure = self._failed.get(key)
            if failure is not None:
                raise failure.with_traceback(None)
            call = self._calls.get(key) or self._begin(key, work)
            call.waiting += 1
        try:
            return self._wait(call, what)
        finally:
            with self._lock:
                call.waiting -= 1
                call.left_s = self._threads.clock()

    def _begin(self, key: K, work: Callable[[Deadline], T]) -> Call[T]:
        call = Call[T]()
        until_s = self._threads.clock() + self._request_s
        deadline = Deadline(until_s, self._threads.clock, lambda: self._is_abandoned(key, call))
        self._threads.submit(self._vault_of(key), lambda: self._run(key, call, lambda: work(deadline)), call.answer)
        self._calls[key] = call
        return call

    def _wait(self, call: Call[T], what: str) -> T:
        deadline = Deadline.after(WAIT_S, self._threads.clock)
        try:
            return wait_for(call.answer, deadline, self._threads.interrupted, what)
        except DeadlineError as error:
            if not call.answer.done():  # else it is the request's own, which has its line
                log.warning("%s", error)
            raise

    def _is_abandoned(self, key: K, call: Call[T]) -> bool:
        """Return whether nobody has waited for *call* for a while, or all is over; then nobody can join it."""
        with self._lock:
            is_left = call.waiting == 0 and self._threads.clock() >= call.left_s + ABANDONED_S
            if is_left or self._threads.is_stopped:
                call.is_abandoned = True
                self._remove(key, call)
            return call.is_abandoned

    def _remove(self, key: K, call: Call[T]) -> None:
        if self._calls.get(key) is call:
            del self._calls[key]

    def _run(self, key: K, call: Call[T], work: Callable[[], T]) -> T:
        try:
            return work()
        except InterruptedCallError:  # nobody waited: whoever comes now asks again
            raise
        except CasfsError as failure:
            with self._lock:
                self._failed[key] = failure
            raise
        finally:
            # ask() holds the lock from submit until the call is entered: it cannot be missed here. Whoever
            # comes after this line asks the service anew, or finds what work() has stored.
            with self._lock:
                self._remove(key, call)
