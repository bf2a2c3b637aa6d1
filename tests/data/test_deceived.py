"""Who was served what has proved wrong since is told, and nobody else."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from casfs.data.content import Content
from casfs.data.hashing import treehash
from casfs.data.open_readers import OpenReaders
from casfs.data.outputs import Outputs
from casfs.errors import CorruptDataError
from casfs.models import Output
from tests.data.damaged import DATA, OTHER, SMALL, Script, read_all, wrong
from tests.data.service import MIB, Service, archive, mounted, read, settings, tree_hash


def served_wrong(outputs: Outputs, service: Service) -> Callable[[], None]:
    """Have a reader served a wrong block 0, by a service that sends no hashes yet; return what closes it."""
    service.hashes = False
    service.act = wrong
    reader = outputs.open(archive(DATA))
    assert read(reader, 0, 1) == OTHER[:1]
    service.act = lambda _request: None
    read(reader, MIB, 1)  # of a memory of one block, so that block 0 is evicted

    def closes() -> None:
        try:
            with pytest.raises(CorruptDataError):
                read(reader, MIB, 1)
            reader.check()
        finally:
            reader.close()

    return closes


def test_who_was_served_what_proves_wrong_fails_at_the_next_read_and_at_close_and_nobody_else_does() -> None:
    service = Service({"job": DATA})
    told: list[Output] = []
    with mounted(service, SMALL, on_wrong=told.append) as outputs:
        closes = served_wrong(outputs, service)
        service.hashes = True
        other = outputs.open(archive(DATA))
        assert not other.keep_pages, "the kernel would not tell which of its pages it serves"
        assert read(other, 0, len(DATA)) == DATA
        assert str(outputs.verification(archive(DATA))) == "whole"
        other.check()
        with pytest.raises(CorruptDataError):
            closes()
        assert told == [archive(DATA)], "the kernel is to drop its pages at once"
        assert not outputs.open(archive(DATA)).keep_pages


def test_who_could_be_served_such_a_page_by_the_kernel_fails_too() -> None:
    service = Service({"job": DATA}, hashes=False)
    unhashed = archive(DATA, hashed=False)
    with mounted(service, SMALL) as outputs:
        service.act = wrong
        first = outputs.open(unhashed)
        read(first, 0, 1)
        first.close()
        second = outputs.open(unhashed)
        assert second.keep_pages
        read(second, MIB, 1)
        service.act, service.hashes = lambda _request: None, True
        third = outputs.open(unhashed)
        assert third.keep_pages
        with pytest.raises(CorruptDataError):
            read(third, 0, 1)
        with pytest.raises(CorruptDataError):
            second.check()
        assert read(outputs.open(unhashed), 0, 1) == DATA[:1]


class ExposedTooLate(OpenReaders):
    """Readers of *content*, which another thread finds wrong in the moment before they are exposed."""

    def __init__(self, content: Content) -> None:
        super().__init__(are_pages_in_doubt=False)
        self.content = content

    def expose(self) -> None:
        right = {0: treehash.leaf(OTHER[:MIB])}
        with ThreadPoolExecutor(1) as other:
            other.submit(self.content.refute, right, right, len(DATA)).result(60)
        super().expose()


def test_what_proves_wrong_before_its_first_reader_is_exposed_is_not_served() -> None:
    """Nobody was exposed then who would be told at close."""
    with mounted(Service({"job": DATA}, hashes=False)) as outputs:
        content = outputs._content(archive(DATA))
        content.open_readers = ExposedTooLate(content)
        reader = outputs.open(archive(DATA))
        with pytest.raises(CorruptDataError):
            read(reader, 0, 1)


def test_who_opens_later_and_is_served_the_same_wrong_bytes_is_told_too() -> None:
    service = Service({"job": DATA}, hashes=False)
    service.act = wrong
    with mounted(service, SMALL) as outputs:
        readers = []
        for _ in range(2):
            readers.append(outputs.open(archive(DATA)))
            assert read(readers[-1], 0, 1) == OTHER[:1]
        service.act, service.hashes = lambda _request: None, True
        for block in (1, 0):  # in a memory of one
            read(outputs.open(archive(DATA)), block * MIB, 1)
        for reader in readers:
            with pytest.raises(CorruptDataError):
                reader.check()


def test_a_root_that_does_not_fit_is_told_to_those_who_were_served_and_not_to_those_who_were_not() -> None:
    service = Service({"job": OTHER}, hashes=False)
    with mounted(service) as outputs:
        first, idle = outputs.open(archive(DATA)), outputs.open(archive(DATA))
        idle.close()
        read(first, 0, 5 * MIB)
        late = outputs.open(archive(DATA))
        with pytest.raises(CorruptDataError):
            read(late, 0, len(DATA))
        with pytest.raises(CorruptDataError):
            first.check()


def test_a_block_that_was_served_before_is_not_forgotten_with_the_part_that_did_not_fit_the_root() -> None:
    """Else a second fetch could fit, and nobody would know that another version of the block was served."""
    service = Service({"job": DATA}, hashes=False)
    with mounted(service, settings(cache=2)) as outputs:
        Script(service, "wrong", "wrong", "wrong", "wrong")
        reader = outputs.open(archive(DATA))
        assert read(reader, 0, 1) == OTHER[:1]
        for block in (2, 3, 4, 5):
            read(reader, block * MIB, 1)
        Script(service, "wrong")
        other = outputs.open(archive(DATA))
        with pytest.raises(CorruptDataError):
            read(other, 0, 2 * MIB)
        with pytest.raises(CorruptDataError):
            reader.check()


@pytest.mark.parametrize(("hashes", "length"), [(True, 1), (True, len(DATA)), (False, len(DATA))])
def test_who_reads_on_by_an_older_document_fails_when_a_newer_ones_hashes_say_otherwise(
    length: int, *, hashes: bool
) -> None:
    """Those of a part, or of each, or that of the whole alone; by another document in between nobody was served."""
    service = Service({"job": DATA}, hashes=False)
    service.act = wrong
    told: list[Output] = []
    with mounted(service, SMALL, on_wrong=told.append) as outputs:
        reader = outputs.open(archive(DATA, hashed=False))
        read(reader, 0, 1)
        between = outputs.open(replace(archive(DATA), tree_hash="ab" * 32))
        service.act = lambda _request: None
        service.hashes = hashes
        assert read(outputs.open(archive(DATA)), 0, length) == DATA[:length]
        with pytest.raises(CorruptDataError):
            reader.check()
        between.check()
        assert told == [archive(DATA)], "the kernel is to drop its pages at once, and once"


def test_who_was_served_a_block_with_a_false_hash_of_its_own_is_told_when_the_root_does_not_fit() -> None:
    service = Service({"job": DATA}, act=wrong)
    service.given = lambda request: tree_hash(wrong(request)) if service.act is wrong else None
    with mounted(service, SMALL) as outputs:
        reader = outputs.open(archive(DATA))
        assert read(reader, 0, 1) == OTHER[:1]
        service.act = lambda _request: None
        read(reader, MIB, 1)
        with pytest.raises(CorruptDataError):
            read_all(outputs, archive(DATA))
        with pytest.raises(CorruptDataError):
            reader.check()
        assert read_all(outputs, archive(DATA)) == DATA
        assert str(outputs.verification(archive(DATA))) == "whole"


def test_two_hashes_that_contradict_each_other_are_told_to_those_who_were_served_by_either() -> None:
    service = Service({"job": DATA}, act=wrong)
    service.given = lambda request: tree_hash(wrong(request)) if service.act is wrong else None
    with mounted(service, SMALL) as outputs:
        reader = outputs.open(archive(DATA, hashed=False))
        assert read(reader, 0, 1) == OTHER[:1]
        read(reader, MIB, 1)
        service.act = lambda _request: None
        with pytest.raises(CorruptDataError):
            read(outputs.open(archive(DATA, hashed=False)), 0, 1)
        with pytest.raises(CorruptDataError):
            reader.check()
        assert read(outputs.open(archive(DATA, hashed=False)), 0, 1) == DATA[:1]
