"""Jobs at the service: new ones, which a program begins and waits for, and all there are, page by page."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TypeVar

from casfs.account import Stages
from casfs.asked_jobs import ArchiveRetrieval, CosPush, InventoryRetrieval
from casfs.errors import CasfsError
from casfs.models import Job
from casfs.waiting import Deadline

T = TypeVar("T")

LISTING_S = 6 * 3600.0
"""How long all pages of a listing may take: at 50 a page and a second each, a million jobs."""

PATIENCE_S = 3600.0
"""How long a wait for a job goes on though nobody answers: jobs take hours, and a link that is down for one of them is
no reason to lose the wait."""

MIN_ANSWER_S = 1.0
"""How long an answer may take at least, however soon the time is over: who asks with no time at all is told as well."""

_log = logging.getLogger(__name__)


class Retrievals(ABC):
    """What begins jobs, waits for them and lists them, in an account that says how it asks the service."""

    @abstractmethod
    def _asked(self, ask: Callable[[Stages], T]) -> T: ...

    @abstractmethod
    def _job_within(self, timeout_s: float | None, vault: str, id_: str, *, fresh: bool) -> Job: ...

    @abstractmethod
    def _pause(self, seconds: float) -> None: ...

    def each_job(self, vault: str) -> Iterator[Job]:
        """Yield every job of *vault* once, page by page as they come, however many there are.

        Nothing is remembered of them. What comes before an error is right, and not all.

        Raises:
            NotFoundError: there is no such vault.
            CasfsError: the next page cannot be had.
        """
        jobs = self._asked(lambda stages: stages.client.jobs(vault, Deadline.after(LISTING_S)))
        while (job := self._asked(lambda _: next(jobs, None))) is not None:
            yield job

    def wait(self, vault: str, id: str, timeout: float | None = None, poll: float = 60) -> Job:  # noqa: A002 - public
        """Return the job once it is finished, be it that it failed.

        Args:
            vault: name of its vault.
            id: as the service gave it.
            timeout: seconds after which to give up; None for never.
            poll: seconds between two questions.

        Raises:
            DeadlineError: it is not finished by then.
            NotFoundError, GoneError: there is no such job, any more.
            CasfsError: the service refuses, or has not answered for an hour.
            ValueError: the account was closed meanwhile.
        """
        if poll <= 0:
            raise ValueError(f"poll is {poll}, and must be more than 0 seconds")
        deadline = None if timeout is None else Deadline.after(timeout)
        patience = Deadline.after(PATIENCE_S)
        while True:
            try:
                time_left = None if deadline is None else max(MIN_ANSWER_S, deadline.remaining_s)
                job = self._job_within(time_left, vault, id, fresh=True)
            except CasfsError as error:
                if not error.is_for_now or not patience.remaining_s:
                    raise
                _log.warning("%s/%s: waiting goes on: %s", vault, id, error)
            else:
                patience = Deadline.after(PATIENCE_S)
                if job.is_finished:
                    return job
            if deadline is not None:
                deadline.check(f"waiting for job {id!a} of vault {vault!a}")
            self._pause(poll if deadline is None else min(poll, deadline.remaining_s))

    @property
    def region(self) -> str | None:
        """Where the service is, which prices go by; None where its endpoint does not tell. No request."""
        return self._asked(lambda stages: stages.service.region)

    def retrieve(
        self,
        vault: str,
        archive: str,
        tier: str | None = None,
        byte_range: tuple[int, int] | None = None,
        description: str | None = None,
    ) -> str:
        """Begin a job that makes an archive ready for download, and return its id.

        Where an answer is lost, the job is looked for in the list of jobs before it is asked for again. Each call
        begins another job; of two at once that ask for the same, of which one loses its answer, both may get one.

        Args:
            vault: name of the vault.
            archive: id of the archive.
            tier: ``Expedited``, ``Standard`` or ``Bulk``; None leaves it to the service, which takes Standard.
            byte_range: the first and the last byte, whole MiB where they are not the archive's own; None for all.
            description: of the job.

        Raises:
            ValueError: the range is none, or the provider takes no such description.
            NotFoundError: there is no such vault or archive.
            RefusedError: the service takes no such parameters.
            CasfsError: it cannot be asked; the message says so where the job may have been begun all the same.
        """
        if byte_range is not None and not 0 <= byte_range[0] <= byte_range[1]:
            raise ValueError(f"byte_range is {byte_range}, and must be the first and the last byte")
        return self._begun(vault, ArchiveRetrieval(archive, tier, byte_range, description))

    def push_to_cos(  # noqa: PLR0913, PLR0917 - as the service's own parameters
        self,
        vault: str,
        archive: str,
        bucket: str,
        key: str,
        tier: str | None = None,
        description: str | None = None,
    ) -> str:
        """Begin a job by which CAS itself copies an archive into a bucket of COS, and return its id; as ``retrieve``.

        Args:
            vault: name of the vault.
            archive: id of the archive.
            bucket: the domain of the bucket, like ``backup-1250000000.cos.ap-chengdu.myqcloud.com``.
            key: of the object that it becomes there.
            tier: as ``retrieve`` has it.
            description: of the job.

        Raises:
            NotFoundError: there is no such vault or archive.
            RefusedError: the service takes no such parameters; Glacier has no such jobs.
            CasfsError: it cannot be asked; the message says so where the job may have been begun all the same.
        """
        return self._begun(vault, CosPush(archive, bucket, key, tier, description))

    def retrieve_inventory(  # noqa: PLR0913, PLR0917 - the public words
        self,
        vault: str,
        format: str = "JSON",  # noqa: A002 - the service's word
        start_date: datetime | str | None = None,
        end_date: datetime | str | None = None,
        limit: int | None = None,
        marker: str | None = None,
        description: str | None = None,
    ) -> str:
        """Begin a job that lists the archives of a vault, and return its id; as ``retrieve`` does.

        Args:
            vault: name of the vault.
            format: ``JSON`` or ``CSV``.
            start_date: archives made then or later: a time with its zone, or the service's own text for one.
            end_date: archives made before; at CAS, or then.
            limit: archives at most.
            marker: where to begin: the Marker in the document of the job that listed the part before.
            description: of the job.

        Raises:
            ValueError: a date has no zone, the limit is below 1, or the provider takes no such description.
            NotFoundError: there is no such vault.
            RefusedError: the service takes no such parameters.
            CasfsError: it cannot be asked; the message says so where the job may have been begun all the same.
        """
        if limit is not None and limit < 1:
            raise ValueError(f"limit is {limit}, and must be 1 or more")
        dates = _date(start_date), _date(end_date)
        return self._begun(vault, InventoryRetrieval(format, *dates, limit, marker, description))

    def _begun(self, vault: str, parameters: ArchiveRetrieval | InventoryRetrieval | CosPush) -> str:
        def begin(stages: Stages) -> str:
            job = stages.client.initiate_job(vault, parameters, stages.deadline())
            stages.tree.forget()  # so that it is in the next list of jobs
            return job

        return self._asked(begin)


def _date(moment: datetime | str | None) -> str | None:
    """Return *moment* as the service reads one: whole seconds of UTC."""
    if moment is None or isinstance(moment, str):
        return moment
    if moment.tzinfo is None:
        raise ValueError(f"{moment} is a time without a zone")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
