"""The jobs that the service has told of, and for how long its word is believed.

A listing, and a single answer, are believed for the listing TTL; of a job that is not finished, for 30 s; that there is
no such job, for 5 s. A job's document never changes once it is finished, but the job itself vanishes a day later.

Memory: 100,000 listed jobs take 67 MiB. Source: measured on 2026-11-20 by tests/tree/test_memory.py.
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import itemgetter

from cachetools import LRUCache, TLRUCache, TTLCache

from casfs.errors import AccessDeniedError, CredentialsError, InterruptedCallError, NotFoundError
from casfs.models import Job
from casfs.tree.compression import compress, decompress
from casfs.tree.lister import Lister
from casfs.tree.listing import ListedJob, Listing
from casfs.tree.names import can_be_file
from casfs.tree.partial_listing import PartialListing
from casfs.tree.permissions import Permission, Permissions
from casfs.tree.single_flight import LISTING_S, SingleFlight
from casfs.tree.stale_names import StaleNames
from casfs.tree.threads import Threads
from casfs.tree.times import newest_ns
from casfs.waiting import Deadline

UNFINISHED_TTL_S = 30.0
"""How long a job in progress is believed to be in progress. Whoever waits for a job asks again and again."""

NEGATIVE_TTL_S = 5.0
"""How long "there is none" is believed. Shells and editors probe many names many times."""

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

MAX_PARTIAL_LISTINGS = 2
"""Listings kept that nobody waited for to their end, so that the next who asks goes on with them."""

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


class Jobs:
    """What is known of the jobs.

    Threads: any thread may call. The lock is held for dictionary work only.
    """

    def __init__(
        self, lister: Lister, threads: Threads, stale_names: StaleNames, permissions: Permissions, list_ttl_s: float
    ) -> None:
        self._lister = lister
        self._stale_names = stale_names
        self._permissions = permissions
        self._list_ttl_s = list_ttl_s
        self._clock = threads.clock
        self._lock = threading.Lock()
        self._listings: LRUCache[str, Listing] = LRUCache(
            MAX_LISTED_JOBS, getsizeof=lambda listing: min(len(listing.jobs) + 1, MAX_LISTED_JOBS)
        )
        self._looked_up: TLRUCache[tuple[str, str], RememberedJob] = TLRUCache(
            MAX_LOOKED_UP_JOBS, self._believed_until_s, timer=threads.clock
        )
        self._changed_ns: dict[str, int | None] = {}
        self._budgets: TTLCache[str, DescribeBudget] = TTLCache(MAX_BUDGETS, list_ttl_s, timer=threads.clock)
        self._describes: SingleFlight[tuple[str, str], Job | None] = SingleFlight(threads.look_ups, itemgetter(0))
        self._lists: SingleFlight[str, list[ListedJob]] = SingleFlight(threads.listings, str, LISTING_S)
        self._partial: TTLCache[str, PartialListing] = TTLCache(MAX_PARTIAL_LISTINGS, LISTING_S, timer=threads.clock)
        self._heir: Jobs | None = None

    def bequeath(self, heir: "Jobs") -> None:
        """Let *heir*, which begins anew, believe nothing of this but which names were shown."""
        with self._lock:
            self._heir = heir
            left = {vault: listing.disbelieved() for vault, listing in self._listings.items()}
            self._listings.clear()  # what refers to this may last
        for vault, listing in left.items():
            heir.inherit(vault, listing, self._changed_ns[vault])

    def inherit(self, vault: str, listing: Listing, changed_ns: int | None) -> None:
        """Take over a listing of which nothing is believed."""
        with self._lock:
            heir, own = self._heir, self._listings.get(vault)
            if own is not None:  # which is newer
                self._stale_names.extend((vault, job) for job in listing.jobs if job not in own.jobs)
            elif heir is None:
                self._listings[vault], self._changed_ns[vault] = listing, changed_ns
        if heir is not None:
            heir.inherit(vault, listing, changed_ns)

    def all(self, vault: str) -> Iterator[Job]:
        """Return every job of *vault*, in the service's order, with one listing where the last one is too old.

        Returns:
            The jobs as they are known now; each is made when it is its turn, since all at once are large.

        Raises:
            NotFoundError: there is no such vault.
            AccessDeniedError: the account may not list its jobs.
            CasfsError: the service does not answer. What it said before is no longer shown then: a listing that may
                be wrong is worse than an error that says so.
        """
        return (decompress(compressed, vault, job) for job, compressed in self._all(vault))

    def get(self, vault: str, job: str) -> Job | None:
        """Return the job, None where there is none, with one Describe where what is known is too old.

        A listing is believed in what it holds; of what it does not, for NEGATIVE_TTL_S, since an id that somebody asks
        for may be of a job just begun. When a listing has become too old in the middle of a walk through the vault,
        a few Describes later it is renewed: a walk through n jobs costs n/1000 requests, and not n.
        Where the account may not have jobs described, the listing is all there is, and believed in what it lacks too.

        Raises:
            NotFoundError: a listing was asked for, and there is no such vault.
            AccessDeniedError: the account may neither list jobs nor have them described.
            CasfsError: the service does not answer.
        """
        answer = self._remembered(vault, job)
        if answer is not None:
            return answer.job
        if not can_be_file(job):
            return None
        refused: list[AccessDeniedError] = []
        for ask in self._ways(vault):
            try:
                return ask(vault, job)
            except CredentialsError:
                raise
            except AccessDeniedError as error:
                refused.append(error)
        raise refused[0]

    def changed_ns(self, vault: str) -> int | None:
        """Return when the newest of the jobs that were listed of *vault* was finished or begun, None before."""
        with self._lock:
            return self._changed_ns.get(vault)

    def show(self, vault: str, job: str) -> None:
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

    def _ways(self, vault: str) -> list[Callable[[str, str], Job | None]]:
        """Return how to ask for a job, the better way first, without one that was refused lately if there is another.

        If there is none, a job is asked for by its id: a service that refuses what is not there may answer for it.
        """
        ways = [(Permission.DESCRIBE_JOB, self._described), (Permission.LIST_JOBS, self._in_listing)]
        if self._is_listing_cheaper(vault):
            ways.reverse()
        return [way for permission, way in ways if not self._permissions.is_refused(permission, vault)] or [
            self._described
        ]

    def _described(self, vault: str, job: str) -> Job | None:
        what = f"describe job {job} of vault {vault}"
        return self._describes.ask((vault, job), lambda deadline: self._describe(vault, job, deadline), what)

    def _in_listing(self, vault: str, job: str) -> Job | None:
        compressed = dict(self._all(vault)).get(job)
        return None if compressed is None else decompress(compressed, vault, job)

    def _all(self, vault: str) -> list[ListedJob]:
        jobs = self._listed(vault)
        if jobs is None:
            what = f"list the jobs of vault {vault}"
            jobs = self._lists.ask(vault, lambda deadline: self._list(vault, deadline), what)
        return jobs

    def _listed(self, vault: str) -> list[ListedJob] | None:
        with self._lock:
            listing = self._listings.get(vault)
            if listing is None or self._clock() >= listing.current_until_s:
                return None
            return list(listing.jobs.items())

    def _remembered(self, vault: str, job: str) -> RememberedJob | None:
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

    def _is_listing_cheaper(self, vault: str) -> bool:
        with self._lock:
            listing = self._listings.get(vault)
            if listing is None or self._clock() < listing.current_until_s:
                return False
            budget = self._budgets.setdefault(vault, DescribeBudget(max(MIN_DESCRIBES, len(listing.jobs) // PAGE_JOBS)))
            budget.left -= 1
            return budget.left < 0

    def _list(self, vault: str, deadline: Deadline) -> list[ListedJob]:
        with self._lock:
            listing = self._listings.get(vault)
            known = {} if listing is None else listing.jobs
            partial = self._partial.pop(vault, None)
        if partial is None or not partial.may_go_on(deadline):
            partial = PartialListing(lambda by: self._lister.jobs(vault, by), vault, deadline)
        try:
            with self._permissions.recording(Permission.LIST_JOBS, vault):
                partial.finish(known)
        except InterruptedCallError:
            with self._lock:
                self._partial[vault] = partial
            raise
        return self._enter(vault, partial)

    def _enter(self, vault: str, partial: PartialListing) -> list[ListedJob]:
        jobs = partial.jobs
        with self._lock:
            now_s = self._clock()
            until_s = now_s + self._list_ttl_s
            if vault in self._listings:
                self._stale_names.extend((vault, job) for job in self._listings[vault].jobs if job not in jobs)
            current_until_s = until_s if partial.finished else min(until_s, now_s + UNFINISHED_TTL_S)
            self._changed_ns[vault] = partial.changed_ns
            listing = self._listings[vault] = Listing(jobs, until_s, current_until_s, now_s + NEGATIVE_TTL_S)
            self._budgets.pop(vault, None)
            for key in [key for key in self._looked_up if key[0] == vault]:
                del self._looked_up[key]
            heir, listed = self._heir, list(jobs.items())
            if heir is not None:
                del self._listings[vault]
        if heir is not None:
            heir.inherit(vault, listing.disbelieved(), partial.changed_ns)
        return listed

    def _describe(self, vault: str, job: str, deadline: Deadline) -> Job | None:
        try:
            with self._permissions.recording(Permission.DESCRIBE_JOB, vault):
                found = self._lister.job(vault, job, deadline)
            return self._learn(vault, job, found)
        except NotFoundError:
            return self._learn(vault, job, None)

    def _learn(self, vault: str, job: str, found: Job | None) -> Job | None:
        with self._lock:
            self._looked_up[vault, job] = RememberedJob(found)
            listing = self._listings.get(vault)
            if listing is not None and found is None and job in listing.jobs:
                self._stale_names.add(vault, job)
            if listing is not None and found is not None:
                listing.jobs[job] = compress(found)
                self._changed_ns[vault] = newest_ns(self._changed_ns[vault], found.changed_ns)
                if not found.is_finished:  # one of finished jobs alone was believed for longer
                    listing.current_until_s = min(listing.current_until_s, self._clock() + UNFINISHED_TTL_S)
        return found

    def _believed_until_s(self, _key: tuple[str, str], answer: RememberedJob, now_s: float) -> float:
        if answer.job is None:
            return now_s + NEGATIVE_TTL_S
        return now_s + (self._list_ttl_s if answer.job.is_finished else min(UNFINISHED_TTL_S, self._list_ttl_s))
