"""Outputs by their PLACEs, read without a mount, so that the cache of this process has them."""

import threading
from collections.abc import Iterator

from casfs.cache.filling import Filling
from casfs.cache.target import NOTHING, Advance, Cache, Holding, Target
from casfs.config.place import Place, parse
from casfs.errors import CasfsError, InterruptedCallError, NotFoundError, NotReadyError
from casfs.file import File
from casfs.library import Account
from casfs.models import Job

READ_BYTES = 1 << 20
"""A block a read: each has the whole of --read-timeout."""


class PlacedOutputs:
    """A Shelf: outputs of one account, which has a cache on disk.

    Threads: any.
    """

    def __init__(self, account: Account, cache: Cache) -> None:
        self._account = account
        self._cache = cache
        self._closed = threading.Event()

    def survey(self, name: str) -> list[Target]:
        """See Shelf."""
        place = parse(name)
        try:
            return [self._target(place, job) for job in self._jobs(place) if job.output is not None]
        except ValueError as error:  # it was closed
            raise InterruptedCallError("given up") from error

    def look(self, target: Target) -> Holding:
        """See Shelf."""
        with self._opened(target.vault, target.job) as file:
            return self._holding(file)

    def fetch(self, target: Target, advance: Advance) -> Holding:
        """See Shelf."""
        try:
            with self._opened(target.vault, target.job) as file:
                filling = Filling(file.size, lambda: _read(file), lambda: self._holding(file), self._pause)
                for count in filling.steps():
                    advance(count)
                return filling.holding
        except ValueError as error:
            raise InterruptedCallError("given up") from error

    def close(self) -> None:
        """See Shelf."""
        self._closed.set()
        self._account.close()

    def _jobs(self, place: Place) -> list[Job]:
        vault = place.vault or ""
        if place.job is None:
            return list(self._account.jobs(vault))
        job = self._account.job(vault, place.job)
        if job.output is None:
            text = f"the job has no output: {job.action} {job.state}"
            raise NotFoundError(text) if job.is_finished else NotReadyError(text)
        return [job]

    def _target(self, place: Place, job: Job) -> Target:
        name = str(Place(place.source, job.vault, job.id))
        return Target(name, job.vault, job.id, job.size or 0, job.expires_ns, self._held(job), self._cache, self)

    def _held(self, job: Job) -> Holding:
        """Return what the cache has of an output; nothing where that could not be told without fetching it."""
        try:
            with self._opened(job.vault, job.id) as file:
                return self._holding(file)
        except CasfsError:
            return Holding(NOTHING, NOTHING)

    def _holding(self, file: File) -> Holding:
        return Holding(str(file.cached or NOTHING), str(file.verification), self._account.cache_fails())

    def _opened(self, vault: str, job: str) -> File:
        return self._account.open(vault, job)

    def _pause(self, seconds: float) -> None:
        if self._closed.wait(seconds):
            raise InterruptedCallError("given up")


def _read(file: File) -> Iterator[int]:
    file.seek(0)
    buffer = memoryview(bytearray(READ_BYTES))
    while count := file.readinto(buffer):
        yield count
