"""Which outputs expire next that would be lost then: those that are not whole in the cache on disk."""

import time
from collections.abc import Callable, Iterable

from casfs.models import Job, Output
from casfs.operate.glimpse import Glimpse

LEAST_AGE_S = 60.0
"""How old a look at every job that is known may be."""

MOST = 20
"""Outputs that are remembered, the soonest first: as many as somebody looks at."""


class NextExpiry:
    """Knows them as of a while ago.

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
        self._glimpse = Glimpse("expiries", self._first, LEAST_AGE_S, clock)

    def seconds(self) -> float | None:
        """Return in how many seconds the next one expires, None where nothing is known to."""
        now_ns = self._now_ns()
        found_ns = self._soonest(now_ns) if self._is_whole is None else self._of_look(now_ns)
        return None if found_ns is None else max(0, found_ns - now_ns) / 1e9

    def outputs(self) -> list[Output] | None:
        """Return those that expire next, MOST at most, the soonest first; None before the first look."""
        found, now_ns = self._glimpse.last(), self._now_ns()
        return None if found is None else [output for output in found if (output.expires_ns or 0) > now_ns]

    def look(self) -> None:
        """Look now."""
        self._glimpse.look()

    def _of_look(self, now_ns: int) -> int | None:
        found = self._glimpse.last()
        if found == ():
            return None
        times_ns = [output.expires_ns for output in found or () if (output.expires_ns or 0) > now_ns]
        # Those that have gone by tell nothing of the next, which nobody may miss.
        return times_ns[0] if times_ns else self._soonest(now_ns)

    def _first(self) -> tuple[Output, ...]:
        now_ns, found = self._now_ns(), list[Output]()
        outputs = {
            job.output.bare
            for job in self._jobs()
            if job.output is not None and job.expires_ns is not None and job.expires_ns > now_ns
        }
        for output in sorted(outputs, key=lambda output: output.expires_ns or 0):
            if self._is_whole is None or not self._is_whole(output):
                found.append(output)
            if len(found) == MOST:
                break
        return tuple(found)
