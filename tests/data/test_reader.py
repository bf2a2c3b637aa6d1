"""Reads of one open output: exact, or an error."""

from collections.abc import Iterator

import pytest

from casfs.data.outputs import Outputs
from casfs.data.reader import Reader
from casfs.errors import BadHandleError
from tests.data.service import MIB, Service, archive, outputs, sample

DATA = sample(5 * MIB + 77)


def read(reader: Reader, offset: int, length: int) -> bytes:
    into = bytearray(length)
    return bytes(into[: reader.read_into(offset, memoryview(into))])


@pytest.fixture
def service() -> Service:
    return Service({"job": DATA})


@pytest.fixture
def opened(service: Service) -> Iterator[Outputs]:
    made = outputs(service)
    made.start()
    yield made
    made.stop()


@pytest.mark.parametrize(
    ("offset", "length"),
    [(0, 1), (0, MIB), (MIB - 1, 2), (MIB // 2, 3 * MIB), (5 * MIB, 4096), (0, 9 * MIB), (5 * MIB + 76, 1)],
)
def test_a_read_is_exactly_what_was_asked_for_or_up_to_the_end(opened: Outputs, offset: int, length: int) -> None:
    assert read(opened.open(archive(DATA)), offset, length) == DATA[offset : offset + length]


@pytest.mark.parametrize("offset", [len(DATA), len(DATA) + 1, 99 * MIB])
def test_a_read_at_or_past_the_end_is_empty_and_asks_for_nothing(
    opened: Outputs, service: Service, offset: int
) -> None:
    assert read(opened.open(archive(DATA)), offset, 10) == b""
    assert service.parts == []


def test_a_random_read_asks_for_its_block_and_nothing_more(opened: Outputs, service: Service) -> None:
    read(opened.open(archive(DATA)), 3 * MIB + 5, 4096)
    assert service.parts == [(3, 4)]


def test_a_read_over_two_blocks_that_are_a_node_is_one_request(opened: Outputs, service: Service) -> None:
    read(opened.open(archive(DATA)), 2 * MIB + MIB // 2, MIB)
    assert service.parts == [(2, 4)]


def test_what_was_read_once_is_not_asked_for_again(opened: Outputs, service: Service) -> None:
    for _ in range(3):
        assert read(opened.open(archive(DATA)), MIB, MIB) == DATA[MIB : 2 * MIB]
    assert service.parts == [(1, 2)]


def test_a_closed_reader_serves_nothing(opened: Outputs) -> None:
    reader = opened.open(archive(DATA))
    reader.close()
    with pytest.raises(BadHandleError):
        read(reader, 0, 1)
