"""Whether what was put somewhere is still there, by its length: a run looks before it says what is to do.

What is not is retrieved again, from a job that there is already where one lives.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from casfs.drain.archive import Entry, State
from casfs.drain.jobs import Retrieval, best, by_archive
from casfs.drain.ledger.ledger import Ledger
from casfs.drain.way import Way
from casfs.errors import DestinationError
from casfs.models import Job, JobState

WHY = "it was there, and is not any more, or has another length"


@dataclass(frozen=True, slots=True)
class Lost:
    """What was put where it was to go, and is not there.

    Attributes:
        archives: how many.
        size: their bytes.
        is_all: whether nothing else was put there.
    """

    archives: int
    size: int
    is_all: bool


def missing(
    ledger: Ledger, sizes_of: Callable[[Iterable[str]], Iterator[int | None] | None]
) -> Iterator[tuple[int, int]]:
    """Yield number and size of each archive that is done and not where it was put.

    Args:
        ledger: that has what is done.
        sizes_of: as ``Way.sizes``.

    Raises:
        DestinationError: it cannot be asked.
    """
    placed, again = itertools.tee(ledger.archives.placed())
    sizes = sizes_of(path for _, path, _ in again)
    if sizes is None:
        return
    for (number, _, size), found in zip(placed, sizes, strict=True):
        if found != size:
            yield number, size


class Presence:
    """Looks for what a ledger has as done.

    Args:
        ledger: the truth; open.
        way: how archives get to where they go.
        each_job: yields the jobs of the vault, of which some may still bring what is lost.

    Threads: that of the run.
    """

    def __init__(self, ledger: Ledger, way: Way, each_job: Callable[[], Iterable[Job]]) -> None:
        self._ledger = ledger
        self._way = way
        self._each_job = each_job

    def check(self, *, is_empty: Callable[[], bool]) -> Lost:
        """Have the ledger say what is there, and return what is not.

        Args:
            is_empty: says whether there is nothing else of the drain there either.

        Raises:
            DestinationError: it cannot be asked; or nothing at all is there and what would bring it again costs money,
                as where a disk is not mounted.
            CasfsError: the jobs cannot be listed.
        """
        lost = self._lost()
        if not lost.archives:
            return lost
        found = by_archive(each for job in self._each_job() if (each := self._way.retrieval_of(job)) is not None)
        if lost.is_all and is_empty() and not self._is_free(found):
            raise DestinationError(
                f"nothing is there of the {lost.archives} archives that were put there: if no disk is missing,"
                " another --ledger has them retrieved again"
            )
        with self._ledger.step():
            for number, _ in self._missing():
                self._ledger.archives.lose(number, WHY)
            self._ledger.put("manifest", False)
            self._ledger.put("lost", True)
            for entry in filter(None, map(self._ledger.archives.by_id, found)):
                self._adopt(entry, found[entry.id])
        return lost

    def _lost(self) -> Lost:
        count, size = 0, 0
        done, _ = self._ledger.archives.totals()[State.DONE]
        for _, each in self._missing() if done else ():  # millions of which none is done are not walked through
            count, size = count + 1, size + each
        return Lost(count, size, count == done)

    def _missing(self) -> Iterator[tuple[int, int]]:
        return missing(self._ledger, self._way.sizes)

    def _is_free(self, found: dict[str, list[Retrieval]]) -> bool:
        """Say whether a job that there is brings each archive that was there."""
        archives = self._ledger.archives
        return all(
            found.get(each.id) and best(found[each.id], self._over(each.id)) for each in archives.entries(State.DONE)
        )

    def _adopt(self, entry: Entry, retrievals: Iterable[Retrieval]) -> None:
        """Have what is lost brought by a job that there is; one that has put it there before does not again."""
        if entry.state is not State.NEW or entry.why != WHY:
            return
        for each in retrievals:
            if each.path is not None and each.state is JobState.SUCCEEDED:
                self._ledger.retrievals.end(each.job, WHY)
        used = best(retrievals, self._over(entry.id))
        if used is not None:
            self._ledger.retrievals.add(used.job, entry.id, used.created_ns or 0, entry.size)
            state = State.READY if used.state is JobState.SUCCEEDED else State.ASKED
            self._ledger.archives.move(entry.number, state, job=used.job, expires_ns=used.expires_ns, why=WHY)

    def _over(self, archive: str) -> frozenset[str]:
        return self._ledger.retrievals.over(archive)
