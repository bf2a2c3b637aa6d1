"""What fails again and again of one archive: when it is tried next, and when that is futile."""

from dataclasses import dataclass

from casfs.drain.work import Asked, LeftOutError, Loaded
from casfs.errors import UnreachableError

OF_ALL = (UnreachableError, LeftOutError)
"""What no archive is to blame for."""
LONGEST_PAUSE_S = 60
FUTILE_TRIES = 5
"""Tries that bring nothing of an archive while the service answers otherwise; then it is given up. Each download was
tried until a read's deadline. No other retrieval is paid for; the next run has the same job again."""
FUTILE_NS = 120 * 10**9
"""For how long at least: some failures come at once."""


@dataclass(slots=True)
class Trouble:
    """Downloads of one output, or requests for it, that failed.

    Attributes:
        began_ns: when the first of those failed that brought nothing, one after the other.
        tries: how many failed lately, for the next pause.
        next_ns: when it is tried again.
        futile: how many brought nothing, one after the other.
        moved: bytes that all of them brought; where nobody goes on with them, they come again and again.
    """

    began_ns: int
    tries: int = 0
    next_ns: int = 0
    futile: int = 0
    moved: int = 0

    def add(self, outcome: Asked | Loaded, now_ns: int, heard_ns: int) -> None:
        """Take note of one more.

        Args:
            outcome: of the download, or of the request.
            now_ns: the time.
            heard_ns: when the service last did anything that it was asked for.
        """
        moved = outcome.moved if isinstance(outcome, Loaded) else 0
        self.moved += moved
        if moved and self.moved <= outcome.entry.size:
            self.began_ns, self.futile = now_ns, 0
        elif heard_ns >= self.next_ns and not isinstance(outcome.error, OF_ALL):
            self.futile += 1
        self.next_ns = now_ns + min(LONGEST_PAUSE_S, 2**self.tries) * 10**9
        self.tries = min(self.tries + 1, 6)

    def is_for_ever(self, now_ns: int) -> bool:
        """Say whether no further try is to be made."""
        return self.futile >= FUTILE_TRIES and now_ns - self.began_ns >= FUTILE_NS
