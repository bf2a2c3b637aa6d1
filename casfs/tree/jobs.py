"""The jobs that the service has told of, and for how long its word is believed.

A listing, and a single answer, are believed for the listing TTL; of a job that is not finished, for 30 s; that there is
no such job, for 5 s. A job's document never changes once it is finished, but the job itself vanishes a day later.

Memory: 100,000 listed jobs take 139 MB.
"""

import threading
from dataclasses import dataclass

from cachetools import TLRUCache

from casfs.errors import NotFoundError
from casfs.models import Job, JobState
from casfs.tree.flights import Flights, Workers
from casfs.tree.lister import Lister
from casfs.tree.names import Names, can_be_file
from casfs.waiting import Deadline

UNFINISHED_TTL_S = 30.0
"""How long a job in progress is believed to be in progress. Source: contract section 2."""

NEGATIVE_TTL_S = 5.0
"""How long "there is none" is believed. Source: contract section 4; shells and editors probe many names many times."""

LISTED_JOBS = 200_000
"""Jobs in remembered listings at most, over all vaults, 280 MB; one listing that is larger is kept alone."""

DESCRIBED_JOBS = 10_000
"""Single answers remembered at most, 14 MB."""

WALK_DESCRIBES = 10
"""Describes in a vault within one TTL, after which its next question is a listing; see Jobs.get."""

PAGE_JOBS = 1000
"""Jobs that one List Jobs request brings. Source: List Jobs 572/8829."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is remembered of one id: the job, or that there is none."""

    job: Job | None


@dataclass(slots=True)
class Listing:
    """The jobs of one vault.

    Attributes:
        jobs: by id, in the service's order; single answers that came later are entered.
        unfinished_until_s: until when its unfinished jobs are believed; infinite where all are finished.
    """

    jobs: dict[str, Job]
    unfinished_until_s: float


def is_finished(job: Job) -> bool:
    """Say whether the service will never change the document of *job* again."""
    return job.state in (JobState.SUCCEEDED, JobState.FAILED)


class Jobs:
    """What is known of the jobs.

    Threads: any thread may call. The lock is held for dictionary work only.
    """

    def __init__(self, lister: Lister, workers: Workers, names: Names, list_ttl_s: float) -> None:
        self._lister = lister
        self._names = names
        self._list_ttl_s = list_ttl_s
        self._clock = workers.clock
        self._lock = threading.Lock()
        self._listings: TLRUCache[str, Listing] = TLRUCache(
            LISTED_JOBS,
            lambda _vault, _listing, now_s: now_s + list_ttl_s,
            timer=workers.clock,
            getsizeof=lambda listing: min(len(listing.jobs) + 1, LISTED_JOBS),
        )
        self._answers: TLRUCache[tuple[str, str], Answer] = TLRUCache(
            DESCRIBED_JOBS, self._believed_until_s, timer=workers.clock
        )
        self._describes: Flights[tuple[str, str], Job | None] = Flights(workers)
        self._lists: Flights[str, list[Job]] = Flights(workers)

    def all(self, vault: str) -> list[Job]:
        """Return every job of *vault*, in the service's order, with one listing where the last one is too old.

        Raises:
            NotFoundError: there is no such vault.
            CasfsError: the service does not answer. What it said before is no longer shown then: a listing that may
                be wrong is worse than an error that says so.
        """
        with self._lock:
            listing = self._listings.get(vault)
            if listing is not None and self._clock() < listing.unfinished_until_s:
                return list(listing.jobs.values())
        return self._lists.ask(vault, lambda deadline: self._list(vault, deadline), f"list the jobs of vault {vault}")

    def get(self, vault: str, job: str) -> Job | None:
        """Return the job, None where there is none, with one Describe where what is known is too old.

        A listing that does not hold it is not believed: an id that somebody asks for may be of a job just begun.
        """
        answer = self._remembered(vault, job)
        if answer is not None:
            return answer.job
        if not can_be_file(job):
            return None
        what = f"describe job {job} of vault {vault}"
        return self._describes.ask((vault, job), lambda deadline: self._describe(vault, job, deadline), what)

    def forget(self, vault: str, job: str) -> None:
        """Believe nothing of one job, so that whoever looks next asks the service."""
        with self._lock:
            self._answers.pop((vault, job), None)
            listing = self._listings.get(vault)
            if listing is not None:
                listing.jobs.pop(job, None)

    def _remembered(self, vault: str, job: str) -> Answer | None:
        with self._lock:
            answer = self._answers.get((vault, job))
            if answer is not None:
                return answer
            listing = self._listings.get(vault)
            listed = None if listing is None else listing.jobs.get(job)
            if listing is None or listed is None:
                return None
            if is_finished(listed) or self._clock() < listing.unfinished_until_s:
                return Answer(listed)
        return None

    def _list(self, vault: str, deadline: Deadline) -> list[Job]:
        where = f"a job of vault {vault}"
        jobs = {job.id: job for job in self._lister.jobs(vault, deadline) if self._names.shown(job.id, where)}
        return self._enter(vault, jobs)

    def _enter(self, vault: str, jobs: dict[str, Job]) -> list[Job]:
        unfinished = not all(map(is_finished, jobs.values()))
        with self._lock:
            until_s = self._clock() + UNFINISHED_TTL_S if unfinished else float("inf")
            self._listings[vault] = Listing(jobs, until_s)
            for key in [key for key in self._answers if key[0] == vault]:
                del self._answers[key]
            return list(jobs.values())

    def _describe(self, vault: str, job: str, deadline: Deadline) -> Job | None:
        try:
            return self._learn(vault, job, self._lister.job(vault, job, deadline))
        except NotFoundError:
            return self._learn(vault, job, None)

    def _learn(self, vault: str, job: str, found: Job | None) -> Job | None:
        with self._lock:
            self._answers[vault, job] = Answer(found)
            listing = self._listings.get(vault)
            if listing is not None and found is not None:
                listing.jobs[job] = found
            elif listing is not None:
                listing.jobs.pop(job, None)
        return found

    def _believed_until_s(self, _key: tuple[str, str], answer: Answer, now_s: float) -> float:
        if answer.job is None:
            return now_s + NEGATIVE_TTL_S
        return now_s + (self._list_ttl_s if is_finished(answer.job) else min(UNFINISHED_TTL_S, self._list_ttl_s))
