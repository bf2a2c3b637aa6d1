"""Read-ahead through an open output: what is asked for, when, and what is not."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from casfs.data.ahead.readahead import COPY_WINDOW_BLOCKS, FIRST_WINDOW_BLOCKS
from casfs.data.memory.cache import Place
from casfs.data.outputs import Outputs
from casfs.data.reader import Reader
from casfs.stats import Stats
from tests.data.calls import in_thread, wait_until_joined
from tests.data.nodes import is_node
from tests.data.service import MIB, Request, Service, archive, mounted, read, sample, settings, settle, still

DATA = sample(120 * MIB - 5)
COUNT = 120


def ahead(service: Service) -> list[Request]:
    """Return the requests for what is ahead of two blocks; they may come before that for the second one."""
    return [request for request in service.requests if request.start >= 2 * MIB]


def blocks_of(service: Service) -> list[int]:
    return [block for first, stop in service.parts for block in range(first, stop)]


@contextmanager
def running_ahead(connections: int) -> Iterator[tuple[Service, Outputs, Reader]]:
    """Read two blocks; what is asked for ahead of them, a request a connection at most, is held until it is let go."""
    service = Service({"job": DATA})
    with mounted(service, settings(read_ahead=64, cache=256, connections=connections), clock=still) as outputs:
        reader = outputs.open(archive(DATA))
        read(reader, 0, MIB)
        service.is_held = True
        service.let((1, 2))
        read(reader, MIB, MIB)
        yield service, outputs, reader


def test_the_first_block_is_fetched_alone_and_the_second_begins_the_window() -> None:
    service = Service({"job": DATA})
    with mounted(service, settings(read_ahead=64, cache=256, connections=64), clock=still) as outputs:
        reader = outputs.open(archive(DATA))
        read(reader, 0, MIB)
        assert service.parts == [(0, 1)]
        service.is_held = True
        second = in_thread(reader, MIB, MIB)
        near, far = 2 + 8, 2 + COPY_WINDOW_BLOCKS
        singles = [(block, block + 1) for block in range(near)]
        pairs = [(block, block + 2) for block in range(near, far, 2)]
        assert sorted(service.arrived(len(singles + pairs))) == singles + pairs
        service.release()
        assert second.result(60) == DATA[MIB : 2 * MIB]


@pytest.mark.parametrize("size", [4096 * 32, MIB // 2, MIB, 3 * MIB // 2, 5 * MIB], ids=str)
def test_a_sequential_reader_fetches_every_block_once_in_nodes(size: int) -> None:
    service = Service({"job": DATA})
    stats = Stats()
    with mounted(service, settings(read_ahead=64, cache=256), stats) as outputs:
        reader = outputs.open(archive(DATA))
        for offset in range(0, len(DATA), size):
            assert read(reader, offset, size) == DATA[offset : offset + size]
        assert str(outputs.verification(archive(DATA))) == "whole"
    assert sorted(blocks_of(service)) == list(range(COUNT))
    assert all(is_node(range(*part), COUNT) for part in service.parts)
    figures = stats.snapshot()
    assert figures["prefetch_unused_blocks"] == 0
    assert figures["blocks_verified"] == COUNT


def test_reads_of_128_kib_out_of_order_are_a_sequence() -> None:
    service = Service({"job": DATA})
    quarter = MIB // 4
    with mounted(service, settings(read_ahead=64, cache=256)) as outputs:
        reader = outputs.open(archive(DATA))
        for pair in range(0, 4 * COUNT, 2):
            for offset in ((pair + 1) * quarter, pair * quarter):
                assert read(reader, offset, quarter) == DATA[offset : offset + quarter]
    assert sorted(blocks_of(service)) == list(range(COUNT))
    assert len(service.parts) < COUNT


def test_two_sequences_of_one_handle_are_both_read_ahead() -> None:
    service = Service({"job": DATA})
    with mounted(service, settings(read_ahead=32, cache=256)) as outputs:
        reader = outputs.open(archive(DATA))
        for block in range(50):
            for at in (block, 60 + block):
                assert read(reader, at * MIB, MIB) == DATA[at * MIB : at * MIB + MIB]
    assert len(blocks_of(service)) == len(set(blocks_of(service)))
    assert len(service.parts) < 90


def test_random_reads_fetch_nothing_but_their_blocks() -> None:
    service = Service({"job": DATA})
    wanted = [(block * 73) % COUNT for block in range(0, COUNT, 3)]
    with mounted(service, settings(read_ahead=64, cache=256)) as outputs:
        reader = outputs.open(archive(DATA))
        for block in wanted:
            read(reader, block * MIB + 77, 4096)
    assert blocks_of(service) == wanted


def test_no_read_ahead_fetches_what_is_read() -> None:
    service = Service({"job": DATA})
    with mounted(service, settings(read_ahead=0, cache=256)) as outputs:
        reader = outputs.open(archive(DATA))
        for block in range(20):
            read(reader, block * MIB, MIB)
    assert blocks_of(service) == list(range(20))


def test_a_waiting_read_goes_before_prefetch_and_finds_a_connection_free() -> None:
    with running_ahead(4) as (service, outputs, _):
        service.arrived(5)
        assert len(ahead(service)) == 3 < FIRST_WINDOW_BLOCKS
        random = in_thread(outputs.open(archive(DATA)), 110 * MIB, 1)
        assert service.arrived(6)[5] == (110, 111)
        service.let((110, 111))
        assert random.result(60) == DATA[110 * MIB : 110 * MIB + 1]
        assert len(service.parts) == 6
        service.release()
    assert service.most_in_flight == 4


def test_a_read_that_joins_what_is_queued_sends_it_before_the_rest() -> None:
    with running_ahead(2) as (service, outputs, _):
        assert (2, 3) in service.arrived(3)
        late = in_thread(outputs.open(archive(DATA)), 9 * MIB, 1)
        assert service.arrived(4)[3] == (9, 10)
        service.let((9, 10))
        assert late.result(60) == DATA[9 * MIB : 9 * MIB + 1]


def test_what_was_asked_for_holds_no_memory_before_it_comes() -> None:
    with running_ahead(16) as (service, outputs, reader):
        pool = outputs._monitor._cache._pool
        service.arrived(2 + 15)
        assert pool.capacity - pool.free >= 2 + 15
        assert pool._mapped - len(pool._free) == 2
        service.release()
        assert read(reader, 2 * MIB, 4 * MIB) == DATA[2 * MIB : 6 * MIB]


def test_closing_calls_back_what_was_asked_for_ahead() -> None:
    with running_ahead(4) as (service, outputs, reader):
        service.arrived(5)
        reader.close()
        assert all(request.cancelled() for request in ahead(service))
        service.stir()
        settle(outputs)
        assert len(service.requests) == 5, "what was queued is not sent any more"


def test_what_another_reader_wants_ahead_too_is_not_called_back() -> None:
    service = Service({"job": DATA})
    with mounted(service, settings(read_ahead=64, cache=256, connections=16), clock=still) as outputs:
        readers = [outputs.open(archive(DATA)) for _ in range(2)]
        for reader in readers:
            read(reader, 0, MIB)
        service.is_held = True
        service.let((1, 2))
        for reader in readers:
            read(reader, MIB, MIB)
        service.arrived(2 + FIRST_WINDOW_BLOCKS)
        readers[0].close()
        assert not any(request.cancelled() for request in ahead(service))
        service.release()
        assert read(readers[1], 2 * MIB, FIRST_WINDOW_BLOCKS * MIB) == DATA[2 * MIB : (2 + FIRST_WINDOW_BLOCKS) * MIB]
    assert len(blocks_of(service)) == len(set(blocks_of(service)))


def test_prefetched_blocks_stay_for_the_other_reader_that_wants_them() -> None:
    service = Service({"job": DATA})
    with mounted(service, settings(read_ahead=64, cache=256), clock=still) as outputs:
        readers = [outputs.open(archive(DATA)) for _ in range(2)]
        for block in range(2):
            for reader in readers:
                read(reader, block * MIB, MIB)
        settle(outputs)
        held = outputs._monitor._cache.ahead
        assert FIRST_WINDOW_BLOCKS < held <= COPY_WINDOW_BLOCKS
        readers[0].close()
        assert outputs._monitor._cache.ahead == held
        readers[1].close()
        assert outputs._monitor._cache.ahead == 0


def test_blocks_that_a_reader_skipped_are_no_longer_kept_for_it() -> None:
    service = Service({"job": DATA})
    with mounted(service, settings(read_ahead=64, cache=256), clock=still) as outputs:
        reader = outputs.open(archive(DATA))
        for block in (0, 1, 9, *range(10, 40)):
            read(reader, block * MIB, MIB)
        settle(outputs)
        slots = outputs._monitor._cache._slots.items()
        assert sorted(block for (_, block), slot in slots if slot.place is Place.STALE) == [2, 3, 4, 5, 6, 7, 8]


def test_a_read_that_joined_keeps_a_prefetch_alive_whose_reader_closed() -> None:
    with running_ahead(16) as (service, outputs, reader):
        service.arrived(2 + FIRST_WINDOW_BLOCKS)
        joined = in_thread(outputs.open(archive(DATA)), 3 * MIB, 1)
        wait_until_joined(outputs, 1)
        reader.close()
        service.release()
        assert joined.result(60) == DATA[3 * MIB : 3 * MIB + 1]
    assert service.parts.count((3, 4)) == 1


def test_six_readers_of_one_output_make_one_download() -> None:
    service = Service({"job": DATA})
    stats = Stats()
    with mounted(service, settings(read_ahead=128, cache=256, connections=8), stats) as outputs:
        wholes: list[bytes] = []

        def run() -> None:
            reader = outputs.open(archive(DATA))
            wholes.append(b"".join(read(reader, offset, MIB // 2) for offset in range(0, len(DATA), MIB // 2)))
            reader.close()

        threads = [threading.Thread(target=run) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert all(whole == DATA for whole in wholes)
        assert len(wholes) == 6
    assert sorted(blocks_of(service)) == list(range(COUNT))
    assert service.most_in_flight <= 8


@pytest.mark.parametrize("cache", [1, 2, 3, 8])
@pytest.mark.parametrize("size", [MIB // 2, 3 * MIB], ids=["half", "three"])
def test_eight_readers_get_on_in_hardly_any_memory(cache: int, size: int) -> None:
    data = sample(24 * MIB + 1)
    service = Service({"job": data})
    with mounted(service, settings(read_ahead=128, cache=cache, connections=8)) as outputs:
        wholes: list[bytes] = []

        def run(begin: int) -> None:
            reader = outputs.open(archive(data))
            offsets = range(begin * MIB, len(data), size)
            wholes.append(data[: begin * MIB] + b"".join(read(reader, offset, size) for offset in offsets))
            reader.close()

        threads = [threading.Thread(target=run, args=(begin,)) for begin in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert all(whole == data for whole in wholes)
        assert len(wholes) == 8


@pytest.mark.parametrize("is_idle", [True, False], ids=["idle", "active"])
def test_only_a_reader_that_stopped_gives_its_memory_to_one_that_reads(*, is_idle: bool) -> None:
    now = [0.0]
    service = Service({"job": DATA})
    with mounted(service, settings(read_ahead=128, cache=6), clock=lambda: now[0]) as outputs:
        first, second = outputs.open(archive(DATA)), outputs.open(archive(DATA))
        read(first, 0, MIB)
        read(first, MIB, MIB)
        service.arrived(7)
        settle(outputs)
        now[0] += 60 * is_idle
        read(second, 100 * MIB, MIB)
        read(second, 101 * MIB, MIB)
        if is_idle:
            service.arrived(2 * 7)
        assert ((103, 104) in service.parts) is is_idle
        assert read(first, 2 * MIB, 5 * MIB) == DATA[2 * MIB : 7 * MIB]


def test_a_long_copy_drives_out_nothing_that_others_read() -> None:
    small, large = sample(8 * MIB, seed=2), sample(80 * MIB)
    service = Service({"small": small, "large": large})
    with mounted(service, settings(read_ahead=8, cache=48)) as outputs:
        kept, copied = outputs.open(archive(small, "small")), outputs.open(archive(large, "large"))
        assert read(kept, 0, len(small)) == small
        for offset in range(0, len(large), MIB):
            assert read(copied, offset, MIB) == large[offset : offset + MIB]
        asked = len(service.requests)
        assert read(kept, 0, len(small)) == small
    assert len(service.requests) == asked


def test_what_a_copy_has_passed_stays_for_a_second_one_where_all_of_it_fits() -> None:
    service = Service({"job": DATA})
    with mounted(service, settings(read_ahead=8, cache=COUNT + 8)) as outputs:
        for _ in range(2):
            reader = outputs.open(archive(DATA))
            assert b"".join(read(reader, offset, MIB) for offset in range(0, len(DATA), MIB)) == DATA
    assert sorted(blocks_of(service)) == list(range(COUNT))
