"""What the tree needs of who keeps outputs that the service has dropped."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from casfs.models import Job


class KeptJobs(Protocol):
    """Jobs whose outputs are kept whole, whether the service has them still or not.

    Threads: every method may be called from any thread, and blocks for some seconds at most.
    """

    def start(self) -> None:
        """Begin to look for them, which the first question does otherwise.

        Raises:
            ShortageError: the system gives no thread.
        """
        ...

    def all(self, vault: str) -> Mapping[str, Job]:
        """Return every job of *vault* whose output is kept, by its id, each as one that has expired.

        Raises:
            CasfsError: it cannot be told which they are. None is no answer then: copies would be deleted for it.
        """
        ...

    def get(self, vault: str, job: str) -> Job | None:
        """Return one of them, None where its output is not kept.

        Raises:
            CasfsError: that cannot be told.
        """
        ...


class NothingKept:
    """KeptJobs where nothing is kept.

    Threads: any.
    """

    def start(self) -> None:
        """See KeptJobs."""

    def all(self, _vault: str) -> Mapping[str, Job]:
        """See KeptJobs."""
        return {}

    def get(self, _vault: str, _job: str) -> Job | None:
        """See KeptJobs."""
        return None


def merged(listed: Iterable[Job], kept: Mapping[str, Job]) -> Iterator[Job]:
    """Yield what the service lists, and then what is kept and is not listed."""
    left = dict(kept)
    for job in listed:
        left.pop(job.id, None)
        yield job
    yield from left.values()
