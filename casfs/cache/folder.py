"""The folder of a cache, opened by who looks after it: never made, and never taken for one if it is none."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from casfs.data.disk.entry import Entry
from casfs.data.disk.folder import Folder
from casfs.data.disk.store import Store
from casfs.data.disk.upkeep import Inspection
from casfs.errors import CasfsError, ConfigError

__all__ = ["CacheFolder", "Entry", "Inspection"]

NO_BOUND = 1 << 62
"""For who only looks, and may not make room."""


class CacheFolder:
    """A folder that holds a cache.

    Threads: one at a time; mounts and programs use it meanwhile.
    """

    def __init__(self, path: Path, store: Store) -> None:
        self.path = path
        self._store = store

    @classmethod
    def open(cls, path: Path) -> "CacheFolder":
        """Open the cache that is there.

        Raises:
            ConfigError: there is none, or one of another version, or it is not this user's; the message says which.
        """
        try:
            is_there = Folder.is_cache(path)
        except OSError as error:
            raise ConfigError(f"{path}: cannot be looked at: {error.strerror}") from error
        if not is_there:
            raise ConfigError(f"{path}: there is no cache of casfs; a mount with --cache-dir makes one")
        return cls(path, Store.open(path, NO_BOUND))

    def entries(self) -> Iterator[Entry]:
        """Yield every content, in no order.

        Raises:
            CasfsError: the disk fails; what comes after that is missing.
        """
        with self._named_errors():
            yield from self._store.upkeep().entries()

    def used_bytes(self) -> int:
        """Return how much of its bound it takes.

        Raises:
            CasfsError: the disk fails.
        """
        self._count()
        return self._store.used_bytes()

    def inspect(self) -> Iterator[Inspection]:
        """Read every block, and give up what is rotten; yield what was found of each content.

        Raises:
            CasfsError: the disk fails; what comes after that is not looked at.
        """
        with self._named_errors():
            yield from self._store.upkeep().inspect()

    def clear(self) -> Iterator[tuple[str, bool]]:
        """Give up every content; yield the name of each, and whether it is gone: not one that is being written to.

        Raises:
            CasfsError: the disk fails; what comes after that stays.
        """
        with self._named_errors():
            yield from self._store.upkeep().clear()
            for _ in self._store.rebuild():  # accounts of contents that are not there any more
                pass

    def shrink(self, target_bytes: int) -> int:
        """Let go of what was used longest ago, and last of what is in use; return what is taken then.

        Raises:
            CasfsError: the disk fails.
        """
        self._count()
        taken = self._store.shrink(target_bytes)
        self._check_disk()
        return taken

    def _count(self) -> None:
        """Have accounts that are right: after a loss of power, or damage, nobody may have made them anew yet."""
        if self._store.needs_rebuild:
            for _ in self._store.rebuild():
                pass
        self._check_disk()

    def _check_disk(self) -> None:
        if self._store.outage is not None:
            raise CasfsError(f"{self.path}: {self._store.outage.reason}")

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise CasfsError(f"{error.filename or self.path}: {error.strerror}") from error
