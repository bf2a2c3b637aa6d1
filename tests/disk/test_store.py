"""The cache on disk, on a real file system: what is kept, what is refused, and what damage costs."""

import errno
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from casfs.data.disk import layout
from casfs.data.disk.files import SystemFiles
from casfs.data.disk.layout import StoredLeaf
from casfs.data.disk.root_proof import RootProof
from casfs.data.disk.stored_content import PROOFS
from casfs.data.hashing import treehash
from casfs.errors import ConfigError
from casfs.waiting import Deadline
from tests.data.service import MIB
from tests.disk.contents import PLACE, ROOT, Archive, Time, new_block, open_store, served
from tests.disk.machine import Machine, Process

SIZE = 3 * MIB + 7


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def files_in(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def content_file(folder: Path, archive: Archive) -> Path:
    digest = archive.key.digest.hex()
    return folder / "contents" / digest[:2] / digest


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


def test_folders_and_files_are_the_owners_alone_whatever_the_umask(folder: Path) -> None:
    before = os.umask(0)
    try:
        archive = Archive.of(SIZE)
        open_store(folder).content(archive.key).write(archive.new([0]))
    finally:
        os.umask(before)
    assert {stat.S_IMODE(path.stat().st_mode) for path in files_in(folder)} == {0o600}
    folders = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folders} == {0o700}


def test_names_inside_tell_nothing_of_the_place(folder: Path) -> None:
    archive = Archive.of(SIZE, hashed=False)
    content = open_store(folder).content(archive.key)
    content.write(archive.new([0]))
    assert not [path for path in folder.rglob("*") if "vault" in path.name or "job" in path.name]


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o1777], ids=oct)
def test_a_folder_that_others_can_write_to_is_refused(folder: Path, mode: int) -> None:
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(ConfigError, match="others can write"):
        open_store(folder)


def test_a_folder_of_another_user_is_refused(folder: Path) -> None:
    if os.geteuid():
        pytest.skip("only root can give a folder away")
    folder.mkdir(0o700)
    os.chown(folder, 12345, 12345)
    with pytest.raises(ConfigError, match="another user"):
        open_store(folder)


def test_another_version_is_refused_by_name_and_left_as_it_is(folder: Path) -> None:
    archive = Archive.of(SIZE)
    open_store(folder).content(archive.key).write(archive.new([0]))
    (folder / "VERSION").write_text("casfs cache 2\n")
    before = {path: path.read_bytes() for path in files_in(folder)}
    with pytest.raises(ConfigError, match="'casfs cache 2'"):
        open_store(folder)
    assert {path: path.read_bytes() for path in files_in(folder)} == before


def test_a_folder_that_holds_something_else_is_refused(folder: Path) -> None:
    folder.mkdir(0o700)
    (folder / "thesis.tex").write_text("years")
    with pytest.raises(ConfigError, match="not empty"):
        open_store(folder)
    assert os.listdir(folder) == ["thesis.tex"]  # noqa: PTH208 - the names alone


def test_a_file_in_the_place_of_the_folder_is_refused(folder: Path) -> None:
    folder.write_text("")
    with pytest.raises(ConfigError, match="no folder"):
        open_store(folder)


def linked(path: Path) -> None:
    victim = path.parents[3] / "victim"
    victim.write_text("mine")
    path.symlink_to(victim)


def full_folder(path: Path) -> None:
    path.mkdir()
    (path / "mine").write_text("mine")


def device(path: Path) -> None:
    if os.geteuid():
        pytest.skip("only root makes devices")
    os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 3))


PLACED = [linked, Path.mkdir, full_folder, os.mkfifo, device]
"""What somebody, or a file system that was mended, may have left under the name of a content's file."""


@pytest.mark.parametrize(
    ("place", "is_of_all"), [*((place, False) for place in PLACED), (os.mkfifo, True), (device, True)]
)
def test_what_is_no_file_is_damage_that_no_hand_has_to_mend(
    folder: Path, place: Callable[[Path], None], *, is_of_all: bool
) -> None:
    """It is not followed, nor waited for; others are read and written; what it stood for is fetched and kept anew."""
    archive, other = Archive.of(SIZE), Archive.of(SIZE, 2)
    open_store(folder).content(other.key).write(other.new(range(4)))
    path = content_file(folder, archive)
    if is_of_all:
        path = path.parent
    path.parent.mkdir(0o700, exist_ok=True)
    place(path)
    store = open_store(folder)
    content = store.content(archive.key)
    assert (served(content, archive), content.held_count(), len(list(store.entries()))) == (set(), 0, 1)
    for _ in store.rebuild():
        pass
    assert content.write(archive.new(range(4))) == 4
    assert served(content, archive) == served(store.content(other.key), other) == {0, 1, 2, 3}
    assert (store.outage, len(list(store.entries()))) == (None, 2)
    assert all(victim.read_text() == "mine" for victim in folder.parent.rglob("mine"))
    assert place is not linked or (folder.parent / "victim").read_text() == "mine"


# What follows is rot: each kind in each place, one after the other.


class BadSector(SystemFiles):
    """This machine's files; one byte of each file cannot be read."""

    def __init__(self, offset: int) -> None:
        self._offset = offset

    def read_into(self, fd: int, buffers: Sequence[memoryview], offset: int) -> int:
        if offset <= self._offset < offset + sum(map(len, buffers)):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return super().read_into(fd, buffers, offset)


def test_a_block_that_cannot_be_read_is_given_up_and_no_other(folder: Path) -> None:
    """A sector of a disk that works: the rest of the cache is read on."""
    archive = Archive.of(SIZE)
    open_store(folder).content(archive.key).write(archive.new(range(4)))
    store = open_store(folder, files=BadSector(layout.data_offset(2, SIZE) + 4096))
    content = store.content(archive.key)
    buffers = [memoryview(bytearray(len(archive.block(number)))) for number in range(4)]
    found = content.read(range(4), content.held(range(4)), buffers)
    assert [number for number, leaf in enumerate(found) if leaf] == [0, 1, 3]
    assert all(buffers[number] == archive.block(number) for number in (0, 1, 3))
    assert (store.outage, store.damaged_blocks, content.held_count()) == (None, 1, 3)
    assert open_store(folder).content(archive.key).write(archive.new([2])) == 1


@pytest.mark.long
def test_any_byte_flipped_costs_the_block_it_belongs_to_and_no_other(folder: Path) -> None:
    archive = Archive.of(SIZE)
    store = open_store(folder)
    content = store.content(archive.key)
    content.write(archive.new(range(4)))
    path, data = content_file(folder, archive), layout.data_offset(0, SIZE)
    leaves = range(layout.LEAVES_OFFSET, layout.leaf_offset(4))
    header = range(layout.IDENTITY_SIZE)
    for at in [*header, *leaves, *(data + number * MIB + 3 for number in range(4)), data + SIZE - 1]:
        flip(path, at)
        owner = (at - layout.LEAVES_OFFSET) // layout.LEAF_SIZE if at in leaves else (at - data) // MIB
        hurt = set() if at in header else {owner}
        assert served(content, archive) == set(range(4)) - hurt, at
        content.write(archive.new(range(4)))  # fetched again
        assert served(content, archive) == set(range(4)), at


def flip(path: Path, at: int) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 0x10]))


@pytest.mark.long
@pytest.mark.parametrize("name", ["journal", "VERSION"])
def test_any_byte_of_the_other_files_flipped_leaves_right_bytes_or_a_refusal(folder: Path, name: str) -> None:
    archive = Archive.of(SIZE)
    open_store(folder).content(archive.key).write(archive.new(range(4)))
    path = folder / name
    for at in [*range(min(200, path.stat().st_size)), *range(4096, path.stat().st_size)]:
        flip(path, at)
        if name == "VERSION":
            with pytest.raises(ConfigError, match="another version"):
                open_store(folder)
        else:
            assert served(open_store(folder).content(archive.key), archive) == set(range(4))
        flip(path, at)


def test_a_damaged_journal_is_made_anew_and_writing_goes_on(folder: Path) -> None:
    archive = Archive.of(SIZE)
    store = open_store(folder)
    content = store.content(archive.key)
    content.write(archive.new([0, 1]))
    right = store.used_bytes()
    (folder / "journal").write_bytes(b"\xff" * 5000)
    store = open_store(folder)
    assert store.needs_rebuild
    assert store.content(archive.key).write(archive.new([2])) == 0
    for _ in store.rebuild():
        pass
    assert not store.needs_rebuild
    assert store.used_bytes() == right
    assert store.content(archive.key).write(archive.new([2])) == 1


@pytest.mark.parametrize(
    "kept", [0, 100, 4096, 4096 + 50, layout.data_offset(1, SIZE), layout.data_offset(3, SIZE) + 2]
)
def test_a_file_that_was_cut_costs_what_was_behind_the_cut(folder: Path, kept: int) -> None:
    archive = Archive.of(SIZE)
    content = open_store(folder).content(archive.key)
    content.write(archive.new(range(4)))
    os.truncate(content_file(folder, archive), kept)
    ends = [layout.data_offset(number, SIZE) + len(archive.block(number)) for number in range(4)]
    assert served(content, archive) == {number for number, end in enumerate(ends) if end <= kept}
    assert content.write(archive.new(range(4))) == 4
    assert served(content, archive) == set(range(4))


def test_a_file_that_was_removed_is_a_miss_and_is_made_anew(folder: Path) -> None:
    archive = Archive.of(SIZE)
    store = open_store(folder)
    content = store.content(archive.key)
    content.write(archive.new(range(4)))
    content_file(folder, archive).unlink()
    assert served(content, archive) == set()
    assert content.write(archive.new([1])) == 1
    assert served(content, archive) == {1}
    assert store.outage is None


def test_files_that_were_swapped_are_misses_and_neither_is_taken_for_the_other(folder: Path) -> None:
    one, other = Archive.of(SIZE, 1), Archive.of(SIZE, 50)
    store = open_store(folder)
    for archive in (one, other):
        store.content(archive.key).write(archive.new(range(4)))
    paths = [content_file(folder, one), content_file(folder, other)]
    paths[0].rename(folder / "aside")
    paths[1].rename(paths[0])
    (folder / "aside").rename(paths[1])
    for archive in (one, other):
        assert served(store.content(archive.key), archive) == set()
        store.content(archive.key).write(archive.new(range(2)))
        assert served(store.content(archive.key), archive) == {0, 1}
        assert content_file(folder, archive).stat().st_blocks * 512 < 3 * MIB  # what was the other's is gone


def test_blocks_that_were_swapped_with_their_leaves_are_misses(folder: Path) -> None:
    archive = Archive.of(SIZE)
    content = open_store(folder).content(archive.key)
    content.write(archive.new(range(4)))
    path = content_file(folder, archive)
    raw = bytearray(path.read_bytes())
    for place, length in ((layout.leaf_offset, layout.LEAF_SIZE), (lambda n: layout.data_offset(n, SIZE), MIB)):
        a, b = place(0), place(2)
        raw[a : a + length], raw[b : b + length] = raw[b : b + length], raw[a : a + length]
    path.write_bytes(raw)
    assert served(content, archive) == {1, 3}


def test_a_block_that_rotted_is_counted_and_given_up(folder: Path) -> None:
    archive = Archive.of(SIZE)
    store = open_store(folder)
    content = store.content(archive.key)
    content.write(archive.new(range(4)))
    flip(content_file(folder, archive), layout.data_offset(2, SIZE) + 5)
    assert served(content, archive) == {0, 1, 3}
    assert store.damaged_blocks == 1
    assert content.held(range(4))[2] is None


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
