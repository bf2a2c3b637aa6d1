"""A cache on disk."""

from pathlib import Path

import pytest

from casfs.data.disk.store import Store
from casfs.data.fetch.disk_cache import DiskCache
from tests.data.kept import Opened
from tests.data.service import MIB


@pytest.fixture
def opened(tmp_path: Path) -> Opened:
    """Open the same folder anew, as each process does."""
    return lambda: DiskCache(Store.open(tmp_path / "cache", 64 * MIB), "https://cas.example", "100")
