"""Whether what was put somewhere is still there: a run looks before it says what is to do, and when it ends.

By its length, and where it was changed since it was verified, by its tree hash. What is missed is looked for a second
time, and lost only if it is missed twice: a store may list less than there is. All but these two looks is told from
what the ledger has noted of them.

What is lost is noted first, since a manifest has to be true though no service answers. Then it is retrieved again, from
a job that there is already where one lives.
"""

import itertools
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from casfs.drain.archive import Entry, State
from casfs.drain.destinations.destination import Found
from casfs.drain.jobs import Retrieval, best, by_archive
from casfs.drain.ledger.doubts import Doubt, Placed
from casfs.drain.ledger.ledger import Ledger
from casfs.drain.times import exact
from casfs.drain.way import Way
from casfs.errors import DestinationError
from casfs.models import Job, JobState

BATCH = 100
"""Archives that are verified between two steps of the ledger."""
SHARED_S = 65.0
"""Until a host sees what another one has put into a folder that they share. Source: nfs(5), acdirmax is 60 s."""
WHY = "it was there, and is not any more, or is not what it was"


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


Look = Callable[[Iterable[str]], Iterator[Found | None] | None]
"""As ``Way.look``."""


def missing(ledger: Ledger, look: Look) -> Iterator[tuple[int, int]]:
    """Yield number and size of each archive that is done and not where it was put, or has another length.

    Args:
        ledger: that has what is done.
        look: at where it was put.

    Raises:
        DestinationError: it cannot be asked.
    """
    return ((number, size) for number, size, changed_ns in _other(ledger.doubts.placed(), look) if changed_ns is None)


def _other(placed: Iterator[Placed], look: Look) -> Iterator[tuple[int, int, int | None]]:
    """Yield what ``missing`` does, with None, and what was changed since it was verified, with when that was."""
    placed, again = itertools.tee(placed)
    seen = look(path for _, path, _, _ in again)
    if seen is None:
        return
    for (number, _, size, verified_at), found in zip(placed, seen, strict=True):
        if found is None or found.size != size:
            yield number, size, None
        elif found.changed_ns is not None and exact(found.changed_ns) > verified_at:
            yield number, size, found.changed_ns


class Presence:
    """Looks for what a ledger has as done.

    Args:
        ledger: the truth; open.
        way: how archives get to where they go.
        each_job: yields the jobs of the vault, of which some may still bring what is lost.
        note: is told what takes long.
        now_ns: the time.
        sleep: waits so many seconds.

    Threads: that of the run.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what was put where, who may bring it again, and the time
        self,
        ledger: Ledger,
        way: Way,
        each_job: Callable[[], Iterable[Job]],
        note: Callable[[str], object],
        now_ns: Callable[[], int],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._ledger = ledger
        self._way = way
        self._each_job = each_job
        self._note = note
        self._now_ns = now_ns
        self._sleep = sleep

    def check(self, *, is_empty: Callable[[], bool], pause_s: float = 0.0) -> Lost:
        """Have the ledger say what is there, and return what is not.

        Args:
            is_empty: says whether there is nothing else of the drain there either.
            pause_s: how long to wait before what is missed is looked for once more, up to SHARED_S.

        Raises:
            DestinationError: it cannot be asked; or nothing at all is there and what would bring it again costs money,
                as where a disk is not mounted.
            CasfsError: nothing at all is there, and the jobs cannot be listed.
        """
        done, _ = self._ledger.archives.totals()[State.DONE]
        if not done:  # of millions none may be
            return Lost(0, 0, is_all=False)
        self._look(min(pause_s, SHARED_S))
        self._read_again()
        missed, changed = (self._ledger.doubts.totals(is_changed=each) for each in (False, True))
        lost = Lost(missed[0] + changed[0], missed[1] + changed[1], missed[0] + changed[0] == done)
        if not lost.archives:
            return lost
        if lost.is_all and is_empty() and not self._is_free(self._retrievals()):
            raise DestinationError(
                f"nothing is there of the {lost.archives} archives that were put there: if no disk is missing,"
                " another --ledger has them retrieved again"
            )
        with self._ledger.step():
            self._ledger.doubts.lose(WHY)
            self._ledger.put("manifest", False)
            self._ledger.put("lost", True)
            self._ledger.put("unmatched", True)
        return lost

    def match(self) -> None:
        """Have the ledger say which jobs bring what is lost, of all looks since somebody did this.

        Raises:
            CasfsError: the jobs cannot be listed; it is to be done again.
        """
        if not self._ledger.get("unmatched"):
            return
        found = self._retrievals()
        with self._ledger.step():
            for entry in filter(None, map(self._ledger.archives.by_id, found)):
                self._adopt(entry, found[entry.id])
            self._ledger.put("unmatched", False)

    def _retrievals(self) -> dict[str, list[Retrieval]]:
        return by_archive(each for job in self._each_job() if (each := self._way.retrieval_of(job)) is not None)

    def _look(self, pause_s: float) -> None:
        """Have the ledger note what is missed, by two looks, and what was changed since it was verified."""
        doubts = self._ledger.doubts
        doubts.begin(self._doubted(doubts.placed()))
        if doubts.totals(is_changed=False)[0]:
            self._sleep(pause_s)  # nobody tells when a store, or another host's folder, lists what is there
        doubts.confirm(self._doubted(doubts.missed()))

    def _doubted(self, placed: Iterator[Placed]) -> Iterator[Doubt]:
        return ((number, changed_ns) for number, _, changed_ns in _other(placed, self._way.look))

    def _read_again(self) -> None:
        """Verify what was changed, and have the ledger say so of each that is what it was."""
        doubts, last = self._ledger.doubts, 0
        count, size = doubts.totals(is_changed=True)
        if count:
            self._note(f"{count} archives, {size} bytes, were changed since they were verified: reading")
        while batch := doubts.changed(last, BATCH):
            last, began_ns = batch[-1][0], self._now_ns()
            good = [each for each in batch if self._way.held(self._ledger.archives.by_number(each[0])) is not None]
            with self._ledger.step():
                for number, since_ns in good:  # which a clock that was set back does not bring into question again
                    doubts.verify(number, exact(max(began_ns, since_ns)))
                self._ledger.put("manifest", False)

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
