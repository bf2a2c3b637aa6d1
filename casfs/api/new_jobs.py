"""Jobs begun once: where an answer did not come, the job is looked for before it is asked for again.

Initiate Job is the one request that does something, each time that it is sent, and costs money. A service that
throttles, or refuses, did nothing; of every other failure nobody can tell whether the job was begun. Source:
docs/wire.md section 3.
"""

import re
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import unquote

from casfs.api.attempts import Attempts
from casfs.api.clock import ServiceClock
from casfs.api.http.response import Response
from casfs.api.job_parameters import Parameters, describes
from casfs.api.operations import Request
from casfs.api.retry import Call, Retry
from casfs.errors import (
    CasfsError,
    DeadlineError,
    InterruptedCallError,
    ProtocolError,
    ThrottledError,
    TransferError,
    UnreachableError,
)
from casfs.models import Job
from casfs.waiting import Deadline

SLACK_S = 5.0
"""By so much a job may seem to have been begun before it was asked for: dates may have whole seconds, and the clocks
of a service's machines differ."""

KEPT_IDS = 10_000
"""Jobs of which it is known who has them. Only those of the last seconds could be taken for another one."""

ListJobs = Callable[[str, Deadline], Iterator[Job]]


@dataclass(slots=True)
class _Effect:
    """What is known of the effect of one call's requests.

    Attributes:
        began_s: when the call began, by this machine's clock.
        may_be_listed: whether an answer was lost, so that the job is looked for before it is asked for again.
        is_unknown: whether nobody has looked since.
        is_begun: whether the service said that it began the job, and not which: it is never asked for again.
    """

    began_s: float
    may_be_listed: bool = False
    is_unknown: bool = False
    is_begun: bool = False

    def failed(self, error: CasfsError) -> None:
        """Note that a request ended with *error*."""
        is_final = isinstance(error, DeadlineError | InterruptedCallError)
        is_lost = is_final or (error.retryable and not isinstance(error, ThrottledError))
        self.may_be_listed |= is_lost
        self.is_unknown |= is_lost and not isinstance(error, UnreachableError)


class NewJobs:
    """Begins jobs, each once.

    Args:
        attempts: asks once.
        retry: tries again.
        clock: the service's.
        list_jobs: all jobs of a vault.
        id_header: where an answer tells the job's id.

    Threads: any. Two calls at once that ask for the same, of which one loses its answer, may come to the same job.
    """

    def __init__(
        self, attempts: Attempts, retry: Retry, clock: ServiceClock, list_jobs: ListJobs, id_header: str
    ) -> None:
        self._attempts = attempts
        self._retry = retry
        self._clock = clock
        self._list_jobs = list_jobs
        self._id_header = id_header
        self._lock = threading.Lock()
        self._given: deque[str] = deque(maxlen=KEPT_IDS)

    def begin(self, call: Call, request: Request, parameters: Parameters) -> str:
        """Return the id of the job that *request* began.

        Raises:
            ProtocolError: it was begun, and its id cannot be had.
            CasfsError: as ``Retry.run``; the message says so where the job may have been begun all the same.
        """
        effect = _Effect(self._clock.here_s())
        try:
            return self._retry.run(call, lambda: self._once(call, request, parameters, effect))
        except CasfsError as error:
            if not effect.is_unknown:
                raise
            told = type(error)(f"{error}; the job may have been begun: see the jobs of the vault")
            told.may_pass = error.may_pass
            raise told from error

    def _once(self, call: Call, request: Request, parameters: Parameters, effect: _Effect) -> str:
        found = self._find(call, parameters, effect.began_s) if effect.may_be_listed else None
        effect.is_unknown = False
        if found is None and not effect.is_begun:
            found = self._ask(call, request, effect)
            if found is None:  # a success that does not say which job
                effect.is_begun = effect.may_be_listed = effect.is_unknown = True
                found = self._find(call, parameters, effect.began_s)
                effect.is_unknown = False
        if found is None:
            raise ProtocolError("the job was begun, and neither the answer nor the list of jobs tells its id")
        return found

    def _ask(self, call: Call, request: Request, effect: _Effect) -> str | None:
        """Send *request*, and return the id in the answer, or None where it has none."""
        try:
            with self._attempts.ask(call, request) as response:
                job = self._id_in(response)
                with suppress(TransferError):
                    response.finish()
        except CasfsError as error:
            effect.failed(error)
            raise
        if job is not None:
            with self._lock:
                self._given.append(job)
        return job

    def _find(self, call: Call, parameters: Parameters, began_s: float) -> str | None:
        """Return the newest job of the vault that may be the one, and is nobody's of whom this object knows."""
        listed = [job for job in self._list_jobs(call.vault, call.deadline) if describes(job, parameters)]
        earliest_ns = int((self._clock.by_the_service(began_s) - SLACK_S) * 10**9)
        dated = [(job.created_ns, job.id) for job in listed if job.created_ns is not None]
        with self._lock:
            found = [job for at_ns, job in sorted(dated) if at_ns >= earliest_ns and job not in self._given]
            self._given.extend(found[-1:])
        return found[-1] if found else None

    def _id_in(self, response: Response) -> str | None:
        _, _, last = response.headers.get("Location", "").rpartition("/jobs/")
        told = (response.headers.get(self._id_header, ""), unquote(last))
        return next((job for job in told if re.fullmatch("[!-.0-~]{1,1024}", job)), None)
