"""What was seen a while ago, for those who may not wait until it is looked at."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from casfs.operate.signals import Errand

T = TypeVar("T")

AGE_SHARE = 20
"""How old a look may be in times of what it took, so that looking takes a twentieth of a processor at most."""


class Glimpse(Generic[T]):
    """Looks on a thread of its own when it is asked and what was seen is too old.

    Args:
        name: of what is looked at.
        see: looks; may wait for a disk.
        least_age_s: how old what was seen may be in any case.
        clock: monotonic seconds.

    Threads: any; nobody waits for a look but the thread that looks.
    """

    def __init__(
        self, name: str, see: Callable[[], T], least_age_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._see = see
        self._least_age_s = least_age_s
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: T | None = None
        self._stale_s = -1.0
        self._errand = Errand(name, self.look)

    def last(self) -> T | None:
        """Return what was seen last, None before the first look; where that is too old, it is looked again aside."""
        with self._lock:
            seen, is_stale = self._seen, self._clock() >= self._stale_s
            if is_stale:
                self._stale_s = self._clock() + self._least_age_s
        if is_stale:
            self._errand.run()
        return seen

    def look(self) -> None:
        """Look now."""
        began_s = self._clock()
        seen = self._see()
        ended_s = self._clock()
        with self._lock:
            self._seen = seen
            self._stale_s = ended_s + max(self._least_age_s, AGE_SHARE * (ended_s - began_s))
