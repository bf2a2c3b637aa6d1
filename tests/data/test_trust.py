"""What is unproven does not outlive its proof, and what was damaged once is not damaged for ever."""

import pytest

from casfs.data.hashing import treehash
from casfs.data.outputs import Outputs
from casfs.errors import CorruptDataError
from casfs.models import Output
from casfs.stats import Stats
from tests.data.damaged import DATA, OTHER, SMALL, Script, read_all, wrong
from tests.data.service import MIB, Service, archive, mounted, read, sample, settings, tree_hash


def test_damage_that_does_not_fit_the_root_has_passed_at_the_next_open() -> None:
    service = Service({"job": DATA}, hashes=False)
    service.act = wrong
    with mounted(service) as outputs:
        with pytest.raises(CorruptDataError):
            read_all(outputs, archive(DATA))
        service.act = lambda _request: None
        reader = outputs.open(archive(DATA))
        assert not reader.keep_pages
        assert str(outputs.verification(archive(DATA))) == "mismatch", "to open it proves nothing"
        assert read(reader, 0, len(DATA)) == DATA
        assert str(outputs.verification(archive(DATA))) == "whole"
        assert read_all(outputs, archive(DATA)) == DATA


def test_an_output_that_is_well_forgets_nothing_when_it_is_opened_again() -> None:
    service = Service({"job": DATA})
    with mounted(service) as outputs:
        for _ in range(3):
            assert read_all(outputs, archive(DATA)) == DATA
        count = len(service.requests)
        outputs.open(archive(DATA))
    assert len(service.requests) == count


def test_a_wrong_first_read_of_an_output_without_any_hash_has_passed_at_the_next_open_when_two_fetches_agree() -> None:
    service = Service({"job": DATA}, hashes=False)
    unhashed = archive(DATA, hashed=False)
    Script(service, "wrong")
    with mounted(service, SMALL) as outputs:
        first = outputs.open(unhashed)
        assert read(first, 0, 1) == OTHER[:1]
        read(first, MIB, 1)
        with pytest.raises(CorruptDataError):
            read(first, 0, 1)
        with pytest.raises(CorruptDataError):
            first.check()
        assert str(outputs.verification(unhashed)) == "mismatch"
        Script(service, "wrong", "", "")
        service.requests.clear()
        assert read(outputs.open(unhashed), 0, 1) == DATA[:1]
        assert service.parts == [(0, 1)] * 3
        assert str(outputs.verification(unhashed)) == "unavailable"


def test_an_output_without_any_hash_whose_every_fetch_is_another_is_not_believed() -> None:
    service = Service({"job": DATA}, hashes=False)
    unhashed = archive(DATA, hashed=False)
    versions = iter(range(1000))
    with mounted(service, SMALL) as outputs:
        first = outputs.open(unhashed)
        service.act = lambda request: sample(MIB, seed=next(versions)) if request.start == 0 else None
        read(first, 0, 1)
        read(first, MIB, 1)
        for _ in range(2):
            with pytest.raises(CorruptDataError):
                read(outputs.open(unhashed), 0, 1)
            assert str(outputs.verification(unhashed)) == "mismatch"


def test_only_the_first_mismatch_of_an_output_is_news() -> None:
    service = Service({"job": DATA}, act=wrong)
    stats = Stats()
    errors = []
    with mounted(service, stats=stats) as outputs:
        for block in (1, 2, 2):
            with pytest.raises(CorruptDataError) as caught:
                read(outputs.open(archive(DATA)), block * MIB, 1)
            errors.append(caught.value)
    assert [error.is_told for error in errors] == [False, True, True]
    assert stats.snapshot()["hash_mismatches"] == 6
    right, got = (treehash.leaf(data[MIB : 2 * MIB]).hex() for data in (DATA, OTHER))
    assert (f"have the tree hash {got}" in str(errors[0]), f"with the tree hash {right}" in str(errors[0])) == (
        True,
        True,
    )


def test_a_hash_that_is_that_of_the_whole_output_is_said_to_be() -> None:
    service = Service({"job": DATA})
    service.given = lambda _request: tree_hash(DATA)
    said = pytest.raises(CorruptDataError, match="of the whole output: does a proxy cut ranges out of it")
    with mounted(service) as outputs, said:
        read(outputs.open(archive(DATA)), 0, 1)


def test_an_empty_output_with_the_hash_of_another_cannot_be_opened() -> None:
    """Nobody reads an empty file, so that no read could fail."""
    service = Service({"job": b""})
    for output in (
        Output("vault", "job", 0, tree_hash(DATA), is_inventory=False),
        Output("vault", "job", None, tree_hash(DATA), is_inventory=True),
    ):
        with mounted(service) as outputs:
            for _ in range(2):
                with pytest.raises(CorruptDataError):
                    outputs.open(output)
            assert str(outputs.verification(output)) == "mismatch"


def test_an_inventory_that_was_empty_by_mistake_is_asked_for_its_size_again() -> None:
    service = Service({"job": b""})
    inventory = Output("vault", "job", None, tree_hash(DATA), is_inventory=True)
    with mounted(service) as outputs:
        with pytest.raises(CorruptDataError):
            outputs.open(inventory)
        service.data["job"] = DATA
        assert read_all(outputs, inventory) == DATA


def test_pages_of_an_output_that_was_forgotten_are_not_kept_for_who_opens_it_again() -> None:
    service = Service({"a": DATA, "b": DATA}, hashes=False)
    outputs = Outputs(service, settings(), Stats(), remembered=1)
    outputs.start()
    reader = outputs.open(archive(DATA, "a"))
    read(reader, 0, 1)
    reader.close()
    outputs.open(archive(DATA, "b")).close()
    assert not outputs.open(archive(DATA, "a")).keep_pages
    outputs.stop()
