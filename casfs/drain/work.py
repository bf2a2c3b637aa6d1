"""What is done beside the thread of the run: listing jobs, beginning them, downloading; each with its outcome.

An error of the service or the destination is an outcome. The ledger is not touched here.
"""

import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from casfs.drain.archive import Entry
from casfs.drain.delivery import Proof
from casfs.drain.jobs import Retrieval
from casfs.drain.needs import Service
from casfs.drain.way import Way
from casfs.errors import CasfsError, GoneError, NotFoundError


@dataclass(frozen=True, slots=True)
class Listed:
    """The jobs of the vault.

    Attributes:
        began_ns: when they were asked for.
        retrievals: those that bring whole archives to where they go, or a part of the way.
        error: why they are not known.
    """

    began_ns: int
    retrievals: tuple[Retrieval, ...] = ()
    error: CasfsError | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of asking for an archive.

    Attributes:
        entry: which.
        job: that was begun; None where none was.
        proof: that it is where it was to go already; None where it is not.
        error: why neither is known.
    """

    entry: Entry
    job: str | None = None
    proof: Proof | None = None
    error: CasfsError | None = None


@dataclass(frozen=True, slots=True)
class Loaded:
    """What came of a download.

    Attributes:
        entry: which archive.
        proof: that it is where it was to go; None where it is not.
        error: why it is not there.
        moved: bytes that came all the same.
    """

    entry: Entry
    proof: Proof | None = None
    error: CasfsError | None = None
    moved: int = 0


@dataclass(frozen=True, slots=True)
class Broken:
    """What nobody foresaw."""

    error: BaseException


Outcome = Listed | Asked | Loaded | Broken


class OverError(CasfsError):
    """A run ended while this was under way."""


class LeftOutError(CasfsError):
    """Whoever was to download cannot, which no archive is to blame for, and is asked no more; others are."""

    retryable = True


class Work:
    """The work of one drain.

    Args:
        service: whose vault it is.
        vault: its name.
        way: how archives get to where they go.
        now_ns: the time.

    Attributes:
        moved: bytes that were downloaded so far.

    Threads: any, many at once.
    """

    def __init__(self, service: Service, vault: str, way: Way, now_ns: Callable[[], int]) -> None:
        self._service = service
        self._vault = vault
        self._way = way
        self._now_ns = now_ns
        self._is_over = threading.Event()
        self._counting = threading.Lock()
        self.moved = 0

    def end(self) -> None:
        """Have each download end as soon as it has written what it holds, with an error."""
        self._is_over.set()

    def list_jobs(self, young: Collection[str]) -> Listed:
        """List all retrievals of the vault, every page.

        Args:
            young: jobs that were begun lately: one that is not listed is asked for by its id.
        """
        began_ns = self._now_ns()
        try:
            jobs = self._service.each_job(self._vault)
            found = [each for job in jobs if (each := self._way.retrieval_of(job)) is not None]
            for missing in set(young) - {each.job for each in found}:
                try:
                    retrieval = self._way.retrieval_of(self._service.job(self._vault, missing, True))
                except (NotFoundError, GoneError):
                    continue
                found.extend([retrieval] if retrieval is not None else [])
        except CasfsError as error:
            return Listed(began_ns, error=error)
        return Listed(began_ns, tuple(found))

    def ask(self, entry: Entry) -> Asked:
        """Begin a job that brings an archive, unless it is where it was to go already."""
        began_ns = self._now_ns()
        try:
            proof = self._way.held(entry)
            return (
                Asked(entry, proof=_since(began_ns, proof))
                if proof is not None
                else Asked(entry, job=self._way.begin(entry))
            )
        except CasfsError as error:
            return Asked(entry, error=error)

    def load(self, entry: Entry) -> Loaded:
        """Download an archive."""
        moved, began_ns = 0, self._now_ns()

        def count(size: int) -> None:
            nonlocal moved
            self._count(size)
            moved += size

        try:
            return Loaded(entry, _since(began_ns, self._way.bring(entry, count)))
        except CasfsError as error:
            return Loaded(entry, error=error, moved=moved)

    def _count(self, size: int) -> None:
        if self._is_over.is_set():
            raise OverError("the run is over")
        with self._counting:
            self.moved += size


def _since(began_ns: int, proof: Proof) -> Proof:
    """Return *proof* with a time: that of the beginning, where nothing was put there and what is there was read."""
    return proof if proof.since_ns is not None else replace(proof, since_ns=began_ns)
