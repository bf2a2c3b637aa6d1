"""Where the archives of a drain stand, in the ledger and as sums in memory: each move is made in both."""

from casfs.drain.archive import MISSING, OPEN, UNDER_WAY, Entry, State
from casfs.drain.delivery import Proof
from casfs.drain.jobs import Retrieval
from casfs.drain.ledger.ledger import Ledger
from casfs.drain.spending import DAY_NS, Spending
from casfs.drain.times import exact


class Tally:
    """Moves archives from state to state, within steps of the ledger.

    Attributes:
        totals: archives and bytes of those that are chosen, by state.
        spending: what retrievals come to.
        given_up: paths of those that were given up since somebody looked, and why.

    Threads: that of the run.

    Args:
        ledger: that has them.
        attempts: retrievals of one archive, after which it is given up.
        now_ns: the time.
    """

    def __init__(self, ledger: Ledger, attempts: int, now_ns: int) -> None:
        self._archives = ledger.archives
        self._retrievals = ledger.retrievals
        self._attempts = attempts
        self.given_up: list[tuple[str, str]] = []
        self.totals = dict(ledger.archives.totals())
        self.spending = Spending(*ledger.retrievals.count(), ledger.retrievals.since(now_ns - DAY_NS))

    @property
    def is_open(self) -> bool:
        """Whether there is an archive that a run still works on."""
        return any(self.totals[state][0] for state in OPEN)

    @property
    def under_way(self) -> tuple[int, int]:
        """Archives that are retrieved and not downloaded, and their bytes."""
        found = [self.totals[state] for state in UNDER_WAY]
        return sum(count for count, _ in found), sum(size for _, size in found)

    def move(self, entry: Entry, state: State, why: str | None = None) -> None:
        """Have an archive in *state*; its job stays what it is, unless it is new or given up."""
        keeps = state in UNDER_WAY and state is not State.ASKING
        job, expires_ns = (entry.job, entry.expires_ns) if keeps else (None, None)
        self._archives.move(entry.number, state, job=job, expires_ns=expires_ns, why=why or entry.why)
        self._count(entry, state)
        if state in MISSING:
            self.given_up.append((entry.path, why or state))

    def adopt(self, entry: Entry, state: State, retrieval: Retrieval, now_ns: int) -> None:
        """Have an archive brought by a job, which counts as an attempt if nobody has noted it."""
        asked_ns = now_ns if retrieval.created_ns is None else retrieval.created_ns
        if self._retrievals.add(retrieval.job, entry.id, asked_ns, entry.size):
            self.spending.add(asked_ns, entry.size)
        self._archives.move(entry.number, state, job=retrieval.job, expires_ns=retrieval.expires_ns, why=entry.why)
        self._count(entry, state)

    def again(self, entry: Entry, why: str | None) -> None:
        """Have an archive retrieved once more, or given up if that was done often enough."""
        why = why or entry.why
        if entry.attempts < self._attempts:
            self.move(entry, State.NEW, why)
            return
        times = f"{entry.attempts} retrieval{'s' if entry.attempts > 1 else ''}"
        self.move(entry, State.FAILED, f"{why or 'it was not brought'} ({times}; --attempts allows more)")

    def is_spent(self, entry: Entry) -> bool:
        """Say whether no further retrieval of an archive may be begun."""
        return entry.attempts >= self._attempts

    def done(self, entry: Entry, proof: Proof, now_ns: int) -> None:
        """Have an archive where it was to go."""
        verified_at = exact(now_ns if proof.since_ns is None else proof.since_ns)
        self._archives.done(entry.number, proof.tree_hash, proof.hash_from, verified_at)
        self._count(entry, State.DONE)

    def put_there(self, entry: Entry, told_at: str) -> None:
        """Have an archive where the service says that it has put it; no hash of what is there is known."""
        self._archives.done(entry.number, entry.tree_hash, "service", told_at)
        self._count(entry, State.DONE)

    def _count(self, entry: Entry, state: State) -> None:
        for where, sign in ((entry.state, -1), (state, 1)):
            count, size = self.totals[where]
            self.totals[where] = count + sign, size + sign * entry.size
