"""Bytes that are not what a hash says never reach a program, whatever the service does."""

import pytest

from casfs.data.settings import Verify
from casfs.errors import CorruptDataError, UncheckableError
from casfs.stats import Stats
from tests.data.service import MIB, Request, Service, archive, mounted, read, sample, settings

DATA = sample(5 * MIB + 77)
OTHER = sample(len(DATA), seed=50)


def wrong(request: Request) -> bytes:
    return OTHER[request.start : request.start + request.length]


def test_a_block_that_comes_wrong_once_is_fetched_once_more_and_served() -> None:
    stats = Stats()
    service = Service({"job": DATA})
    service.act = lambda request: wrong(request) if len(service.requests) == 1 else None
    with mounted(service, stats=stats) as outputs:
        assert read(outputs.open(archive(DATA)), MIB, 5) == DATA[MIB : MIB + 5]
        assert str(outputs.verification(archive(DATA))) == "1/6"
    assert service.parts == [(1, 2)] * 2
    assert stats.snapshot()["hash_mismatches"] == 1
    assert stats.snapshot()["blocks_verified"] == 1


def test_a_block_that_comes_wrong_twice_is_an_error_and_said_to_be_a_mismatch() -> None:
    service = Service({"job": DATA}, act=wrong)
    with mounted(service) as outputs:
        with pytest.raises(CorruptDataError):
            read(outputs.open(archive(DATA)), MIB, 5)
        assert str(outputs.verification(archive(DATA))) == "mismatch"
        assert not outputs.open(archive(DATA)).keep_pages
        service.act = lambda _request: None
        assert read(outputs.open(archive(DATA)), MIB, 5) == DATA[MIB : MIB + 5]
        assert str(outputs.verification(archive(DATA))) == "1/6"
    assert service.parts == [(1, 2)] * 3


def test_one_wrong_block_fails_a_prefetched_part_and_no_byte_of_it_is_served() -> None:
    service = Service({"job": DATA})
    service.act = lambda request: wrong(request) if request.part == (2, 4) else None
    with mounted(service, settings(read_ahead=64)) as outputs:
        reader = outputs.open(archive(DATA))
        read(reader, 0, 2 * MIB)
        with pytest.raises(CorruptDataError):
            read(reader, 2 * MIB, 2 * MIB)


@pytest.mark.parametrize("order", [range(6), (5, 0, 4, 1, 3, 2)], ids=["forward", "mixed"])
def test_without_hashes_of_ranges_the_whole_is_checked_before_its_last_block_is_served(order: range) -> None:
    service = Service({"job": OTHER}, hashes=False)
    with mounted(service) as outputs:
        reader = outputs.open(archive(DATA))
        for block in order[:-1]:
            read(reader, block * MIB, 1)
        assert str(outputs.verification(archive(DATA))) == "none"
        with pytest.raises(CorruptDataError):
            read(reader, order[-1] * MIB, 1)
        assert str(outputs.verification(archive(DATA))) == "mismatch"
        for block in order:
            with pytest.raises(CorruptDataError):
                read(reader, block * MIB, 1)
        later = outputs.open(archive(DATA))
        assert not later.keep_pages
        with pytest.raises(CorruptDataError):
            read(later, 0, len(DATA))


def test_a_proven_block_that_comes_again_without_a_hash_is_held_to_what_was_proven() -> None:
    service = Service({"job": DATA}, hashes=False)
    with mounted(service, settings(cache=1)) as outputs:
        reader = outputs.open(archive(DATA))
        assert read(reader, 0, len(DATA)) == DATA
        assert str(outputs.verification(archive(DATA))) == "whole"
        service.act = wrong
        with pytest.raises(CorruptDataError):
            read(reader, 0, 1)


def test_hashes_that_are_right_for_an_output_that_is_not_the_jobs_are_a_mismatch() -> None:
    service = Service({"job": OTHER})
    with mounted(service) as outputs, pytest.raises(CorruptDataError):
        read(outputs.open(archive(DATA)), 0, len(DATA))


def test_require_serves_only_what_a_hash_has_checked() -> None:
    service = Service({"job": DATA})
    with mounted(service, settings(verify=Verify.REQUIRE)) as outputs:
        reader = outputs.open(archive(DATA, hashed=False))
        assert read(reader, 0, MIB) == DATA[:MIB]
        service.hashes = False
        with pytest.raises(UncheckableError):
            read(reader, MIB, 1)
        assert read(reader, 0, MIB) == DATA[:MIB]


def test_require_serves_a_single_block_by_the_hash_of_its_job() -> None:
    service = Service({"job": DATA[:99]}, hashes=False)
    with mounted(service, settings(verify=Verify.REQUIRE)) as outputs:
        assert read(outputs.open(archive(DATA[:99])), 0, 99) == DATA[:99]


def test_what_nobody_can_check_is_served_and_said_to_be_so() -> None:
    service = Service({"job": DATA}, hashes=False)
    output = archive(DATA, hashed=False)
    with mounted(service) as outputs:
        assert read(outputs.open(output), 0, len(DATA)) == DATA
        assert str(outputs.verification(output)) == "unavailable"
