"""What is admitted, by every hash there may be, and what is said of it."""

from collections.abc import Iterator, Mapping

import pytest

from casfs.data.content import Content
from casfs.data.hashing import treehash
from casfs.data.settings import Verify
from casfs.errors import CasfsError, CorruptDataError, UncheckableError
from casfs.models import Output
from casfs.stats import Stats

MIB = 1 << 20
LEAVES = [treehash.leaf(bytes([number])) for number in range(5)]
ROOT = treehash.root(LEAVES).hex()
OTHER = treehash.leaf(b"other")


def content(tree_hash: str | None = ROOT, verify: Verify = Verify.AUTO, size: int = 5 * MIB) -> Content:
    return Content(Output("v", "j", size, tree_hash, is_inventory=False), size, verify, Stats())


def admit(to: Content, first: int, stop: int, *, hashed: bool = True, last_try: bool = False) -> None:
    leaves = LEAVES[first:stop]
    to.admit(range(first, stop), leaves, treehash.root(leaves).hex() if hashed else None, last_try=last_try)


def test_ranges_with_hashes_count_until_the_whole_is_checked() -> None:
    made = content()
    assert str(made.verification()) == "none"
    admit(made, 0, 2)
    assert str(made.verification()) == "2/5"
    admit(made, 2, 4)
    admit(made, 4, 5)
    assert str(made.verification()) == "whole"


def test_without_hashes_of_ranges_the_root_checks_all_with_the_last_leaf() -> None:
    made = content()
    admit(made, 0, 4, hashed=False)
    assert str(made.verification()) == "none"
    admit(made, 4, 5, hashed=False)
    assert str(made.verification()) == "whole"


def test_a_job_without_any_hash_is_unavailable_and_readable() -> None:
    made = content(tree_hash=None)
    admit(made, 0, 4, hashed=False)
    admit(made, 4, 5, hashed=False)
    assert str(made.verification()) == "unavailable"


def test_hashes_of_ranges_check_a_job_that_has_none_of_its_own() -> None:
    made = content(tree_hash=None)
    admit(made, 0, 4)
    assert str(made.verification()) == "4/5"
    admit(made, 4, 5)
    assert str(made.verification()) == "whole"


def test_a_range_that_is_not_its_hash_is_a_mismatch_only_after_one_more_fetch() -> None:
    made = content()
    with pytest.raises(CorruptDataError):
        made.admit(range(2), [LEAVES[0], OTHER], treehash.root(LEAVES[:2]).hex(), last_try=False)
    assert str(made.verification()) == "none"
    with pytest.raises(CorruptDataError):
        made.admit(range(2), [LEAVES[0], OTHER], treehash.root(LEAVES[:2]).hex(), last_try=True)
    assert str(made.verification()) == "mismatch"
    assert not made.open().keep_pages
    admit(made, 0, 2)
    assert str(made.verification()) == "2/5", "the service has mended it"
    emptying = made.open()
    assert not emptying.keep_pages, "no reader has emptied the kernel's pages since"
    assert not made.open().keep_pages, "nor has the kernel, as far as is known"
    made.open_readers.hear_of(emptying)
    assert made.open().keep_pages


class Right(Mapping[int, bytes]):
    """Leaves that are right; the asking for one is a moment in which something else happens."""

    def __init__(self, meanwhile: Iterator[object]) -> None:
        self._meanwhile = meanwhile

    def __getitem__(self, block: int) -> bytes:
        next(self._meanwhile, None)
        return OTHER

    def __iter__(self) -> Iterator[int]:
        return iter(range(5))

    def __len__(self) -> int:
        return 5


def test_the_last_reader_of_what_was_believed_before_may_close_while_that_is_refuted() -> None:
    before = content(tree_hash=None)
    reader = before.open()
    admit(before, 0, 1, hashed=False)
    made = Content(before.output, 5 * MIB, Verify.AUTO, Stats(), before)

    def meanwhile() -> Iterator[object]:
        yield "the newer one is asked first"
        before.open_readers.close(reader)
        yield made.open()

    made.refute(Right(meanwhile()), range(1), 5 * MIB)
    assert isinstance(before.failure, CorruptDataError)
    assert made.open_readers.are_pages_wrong, "whoever believes in it now has the kernel drop them"


def test_pages_that_are_doubted_again_are_not_trusted_because_they_were_emptied_before() -> None:
    made = content()
    made.open_readers.deceive()
    emptying = made.open()
    made.open_readers.deceive()
    made.open_readers.hear_of(emptying)
    again = made.open()
    assert not again.keep_pages
    made.open_readers.hear_of(again)
    assert made.open().keep_pages


def test_a_root_that_is_not_the_jobs_is_a_mismatch_for_good() -> None:
    made = content(tree_hash=OTHER.hex())
    admit(made, 0, 4)
    with pytest.raises(CorruptDataError):
        admit(made, 4, 5, last_try=False)
    assert made.failure is None
    with pytest.raises(CorruptDataError):
        admit(made, 4, 5, last_try=True)
    assert str(made.verification()) == "mismatch"
    assert isinstance(made.failure, CorruptDataError)
    assert made.leaf(0) is None, "nothing is to be kept on disk"
    with pytest.raises(CorruptDataError):
        admit(made, 0, 1)
    assert not made.open().keep_pages
    assert not made.open().keep_pages


def test_what_the_root_has_proved_does_not_fail_for_what_comes_otherwise_since() -> None:
    made = content()
    admit(made, 0, 4)
    admit(made, 4, 5)
    with pytest.raises(CorruptDataError):
        made.admit(range(1), [OTHER], OTHER.hex(), last_try=True)
    assert made.failure is None


def test_the_kernel_keeps_pages_once_all_that_came_without_a_hash_is_proved() -> None:
    made = content(tree_hash=None)
    admit(made, 0, 4)
    admit(made, 4, 5, hashed=False)
    assert not made.open().keep_pages
    admit(made, 4, 5)
    assert made.open().keep_pages


def test_a_last_leaf_that_came_wrong_once_does_not_condemn_the_output() -> None:
    made = content()
    admit(made, 0, 4, hashed=False)
    with pytest.raises(CorruptDataError):
        made.admit(range(4, 5), [OTHER], None, last_try=False)
    admit(made, 4, 5, hashed=False, last_try=True)
    assert str(made.verification()) == "whole"


def test_a_block_fetched_again_without_a_hash_is_held_to_what_was_proven() -> None:
    made = content()
    admit(made, 0, 4)
    admit(made, 0, 1, hashed=False)
    with pytest.raises(CorruptDataError):
        made.admit(range(1), [OTHER], None, last_try=True)


def test_two_unchecked_versions_of_a_block_are_both_distrusted() -> None:
    made = content()
    admit(made, 0, 1, hashed=False)
    with pytest.raises(CorruptDataError):
        made.admit(range(1), [OTHER], None, last_try=True)


def test_a_hash_that_proves_another_block_than_was_served_empties_the_kernels_pages() -> None:
    made = content()
    made.admit(range(1), [OTHER], None, last_try=False)
    admit(made, 0, 1)
    assert not made.open().keep_pages


def test_two_hashes_that_contradict_each_other_are_a_mismatch() -> None:
    made = content()
    admit(made, 0, 1)
    with pytest.raises(CorruptDataError):
        made.admit(range(1), [OTHER], OTHER.hex(), last_try=True)


def test_require_refuses_what_nothing_can_check_and_serves_what_the_root_has_checked() -> None:
    made = content(verify=Verify.REQUIRE)
    with pytest.raises(UncheckableError):
        admit(made, 0, 4, hashed=False)
    admit(made, 4, 5, hashed=False)
    admit(made, 0, 4, hashed=False)
    assert str(made.verification()) == "whole"


def test_require_serves_what_came_with_a_hash() -> None:
    admit(content(tree_hash=None, verify=Verify.REQUIRE), 0, 4)


@pytest.mark.parametrize(
    ("tree_hash", "said", "failure"),
    [
        (treehash.EMPTY, "whole", None),
        (None, "unavailable", None),
        (OTHER.hex(), "mismatch", CorruptDataError),
    ],
    ids=["right", "none", "wrong"],
)
def test_an_empty_output_is_checked_too(tree_hash: str | None, said: str, failure: type[CasfsError] | None) -> None:
    made = content(tree_hash, size=0)
    assert str(made.verification()) == said
    assert type(made.failure) is (failure or type(None))


def test_what_was_proved_before_is_proved_and_what_was_not_waits_for_the_root() -> None:
    made = content()
    made.recall(range(1), [LEAVES[0]], is_proven=True)
    made.recall(range(1, 2), [LEAVES[1]], is_proven=False)
    assert (made.leaf(0), made.leaf(1), made.leaf(2)) == ((LEAVES[0], True), (LEAVES[1], False), None)
    assert str(made.verification()) == "1/5"
    for block in (2, 3, 4):
        made.recall(range(block, block + 1), [LEAVES[block]], is_proven=False)
    assert str(made.verification()) == "whole"
    assert made.leaf(1) == (LEAVES[1], True)


def test_what_is_recalled_must_be_what_it_was_and_what_the_root_says() -> None:
    made = content()
    admit(made, 0, 2)
    with pytest.raises(CorruptDataError):
        made.recall(range(1), [OTHER], is_proven=True)
    for block in (2, 3):
        made.recall(range(block, block + 1), [LEAVES[block]], is_proven=False)
    with pytest.raises(CorruptDataError):
        made.recall(range(4, 5), [OTHER], is_proven=False)
    assert made.failure is None, "the service may have it right"
    admit(made, 4, 5)
    assert str(made.verification()) == "whole"


def test_neighbours_are_recalled_at_once_and_none_of_them_where_one_is_not_what_it_was() -> None:
    made = content()
    admit(made, 1, 2)
    with pytest.raises(CorruptDataError):
        made.recall(range(4), [LEAVES[0], OTHER, *LEAVES[2:4]], is_proven=True)
    assert str(made.verification()) == "1/5"
    made.recall(range(4), LEAVES[:4], is_proven=True)
    assert str(made.verification()) == "4/5"


def test_what_nothing_proved_is_not_recalled_where_that_is_required() -> None:
    made = content(verify=Verify.REQUIRE)
    with pytest.raises(UncheckableError):
        made.recall(range(1), [LEAVES[0]], is_proven=False)
    made.recall(range(1, 2), [LEAVES[1]], is_proven=True)


def test_a_block_that_was_served_and_is_recalled_otherwise_with_a_proof_was_wrong() -> None:
    made = content()
    reader = made.open()
    admit(made, 0, 1, hashed=False)
    made.open_readers.expose()
    made.recall(range(1), [OTHER], is_proven=True)
    assert reader.is_deceived
