"""Names that a directory has shown: one that is gone since is told as gone, and never as one that never was.

A program that was shown a name asks for it next. ``rsync --delete`` takes ENOENT for a file that vanished, forgives it
and deletes the copy; of anything else it keeps the copy and says so. Source: rsync 3.5.0, by fault injection.
"""

import threading
from collections.abc import Iterable

from cachetools import TTLCache

from casfs.waiting import Clock

STALE_TTL_S = 3600.0
"""How long after a name was last shown, or seen to be missing from a newer listing, somebody may still walk through the
listing that had it: a program looks at all names of a directory first, which takes minutes for 100,000."""

MAX_STALE_NAMES = 100_000
"""Names remembered at most, 40 MB: those of one whole vault."""


class StaleNames:
    """Names that are gone and were shown.

    Threads: any thread may call. The lock is held for dictionary work only.
    """

    def __init__(self, clock: Clock) -> None:
        self._lock = threading.Lock()
        self._names: TTLCache[tuple[str, ...], None] = TTLCache(MAX_STALE_NAMES, STALE_TTL_S, timer=clock)

    def add(self, *name: str) -> None:
        """Take note of a path below the root, vault and job, that was shown and may be gone."""
        self.extend([name])

    def extend(self, names: Iterable[tuple[str, ...]]) -> None:
        """Take note of many, as ``add``."""
        with self._lock:
            for name in names:
                self._names[name] = None

    def __contains__(self, name: tuple[str, ...]) -> bool:
        """Return whether *name* was shown."""
        with self._lock:
            return name in self._names
