"""What a drain needs of an account and of whoever watches it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from casfs.drain.archive import State
from casfs.file import File
from casfs.models import Job, Vault


class Service(Protocol):
    """One account of one service; ``casfs.Account`` is one.

    Threads: any, many at once.
    """

    def vault(self, name: str, /) -> Vault:
        """Return the vault *name*."""
        ...

    def each_job(self, vault: str, /) -> Iterator[Job]:
        """Yield every job of *vault* once, page by page; what comes before an error is not all."""
        ...

    def job(self, vault: str, id: str, fresh: bool = False, /) -> Job:  # noqa: A002, FBT001, FBT002 - the library's
        """Return one job."""
        ...

    def open(self, vault: str, job: str, /) -> File:
        """Return the output of a job as a file."""
        ...

    def retrieve(self, vault: str, archive: str, tier: str | None = None, /) -> str:
        """Begin a job that retrieves an archive, and return its id."""
        ...

    def retrieve_inventory(self, vault: str, /, *, marker: str | None, description: str) -> str:
        """Begin a job that lists the archives of a vault, from a marker on, and return its id."""
        ...

    def wait(self, vault: str, id: str, timeout: float | None, poll: float, /) -> Job:  # noqa: A002 - as above
        """Return a job once it is finished."""
        ...


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a drain is.

    Attributes:
        totals: archives and bytes by state.
        moved: bytes that this run has downloaded, of archives that are not done too.
        speed: bytes a second, None where nobody has measured any.
        soonest_expiry_ns: when the next output that waits may be gone.
        retrievals: jobs that were begun, over all runs, and their bytes.
        waits_for: what holds new jobs up; "" for nothing.
    """

    totals: dict[State, tuple[int, int]] = field(default_factory=dict)
    moved: int = 0
    speed: float | None = None
    soonest_expiry_ns: int | None = None
    retrievals: tuple[int, int] = (0, 0)
    waits_for: str = ""


class Watcher(Protocol):
    """Who is told what a drain does.

    Threads: that of the run.
    """

    def note(self, text: str) -> None:
        """Say one thing that happened."""
        ...

    def progress(self, progress: Progress) -> None:
        """Say how far it is; called often."""
        ...
