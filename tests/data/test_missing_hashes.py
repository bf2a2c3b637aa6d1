"""Hashes that do not come: how often they are asked for, and what is served without."""

import pytest

from casfs.data.settings import Verify
from casfs.errors import TransferError, UncheckableError
from casfs.models import Output
from tests.data.damaged import DATA, Script, read_all
from tests.data.service import MIB, Service, archive, mounted, read, settings, tree_hash


def test_an_answer_without_the_hash_that_others_have_is_a_failed_attempt() -> None:
    service = Service({"job": DATA})
    with mounted(service) as outputs:
        reader = outputs.open(archive(DATA))
        read(reader, MIB, 1)
        Script(service, "wrong bare", "bare", "wrong bare")
        assert read(reader, 0, 1) == DATA[:1]
        assert str(outputs.verification(archive(DATA))) == "2/6"
    assert service.parts == [(1, 2)] + [(0, 1)] * 4


def test_a_hash_that_never_comes_where_others_did_is_a_failure_of_the_service() -> None:
    service = Service({"job": DATA})
    with mounted(service) as outputs:
        reader = outputs.open(archive(DATA))
        read(reader, MIB, 1)
        service.omits = lambda request: request.start == 0
        with pytest.raises(TransferError):
            read(reader, 0, 1)
        assert str(outputs.verification(archive(DATA))) == "1/6"


def test_a_first_answer_without_its_hash_is_tried_again_too() -> None:
    service = Service({"job": DATA})
    Script(service, "wrong bare")
    with mounted(service) as outputs:
        assert read_all(outputs, archive(DATA)) == DATA
        assert str(outputs.verification(archive(DATA))) == "whole"


def test_a_service_that_sends_no_hashes_is_asked_for_them_three_times_in_all() -> None:
    service = Service({"job": DATA, "other": DATA}, hashes=False)
    with mounted(service) as outputs:
        for job in ("job", "other"):
            for block in (1, 2):
                read(outputs.open(archive(DATA, job)), block * MIB, 1)
    assert service.parts == [(1, 2), (1, 2), (1, 2), (2, 3), (1, 2), (2, 3)]


def test_a_service_that_leaves_out_only_the_hash_of_the_end_is_read() -> None:
    """The rule for aligned ranges, as Glacier's documentation has it, leaves out the nodes that touch the end."""
    service = Service({"job": DATA})
    service.omits = lambda request: request.part[1] == 6
    with mounted(service) as outputs:
        reader = outputs.open(archive(DATA))
        for block in (0, 5, 4):
            read(reader, block * MIB, 1)
        assert str(outputs.verification(archive(DATA))) == "2/6"
        assert read(reader, 0, len(DATA)) == DATA
        assert str(outputs.verification(archive(DATA))) == "whole"
    assert service.parts.count((5, 6)) == 3


def test_an_output_of_one_part_needs_no_other_hash_than_its_jobs() -> None:
    service = Service({"job": DATA[:99]}, hashes=False)
    with mounted(service) as outputs:
        assert read(outputs.open(archive(DATA[:99])), 0, 99) == DATA[:99]
    assert len(service.requests) == 1


def test_require_wants_the_hash_as_often_as_auto_does() -> None:
    service = Service({"job": DATA})
    Script(service, "bare", "bare")
    with mounted(service, settings(verify=Verify.REQUIRE)) as outputs:
        assert read(outputs.open(archive(DATA)), 0, 1) == DATA[:1]
        service.hashes = False
        with pytest.raises((TransferError, UncheckableError)):
            read(outputs.open(archive(DATA)), MIB, 1)


def test_a_first_block_that_brings_the_size_needs_its_hash_too() -> None:
    service = Service({"job": DATA})
    Script(service, "wrong bare")
    unknown = Output("vault", "job", None, tree_hash(DATA), is_inventory=True)
    with mounted(service) as outputs:
        assert read_all(outputs, unknown) == DATA
    assert service.parts.count((0, 1)) == 2
