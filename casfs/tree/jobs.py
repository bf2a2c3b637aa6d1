"""The jobs of the service: what is known of them, and how the rest is asked for."""

import threading
from collections.abc import Callable, Iterator
from operator import itemgetter

from cachetools import TTLCache

from casfs.errors import AccessDeniedError, CredentialsError, InterruptedCallError, NotFoundError
from casfs.models import Job
from casfs.tree.compression import decompress
from casfs.tree.known_jobs import KnownJobs
from casfs.tree.lister import Lister
from casfs.tree.listing import ListedJob
from casfs.tree.names import can_be_file
from casfs.tree.partial_listing import PartialListing
from casfs.tree.permissions import Permission, Permissions
from casfs.tree.single_flight import LISTING_S, SingleFlight
from casfs.tree.stale_names import StaleNames
from casfs.tree.threads import Threads
from casfs.waiting import Deadline

MAX_PARTIAL_LISTINGS = 2
"""Listings kept that nobody waited for to their end, so that the next who asks goes on with them."""


class Jobs:
    """The jobs, asked for where what is known of them is too old.

    Threads: any thread may call. The lock is held for dictionary work only.

    Attributes:
        known: what is known of them.
    """

    def __init__(
        self, lister: Lister, threads: Threads, stale_names: StaleNames, permissions: Permissions, list_ttl_s: float
    ) -> None:
        self.known = KnownJobs(threads.clock, stale_names, list_ttl_s)
        self._lister = lister
        self._permissions = permissions
        self._look_ups: SingleFlight[tuple[str, str], Job | None] = SingleFlight(threads.look_ups, itemgetter(0))
        self._listings: SingleFlight[str, list[ListedJob]] = SingleFlight(threads.listings, str, LISTING_S)
        self._lock = threading.Lock()
        self._partial: TTLCache[str, PartialListing] = TTLCache(MAX_PARTIAL_LISTINGS, LISTING_S, timer=threads.clock)

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
        answer = self.known.get(vault, job)
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

    def _ways(self, vault: str) -> list[Callable[[str, str], Job | None]]:
        """Return how to ask for a job, the better way first, without one that was refused lately if there is another.

        If there is none, a job is asked for by its id: a service that refuses what is not there may answer for it.
        """
        ways = [(Permission.DESCRIBE_JOB, self._described), (Permission.LIST_JOBS, self._in_listing)]
        if self.known.is_listing_cheaper(vault):
            ways.reverse()
        allowed = (way for permission, way in ways if not self._permissions.is_refused(permission, vault))
        return list(allowed) or [self._described]

    def _described(self, vault: str, job: str) -> Job | None:
        what = f"describe job {job} of vault {vault}"
        return self._look_ups.ask((vault, job), lambda deadline: self._describe(vault, job, deadline), what)

    def _in_listing(self, vault: str, job: str) -> Job | None:
        compressed = dict(self._all(vault)).get(job)
        return None if compressed is None else decompress(compressed, vault, job)

    def _all(self, vault: str) -> list[ListedJob]:
        jobs = self.known.listed(vault)
        if jobs is None:
            what = f"list the jobs of vault {vault}"
            jobs = self._listings.ask(vault, lambda deadline: self._list(vault, deadline), what)
        return jobs

    def _list(self, vault: str, deadline: Deadline) -> list[ListedJob]:
        with self._lock:
            partial = self._partial.pop(vault, None)
        if partial is None or not partial.may_go_on(deadline):
            partial = PartialListing(lambda by: self._lister.jobs(vault, by), vault, deadline)
        try:
            with self._permissions.recording(Permission.LIST_JOBS, vault):
                partial.finish(self.known.last_listed(vault))
        except InterruptedCallError:
            with self._lock:
                self._partial[vault] = partial
            raise
        return self.known.enter(vault, partial)

    def _describe(self, vault: str, job: str, deadline: Deadline) -> Job | None:
        try:
            with self._permissions.recording(Permission.DESCRIBE_JOB, vault):
                found = self._lister.job(vault, job, deadline)
            return self.known.learn(vault, job, found)
        except NotFoundError:
            return self.known.learn(vault, job, None)
