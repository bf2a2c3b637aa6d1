"""When the next output expires that would be lost then: one that is not whole in the cache on disk."""

import logging
import threading
import time
from collections.abc import Callable, Iterable

from casfs.models import Job, Output
from casfs.operate.signals import Errand

log = logging.getLogger(__name__)

LEAST_AGE_S, AGE_SHARE = 60.0, 20
"""How old a look may be: many times what it took, so that looking takes a twentieth of a processor at most."""


class NextExpiry:
    """Knows it as of a while ago, and looks again on a thread of its own when it is asked.

    Args:
        soonest: when the next output of all expires, at once; what is answered before the first look.
        jobs: that are known.
        is_whole: whether an output is whole in the cache on disk; None where there is none.
        now_ns: Unix time.
        clock: monotonic seconds.

    Threads: any. Nobody waits for the disk but the thread that looks.
    """

    def __init__(
        self,
        soonest: Callable[[int], int | None],
        jobs: Callable[[], Iterable[Job]],
        is_whole: Callable[[Output], bool] | None,
        now_ns: Callable[[], int] = time.time_ns,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._soonest = soonest
        self._jobs = jobs
        self._is_whole = is_whole
        self._now_ns = now_ns
        self._clock = clock
        self._lock = threading.Lock()
        self._found_ns: int | None = None
        self._has_looked = False
        self._stale_s = -1.0
        self._errand = Errand("expiries", self.look)

    def seconds(self) -> float | None:
        """Return in how many seconds it is, None where nothing is known to expire."""
        now_ns = self._now_ns()
        found_ns = self._soonest(now_ns) if self._is_whole is None else self._of_look(now_ns)
        return None if found_ns is None else max(0, found_ns - now_ns) / 1e9

    def look(self) -> None:
        """Look now."""
        began_s, is_whole = self._clock(), self._is_whole
        if is_whole is None:
            return
        found_ns = self._first(is_whole)
        ended_s = self._clock()
        with self._lock:
            self._found_ns, self._has_looked = found_ns, True
            self._stale_s = ended_s + max(LEAST_AGE_S, AGE_SHARE * (ended_s - began_s))

    def _of_look(self, now_ns: int) -> int | None:
        with self._lock:
            is_stale = self._clock() >= self._stale_s
            found_ns, has_looked = self._found_ns, self._has_looked
            if is_stale:
                self._stale_s = self._clock() + LEAST_AGE_S
        if is_stale:
            self._errand.run()
        # One that has gone by tells nothing of the next, which nobody may miss.
        return found_ns if has_looked and (found_ns is None or found_ns > now_ns) else self._soonest(now_ns)

    def _first(self, is_whole: Callable[[Output], bool]) -> int | None:
        now_ns = self._now_ns()
        outputs = {
            job.output: expires_ns
            for job in self._jobs()
            if job.output is not None and (expires_ns := job.expires_ns) is not None and expires_ns > now_ns
        }
        ordered = sorted(outputs.items(), key=lambda item: item[1])
        return next((expires_ns for output, expires_ns in ordered if not is_whole(output)), None)
