"""The cache on disk, on a real file system: what is kept, for whom, and what proves it."""

from pathlib import Path

import pytest

from casfs.data.disk import layout
from casfs.data.disk.files import SystemFiles
from casfs.data.disk.layout import StoredLeaf
from casfs.data.disk.root_proof import RootProof
from casfs.data.disk.stored_content import PROOFS
from casfs.data.hashing import treehash
from casfs.waiting import Deadline
from tests.data.service import MIB
from tests.disk.contents import PLACE, ROOT, SIZE, Archive, Time, content_file, new_block, open_store, served
from tests.disk.machine import Machine, Process


class CountedLocks(SystemFiles):
    """This machine's files; counts how often a file was had alone."""

    exclusive = 0

    def lock(self, fd: int, *, shared: bool) -> bool:
        self.exclusive += not shared
        return super().lock(fd, shared=shared)


@pytest.mark.parametrize("hashed", [True, False], ids=["by tree hash", "by place"])
def test_what_was_written_is_read_back_by_who_opens_the_folder_later(folder: Path, hashed: bool) -> None:  # noqa: FBT001 - a parameter
    archive = Archive.of(SIZE, hashed=hashed)
    assert open_store(folder).content(archive.key).write(archive.new([0, 2, 3])) == 3
    content = open_store(folder).content(archive.key)
    assert served(content, archive) == {0, 2, 3}
    assert content.held_count() == 3


def test_several_blocks_are_read_at_once_and_those_that_are_missing_are_told(folder: Path) -> None:
    archive = Archive.of(9 * MIB + 1)
    content = open_store(folder).content(archive.key)
    content.write(archive.new([0, 1, 2, 3, 4, 6, 9]))
    buffers = [memoryview(bytearray(len(archive.block(number)))) for number in range(10)]
    found = content.read(range(10), content.held(range(10)), buffers)
    assert [number for number, leaf in enumerate(found) if leaf] == [0, 1, 2, 3, 4, 6, 9]
    assert all(buffers[number] == archive.block(number) for number, leaf in enumerate(found) if leaf)


def test_a_second_job_of_the_same_archive_finds_its_blocks(folder: Path) -> None:
    archive = Archive.of(SIZE)
    open_store(folder).content(archive.key).write(archive.new(range(4)))
    other = layout.ContentKey.of(SIZE, archive.key.tree_hash, (PLACE[0], "1", "v", "j"))
    assert served(open_store(folder).content(other), archive) == {0, 1, 2, 3}


@pytest.mark.parametrize("place", [("another endpoint", "100", "vault", "job"), (*PLACE[:3], "another job")])
def test_what_one_job_brought_is_another_s_once_the_tree_hash_proves_all_of_it(
    folder: Path, place: tuple[str, ...]
) -> None:
    """What a service says of a part of one job's output binds it for no other job, nor does it bind other services."""
    archive = Archive.of(SIZE)
    content = open_store(folder).content(archive.key)
    content.write(archive.new(range(3)))
    other = open_store(folder).content(layout.ContentKey.of(SIZE, archive.key.tree_hash, place))
    assert (served(other, archive), other.held_count(), content.held_count()) == (set(), 0, 3)
    (entry,) = open_store(folder).entries()
    assert (entry.held, entry.is_whole_for(archive.place), entry.is_whole_for(place)) == (3, False, False)
    other.write(archive.new([3]))
    assert (served(other, archive, [3]), other.held_count()) == ({3}, 4), "all of it is there, and is what it should be"
    (entry,) = open_store(folder).entries()
    assert (entry.held, entry.is_whole_for(archive.place), entry.is_whole_for(place)) == (4, True, True)
    assert (served(content, archive), served(other, archive)) == ({0, 1, 2, 3}, {0, 1, 2, 3})


def test_what_two_jobs_brought_of_different_bytes_is_served_to_neither_as_a_whole(folder: Path) -> None:
    """Each has the other's blocks beside its own; the tree hash is of one of them, and neither loses its own."""
    archive, wrong = Archive.of(SIZE), Archive.of(SIZE, 2)
    deceived = open_store(folder).content(
        layout.ContentKey.of(SIZE, archive.key.tree_hash, ("https://cas.example", "100", "vault", "confused"))
    )
    deceived.write(wrong.new(range(2)))
    content = open_store(folder).content(archive.key)
    content.write(archive.new([2, 3]))
    assert (content.held_count(), deceived.held_count()) == (2, 2)
    assert (served(content, archive), served(deceived, wrong)) == ({2, 3}, {0, 1})
    content.write(archive.new(range(2)))
    assert served(content, archive) == served(deceived, archive) == {0, 1, 2, 3}


def test_a_leaf_that_is_damaged_is_no_reason_to_look_at_all_of_them_for_each_part(folder: Path) -> None:
    archive = Archive.of(SIZE)
    open_store(folder).content(archive.key).write(archive.new(range(4)))
    with content_file(folder, archive).open("r+b") as raw:
        raw.seek(layout.leaf_offset(1))
        raw.write(b"x")
    files = CountedLocks()
    other = open_store(folder, files=files).content(
        layout.ContentKey.of(SIZE, archive.key.tree_hash, ("another endpoint", "100", "vault", "job"))
    )
    files.exclusive = 0
    assert [other.held_count() for _ in range(3 * PROOFS)] == [0] * 3 * PROOFS
    assert files.exclusive == PROOFS
    other.write(archive.new(range(4)))
    assert served(other, archive) == {0, 1, 2, 3}


# The root.


def test_leaves_prove_the_root_once_all_are_known_and_stay_proven(folder: Path) -> None:
    archive = Archive.of(SIZE)
    content = open_store(folder).content(archive.key)
    content.write(archive.new([0, 1, 2], proven=False))
    assert content.prove_root() is RootProof.OPEN
    content.write(archive.new([3], proven=False))
    assert content.prove_root() is RootProof.MET
    again = open_store(folder).content(archive.key).held(range(4))
    assert [leaf is not None and leaf.is_proven for leaf in again] == [True] * 4


def test_leaves_that_are_not_those_of_the_root_are_given_up(folder: Path) -> None:
    archive = Archive.of(SIZE)
    content = open_store(folder).content(archive.key)
    content.write([*archive.new([0, 1, 2], proven=False), new_block(3, b"another", proven=False)])
    assert content.prove_root() is RootProof.REFUTED
    assert content.held(range(4)) == [None] * 4


def test_what_the_root_has_proved_outlives_what_another_job_brings_beside_it(folder: Path) -> None:
    archive, place = Archive.of(SIZE), ("https://cas.example", "100", "vault", "confused")
    content = open_store(folder).content(archive.key)
    content.write(archive.new(range(4)))
    assert content.prove_root() is RootProof.MET
    content.forget(range(1))
    confused = open_store(folder).content(layout.ContentKey.of(SIZE, archive.key.tree_hash, place))
    confused.write(Archive.of(SIZE, 2).new([0]))
    assert confused.prove_root() is RootProof.REFUTED
    assert [leaf is not None for leaf in content.held(range(4))] == [False, True, True, True]


def test_a_root_over_more_leaves_than_one_look_takes_is_met(folder: Path) -> None:
    count = 2500
    digests = [treehash.leaf(number.to_bytes(4, "little")) for number in range(count)]
    key = layout.ContentKey.of(count * MIB, treehash.root(digests).hex(), ())
    content = open_store(folder).content(key)
    content.write([])
    assert content.claim(range(1)) is not None  # makes the file
    with content._file.locked() as file:
        assert file is not None
        file.write_leaves((number, StoredLeaf(digest, is_proven=False)) for number, digest in enumerate(digests))
    assert content.prove_root() is RootProof.MET
    assert content.held_count() == count


def test_a_block_that_was_proven_later_is_noted_without_being_written_anew() -> None:
    machine, archive = Machine(), Archive.of(SIZE)
    content = open_store(ROOT, files=Process(machine)).content(archive.key)
    content.write(archive.new([1], proven=False))
    (node,) = [node for name, node in machine.names.items() if node and "contents" in name]
    content.write(archive.new([1], proven=True))
    assert content.held(range(1, 2)) == [
        StoredLeaf(treehash.leaf(archive.block(1)), is_proven=True, source=archive.key.source)
    ]
    assert node.writes == dict.fromkeys(node.pages, 1) | {layout.leaf_offset(1) // layout.PAGE: 2}


def test_an_output_larger_than_any_file_may_be_is_kept_as_far_as_it_goes(folder: Path) -> None:
    key = layout.ContentKey.of(40 << 40, None, ("a",))
    store = open_store(folder)
    content = store.content(key)
    last = content.count - 1
    assert content.write([new_block(0, bytes(MIB))]) == 1
    content.write([new_block(last, bytes(MIB))])
    assert store.outage is None
    assert served(content, Archive(bytes(MIB), key)) == {0}


def test_what_is_open_takes_no_descriptor(folder: Path) -> None:
    archive = Archive.of(SIZE)
    store = open_store(folder, time=Time())
    before = len(list(Path("/proc/self/fd").iterdir()))
    content = store.content(archive.key)
    content.write(archive.new(range(4)))
    served(content, archive)
    content.prove_root()
    assert content.wait(range(4), Deadline.after(0))
    assert len(list(Path("/proc/self/fd").iterdir())) == before
