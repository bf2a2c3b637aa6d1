"""Threads that work for the cache on disk: when they begin and end, and what is done where one hangs."""

import threading
from collections.abc import Sequence
from pathlib import Path

from casfs.data.disk.files import SystemFiles
from casfs.data.disk.store import Store
from casfs.data.fetch.disk_cache import DiskCache
from casfs.data.fetch.disk_workers import HANG_S
from casfs.data.outputs import Outputs
from casfs.stats import Stats
from tests.conftest import Announce, no_more_threads
from tests.data.kept import DATA, OUTPUT, WORK, Opened, fill, whole
from tests.data.service import MIB, Service, archive, mounted, read, settings, until


def test_a_thread_that_cannot_be_had_is_no_failure(opened: Opened) -> None:
    fill(opened())
    service = Service({"job": DATA})
    with mounted(service, disk=opened()) as outputs:
        read(outputs.open(archive(DATA[:MIB], "first")), 0, 0)
        with no_more_threads():
            assert whole(outputs, OUTPUT) == DATA


class Hanging(SystemFiles):
    """A disk on which reads of blocks do not return before they are let."""

    def __init__(self) -> None:
        self.lets = threading.Event()
        self.lets.set()
        self.entered = threading.Semaphore(0)

    def read_into(self, fd: int, buffers: Sequence[memoryview], offset: int) -> int:
        self.entered.release()
        assert self.lets.wait(60)
        return super().read_into(fd, buffers, offset)


def test_a_disk_that_hangs_is_not_waited_for(opened: Opened, tmp_path: Path, announce: Announce) -> None:
    announce("does not answer")
    fill(opened())
    files, service, now = Hanging(), Service({"job": DATA}), [0.0]
    disk = DiskCache(Store.open(tmp_path / "cache", 64 * MIB, files=files), "https://cas.example", "100")
    with mounted(service, settings(timeout_s=60.0), disk=disk, clock=lambda: now[0]) as outputs:
        files.lets.clear()
        waiting = WORK.submit(whole, outputs, OUTPUT)
        assert files.entered.acquire(timeout=60)
        now[0] = HANG_S
        assert waiting.result(60) == DATA
        assert str(outputs.cached(OUTPUT)) == "none", "nor is it asked anything else"
        files.lets.set()
        until(lambda: str(outputs.cached(OUTPUT)) == "whole")
    assert service.requests


class Slow(Hanging):
    """A disk on which writes of blocks do not return before they are let."""

    def write_from(self, fd: int, buffers: Sequence[memoryview], offset: int) -> None:
        self.entered.release()
        assert self.lets.wait(60)
        super().write_from(fd, buffers, offset)


def test_who_waits_for_memory_has_what_was_lent_to_a_write_as_soon_as_it_ends(tmp_path: Path) -> None:
    """Of a memory of two blocks one is being written, and the other one is for a request that is not answered."""
    service, files = Service({"job": DATA, "other": DATA}), Slow()
    disk = DiskCache(Store.open(tmp_path / "cache", 64 * MIB, files=files), "https://cas.example", "100")
    with mounted(service, settings(cache=2), disk=disk) as outputs:
        files.lets.clear()
        assert read(outputs.open(OUTPUT), 0, MIB) == DATA[:MIB]
        assert files.entered.acquire(timeout=60)
        service.is_held = True
        reader = outputs.open(archive(DATA, "other", hashed=False))
        waiting = [WORK.submit(read, reader, 0, MIB)]
        service.arrived(2)
        waiting.append(WORK.submit(read, reader, 2 * MIB, MIB))
        until(lambda: outputs._monitor._flights.is_short)
        files.lets.set()
        service.arrived(3)
        service.release()
        assert [one.result(60) for one in waiting] == [DATA[:MIB], DATA[2 * MIB : 3 * MIB]]


def test_what_is_kept_is_no_longer_said_to_be_downloaded(opened: Opened) -> None:
    with mounted(Service({"job": DATA}), disk=opened()) as outputs:
        assert whole(outputs, OUTPUT) == DATA
        stored = opened().stored(OUTPUT, len(DATA))

        def is_free() -> bool:
            lease = stored.claim(range(stored.count))
            if lease is not None:
                lease.release()
            return lease is not None

        until(is_free)


def disk_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("casfs-disk")]


def test_threads_begin_with_the_first_output_and_end_with_the_last(opened: Opened) -> None:
    until(lambda: disk_threads() == [])  # those of tests before
    outputs = Outputs(Service({"job": DATA}), settings(), Stats(), disk=opened())
    assert disk_threads() == []
    try:
        assert whole(outputs, OUTPUT) == DATA
        assert {"casfs-disk-writer", "casfs-disk-watch", "casfs-disk-0"} <= set(disk_threads())
    finally:
        outputs.stop()
    until(lambda: disk_threads() == [])
