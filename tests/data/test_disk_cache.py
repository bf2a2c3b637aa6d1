"""Blocks on disk in the path of a read: asked after memory and before the service, as the same flight."""

from collections.abc import Callable
from pathlib import Path

import pytest

from casfs.data.disk.store import Store
from casfs.data.fetch.disk_cache import DiskCache
from casfs.data.outputs import Outputs
from casfs.data.settings import Verify
from casfs.models import Output
from tests.data.service import MIB, Service, archive, mounted, read, sample, settings, until

DATA = sample(12 * MIB + 5)
Opened = Callable[[], DiskCache]


@pytest.fixture
def opened(tmp_path: Path) -> Opened:
    """Open the same folder anew, as each process does."""
    return lambda: DiskCache(Store.open(tmp_path / "cache", 64 * MIB), "https://cas.example", "100")


def whole(outputs: Outputs, output: Output) -> bytes:
    reader = outputs.open(output)
    try:
        return read(reader, 0, reader.size)
    finally:
        reader.close()


def fill(disk: DiskCache, data: bytes = DATA, output: Output | None = None, verify: Verify = Verify.AUTO) -> None:
    """Read an output once, and wait until it is kept."""
    output = output or archive(data)
    with mounted(Service({output.job: data}), settings(verify=verify), disk=disk) as outputs:
        assert whole(outputs, output) == data
        until(lambda: str(outputs.cached(output)) == "whole")


def test_what_was_read_once_is_never_asked_for_again(opened: Opened) -> None:
    fill(opened())
    service = Service({})
    with mounted(service, disk=opened()) as outputs:
        assert whole(outputs, archive(DATA)) == DATA
    assert service.requests == []
