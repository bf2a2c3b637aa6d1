"""One output into its file: left where it is whole, waited for where that is wished, with what is said of it."""

import hashlib
from dataclasses import dataclass

from casfs import attributes
from casfs.cli.progress import Progress
from casfs.cli.session import Accounts
from casfs.cli.wait import check_succeeded
from casfs.config.place import Place
from casfs.drain.destinations.destination import Label
from casfs.drain.destinations.opening import Target
from casfs.drain.download import download, whole
from casfs.errors import CorruptDataError, NotFoundError, NotReadyError
from casfs.library import Account
from casfs.models import Job, Verification


@dataclass(frozen=True, slots=True)
class Fetched:
    """An output that is in its file.

    Attributes:
        job: whose.
        path: where.
        size: its length in bytes.
        bytes: how many of them were fetched now.
        verification: how much of it was checked.
    """

    job: Job
    path: str
    size: int
    bytes: int
    verification: Verification


class Fetching:
    """Fetches outputs.

    Args:
        accounts: of the services.
        target: where they go.
        poll_s: seconds between two questions whether a job is finished; None where none is waited for.
        progress: told of the bytes.
        is_forced: whether what is whole already is fetched too.

    Threads: any.
    """

    def __init__(
        self, accounts: Accounts, target: Target, poll_s: float | None, progress: Progress, *, is_forced: bool
    ) -> None:
        self._accounts = accounts
        self._target = target
        self._poll_s = poll_s
        self._progress = progress
        self._is_forced = is_forced

    def fetch(self, place: Place) -> Fetched:
        """Return an output once it is in its file.

        Raises:
            NotReadyError: its job is in progress, and not waited for.
            NotFoundError: there is no such job, or it has no output.
            CasfsError: it cannot be had, or put there.
        """
        account = self._accounts.of(place)
        job = self._job(account, place)
        name = self._target.name or job.id
        path = self._target.destination.where(name)
        if job.size is not None:
            self._progress.expect(job.size)
            if not self._is_forced and self._is_there(job, name, job.size):
                self._progress.advance(job.size)
                return Fetched(job, path, job.size, 0, whole(job.size))
        with self._target.destination.part(name, _attempt(place, job)) as part:
            self._progress.advance(part.size)
            try:
                done = download(lambda: account.open(job.vault, job.id), part, job.tree_hash, self._progress.advance)
            except CorruptDataError:
                part.discard()
                raise
            part.commit(_label(job, done.verification))
            return Fetched(job, path, part.size, done.fetched, done.verification)

    def _job(self, account: Account, place: Place) -> Job:
        vault, id_ = place.vault or "", place.job or ""
        job = account.job(vault, id_)
        if self._poll_s is not None and not job.is_finished:
            job = account.wait(vault, id_, poll=self._poll_s)
        elif not job.is_finished:
            job = account.job(vault, id_, fresh=True)
        if not job.is_finished:
            raise NotReadyError("the job is in progress; --wait waits for it")
        check_succeeded(job)
        if job.output is None:
            raise NotFoundError(f"the job has no output, being {job.action}")
        return job

    def _is_there(self, job: Job, name: str, size: int) -> bool:
        return self._target.destination.holds(name, size, job.tree_hash)


def _attempt(place: Place, job: Job) -> str:
    """Return a name that goes on only with what is of the same content: by its hash, of whichever job it came."""
    content = str(place) if job.tree_hash is None else f"{job.tree_hash} {job.size}"
    return hashlib.sha256(content.encode()).hexdigest()


def _label(job: Job, verification: Verification) -> Label:
    """Return what a mount says of the output, as far as it lists it."""
    found = attributes.of_output(job, verification)
    return Label(job.completed_ns, {name: found[name] for name in attributes.listed(found)})
