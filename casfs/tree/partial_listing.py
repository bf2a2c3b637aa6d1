"""A listing under way: what it has brought so far, so that it can be left and gone on with.

A vault of 100,000 jobs at 50 a page takes longer than a program waits. Each that asks brings it further.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from casfs.models import Job
from casfs.tree.compression import compress
from casfs.tree.listing import expiry_ns
from casfs.tree.names import HiddenNames
from casfs.tree.times import newest_ns
from casfs.waiting import Deadline


@dataclass(slots=True)
class _Waiting:
    """Who waits for a listing. Were it the listing itself, both would live on together until Python looks for circles.

    Attributes:
        deadline: knows whether anybody does.
    """

    deadline: Deadline

    def is_over(self) -> bool:
        return self.deadline.cancelled()


class PartialListing:
    """The jobs of one vault, being listed.

    Threads: one at a time.

    Attributes:
        jobs: those so far by id, compressed, in the service's order.
        finished: whether all of them are.
        changed_ns: when the newest of them was finished or, if it is not, begun; None where no document says so.
        expiries_ns: when their outputs expire.

    Args:
        ask: lists the jobs, as ``Lister.jobs``.
        vault: whose they are.
        deadline: of the listing, whoever goes on with it.
    """

    def __init__(self, ask: Callable[[Deadline], Iterator[Job]], vault: str, deadline: Deadline) -> None:
        self.jobs: dict[str, bytes] = {}
        self.finished = True
        self.changed_ns: int | None = None
        self.expiries_ns: set[int] = set()
        self._hidden = HiddenNames(f"jobs of vault {vault}")
        self._waiting = _Waiting(deadline)
        self._deadline = Deadline(deadline.at_s, deadline.clock, self._waiting.is_over)
        self._found = ask(self._deadline)

    def may_go_on(self, deadline: Deadline) -> bool:
        """Say whether there is time left; whoever asks by *deadline* is who waits from now on."""
        self._waiting.deadline = deadline
        return self._deadline.remaining_s > 0

    def finish(self, known: dict[str, bytes]) -> None:
        """Have the rest.

        Args:
            known: the jobs of the last listing. Most did not change, and the old and the new would take memory for two.

        Raises:
            InterruptedCallError: nobody waits; it can be gone on with.
            CasfsError: a page could not be had.
        """
        for job in self._found:
            if self._hidden.shows(job.id):
                old, new = known.get(job.id), compress(job)
                self.jobs[job.id] = old if old is not None and old == new else new
                self.finished = self.finished and job.is_finished
                self.changed_ns = newest_ns(self.changed_ns, job.changed_ns)
                self.expiries_ns.update(filter(None, [expiry_ns(job)]))
        self._hidden.warn()
