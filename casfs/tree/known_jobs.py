"""What is known of the jobs, and for how long it is believed.

A listing, and a single answer, are believed for the listing TTL; of a job that is not finished, for 30 s; that there is
no such job, for 5 s. A job's document never changes once it is finished, but the job itself vanishes a day later.

Memory: 100,000 listed jobs take 67 MiB. Source: measured on 2026-11-20 by tests/tree/test_memory.py.
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass

from cachetools import LRUCache, TLRUCache, TTLCache

from casfs.models import Job
from casfs.tree.compression import compress, decompress
from casfs.tree.listing import ListedJob, Listing, expiry_ns, moments
from casfs.tree.partial_listing import PartialListing
from casfs.tree.stale_names import StaleNames
from casfs.tree.times import NEGATIVE_TTL_S, newest_ns
from casfs.waiting import Clock

UNFINISHED_TTL_S = 30.0
"""How long a job in progress is believed to be in progress. Whoever waits for a job asks again and again."""

MAX_LISTED_JOBS = 200_000
"""Jobs in remembered listings at most, over all vaults, 140 MiB; one listing that is larger is kept alone. What is too
old to be believed is kept too: what did not change meanwhile is kept once."""

MAX_LOOKED_UP_JOBS = 10_000
"""Single answers remembered at most, 14 MB."""

MIN_DESCRIBES = 10
"""Describes within one TTL, in a vault that was listed before, after which it is listed again; or as many as a listing
has pages, if that is more. A person looks at fewer jobs by name; a walk through 100,000 would take an hour of them."""

MAX_BUDGETS = 1000
"""Vaults walked at a time at most: as many as an account may have. Source: CAS limits, 572/8742."""

PAGE_JOBS = 1000
"""Jobs that one List Jobs request brings. Source: List Jobs 572/8829."""


@dataclass(frozen=True, slots=True)
class RememberedJob:
    """What is remembered of one id: the job, or that there is none."""

    job: Job | None


@dataclass(slots=True)
class DescribeBudget:
    """Jobs of one vault, listed before, that are asked for one by one within one TTL.

    Attributes:
        left: Describes until a listing is the cheaper way to go on.
    """

    left: int


class KnownJobs:
    """The jobs that the service has told of.

    Threads: any thread may call. The lock is held for dictionary work only.
    """

    def __init__(self, clock: Clock, stale_names: StaleNames, list_ttl_s: float) -> None:
        self._clock = clock
        self._stale_names = stale_names
        self._list_ttl_s = list_ttl_s
        self._lock = threading.Lock()
        self._listings: LRUCache[str, Listing] = LRUCache(
            MAX_LISTED_JOBS, getsizeof=lambda listing: min(len(listing.jobs) + 1, MAX_LISTED_JOBS)
        )
        self._looked_up: TLRUCache[tuple[str, str], RememberedJob] = TLRUCache(
            MAX_LOOKED_UP_JOBS, self._believed_until_s, timer=clock
        )
        self._changed_ns: dict[str, int | None] = {}
        self._budgets: TTLCache[str, DescribeBudget] = TTLCache(MAX_BUDGETS, list_ttl_s, timer=clock)
        self._successor: KnownJobs | None = None

    def hand_over_to(self, successor: "KnownJobs") -> None:
        """Let *successor*, which begins anew, believe nothing of this but which names were shown."""
        with self._lock:
            self._successor = successor
            left = {vault: listing.disbelieved() for vault, listing in self._listings.items()}
            self._listings.clear()  # what refers to this may last
        for vault, listing in left.items():
            successor.take_over(vault, listing, self._changed_ns[vault])

    def take_over(self, vault: str, listing: Listing, changed_ns: int | None) -> None:
        """Take over a listing of which nothing is believed."""
        with self._lock:
            successor, own = self._successor, self._listings.get(vault)
            if own is not None:  # which is newer
                self._stale_names.extend((vault, job) for job in listing.jobs if job not in own.jobs)
            elif successor is None:
                self._listings[vault], self._changed_ns[vault] = listing, changed_ns
        if successor is not None:
            successor.take_over(vault, listing, changed_ns)

    def listed(self, vault: str) -> list[ListedJob] | None:
        """Return the jobs of *vault*, in the service's order; None where they have to be listed anew."""
        with self._lock:
            listing = self._listings.get(vault)
            if listing is None or self._clock() >= listing.current_until_s:
                return None
            return list(listing.jobs.items())

    def last_listed(self, vault: str) -> dict[str, bytes]:
        """Return the jobs of the last listing of *vault*, however old it is."""
        with self._lock:
            listing = self._listings.get(vault)
            return {} if listing is None else listing.jobs

    def last_told(self, vault: str, job: str) -> Job | None:
        """Return a job as the last listing of *vault* has it, however old that is; None where it has no such job."""
        compressed = self.last_listed(vault).get(job)
        return None if compressed is None else decompress(compressed, vault, job)

    def get(self, vault: str, job: str) -> RememberedJob | None:
        """Return what is known of one job, None where the service has to be asked."""
        with self._lock:
            answer = self._looked_up.get((vault, job))
            if answer is not None:
                return answer
            listing = self._listings.get(vault)
            if listing is None:
                return None
            compressed = listing.jobs.get(job)
        listed = None if compressed is None else decompress(compressed, vault, job)
        return RememberedJob(listed) if self._clock() < listing.believed_until_s(listed) else None

    def changed_ns(self, vault: str) -> int | None:
        """Return when the newest of the jobs that were listed of *vault* was finished or begun, None before."""
        with self._lock:
            return self._changed_ns.get(vault)

    def each(self) -> Iterator[Job]:
        """Yield every job that is known, once or more; what is entered meanwhile may be missing."""
        with self._lock:
            listings = [(vault, list(listing.jobs.items())) for vault, listing in self._listings.items()]
            asked = [answer.job for answer in list(self._looked_up.values()) if answer.job is not None]
        for vault, jobs in listings:
            yield from (decompress(compressed, vault, id_) for id_, compressed in jobs)
        yield from asked

    def next_expiry_ns(self, now_ns: int) -> int | None:
        """Return when the next output of a job that is known expires after *now_ns*, None where none is known to."""
        with self._lock:
            listed = [listing.next_expiry_ns(now_ns) for listing in self._listings.values()]
            asked = [expiry_ns(answer.job) for answer in list(self._looked_up.values()) if answer.job is not None]
        return min((moment for moment in listed + asked if moment is not None and moment > now_ns), default=None)

    def is_listing_cheaper(self, vault: str) -> bool:
        """Say whether so many jobs of *vault* are asked for one by one that listing them again is cheaper."""
        with self._lock:
            listing = self._listings.get(vault)
            if listing is None or self._clock() < listing.current_until_s:
                return False
            budget = self._budgets.setdefault(vault, DescribeBudget(max(MIN_DESCRIBES, len(listing.jobs) // PAGE_JOBS)))
            budget.left -= 1
            return budget.left < 0

    def enter(self, vault: str, listed: PartialListing) -> list[ListedJob]:
        """Enter a listing that is whole, and return its jobs."""
        jobs, expiries_ns = listed.jobs, moments(listed.expiries_ns)
        with self._lock:
            now_s = self._clock()
            until_s = now_s + self._list_ttl_s
            if vault in self._listings:
                self._stale_names.extend((vault, job) for job in self._listings[vault].jobs if job not in jobs)
            current_until_s = until_s if listed.finished else min(until_s, now_s + UNFINISHED_TTL_S)
            self._changed_ns[vault] = listed.changed_ns
            listing = Listing(jobs, until_s, current_until_s, now_s + NEGATIVE_TTL_S, expiries_ns)
            self._listings[vault] = listing
            self._budgets.pop(vault, None)
            for key in [key for key in self._looked_up if key[0] == vault]:
                del self._looked_up[key]
            successor, items = self._successor, list(jobs.items())
            if successor is not None:
                del self._listings[vault]
        if successor is not None:
            successor.take_over(vault, listing.disbelieved(), listed.changed_ns)
        return items

    def learn(self, vault: str, job: str, found: Job | None) -> Job | None:
        """Enter the answer about one job, None where there is none, and return it."""
        with self._lock:
            self._looked_up[vault, job] = RememberedJob(found)
            listing = self._listings.get(vault)
            if listing is not None and found is None and job in listing.jobs:
                self._stale_names.add(vault, job)
            if listing is not None and found is not None:
                listing.jobs[job] = compress(found)
                listing.note(found)
                self._changed_ns[vault] = newest_ns(self._changed_ns[vault], found.changed_ns)
                if not found.is_finished:  # one of finished jobs alone was believed for longer
                    listing.current_until_s = min(listing.current_until_s, self._clock() + UNFINISHED_TTL_S)
        return found

    def mark_read(self, vault: str, job: str) -> None:
        """Take note that the directory of *job* was read; one that a listing holds is known to be shown."""
        with self._lock:
            listing = self._listings.get(vault)
            if listing is None or job not in listing.jobs:
                self._stale_names.add(vault, job)

    def forget(self, vault: str, job: str) -> None:
        """Believe nothing of this job, so that whoever looks for it, or lists its vault, asks the service."""
        with self._lock:
            self._looked_up.pop((vault, job), None)
            listing = self._listings.get(vault)
            if listing is not None:
                if listing.jobs.pop(job, None) is not None:
                    self._stale_names.add(vault, job)
                listing.current_until_s = listing.absent_until_s = self._clock()

    def _believed_until_s(self, _key: tuple[str, str], answer: RememberedJob, now_s: float) -> float:
        if answer.job is None:
            return now_s + NEGATIVE_TTL_S
        return now_s + (self._list_ttl_s if answer.job.is_finished else min(UNFINISHED_TTL_S, self._list_ttl_s))
