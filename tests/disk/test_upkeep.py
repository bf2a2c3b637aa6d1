"""A cache that is looked through and cleared, on a real file system, while others use it."""

import errno
import fcntl
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from casfs.data.disk import layout
from casfs.data.disk.files import SystemFiles
from casfs.data.disk.layout import ContentKey, Identity
from casfs.data.disk.upkeep import Inspection
from tests.data.service import MIB, tree_hash
from tests.disk.contents import SIZE, Archive, Time, content_file, flip, open_store, rebuilt, served


def found(folder: Path) -> list[Inspection]:
    return list(open_store(folder).upkeep().inspect())


def sound(archive: Archive, blocks: int) -> Inspection:
    return Inspection(archive.key.digest.hex(), Identity.of(archive.key), right=blocks)


@pytest.mark.parametrize("hashed", [True, False], ids=["by tree hash", "by place"])
def test_every_block_that_is_held_is_read_and_what_is_sound_is_left(folder: Path, hashed: bool) -> None:  # noqa: FBT001 - a parameter
    part, whole = Archive.of(SIZE, 1, hashed=hashed), Archive.of(9 * MIB, 2, hashed=hashed)
    open_store(folder).content(part.key).write(part.new([0, 3]))
    open_store(folder).content(whole.key).write(whole.new(range(9)))
    assert {one.digest: one for one in found(folder)} == {
        part.key.digest.hex(): sound(part, 2),
        whole.key.digest.hex(): sound(whole, 9),
    }
    assert served(open_store(folder).content(whole.key), whole) == set(range(9))


def test_blocks_that_are_rotten_are_given_up_with_their_room_and_the_others_stay(folder: Path) -> None:
    archive = Archive.of(9 * MIB)
    store = open_store(folder)
    store.content(archive.key).write(archive.new(range(9)))
    before = store.used_bytes()
    for block in (1, 7):
        flip(content_file(folder, archive), layout.data_offset(block, 9 * MIB) + 5)
    (one,) = found(folder)
    assert (one.right, one.dropped, one.busy, one.is_sound) == (7, 2, 0, False)
    assert store.content(archive.key).held_count() == 7
    assert 2 * MIB - 8192 <= before - store.used_bytes() <= 2 * MIB  # what notes the holes may take a page
    assert found(folder) == [sound(archive, 7)]


def test_a_leaf_that_is_damaged_gives_up_the_room_of_its_block(folder: Path) -> None:
    archive = Archive.of(SIZE)
    store = open_store(folder)
    store.content(archive.key).write(archive.new(range(4)))
    before = store.used_bytes()
    flip(content_file(folder, archive), layout.leaf_offset(2) + 3)
    assert [(one.right, one.dropped) for one in found(folder)] == [(3, 1)]
    assert abs(before - store.used_bytes() - MIB) < layout.PAGE * 16


def test_a_file_that_was_cut_loses_what_was_behind_the_cut(folder: Path) -> None:
    archive = Archive.of(SIZE)
    open_store(folder).content(archive.key).write(archive.new(range(4)))
    with content_file(folder, archive).open("r+b") as file:
        file.truncate(layout.data_offset(1, SIZE) + 100)
    assert [(one.right, one.dropped) for one in found(folder)] == [(1, 3)]


def test_a_block_that_is_cut_off_is_not_right_because_the_one_before_was_the_same(folder: Path) -> None:
    data = bytes(9 * MIB)
    archive = Archive(data, ContentKey.of(len(data), tree_hash(data), ()))
    open_store(folder).content(archive.key).write(archive.new(range(9)))
    with content_file(folder, archive).open("r+b") as file:
        file.truncate(layout.data_offset(8, len(data)) + 100)
    assert [(one.right, one.dropped) for one in found(folder)] == [(8, 1)]


class BadSector(SystemFiles):
    """A disk that cannot read what begins at an offset of a file."""

    def __init__(self, offset: int) -> None:
        self._offset = offset

    def read_into(self, fd: int, buffers: Sequence[memoryview], offset: int) -> int:
        if offset == self._offset:
            raise OSError(errno.EIO, "Input/output error")
        return super().read_into(fd, buffers, offset)


def test_a_block_that_cannot_be_read_is_given_up_and_what_is_behind_it_is_looked_at(folder: Path) -> None:
    archive = Archive.of(SIZE)
    open_store(folder).content(archive.key).write(archive.new(range(4)))
    store = open_store(folder, files=BadSector(layout.data_offset(1, SIZE)))
    assert [(one.right, one.dropped) for one in store.upkeep().inspect()] == [(3, 1)]


def test_leaves_that_fit_their_data_and_not_the_tree_hash_are_given_up(folder: Path) -> None:
    archive, other = Archive.of(SIZE, 1), Archive.of(SIZE, 2)
    open_store(folder).content(archive.key).write(other.new(range(4), proven=False))
    assert [(one.right, one.dropped) for one in found(folder)] == [(0, 4)]
    assert open_store(folder).content(archive.key).held_count() == 0


def test_a_file_under_the_name_of_another_is_taken_away(folder: Path) -> None:
    archive, other = Archive.of(SIZE, 1), Archive.of(SIZE, 2)
    store = open_store(folder)
    for each in (archive, other):
        store.content(each.key).write(each.new(range(4)))
    content_file(folder, other).write_bytes(content_file(folder, archive).read_bytes())
    assert {one.digest: one for one in found(folder)} == {
        archive.key.digest.hex(): sound(archive, 4),
        other.key.digest.hex(): Inspection(other.key.digest.hex(), None),
    }
    assert not content_file(folder, other).exists()
    assert store.used_bytes() == sum(entry.disk_bytes + layout.PAGE for entry in store.entries())


def test_what_is_rotten_while_another_process_writes_is_told_and_left(folder: Path) -> None:
    archive, time = Archive.of(SIZE), Time()
    open_store(folder).content(archive.key).write(archive.new(range(4)))
    path = content_file(folder, archive)
    flip(path, layout.data_offset(1, SIZE))
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        (one,) = open_store(folder, time=time).upkeep().inspect()
    assert (one.right, one.dropped, one.busy) == (3, 0, 1)
    assert served(open_store(folder).content(archive.key), archive) == {0, 2, 3}


def test_a_block_that_is_written_anew_meanwhile_is_not_rotten(folder: Path) -> None:
    archive = Archive.of(SIZE)
    store = open_store(folder)
    store.content(archive.key).write(archive.new(range(4)))
    flip(content_file(folder, archive), layout.data_offset(1, SIZE))
    upkeep = store.upkeep()
    opener = upkeep._opener(archive.key.digest, SIZE)
    right, suspects = upkeep._looked_at(opener, range(4))
    assert (right, suspects) == (3, [1])
    flip(content_file(folder, archive), layout.data_offset(1, SIZE))
    begun = Inspection(archive.key.digest.hex(), Identity.of(archive.key), right)
    assert upkeep._dropped(opener, begun, suspects) == sound(archive, 4)


def test_what_is_cleared_is_gone_and_its_room_is_free(folder: Path) -> None:
    store = open_store(folder)
    archives = [Archive.of(SIZE, seed) for seed in range(3)]
    for archive in archives:
        content = store.content(archive.key)
        content.write(archive.new(range(4)))
        content.use(range(2, 3))  # a reader stands there
    gone = dict(store.upkeep().clear())
    assert gone == {archive.key.digest.hex(): True for archive in archives}
    assert (store.used_bytes(), list(store.entries())) == (0, [])
    content = store.content(archives[0].key)
    assert (content.held_count(), content.write(archives[0].new([0]))) == (0, 1)


def test_a_content_that_is_being_written_to_is_not_cleared(folder: Path) -> None:
    archive = Archive.of(SIZE)
    store = open_store(folder)
    store.content(archive.key).write(archive.new(range(4)))
    with content_file(folder, archive).open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        assert list(store.upkeep().clear()) == [(archive.key.digest.hex(), False)]
    assert served(store.content(archive.key), archive) == {0, 1, 2, 3}


def test_a_cache_whose_contents_are_gone_is_an_error_and_not_an_empty_one(folder: Path) -> None:
    upkeep = open_store(folder).upkeep()
    (folder / "contents").rmdir()
    with pytest.raises(FileNotFoundError):
        list(upkeep.inspect())
    with pytest.raises(FileNotFoundError):
        list(upkeep.clear())


@pytest.mark.parametrize("place", [os.mkfifo, os.mkdir, lambda path: path.symlink_to("/etc/passwd")])
@pytest.mark.parametrize("way", ["inspect", "clear"])
def test_what_is_no_file_is_waited_for_by_nobody_and_taken_away(
    folder: Path, place: Callable[[Path], None], way: str
) -> None:
    store = open_store(folder)
    here, there = Archive.of(SIZE), Archive.of(SIZE, seed=2)
    for archive in (here, there):
        store.content(archive.key).write(archive.new([0]))
    path = Path(store._room.folder.file_of(here.key.digest))
    path.unlink()
    place(path)
    assert served(open_store(folder).content(here.key), here) == set()
    found = list(getattr(open_store(folder).upkeep(), way)())
    assert len(found) == 2
    assert not os.path.lexists(path)
    assert rebuilt(open_store(folder)).content(here.key).write(here.new([0])) == 1
