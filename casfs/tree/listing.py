"""The jobs of one vault as they were listed, and until when that is believed."""

import bisect
import math
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field

from casfs.models import Job

LATEST_NS = 1 << 62
"""The year 2116: what a document says of later does not matter."""

ListedJob = tuple[str, bytes]
"""A job of a listing: its id, and the rest of it."""


@dataclass(slots=True)
class Listing:
    """The jobs of one vault.

    Attributes:
        jobs: by id, compressed, in the service's order; single answers that came later are entered.
        finished_until_s: until when its finished jobs are believed.
        current_until_s: until when all of it is believed, that is, its unfinished jobs too.
        absent_until_s: until when a job that it does not hold is believed not to exist.
        expiries_ns: when outputs of it expire, in order, each moment once.
    """

    jobs: dict[str, bytes]
    finished_until_s: float
    current_until_s: float
    absent_until_s: float
    expiries_ns: "array[int]" = field(default_factory=lambda: moments(()))

    def believed_until_s(self, listed: Job | None) -> float:
        """Return until when *listed* is believed, a job of it; None is one that it does not hold."""
        if listed is None:
            return self.absent_until_s
        return self.finished_until_s if listed.is_finished else self.current_until_s

    def disbelieved(self) -> "Listing":
        """Return the same jobs, of which nothing is believed but that they were shown."""
        return Listing(self.jobs, -math.inf, -math.inf, -math.inf, self.expiries_ns)

    def note(self, job: Job) -> None:
        """Take note of when the output of *job* expires, if it has one."""
        expires_ns = expiry_ns(job)
        if expires_ns is not None and expires_ns != self.next_expiry_ns(expires_ns - 1):
            bisect.insort(self.expiries_ns, expires_ns)

    def next_expiry_ns(self, now_ns: int) -> int | None:
        """Return when the next output expires after *now_ns*, None where none is known to."""
        index = bisect.bisect_right(self.expiries_ns, now_ns)
        return self.expiries_ns[index] if index < len(self.expiries_ns) else None


def moments(times_ns: Iterable[int]) -> "array[int]":
    """Return *times_ns* in order, each once, in eight bytes: there may be 100,000."""
    return array("q", sorted(set(times_ns)))


def expiry_ns(job: Job) -> int | None:
    """Return when the output of *job* expires; None where it has none, or nobody says when."""
    return job.expires_ns if job.output is not None and (job.expires_ns or LATEST_NS) < LATEST_NS else None
