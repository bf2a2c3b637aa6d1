"""How archives get to where they go: what job is begun for each, which of those that there are serve, what is left."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from casfs.drain.archive import Entry
from casfs.drain.delivery import Proof, deliver
from casfs.drain.destinations.destination import Destination, Found
from casfs.drain.jobs import Retrieval, retrieval_of
from casfs.drain.needs import Service
from casfs.models import Job

Carry = Callable[[Entry, Callable[[int], object]], Proof]
"""Downloads an archive, as ``Way.bring`` does."""


class Way(Protocol):
    """How archives get to where they go.

    Threads: any, many at once.
    """

    def retrieval_of(self, job: Job) -> Retrieval | None:
        """Return what *job* does for an archive on this way, None for nothing."""
        ...

    def held(self, entry: Entry) -> Proof | None:
        """Return what shows that an archive is where it was to go, so that no job is needed; None where nothing does.

        Raises:
            CasfsError: it cannot be found out.
        """
        ...

    def look(self, paths: Iterable[str]) -> Iterator[Found | None] | None:
        """As ``Destination.look``; None where nobody can look."""
        ...

    def begin(self, entry: Entry) -> str:
        """Begin the job of an archive, and return its id.

        Raises:
            CasfsError: as ``Service.retrieve``.
        """
        ...

    def bring(self, entry: Entry, moved: Callable[[int], object]) -> Proof:
        """Put an archive whose job has an output where it was to go.

        Args:
            entry: which.
            moved: called now and then, with bytes that were moved since; may raise, which ends it.

        Raises:
            CasfsError: as ``deliver``.
        """
        ...


@dataclass(frozen=True, slots=True)
class Download:
    """Archives are retrieved and downloaded; as ``Way``.

    Attributes:
        service: whose vault it is.
        vault: its name.
        destination: where they go.
        tier: of the retrievals.
        carry: downloads one; None for this process itself.
    """

    service: Service
    vault: str
    destination: Destination
    tier: str
    carry: Carry | None = None

    def retrieval_of(self, job: Job) -> Retrieval | None:
        """As ``Way.retrieval_of``."""
        return retrieval_of(job)

    def held(self, entry: Entry) -> Proof | None:
        """As ``Way.held``: it is read back."""
        tree_hash = entry.tree_hash
        is_held = self.destination.holds(entry.path, entry.size, tree_hash)
        return Proof(tree_hash, "inventory") if is_held and tree_hash is not None else None

    def look(self, paths: Iterable[str]) -> Iterator[Found | None]:
        """As ``Way.look``."""
        return self.destination.look(paths)

    def begin(self, entry: Entry) -> str:
        """As ``Way.begin``."""
        return self.service.retrieve(self.vault, entry.id, self.tier)

    def bring(self, entry: Entry, moved: Callable[[int], object]) -> Proof:
        """As ``Way.bring``."""
        if self.carry is not None:
            return self.carry(entry, moved)
        return deliver(self.service, self.vault, self.destination, entry, moved)
