"""Jobs whose outputs the cache on disk has whole, by what was noted there: for who keeps them past their 24 hours.

Which they are is known after a look into the head of every file of the cache, by a thread of its own: 100,000 contents
take seconds. It looks again when it is asked and the last look is old, so that what other processes fetched is known;
what this one did is known at once.
"""

import logging
import threading
import time
import zlib
from collections import defaultdict
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace

from casfs import shortage
from casfs.api.documents import job_from, parsed
from casfs.data.disk.entry import Entry
from casfs.data.disk.layout import Label
from casfs.data.fetch.disk_cache import DiskCache
from casfs.errors import CasfsError, ProtocolError, ServiceError
from casfs.models import Job
from casfs.waiting import Clock, Deadline, Interrupted, never, wait_for

log = logging.getLogger(__name__)

WAIT_S = 25.0
"""How long whoever asks waits: an answer about names takes 30 s at most, and the service was asked before."""

LEAST_AGE_S, AGE_SHARE = 1.0, 20
"""How old a look may be: many times what it took, so that looking takes a twentieth of a processor at most."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """What was noted of a job: its document, compressed, and the length of its output."""

    document: bytes
    size: int

    @classmethod
    def of(cls, label: Label, entry: Entry) -> "_Kept | None":
        if label.document is None or not entry.is_whole_for(label.place):
            return None
        return cls(zlib.compress(label.document.encode(), 1), entry.size)

    def job(self, vault: str, id_: str) -> Job | None:
        try:
            job = job_from(vault, parsed(zlib.decompress(self.document)), id_)
        except ProtocolError:
            return None
        return replace(job, size=self.size, is_expired=True)


@dataclass(frozen=True, slots=True)
class _Look:
    """A look into the cache: what was found of each vault, when it began, how much was noted then, how long it took."""

    vaults: Mapping[str, Mapping[str, _Kept]]
    noted: int
    began_s: float
    took_s: float

    def is_young(self, now_s: float) -> bool:
        return now_s < self.began_s + max(LEAST_AGE_S, AGE_SHARE * self.took_s)


class KeptJobs:
    """See ``casfs.tree.kept.KeptJobs``.

    Args:
        disk: the cache, and whose outputs count.
        interrupted: asked by calls that wait, on their own thread: whether their program was signalled.
        clock: monotonic seconds.

    Threads: any. The lock is held for no I/O.
    """

    def __init__(self, disk: DiskCache, interrupted: Interrupted = never, clock: Clock = time.monotonic) -> None:
        self._disk = disk
        self._interrupted = interrupted
        self._clock = clock
        self._lock = threading.Lock()
        self._last: _Look | None = None
        self._looking: Future[_Look] | None = None

    def all(self, vault: str) -> dict[str, Job]:
        """See ``casfs.tree.kept.KeptJobs``."""
        look = self._look()
        kept = {**look.vaults.get(vault, {}), **self._noted_since(look, vault)}
        jobs = ((id_, one.job(vault, id_)) for id_, one in kept.items())
        return {id_: job for id_, job in jobs if job is not None}

    def get(self, vault: str, job: str) -> Job | None:
        """See ``casfs.tree.kept.KeptJobs``."""
        look = self._look()
        one = look.vaults.get(vault, {}).get(job) or self._noted_since(look, vault).get(job)
        return None if one is None else one.job(vault, job)

    def start(self) -> None:
        """See ``casfs.tree.kept.KeptJobs``."""
        self._begun()

    def _noted_since(self, look: _Look, vault: str) -> dict[str, _Kept]:
        """Return what this process has noted of *vault* since *look* began, and all of which is there."""
        found = {}
        for noted in self._disk.sightings.since(look.noted):
            entry = self._disk.store.entry(noted.digest) if noted.label.vault == vault else None
            kept = None if entry is None else _Kept.of(noted.label, entry)
            if kept is not None:
                found[noted.label.job] = kept
        return found

    def _look(self) -> _Look:
        with self._lock:
            if self._last is not None and self._last.is_young(self._clock()):
                return self._last
        what = "looking for what the cache on disk keeps"
        return wait_for(self._begun(), Deadline.after(WAIT_S, self._clock), self._interrupted, what)

    def _begun(self) -> "Future[_Look]":
        with self._lock:
            if self._looking is not None:
                return self._looking
            future = self._looking = Future()
        thread = threading.Thread(target=self._work, args=(future,), name="casfs-kept", daemon=True)
        try:
            with shortage.named():
                thread.start()
        except CasfsError:
            with self._lock:
                self._looking = None
            raise
        return future

    def _work(self, future: "Future[_Look]") -> None:
        found = self._attempted()
        with self._lock:
            self._looking = None
            if isinstance(found, _Look):
                self._last = found
        if isinstance(found, _Look):
            future.set_result(found)
        else:
            future.set_exception(found)

    def _attempted(self) -> _Look | CasfsError:
        try:
            return self._looked()
        except OSError as error:
            return ServiceError(f"what the cache on disk keeps cannot be told: {error.strerror}")
        except CasfsError as error:
            return error
        except Exception:  # those who wait are told, whatever it was
            log.exception("looking for what the cache on disk keeps failed")
            return ServiceError("what the cache on disk keeps cannot be told")

    def _looked(self) -> _Look:
        began_s, noted = self._clock(), self._disk.sightings.count
        found: dict[str, dict[str, _Kept]] = defaultdict(dict)
        for entry in self._disk.store.upkeep().entries():
            for label in entry.labels:
                kept = _Kept.of(label, entry) if _is_of(self._disk, label) else None
                if kept is not None:
                    found[label.vault][label.job] = kept
        return _Look(found, noted, began_s, self._clock() - began_s)


def _is_of(disk: DiskCache, label: Label) -> bool:
    return (label.endpoint, label.account) == (disk.endpoint_url, disk.account)
