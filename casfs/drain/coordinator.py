"""The thread of a run: decides what is asked for and what is downloaded next, and writes the ledger.

No job is begun before all pages of List Jobs were read: so a retrieval whose answer was lost, which a kill cut off from
the ledger, or whose ledger is lost, is found and not paid for again.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from casfs.drain.archive import Entry, State
from casfs.drain.asking import Asking
from casfs.drain.jobs import Retrieval, by_archive, seen
from casfs.drain.ledger.ledger import Ledger
from casfs.drain.loading import Loading
from casfs.drain.needs import Progress, Watcher
from casfs.drain.settings import DrainSettings
from casfs.drain.speed import Speed
from casfs.drain.tally import Tally
from casfs.drain.times import iso
from casfs.drain.work import Asked, Broken, LeftOutError, Listed, Outcome, Work
from casfs.drain.workers import Inbox, Pool
from casfs.errors import CasfsError

PATIENCE_NS = 3600 * 10**9
"""How long a run goes on though nothing succeeds: jobs take hours, and a link that is down for one of them is no reason
to end it."""
YOUNG_NS = 600 * 10**9
"""A job that was begun so lately may be missing in a list, which other machines of a service may make; then it is asked
for by its id."""
TURN_S = 1.0
"""How often progress is told, at least."""
NOTED = 100
"""Archives that are named when they are given up; the ledger has all."""
BATCH = 100
"""Outcomes that are noted in one step of the ledger, each of which waits for the disk."""


@dataclass(frozen=True, slots=True)
class Means:
    """What a run works with.

    Attributes:
        work: what is done beside its thread.
        asks: who begins and lists jobs.
        loads: who downloads.
        inbox: where what came of it comes.
        now_ns: the time.
    """

    work: Work
    asks: Pool[Outcome]
    loads: Pool[Outcome]
    inbox: Inbox[Outcome]
    now_ns: Callable[[], int]


class Coordinator:
    """One run, from a ledger that has the inventory to one in which nothing is left to do.

    Args:
        ledger: the truth.
        settings: what the user decides.
        means: what it works with.
        watcher: who is told.

    Threads: one.
    """

    def __init__(self, ledger: Ledger, settings: DrainSettings, means: Means, watcher: Watcher) -> None:
        self._ledger = ledger
        self._settings = settings
        self._work, self._inbox, self._now_ns = means.work, means.inbox, means.now_ns
        self._asks, self._loads = means.asks, means.loads
        self._watcher = watcher
        with ledger.step():
            ledger.archives.clear()
        self._tally = Tally(ledger, settings.attempts, means.now_ns())
        self._speed = Speed(ledger.get("speed"))
        self._asking = Asking(ledger, self._tally, settings, self._speed)
        self._loading = Loading(ledger, self._tally, settings)
        self._is_listing = False
        self._was_listed = False
        self._list_at_ns = self._heard_ns = self._failing_ns = means.now_ns()
        self._failures = self._noted = 0
        self._measured = (means.now_ns(), 0, False)

    def run(self) -> None:
        """Work until every chosen archive is done or given up.

        Raises:
            CasfsError: it cannot go on; the ledger is true.
        """
        try:
            while self._tally.is_open:
                self._turn()
        finally:
            self._work.end()
            self._asks.stop()
            self._loads.stop()
            self._take_last()
            self._measure(self._now_ns())
            speed = self._speed.get()
            if speed is not None:
                with self._ledger.step():
                    self._ledger.put("speed", speed)
            self._tell()

    def _turn(self) -> None:
        now_ns = self._now_ns()
        self._measure(now_ns)
        if not self._is_listing and now_ns >= self._list_at_ns:
            self._list(now_ns)
        is_to_ask, is_to_load = self._was_listed and self._asking.is_due(now_ns), self._loading.is_due(now_ns)
        if is_to_ask or is_to_load:
            self._begin(now_ns, is_to_ask=is_to_ask)
        self._tell()
        if self._tally.is_open:
            self._take(self._inbox.get(self._wait_s(now_ns)))

    def _measure(self, now_ns: int) -> None:
        """Take note of what was downloaded since the turn before, if anything was to be."""
        before_ns, before, was_busy = self._measured
        moved = self._work.moved
        if was_busy or moved > before:
            self._speed.add(before_ns, now_ns, moved - before)
        self._measured = (now_ns, moved, self._loading.is_busy)

    def _begin(self, now_ns: int, *, is_to_ask: bool) -> None:
        with self._ledger.step():
            asked = self._asking.next(now_ns) if is_to_ask else []
            loaded = self._loading.next(now_ns)
        for entry in asked:
            self._asks.submit(partial(self._work.ask, entry))
        for entry in loaded:
            self._loads.submit(partial(self._work.load, entry))

    def _wait_s(self, now_ns: int) -> float:
        """Return for how long nothing is to be done unless something comes."""
        moments = [self._asking.next_ns, self._loading.next_ns]
        if not self._is_listing:
            moments.append(self._list_at_ns)
        until_ns = min((moment for moment in moments if moment is not None and moment > now_ns), default=now_ns + 10**9)
        return min(TURN_S, (until_ns - now_ns) / 1e9)

    def _take(self, outcome: Outcome | None) -> None:
        outcomes: list[Outcome] = []
        while outcome is not None and len(outcomes) < BATCH:
            outcomes.append(outcome)
            outcome = self._inbox.get(0)
        if outcome is not None:
            outcomes.append(outcome)
        if not outcomes:
            return
        errors: list[BaseException] = []
        with self._ledger.step():
            for each in outcomes:
                error = self._note(each)
                if error is not None:
                    errors.append(error)
        for error in errors:
            raise error

    def _take_last(self) -> None:
        """Note what came while the run ended: it may have been paid for, and is not to be done again."""
        while (outcome := self._inbox.get(0)) is not None:
            if not isinstance(outcome, Listed | Broken) and outcome.error is None:
                with self._ledger.step():
                    self._note(outcome)

    def _note(self, outcome: Outcome) -> BaseException | None:
        """Note an outcome; return the error that ends the run, if it is one."""
        now_ns = self._now_ns()
        if isinstance(outcome, Broken):
            return outcome.error
        if outcome.error is None:
            self._heard_ns, self._failures = now_ns, 0
        if isinstance(outcome.error, LeftOutError):
            self._watcher.note(str(outcome.error))
        if isinstance(outcome, Listed):
            return self._listed(outcome, now_ns)
        if isinstance(outcome, Asked):
            ends = self._asked(outcome, now_ns)
        else:
            ends = self._loading.note(outcome, now_ns, self._heard_ns)
        return ends or self._patience(outcome.error, now_ns)

    def _asked(self, outcome: Asked, now_ns: int) -> CasfsError | None:
        ends = self._asking.note(outcome, now_ns, self._heard_ns)
        if self._asking.wants_list:
            self._list_at_ns = min(self._list_at_ns, max(now_ns + self._pause_ns(), self._asking.list_ns))
        if self._asking.said:
            self._watcher.note(self._asking.said)
            self._asking.said = ""
        return ends

    def _list(self, now_ns: int) -> None:
        self._is_listing = True
        young = self._asking.young(now_ns - YOUNG_NS)
        self._asks.submit(lambda: self._work.list_jobs(young))
        self._list_at_ns = now_ns + int(self._settings.poll_s * 1e9)

    def _listed(self, outcome: Listed, now_ns: int) -> BaseException | None:
        self._is_listing = False
        error = outcome.error
        if error is None:
            self._was_listed = True
            self._settle(outcome, now_ns)
            return None
        if not error.is_for_now:
            return error
        self._list_at_ns = now_ns + self._pause_ns()
        return self._patience(error, now_ns)

    def _settle(self, listed: Listed, now_ns: int) -> None:
        """Have the ledger say what the list of jobs says."""
        found = by_archive(listed.retrievals)
        archives = self._ledger.archives
        known = [entry for state in (State.ASKING, State.ASKED, State.READY) for entry in archives.entries(state)]
        for entry in known:  # each once, though it changes its state meanwhile
            if not self._asking.is_later(entry, listed.began_ns):
                self._see(entry, found, now_ns)
            found.pop(entry.id, None)
        for archive in list(found):
            entry_or_none = archives.by_id(archive)
            if entry_or_none is not None and entry_or_none.state is State.NEW:
                self._see(entry_or_none, found, now_ns)
        self._asking.listed(listed.began_ns)

    def _see(self, entry: Entry, found: dict[str, list[Retrieval]], now_ns: int) -> None:
        over = self._ledger.retrievals.over(entry.id) if entry.attempts else frozenset()
        change = seen(entry, found.get(entry.id, ()), over)
        if change is None:
            return
        if change.ended is not None:
            self._ledger.retrievals.end(*change.ended)
        if change.retrieval is not None and change.state is State.DONE:
            self._tally.adopt(entry, State.ASKED, change.retrieval, now_ns)
            self._tally.put_there(dataclasses.replace(entry, state=State.ASKED), iso(now_ns))
        elif change.retrieval is not None:
            self._tally.adopt(entry, change.state, change.retrieval, now_ns)
        else:
            self._tally.again(entry, change.ended[1] if change.ended else None)

    def _patience(self, error: CasfsError | None, now_ns: int) -> BaseException | None:
        """Return *error* once nothing but errors has come for too long: a host that slept has heard nothing either."""
        if error is None:
            return None
        if not self._failures:
            self._failing_ns = now_ns
        self._failures += 1
        return error if now_ns - self._failing_ns > PATIENCE_NS else None

    def _pause_ns(self) -> int:
        return min(60, 1 << min(self._failures, 6)) * 10**9

    def _tell(self) -> None:
        for path, why in self._tally.given_up:
            self._noted += 1
            if self._noted <= NOTED:
                self._watcher.note(f"{path} is given up: {why}")
        self._tally.given_up.clear()
        spending = self._tally.spending
        self._watcher.progress(
            Progress(
                dict(self._tally.totals),
                self._work.moved,
                self._speed.get(),
                self._ledger.archives.soonest_expiry_ns(),
                (spending.count, spending.size),
                self._asking.waits_for,
            )
        )
