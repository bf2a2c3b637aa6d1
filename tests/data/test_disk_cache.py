"""Blocks on disk in the path of a read: asked after memory and before the service, as the same flight."""

from collections import Counter
from pathlib import Path

import pytest

from casfs.data.disk.files import SystemFiles
from casfs.data.disk.layout import ContentKey, leaf_offset
from casfs.data.disk.store import Store
from casfs.data.fetch import disk_reader
from casfs.data.fetch.disk_cache import DiskCache
from casfs.data.fetch.windows import DISK_PART_BLOCKS, DISK_WINDOW_BLOCKS
from casfs.data.settings import Verify
from casfs.stats import Stats
from tests.data.kept import DATA, OUTPUT, WORK, Opened, fill, whole
from tests.data.service import MIB, Service, archive, mounted, read, sample, settings, settle, still, until
from tests.disk.contents import Time


def test_what_was_read_once_is_never_asked_for_again(opened: Opened) -> None:
    fill(opened())
    service = Service({})
    with mounted(service, disk=opened()) as outputs:
        assert whole(outputs, archive(DATA)) == DATA
    assert service.requests == []


class CountedReads(SystemFiles):
    """This machine's files; counts which bytes are read how often."""

    def __init__(self) -> None:
        self.read_at: Counter[int] = Counter()

    def read(self, fd: int, length: int, offset: int) -> bytes:
        self.read_at[offset] += 1
        return super().read(fd, length, offset)


def test_each_leaf_is_read_once_for_the_part_that_it_is_in(opened: Opened, tmp_path: Path) -> None:
    """Another look at what a part has on disk costs an open and a check of each leaf, beside 0.5 ms a block."""
    data = sample(16 * MIB)
    fill(opened(), data)
    files = CountedReads()
    disk = DiskCache(Store.open(tmp_path / "cache", 64 * MIB, files=files), "https://cas.example", "100")
    with mounted(Service({}), settings(verify=Verify.OFF), disk=disk) as outputs:  # nothing is written meanwhile
        reader = outputs.open(archive(data))
        assert read(reader, 4 * MIB, 4 * MIB) == data[4 * MIB : 8 * MIB]
        assert files.read_at[leaf_offset(4)] == 1
        reader.close()


def test_what_is_on_disk_is_read_ahead_in_parts_of_as_many_blocks_as_are_hashed_side_by_side(
    opened: Opened, tmp_path: Path
) -> None:
    data = sample(24 * MIB)
    fill(opened(), data)
    files = CountedReads()
    disk = DiskCache(Store.open(tmp_path / "cache", 64 * MIB, files=files), "https://cas.example", "100")
    with mounted(Service({}), settings(read_ahead=64, cache=128, verify=Verify.OFF), disk=disk) as outputs:
        reader = outputs.open(archive(data))
        assert b"".join(read(reader, at * MIB, MIB) for at in range(24)) == data
        looked_at = [block for block in range(12, 24) if files.read_at[leaf_offset(block)]]
        assert looked_at == list(range(12, 24, DISK_PART_BLOCKS))
        reader.close()


def test_only_what_is_damaged_is_fetched_again(opened: Opened, tmp_path: Path) -> None:
    disk = opened()
    fill(disk)
    (path,) = (tmp_path / "cache" / "contents").glob("*/*")
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1  # the last block
    raw[-3 * MIB] ^= 1
    path.write_bytes(raw)
    service = Service({"job": DATA})
    with mounted(service, disk=opened()) as outputs:
        assert whole(outputs, OUTPUT) == DATA
        until(lambda: str(outputs.cached(OUTPUT)) == "whole")
    assert sorted(service.parts) == [(9, 10), (12, 13)]
    with mounted(Service({}), disk=opened()) as outputs:
        assert whole(outputs, OUTPUT) == DATA


def test_a_part_of_which_nothing_on_disk_is_right_is_fetched_into_room_of_its_own(
    opened: Opened, tmp_path: Path
) -> None:
    fill(opened())
    (path,) = (tmp_path / "cache" / "contents").glob("*/*")
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)
    service = Service({"job": DATA})
    with mounted(service, settings(cache=1), disk=opened()) as outputs:
        assert read(outputs.open(OUTPUT), 12 * MIB, 5) == DATA[12 * MIB :]
    assert service.parts == [(12, 13)]


def test_a_block_on_disk_waits_for_no_connection(opened: Opened) -> None:
    """The only connection is held by a request that is not answered."""
    fill(opened())
    other = archive(sample(3 * MIB, 2), "other")
    service = Service({"other": sample(3 * MIB, 2)}, is_held=True)
    with mounted(service, settings(connections=1), disk=opened()) as outputs:
        waiting = WORK.submit(read, outputs.open(other), 0, MIB)
        until(lambda: len(service.requests) > 0)
        assert whole(outputs, OUTPUT) == DATA
        service.release()
        assert waiting.result(60) == sample(3 * MIB, 2)[:MIB]


def test_what_is_there_of_a_part_is_served_while_the_rest_is_on_its_way(opened: Opened) -> None:
    disk = opened()
    fill(disk)
    disk.stored(OUTPUT, len(DATA)).forget(range(6, 7))
    service = Service({"job": DATA}, is_held=True)
    with mounted(service, disk=opened()) as outputs:
        reader = outputs.open(OUTPUT)
        last = WORK.submit(read, reader, 4 * MIB, 4 * MIB)
        until(lambda: len(service.requests) > 0)
        assert read(reader, 4 * MIB, 2 * MIB) == DATA[4 * MIB : 6 * MIB]
        assert read(reader, 7 * MIB, MIB) == DATA[7 * MIB : 8 * MIB]
        assert not last.done()
        service.release()
        assert last.result(60) == DATA[4 * MIB : 8 * MIB]
    assert service.parts == [(6, 7)]


def test_two_that_read_one_output_at_once_fetch_each_block_once(opened: Opened) -> None:
    services = [Service({"job": DATA}), Service({"job": DATA})]
    with mounted(services[0], disk=opened()) as one, mounted(services[1], disk=opened()) as other:
        reads = [WORK.submit(whole, outputs, OUTPUT) for outputs in (one, other)]
        assert [done.result(60) for done in reads] == [DATA, DATA]
    fetched = [block for service in services for part in service.parts for block in range(*part)]
    assert sorted(fetched) == list(range(13))


def test_who_downloads_and_does_not_get_on_is_not_waited_for_for_ever(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk_reader, "PATIENCE_S", 0.2)
    stalled, service = Service({"job": DATA}, is_held=True), Service({"job": DATA})
    with mounted(stalled, disk=opened()) as one, mounted(service, disk=opened()) as other:
        waiting = WORK.submit(whole, one, OUTPUT)
        until(lambda: len(stalled.requests) > 0)
        assert whole(other, OUTPUT) == DATA
        stalled.release()
        assert waiting.result(60) == DATA


def test_blocks_are_written_while_readers_of_other_outputs_have_the_memory(opened: Opened) -> None:
    """With a memory of two blocks one at most is being written, and the other one is there for who waits."""
    disk = opened()
    with mounted(Service({"job": DATA}), settings(cache=2), disk=disk) as outputs:
        assert whole(outputs, OUTPUT) == DATA
    assert disk.stored(OUTPUT, len(DATA)).held_count() > 0


def test_what_has_come_is_written_before_the_end(opened: Opened) -> None:
    disk = opened()
    with mounted(Service({"job": DATA}), disk=disk) as outputs:
        assert whole(outputs, OUTPUT) == DATA
    assert disk.stored(OUTPUT, len(DATA)).held_count() == 13


class OtherBoot(SystemFiles):
    """The machine after it was started anew."""

    def boot_id(self) -> bytes:
        return b"another boot 123"


def test_after_a_restart_of_the_machine_blocks_are_kept_again_once_accounts_are_made_anew(
    opened: Opened, tmp_path: Path
) -> None:
    fill(opened())
    other, output = sample(3 * MIB, 2), archive(sample(3 * MIB, 2), "other")
    store = Store.open(tmp_path / "cache", 64 * MIB, files=OtherBoot())
    assert store.needs_rebuild
    fill(DiskCache(store, "https://cas.example", "100"), other, output)
    assert not store.needs_rebuild
    assert store.used_bytes() >= len(DATA) + len(other)


def test_what_is_open_goes_last(tmp_path: Path) -> None:
    time = Time()
    store = Store.open(tmp_path / "cache", 64 * MIB, clock=time.clock)
    disk = DiskCache(store, "https://cas.example", "100")
    other, output = sample(12 * MIB, 2), archive(sample(12 * MIB, 2), "other")
    fill(disk)
    fill(disk, other, output)
    time.now_s += 1000  # nobody uses either
    with mounted(Service({}), disk=disk) as outputs:
        assert read(outputs.open(OUTPUT), 0, MIB) == DATA[:MIB]
        until(lambda: in_use(store, disk.stored(OUTPUT, len(DATA)).key))
        store.shrink(14 * MIB)
        assert disk.stored(output, len(other)).held_count() < 2
        assert disk.stored(OUTPUT, len(DATA)).held_count() == 13


def in_use(store: Store, key: ContentKey) -> bool:
    """Whether the accounts say that a content is used now."""
    with store._room.folder.journal.locked() as books:
        assert books is not None
        return books.find(key.digest)[1].is_in_use(store._room.now_ns)


def test_a_memory_of_one_block_is_never_lent(opened: Opened) -> None:
    disk = opened()
    with mounted(Service({"job": DATA}), settings(cache=1), disk=disk) as outputs:
        assert whole(outputs, OUTPUT) == DATA
    assert disk.stored(OUTPUT, len(DATA)).held_count() == 0
    fill(disk)
    with mounted(Service({}), settings(cache=1), disk=opened()) as outputs:
        assert whole(outputs, OUTPUT) == DATA


def test_read_ahead_goes_to_the_disk_as_it_goes_to_the_service(opened: Opened) -> None:
    fill(opened())
    stats = Stats()
    with mounted(Service({}), settings(read_ahead=64), stats, disk=opened(), clock=still) as outputs:
        reader = outputs.open(OUTPUT)
        assert read(reader, 0, MIB) + read(reader, MIB, MIB) == DATA[: 2 * MIB]
        until(lambda: stats.snapshot()["blocks_cached"] == 13)
        figures = stats.snapshot()
        assert (figures["disk_blocks_read"], figures["prefetched_blocks"], figures["requests"]) == (13, 11, 0)


def test_what_was_asked_for_ahead_and_is_not_wanted_is_called_back_from_the_disk_too(opened: Opened) -> None:
    """What another process downloads is waited for, and no longer once nobody wants it."""
    disk = opened()
    lease = disk.stored(OUTPUT, len(DATA)).claim(range(2, 13))
    assert lease is not None
    service = Service({"job": DATA})
    with mounted(service, settings(read_ahead=64), disk=opened(), clock=still) as outputs:
        reader = outputs.open(OUTPUT)
        assert read(reader, 0, MIB) + read(reader, MIB, MIB) == DATA[: 2 * MIB]
        until(lambda: outputs._monitor._flights.asked_ahead == 11)
        reader.close()
        until(lambda: outputs._monitor._flights.asked_ahead == 0)
        lease.release()
    assert service.parts == [(0, 1), (1, 2)]


def test_no_more_is_read_ahead_of_a_disk_than_keeps_it_busy(opened: Opened) -> None:
    data = sample(50 * MIB)
    fill(opened(), data, archive(data))
    with mounted(Service({}), settings(read_ahead=64, cache=128), disk=opened(), clock=still) as outputs:
        reader = outputs.open(archive(data))
        assert read(reader, 0, MIB) + read(reader, MIB, MIB) == data[: 2 * MIB]
        settle(outputs)
        assert 2 < len(outputs._monitor._cache) <= 2 + DISK_WINDOW_BLOCKS


def test_what_is_in_memory_is_written_again_when_it_is_opened_and_the_disk_has_lost_it(opened: Opened) -> None:
    service, disk = Service({"job": DATA}), opened()
    with mounted(service, disk=disk) as outputs:
        assert whole(outputs, OUTPUT) == DATA
        until(lambda: str(outputs.cached(OUTPUT)) == "whole")
        asked = len(service.requests)
        reader = outputs.open(OUTPUT)
        for _ in range(2):  # the second time while it is open still
            until(lambda: not disk.store._room.owed())  # leaves can be seen before the writer is done with their blocks
            until(lambda: all(is_gone for _, is_gone in disk.store.upkeep().clear()))  # nor does it hold the file then
            assert str(outputs.cached(OUTPUT)) == "none"
            outputs.open(OUTPUT).close()
            until(lambda: str(outputs.cached(OUTPUT)) == "whole")
        reader.close()
        assert len(service.requests) == asked
