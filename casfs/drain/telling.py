"""What the manifest tells: what the ledger has as done, and of this drain alone."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from casfs.drain.destinations.destination import Found
from casfs.drain.ledger.ledger import Ledger
from casfs.drain.manifest import Manifest
from casfs.errors import CasfsError


class Telling:
    """Has a manifest tell of what a ledger has as done.

    Args:
        ledger: the truth; open.
        manifest: what tells of it.
        now_ns: the time.

    Threads: that of the run.
    """

    def __init__(self, ledger: Ledger, manifest: Manifest, now_ns: Callable[[], int]) -> None:
        self._ledger = ledger
        self._manifest = manifest
        self._now_ns = now_ns

    def check(self) -> None:
        """Raise ConfigError where the manifest that is there, or who was killed before one, tells of another drain."""
        self._own()

    def is_empty(self) -> bool:
        """Say whether there is no manifest at all."""
        return self._manifest.look() is None

    def is_told(self) -> bool:
        """Say whether the manifest is there that tells of what is done, as it was written."""
        return bool(self._ledger.get("manifest")) and self._is_as_written(self._manifest.look())

    def begin(self) -> None:
        """Have the ledger say that the manifest is to be written, and whoever looks whose archives come here.

        Raises:
            ConfigError: another drain has begun here meanwhile: a user may have been asked for hours.
            DestinationError: nothing can be written where it is to be.
        """
        found = self._own()
        self._manifest.check()
        if found is None or not found.size:
            self._manifest.claim(self._ledger.archives.some())
        with self._ledger.step():
            self._ledger.put("manifest", False)

    def tell(self) -> None:
        """Leave a true manifest, though a signal comes meanwhile."""
        with self.told_when_stopped():
            self._tell()

    def finish(self) -> None:
        """Leave a true manifest, and nothing that is unfinished."""
        with self.told_when_stopped():
            self._manifest.sweep()
            self._tell()

    @contextmanager
    def told_when_stopped(self) -> Iterator[None]:
        """Leave a true manifest where a signal ends the block; what is unfinished stays, for the next run."""
        try:
            yield
        except KeyboardInterrupt:
            with suppress(CasfsError):
                self._tell()
            raise

    def _tell(self) -> None:
        self.check()  # somebody else may have put one there meanwhile
        size = self._manifest.write(self._ledger.archives.manifest())
        self._manifest.disclaim()  # before the ledger says that nothing is to be done any more: a kill may come between
        with self._ledger.step():
            self._ledger.put("manifest", True)
            self._ledger.put("manifest_bytes", size)
            self._ledger.put("manifest_at", self._now_ns() // 10**9)
            self._ledger.put("lost", False)

    def _own(self) -> Found | None:
        """Return the manifest that is there, if any; as ``check``."""
        found, knows = self._manifest.look(), self._ledger.archives.knows
        if not self._is_as_written(found):
            if found is not None:
                self._manifest.check_own(knows)
            self._manifest.check_claim(knows)
        return found

    def _is_as_written(self, found: Found | None) -> bool:
        if found is None or found.size != self._ledger.get("manifest_bytes"):
            return False
        return (found.changed_ns or 0) // 10**9 <= int(self._ledger.get("manifest_at") or 0)
