"""Which archives are downloaded next, and what comes of it."""

import dataclasses

from casfs.drain.archive import Entry, State
from casfs.drain.destinations.destination import is_of_one_file
from casfs.drain.ledger.ledger import Ledger
from casfs.drain.settings import DrainSettings
from casfs.drain.tally import Tally
from casfs.drain.trouble import Trouble
from casfs.drain.work import Loaded
from casfs.errors import (
    CasfsError,
    CorruptDataError,
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
        self._waiting: dict[int, Trouble] = {}
        self.next_ns: int | None = None

    @property
    def is_busy(self) -> bool:
        """Whether anything is being downloaded."""
        return bool(self._loading)

    def is_due(self, now_ns: int) -> bool:
        """Say whether anything may be downloaded now."""
        later_ns = [each.next_ns for number, each in self._waiting.items() if number not in self._loading]
        held = sum(at_ns > now_ns for at_ns in later_ns)
        self.next_ns = min((at_ns for at_ns in later_ns if at_ns > now_ns), default=None)
        return len(self._loading) < self._most and self._tally.totals[State.READY][0] > held

    def next(self, now_ns: int) -> list[Entry]:
        """Return the archives to download now, noted as such; within a step."""
        found: list[Entry] = []
        free = self._most - len(self._loading)
        for entry in self._ledger.archives.entries(State.READY, limit=free + len(self._waiting)):
            trouble = self._waiting.get(entry.number)
            if (trouble is None or trouble.next_ns <= now_ns) and len(found) < free:
                self._tally.move(entry, State.LOADING)
                self._loading.add(entry.number)
                found.append(entry)
        return found

    def note(self, outcome: Loaded, now_ns: int, heard_ns: int) -> CasfsError | None:
        """Note what came of a download, within a step; return the error that ends the run, if it is one.

        Args:
            outcome: of the download.
            now_ns: the time.
            heard_ns: when the service last did anything that it was asked for.
        """
        entry = dataclasses.replace(outcome.entry, state=State.LOADING)
        self._loading.discard(entry.number)
        trouble = self._waiting.pop(entry.number, None) or Trouble(now_ns)
        if outcome.proof is not None:
            self._tally.done(entry, outcome.proof, now_ns)
            return None
        error = outcome.error
        if isinstance(error, OVER):
            self._ledger.retrievals.end(entry.job or "", str(error))
            self._tally.again(entry, str(error))
        elif error is not None and error.is_for_now:
            self._again(entry, outcome, trouble, now_ns, heard_ns)
        elif isinstance(error, HOPELESS) or is_of_one_file(error):
            self._tally.move(entry, State.FAILED, str(error))
        elif isinstance(error, NotReadyError):
            self._tally.move(entry, State.ASKED)
        else:
            self._tally.move(entry, State.READY, str(error))
            return error
        return None

    def _again(self, entry: Entry, outcome: Loaded, trouble: Trouble, now_ns: int, heard_ns: int) -> None:
        """Have an output downloaded later, unless that is futile."""
        trouble.add(outcome, now_ns, heard_ns)
        if not trouble.is_for_ever(now_ns):
            self._tally.move(entry, State.READY, str(outcome.error))
            self._waiting[entry.number] = trouble
        else:
            why = f"{trouble.futile} downloads brought nothing: {outcome.error}; another run tries the same job again"
            self._tally.move(entry, State.FAILED, why)
