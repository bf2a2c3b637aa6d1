"""Which outputs expire next that would be lost then: those that are not whole in the cache on disk."""

import heapq
import itertools
import time
from collections.abc import Callable, Iterable, Iterator

from casfs.models import Job, Output
from casfs.operate.glimpse import Glimpse

LEAST_AGE_S = 60.0
"""How old a look at every job that is known may be."""

MOST = 20
"""Outputs that are remembered, the soonest first: as many as somebody looks at."""
WINDOW = 5000
"""Jobs that are held at once, 5 MiB."""
RUN, REST_S = 100, 0.01
"""After how many jobs it rests, and for how long: 100 take some ms. Source: measured on 2026-11-27 with 100,000 jobs:
without rests, steps of another thread of 0.06 ms took seven times as long for as long as it looked."""


class NextExpiry:
    """Knows them as of a while ago.

    Args:
        soonest: when the next output of all expires, at once; what is answered before the first look.
        jobs: that are known.
        is_whole: whether an output is whole in the cache on disk; None where there is none.
        now_ns: Unix time.
        clock: monotonic seconds.
        rest: waits so many seconds.

    Threads: any. Nobody waits for the disk but the thread that looks.
    """

    def __init__(  # noqa: PLR0913 - whom to ask, and what tests replace
        self,
        soonest: Callable[[int], int | None],
        jobs: Callable[[], Iterable[Job]],
        is_whole: Callable[[Output], bool] | None,
        now_ns: Callable[[], int] = time.time_ns,
        clock: Callable[[], float] = time.monotonic,
        *,
        rest: Callable[[float], None] = time.sleep,
    ) -> None:
        self._soonest = soonest
        self._jobs = jobs
        self._is_whole = is_whole
        self._now_ns = now_ns
        self._rest = rest
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
        """Return those that are not whole, WINDOW jobs after the other: all jobs at once take 100 MiB."""
        found, after = list[Output](), (self._now_ns() + 1, "", "")
        while len(found) < MOST:
            jobs = heapq.nsmallest(WINDOW, (job for job in self._gently() if _key(job) >= after), key=_key)
            found += itertools.islice(self._not_whole(jobs), MOST - len(found))
            if len(jobs) < WINDOW:
                break
            after = (*_key(jobs[-1])[:2], jobs[-1].id + "\0")
        return tuple(found)

    def _not_whole(self, jobs: list[Job]) -> Iterator[Output]:
        for job in {_key(job): job for job in jobs}.values():
            output = job.output
            if output is not None and (self._is_whole is None or not self._is_whole(output)):
                yield output.bare

    def _gently(self) -> Iterator[Job]:
        """Yield what is known, and rest now and then: nobody who reads is to wait for the interpreter."""
        for number, job in enumerate(self._jobs(), 1):
            yield job
            if number % RUN == 0:
                self._rest(REST_S)


def _key(job: Job) -> tuple[int, str, str]:
    return job.expires_ns or 0, job.vault, job.id
