"""Whether the disk works: what failed, since when, and when it is tried again."""

import logging
import threading
from dataclasses import dataclass, replace

from casfs.waiting import Clock

log = logging.getLogger(__name__)

FIRST_RETRY_S = 30.0
"""A disk that is full or gone stays so for a while, and each trial costs whoever makes it a call that fails."""
LAST_RETRY_S = 600.0
"""The longest pause: half a download's length, so that a cache that works again is found in time to be of use."""


@dataclass(frozen=True, slots=True)
class Outage:
    """Why the disk is not used.

    Attributes:
        since_s: when it began, by the clock of the store.
        reason: what failed, in one line.
        retry_at_s: when it is tried again.
        reads_fail: whether reads failed.
        writes_fail: whether writes failed.
    """

    since_s: float
    reason: str
    retry_at_s: float
    reads_fail: bool
    writes_fail: bool


class DiskHealth:
    """What is known of the disk.

    Invariants: an outage is logged once, when it begins, and its end once; one that comes back within LAST_RETRY_S, for
    the same reason, is no new one.

    Threads: any; its lock is held for no I/O.
    """

    def __init__(self, folder: str, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._lock = threading.Lock()
        self._pause_s = FIRST_RETRY_S
        self._outage: Outage | None = None
        self._last: Outage | None = None
        self._mended_s = 0.0

    @property
    def outage(self) -> Outage | None:
        """What is wrong now, None where nothing is."""
        return self._outage

    @property
    def may_read(self) -> bool:
        """Whether to ask the disk for blocks: one that only refuses to be written to is read on."""
        outage = self._outage
        return outage is None or not outage.reads_fail or self._clock() >= outage.retry_at_s

    @property
    def may_write(self) -> bool:
        """Whether to ask the disk to change anything."""
        outage = self._outage
        return outage is None or self._clock() >= outage.retry_at_s

    def failed(self, error: OSError, *, reading: bool) -> None:
        """Note that a call failed; the warning is logged by the first of an outage."""
        reason = error.strerror or type(error).__name__
        with self._lock:
            was, now = self._outage, self._clock()
            is_again = was is None and self._is_as_before(reason, now)
            if is_again or (was is not None and now >= was.retry_at_s):
                self._pause_s = min(2 * self._pause_s, LAST_RETRY_S)
            first = Outage(now, reason, now, reads_fail=reading, writes_fail=not reading) if was is None else was
            self._outage = Outage(
                since_s=first.since_s,
                reason=reason,
                retry_at_s=now + self._pause_s,
                reads_fail=reading or first.reads_fail,
                writes_fail=first.writes_fail or not reading,
            )
        if was is None and not is_again:
            log.warning("%s: the cache on disk is not used for now: %s", self._folder, reason)

    def _is_as_before(self, reason: str, now: float) -> bool:
        """Return whether this goes on with the last outage: some calls may work of a disk that fails."""
        if self._last is not None and now - self._mended_s < LAST_RETRY_S and self._last.reason == reason:
            return True
        self._pause_s = FIRST_RETRY_S
        return False

    def worked(self, *, reading: bool) -> None:
        """Note that a call went well: an outage is over once a call of each kind that failed does."""
        with self._lock:
            was = self._outage
            if was is None or not (was.reads_fail if reading else was.writes_fail):
                return
            if was.reads_fail and was.writes_fail:
                self._outage = replace(was, reads_fail=not reading, writes_fail=reading)
                return
            self._outage, self._last, self._mended_s = None, was, self._clock()
        log.info("%s: the cache on disk is used again", self._folder)
