"""A cache on disk."""

from pathlib import Path

import pytest

from casfs.data.disk.store import Store
from casfs.data.fetch import disk_workers, disk_writer
from casfs.data.fetch.disk_cache import DiskCache
from tests.data.kept import Opened
from tests.data.service import MIB, PATIENCE_S


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Opened:
    """Open the same folder anew, as each process does; what one has to write is written by its end."""
    for threads in (disk_writer, disk_workers):
        monkeypatch.setattr(threads, "STOP_TIMEOUT_S", PATIENCE_S)
    return lambda: DiskCache(Store.open(tmp_path / "cache", 64 * MIB), "https://cas.example", "100")
