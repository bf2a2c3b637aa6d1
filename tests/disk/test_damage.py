"""Damage to the cache on disk: each kind in each place costs what it hit, and is mended by fetching that again."""

import errno
import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from casfs.data.disk import layout
from casfs.data.disk.files import SystemFiles
from casfs.errors import ConfigError
from tests.data.service import MIB
from tests.disk.contents import SIZE, Archive, content_file, flip, open_store, served


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
