"""The folder of a cache, opened by who looks after it: never made, and never taken for one if it is none."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from casfs.apart import Beat, apart
from casfs.data.disk.entry import Entry
from casfs.data.disk.folder import Folder
from casfs.data.disk.store import Store
from casfs.data.disk.upkeep import Inspection
from casfs.errors import CasfsError, ConfigError

__all__ = ["CacheFolder", "Entry", "Inspection"]

T = TypeVar("T")

NO_BOUND = 1 << 62
"""For who only looks, and may not make room."""

PATIENCE_S = 30.0
"""How long the disk is waited for: one that spins up, or recovers a sector, takes some seconds."""

SHRINK_BYTES = 1 << 30
"""How much room is made at once, before whoever waits is told that it goes on."""


class CacheFolder:
    """A folder that holds a cache. What is done there is done by a process of its own, which may hang in the disk.

    Threads: one at a time, and each call before there are others; mounts and programs use it meanwhile.
    """

    def __init__(self, path: Path, patience_s: float) -> None:
        self.path = path
        self._patience_s = patience_s

    @classmethod
    def open(cls, path: Path, patience_s: float = PATIENCE_S) -> "CacheFolder":
        """Open the cache that is there.

        Args:
            path: the folder.
            patience_s: how long each call waits for a disk that says nothing.

        Raises:
            ConfigError: there is none, or one of another version, or it is not this user's; the message says which.
            DeadlineError: the disk does not answer. So does every other method.
        """
        folder = cls(path, patience_s)
        for _ in folder._apart(folder._checked):
            pass
        return folder

    def entries(self) -> Iterator[Entry]:
        """Yield every content, in no order.

        Raises:
            CasfsError: the disk fails; what comes after that is missing.
        """
        return self._apart(lambda beat: self._store().upkeep(beat).entries())

    def used_bytes(self) -> int:
        """Return how much of its bound it takes.

        Raises:
            CasfsError: the disk fails.
        """
        return self._done(lambda beat: iter([self._counted(beat).used_bytes()]))

    def inspect(self) -> Iterator[Inspection]:
        """Read every block, and give up what is rotten; yield what was found of each content.

        Raises:
            CasfsError: the disk fails; what comes after that is not looked at.
        """
        return self._apart(lambda beat: self._store().upkeep(beat).inspect())

    def clear(self) -> Iterator[tuple[str, bool]]:
        """Give up every content; yield the name of each, and whether it is gone: not one that is being written to.

        Raises:
            CasfsError: the disk fails; what comes after that stays.
        """
        return self._apart(self._clear)

    def shrink(self, target_bytes: int) -> int:
        """Let go of what was used longest ago, and last of what is in use; return what is taken then.

        Raises:
            CasfsError: the disk fails.
        """
        return self._done(lambda beat: iter([self._shrunk(target_bytes, beat)]))

    def _apart(self, steps: Callable[[Beat], Iterator[T]]) -> Iterator[T]:
        return apart(lambda beat: self._named(steps, beat), self._patience_s, str(self.path))

    def _done(self, step: Callable[[Beat], Iterator[T]]) -> T:
        (done,) = self._apart(step)
        return done

    def _named(self, steps: Callable[[Beat], Iterator[T]], beat: Beat) -> Iterator[T]:
        try:
            yield from steps(beat)
        except OSError as error:
            raise CasfsError(f"{error.filename or self.path}: {error.strerror}") from error

    # What follows is done in that process.

    def _checked(self, _: Beat) -> Iterator[None]:
        try:
            is_there = Folder.is_cache(self.path)
        except OSError as error:
            raise ConfigError(f"{self.path}: cannot be looked at: {error.strerror}") from error
        if not is_there:
            raise ConfigError(f"{self.path}: there is no cache of casfs; a mount with --cache-dir makes one")
        self._store()
        yield

    def _store(self) -> Store:
        return Store.open(self.path, NO_BOUND)

    def _counted(self, beat: Beat) -> Store:
        """Have accounts that are right: after a loss of power, or damage, nobody may have made them anew yet."""
        store = self._store()
        if store.needs_rebuild:
            for _ in store.rebuild():
                beat()
        self._check_disk(store)
        return store

    def _clear(self, beat: Beat) -> Iterator[tuple[str, bool]]:
        store = self._store()
        yield from store.upkeep(beat).clear()
        for _ in store.rebuild():  # accounts of contents that are not there any more
            beat()

    def _shrunk(self, target_bytes: int, beat: Beat) -> int:
        store = self._counted(beat)
        taken, before = store.used_bytes(), NO_BOUND
        while target_bytes < taken < before:
            before, taken = taken, store.shrink(max(target_bytes, taken - SHRINK_BYTES))
            beat()
        self._check_disk(store)
        return taken

    def _check_disk(self, store: Store) -> None:
        if store.outage is not None:
            raise CasfsError(f"{self.path}: {store.outage.reason}")
