"""Which archives are downloaded next, and what comes of it."""

import dataclasses

from casfs.drain.archive import Entry, State
from casfs.drain.destinations.destination import is_of_one_name
from casfs.drain.ledger.ledger import Ledger
from casfs.drain.settings import DrainSettings
from casfs.drain.tally import Tally
from casfs.drain.times import iso
from casfs.drain.work import Loaded
from casfs.errors import (
    CasfsError,
    CorruptDataError,
    DeadlineError,
    GoneError,
    NotFoundError,
    NotReadyError,
    ProtocolError,
    RefusedError,
    SizeChangedError,
    UncheckableError,
)

OVER = (GoneError, NotFoundError, CorruptDataError, SizeChangedError)
"""What another retrieval may mend."""
HOPELESS = (UncheckableError, RefusedError, ProtocolError)
"""What none does."""
LONGEST_PAUSE_S = 60


class Loading:
    """Downloads archives, soonest to expire first.

    Attributes:
        next_ns: when the next one that failed is tried again; None where none is.

    Threads: that of the run.
    """

    def __init__(self, ledger: Ledger, tally: Tally, settings: DrainSettings) -> None:
        self._ledger = ledger
        self._tally = tally
        self._most = settings.jobs
        self._loading: set[int] = set()
        self._waiting: dict[int, tuple[int, int]] = {}  # tries so far, and when the next one is
        self.next_ns: int | None = None

    @property
    def is_busy(self) -> bool:
        """Whether anything is being downloaded."""
        return bool(self._loading)

    def is_due(self, now_ns: int) -> bool:
        """Say whether anything may be downloaded now."""
        held = sum(at_ns > now_ns for _, at_ns in self._waiting.values())
        self.next_ns = min((at_ns for _, at_ns in self._waiting.values() if at_ns > now_ns), default=None)
        return len(self._loading) < self._most and self._tally.totals[State.READY][0] > held

    def next(self, now_ns: int) -> list[Entry]:
        """Return the archives to download now, noted as such; within a step."""
        found: list[Entry] = []
        free = self._most - len(self._loading)
        for entry in self._ledger.archives.entries(State.READY, limit=free + len(self._waiting)):
            _, at_ns = self._waiting.get(entry.number, (0, 0))
            if at_ns <= now_ns and len(found) < free:
                self._tally.move(entry, State.LOADING)
                self._loading.add(entry.number)
                found.append(entry)
        return found

    def note(self, outcome: Loaded, now_ns: int) -> CasfsError | None:
        """Note what came of a download, within a step; return the error that ends the run, if it is one."""
        entry = dataclasses.replace(outcome.entry, state=State.LOADING)
        self._loading.discard(entry.number)
        tries, _ = self._waiting.pop(entry.number, (0, 0))
        if outcome.proof is not None:
            self._tally.done(entry, outcome.proof, iso(now_ns))
            return None
        error = outcome.error
        if isinstance(error, OVER):
            self._ledger.retrievals.end(entry.job or "", str(error))
            self._tally.again(entry, str(error))
        elif isinstance(error, HOPELESS) or is_of_one_name(error):
            self._tally.move(entry, State.FAILED, str(error))
        elif isinstance(error, NotReadyError):
            self._tally.move(entry, State.ASKED)
        else:
            self._tally.move(entry, State.READY, str(error))
            if error is None or not (error.retryable or isinstance(error, DeadlineError)):
                return error
            pause_s = min(LONGEST_PAUSE_S, 2**tries)
            self._waiting[entry.number] = (min(tries + 1, 6), now_ns + pause_s * 10**9)
        return None
