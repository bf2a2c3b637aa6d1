"""Reads of one open output: exact, or an error."""

from collections.abc import Iterator

import pytest

from casfs.data.outputs import Outputs
from casfs.errors import BadHandleError
from casfs.stats import Stats
from tests.data.service import MIB, Service, archive, mounted, read, sample, settings

DATA = sample(5 * MIB + 77)


@pytest.fixture
def service() -> Service:
    return Service({"job": DATA})


@pytest.fixture
def outputs(service: Service) -> Iterator[Outputs]:
    with mounted(service) as made:
        yield made


@pytest.mark.parametrize(
    ("offset", "length"),
    [(0, 1), (0, MIB), (MIB - 1, 2), (MIB // 2, 3 * MIB), (5 * MIB, 4096), (0, 9 * MIB), (5 * MIB + 76, 1), (9, 0)],
)
def test_a_read_is_exactly_what_was_asked_for_or_up_to_the_end(outputs: Outputs, offset: int, length: int) -> None:
    assert read(outputs.open(archive(DATA)), offset, length) == DATA[offset : offset + length]


@pytest.mark.parametrize("offset", [len(DATA), len(DATA) + 1, 99 * MIB])
def test_a_read_at_or_past_the_end_is_empty_and_asks_for_nothing(
    outputs: Outputs, service: Service, offset: int
) -> None:
    assert read(outputs.open(archive(DATA)), offset, 10) == b""
    assert service.parts == []


def test_a_random_read_asks_for_its_block_and_nothing_more(service: Service) -> None:
    with mounted(service, settings(read_ahead=64)) as outputs:
        reader = outputs.open(archive(DATA))
        read(reader, 3 * MIB + 5, 4096)
        read(reader, MIB + 5, 4096)
        read(reader, 5 * MIB + 5, 10)
    assert service.parts == [(3, 4), (1, 2), (5, 6)]


def test_a_read_over_two_blocks_is_one_request_where_they_are_a_node(outputs: Outputs, service: Service) -> None:
    reader = outputs.open(archive(DATA))
    read(reader, 2 * MIB + MIB // 2, MIB)
    assert service.parts == [(2, 4)]
    read(reader, MIB // 2, MIB)
    assert service.parts == [(2, 4), (0, 2)]


def test_a_read_over_two_blocks_that_are_no_node_is_two_requests(outputs: Outputs, service: Service) -> None:
    read(outputs.open(archive(DATA)), MIB + MIB // 2, MIB)
    assert sorted(service.parts) == [(1, 2), (2, 3)]


def test_only_what_is_missing_is_asked_for(outputs: Outputs, service: Service) -> None:
    reader = outputs.open(archive(DATA))
    read(reader, 2 * MIB, 1)
    assert read(reader, 0, 5 * MIB) == DATA[: 5 * MIB]
    assert sorted(service.parts) == [(0, 2), (2, 3), (3, 4), (4, 5)]


def test_what_was_read_once_is_not_asked_for_again(service: Service) -> None:
    stats = Stats()
    with mounted(service, stats=stats) as outputs:
        for _ in range(3):
            assert read(outputs.open(archive(DATA)), MIB, MIB) == DATA[MIB : 2 * MIB]
    assert service.parts == [(1, 2)]
    figures = stats.snapshot()
    assert (figures["cache_misses"], figures["cache_hits"], figures["bytes_read"]) == (1, 2, 3 * MIB)


def test_a_read_larger_than_all_memory_is_served_block_by_block(service: Service) -> None:
    with mounted(service, settings(cache=1)) as outputs:
        assert read(outputs.open(archive(DATA)), 0, 9 * MIB) == DATA
    assert service.parts == [(block, block + 1) for block in range(6)]


def test_less_memory_than_a_block_is_still_one_block(service: Service) -> None:
    with mounted(service, settings(cache=0)) as outputs:
        assert read(outputs.open(archive(DATA)), MIB // 2, 2 * MIB) == DATA[MIB // 2 : MIB // 2 + 2 * MIB]


def test_an_empty_output_reads_as_nothing(service: Service) -> None:
    service.data["empty"] = b""
    with mounted(service) as outputs:
        assert read(outputs.open(archive(b"", "empty")), 0, 10) == b""
    assert service.parts == []


def test_a_closed_reader_serves_nothing(outputs: Outputs) -> None:
    reader = outputs.open(archive(DATA))
    reader.close()
    reader.close()
    with pytest.raises(BadHandleError):
        read(reader, 0, 1)
