"""What is unproven does not outlive its proof, and what was damaged once is not damaged for ever."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from casfs.data.content import Content
from casfs.data.hashing import treehash
from casfs.data.open_readers import OpenReaders
from casfs.data.outputs import Outputs
from casfs.data.settings import Verify
from casfs.errors import CorruptDataError, TransferError, UncheckableError
from casfs.models import Output
from casfs.stats import Stats
from tests.data.service import MIB, Request, Service, archive, mounted, read, sample, settings, tree_hash

DATA = sample(5 * MIB + 77)
OTHER = sample(len(DATA), seed=50)
SMALL = settings(cache=1)


def wrong(request: Request) -> bytes:
    return OTHER[request.start : request.start + request.length]


class Script:
    """What befalls the answers to requests for block 0, in order: ``wrong`` bytes, ``bare`` of their hash, or both."""

    def __init__(self, service: Service, *acts: str) -> None:
        self.acts = list(acts)
        self.now = ""
        service.act = self.act
        service.omits = self.omits

    def act(self, request: Request) -> bytes | None:
        self.now = self.acts.pop(0) if request.start == 0 and self.acts else ""
        return wrong(request) if "wrong" in self.now else None

    def omits(self, _request: Request) -> bool:
        return "bare" in self.now


def read_all(outputs: Outputs, output: Output) -> bytes:
    return read(outputs.open(output), 0, len(DATA))


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
            other.submit(self.content.refute, right, right, len(DATA)).result(20)
        super().expose()


def test_what_proves_wrong_before_its_first_reader_is_exposed_is_not_served() -> None:
    """Nobody was exposed then who would be told at close."""
    with mounted(Service({"job": DATA}, hashes=False)) as outputs:
        content = outputs._content(archive(DATA))
        content.open_readers = ExposedTooLate(content)
        reader = outputs.open(archive(DATA))
        with pytest.raises(CorruptDataError):
            read(reader, 0, 1)


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


def test_who_reads_on_by_an_older_document_fails_when_a_newer_ones_hashes_say_otherwise() -> None:
    service = Service({"job": DATA}, hashes=False)
    service.act = wrong
    with mounted(service, SMALL) as outputs:
        reader = outputs.open(archive(DATA, hashed=False))
        read(reader, 0, 1)
        service.act = lambda _request: None
        service.hashes = True
        assert read_all(outputs, archive(DATA)) == DATA
        with pytest.raises(CorruptDataError):
            reader.check()


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
