"""Which archives are asked for next, and what comes of it."""

import dataclasses
from collections.abc import Collection

from casfs.drain.archive import Entry, State
from casfs.drain.destinations.destination import is_of_one_file
from casfs.drain.jobs import Retrieval
from casfs.drain.ledger.ledger import Ledger
from casfs.drain.settings import DrainSettings
from casfs.drain.speed import Speed
from casfs.drain.tally import Tally
from casfs.drain.times import iso
from casfs.drain.trouble import Trouble
from casfs.drain.waves import Room, ahead_of
from casfs.drain.work import Asked
from casfs.errors import CasfsError, NotFoundError, ProtocolError, QuotaError, RefusedError
from casfs.models import JobState

SIDE_BY_SIDE = 8
"""Requests at once: some tens a second, where a service takes 800."""
LONGEST_PAUSE_S = 3600.0
"""Between two tries of what a policy or quota refuses: quotas are those of an hour or a day."""
SHORTEST_PAUSE_S = 1.0
REFUSALS = 10
"""So many archives in a row that are refused, and none that is not, are refused for what they have in common."""


class Asking:
    """Begins retrievals, as many as there is room for.

    Attributes:
        next_ns: when there may be room again, or a pause is over; None where neither is known.
        waits_for: what holds retrievals up; "" for nothing.
        said: what is new about that, for whoever watches.
        wants_list: whether a job may have been begun of which nobody knows.
        list_ns: when the jobs are listed for that at the soonest.

    Threads: that of the run.
    """

    def __init__(self, ledger: Ledger, tally: Tally, settings: DrainSettings, speed: Speed) -> None:
        self._ledger = ledger
        self._tally = tally
        self._settings = settings
        self._speed = speed
        self._asked: set[int] = set()
        self._changed_ns: dict[int, int] = {}
        self._jobs: dict[str, int] = {}
        self._troubles: dict[int, Trouble] = {}
        self._pause_s = 0.0
        self._pause_until_ns = 0
        self._refused = 0
        self._was_taken = False
        self.next_ns: int | None = None
        self.waits_for = self.said = ""
        self.wants_list = False
        self.list_ns = 0

    def next(self, now_ns: int) -> list[Entry]:
        """Return the archives to ask for now, noted as such; within a step."""
        self.next_ns = None
        found: list[Entry] = []
        room = self._room(now_ns)
        for entry in self._ledger.archives.entries(State.NEW, limit=self._most()):
            if self._tally.is_spent(entry):
                self._tally.again(entry, None)
            elif room.fits(entry.size):
                room = room.after(entry.size)
                self._tally.move(entry, State.ASKING)
                self._asked.add(entry.number)
                found.append(entry)
            else:
                self._wait(room, entry)
                return found
        self.waits_for = ""
        return found

    def is_due(self, now_ns: int) -> bool:
        """Say whether anything may be asked for now."""
        if now_ns < self._pause_until_ns:
            self.next_ns = self._pause_until_ns
            return False
        is_waiting = self.next_ns is not None and now_ns < self.next_ns
        return not (self.wants_list or is_waiting) and self._most() > 0 and self._tally.totals[State.NEW][0] > 0

    def note(self, outcome: Asked, now_ns: int, heard_ns: int) -> CasfsError | None:
        """Note what came of asking, within a step; return the error that ends the run, if it is one.

        Args:
            outcome: of asking.
            now_ns: the time.
            heard_ns: when the service last did anything that it was asked for.
        """
        entry = outcome.entry
        self._asked.discard(entry.number)
        self._changed_ns[entry.number] = now_ns
        asking = _as(entry, State.ASKING)
        if isinstance(outcome.error, RefusedError) and outcome.error.may_pass:
            return self._again(asking, outcome, now_ns, heard_ns)
        self._troubles.pop(entry.number, None)
        if outcome.error is not None:
            return self._failed(asking, outcome.error, now_ns)
        self._pause_s, self._was_taken = 0.0, True
        if outcome.proof is not None:
            self._tally.done(asking, outcome.proof, now_ns)
        elif outcome.job is not None:
            self._jobs[outcome.job] = now_ns
            retrieval = Retrieval(entry.id, outcome.job, JobState.IN_PROGRESS, now_ns, None)
            self._tally.adopt(asking, State.ASKED, retrieval, now_ns)
        return None

    def is_later(self, entry: Entry, listed_ns: int) -> bool:
        """Say whether an archive is being asked for, or was, since the jobs were listed."""
        return entry.number in self._asked or self._changed_ns.get(entry.number, 0) >= listed_ns

    def listed(self, began_ns: int) -> None:
        """Forget what a list of jobs that was begun then has told."""
        self._changed_ns = {number: at_ns for number, at_ns in self._changed_ns.items() if at_ns >= began_ns}
        self.wants_list = False

    def young(self, since_ns: int) -> Collection[str]:
        """Return the jobs that were begun lately."""
        self._jobs = {job: at_ns for job, at_ns in self._jobs.items() if at_ns >= since_ns}
        return tuple(self._jobs)

    def _most(self) -> int:
        """Return how many may be asked for side by side: after a refusal by policy one, which tells of all."""
        return (1 if self._pause_s else 2 * SIDE_BY_SIDE) - len(self._asked)

    def _room(self, now_ns: int) -> Room:
        count, size = self._tally.under_way
        today = self._tally.spending.within_a_day(now_ns) + self._tally.totals[State.ASKING][1]
        ahead = ahead_of(self._settings.bounds, self._speed.get())
        return Room(ahead, self._settings.bounds.daily, size, today, count)

    def _wait(self, room: Room, entry: Entry) -> None:
        if room.fits_ahead(entry.size):
            self.next_ns = self._tally.spending.less_at_ns()
            self.waits_for = "--daily"
        else:
            self.waits_for = "downloads"

    def _failed(self, entry: Entry, error: CasfsError, now_ns: int) -> CasfsError | None:
        if isinstance(error, QuotaError):
            self._tally.move(entry, State.NEW)
            self._pause(now_ns, f"a policy or quota of the account: {error}")
        elif isinstance(error, NotFoundError):
            self._tally.move(entry, State.GONE, str(error))
        elif isinstance(error, RefusedError):
            return self._give_up(entry, error, str(error))
        elif is_of_one_file(error):
            self._tally.move(entry, State.FAILED, str(error))
        elif error.is_for_now or isinstance(error, ProtocolError):
            self.wants_list = True  # which tells whether the job was begun
        else:
            self._tally.move(entry, State.NEW)
            return error
        return None

    def _again(self, entry: Entry, outcome: Asked, now_ns: int, heard_ns: int) -> CasfsError | None:
        """Have an archive that anybody in between may have refused asked for later, unless that is futile."""
        trouble = self._troubles.setdefault(entry.number, Trouble(now_ns))
        trouble.add(outcome, now_ns, heard_ns)
        if not trouble.is_for_ever(now_ns):
            self.wants_list = True
            self.list_ns = max(self.list_ns, trouble.next_ns)
            return None
        del self._troubles[entry.number]
        why = f"{trouble.futile} requests were refused: {outcome.error}; another run asks for it again"
        return self._give_up(entry, outcome.error, why)

    def _give_up(self, entry: Entry, error: CasfsError | None, why: str) -> CasfsError | None:
        self._tally.move(entry, State.FAILED, why)
        self._refused += 1
        return error if self._refused >= REFUSALS and not self._was_taken else None

    def _pause(self, now_ns: int, what: str) -> None:
        if now_ns < self._pause_until_ns:
            return  # others were asked for at the same time
        first = max(SHORTEST_PAUSE_S, self._settings.poll_s)
        self._pause_s = min(LONGEST_PAUSE_S, 2 * self._pause_s or first)
        self._pause_until_ns = now_ns + int(self._pause_s * 1e9)
        self.waits_for = what
        self.said = f"retrievals wait until {iso(self._pause_until_ns)}: {what}"


def _as(entry: Entry, state: State) -> Entry:
    return dataclasses.replace(entry, state=state)
