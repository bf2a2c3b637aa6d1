"""Parts in a folder: what a kill left is gone on with where it is whole, and nobody else's is touched."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from casfs.data.hashing.blocks import BLOCK_SIZE
from casfs.drain.destinations.destination import UNFINISHED, Label
from casfs.drain.destinations.local import LocalDestination
from casfs.errors import DestinationError
from tests.drain.destinations.contents import ATTEMPT, DATA, files_below, fill_part, put, tree_hash
from tests.mounting import names


def leave(destination: LocalDestination, blocks: int, path: str = "a/file") -> None:
    """Leave a part with some blocks, as a kill would."""
    with destination.part(path, ATTEMPT) as part:
        part.write(memoryview(bytearray(DATA[: blocks * BLOCK_SIZE])))


def part_of(root: Path) -> Path:
    return root / UNFINISHED / ATTEMPT


def test_what_a_kill_left_is_gone_on_with(destination: LocalDestination, root: Path) -> None:
    leave(destination, 3)
    with destination.part("a/file", ATTEMPT) as part:
        assert (part.size, part.tree_hash) == (3 * BLOCK_SIZE, tree_hash(DATA[: 3 * BLOCK_SIZE]))
        fill_part(part)
        assert part.tree_hash == tree_hash(DATA)
        part.commit(Label())
    assert files_below(root) == {"a/file": DATA}


def test_whole_output_whose_end_is_half_a_block_is_all_there_after_a_kill(destination: LocalDestination) -> None:
    with destination.part("file", ATTEMPT) as part:
        fill_part(part)
    with destination.part("file", ATTEMPT) as part:
        assert (part.size, part.tree_hash) == (len(DATA), tree_hash(DATA))


def rot(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(2 * BLOCK_SIZE + 5)
        file.write(b"rot")


def tear(path: Path) -> None:
    os.truncate(path, 2 * BLOCK_SIZE + 5)


def lose_leaves(path: Path) -> None:
    os.truncate(f"{path}.leaves", 2 * 32 + 7)


def write_on(path: Path) -> None:
    lose_leaves(path)
    with path.open("ab") as file:
        file.write(b"a block that has no leaf yet")


@pytest.mark.parametrize("damage", [rot, tear, lose_leaves, write_on], ids=lambda damage: damage.__name__)
def test_only_what_fits_its_leaves_is_gone_on_with(
    destination: LocalDestination, root: Path, damage: Callable[[Path], None]
) -> None:
    leave(destination, 4)
    damage(part_of(root))
    with destination.part("a/file", ATTEMPT) as part:
        assert (part.size, part.tree_hash) == (2 * BLOCK_SIZE, tree_hash(DATA[: 2 * BLOCK_SIZE]))
        assert part_of(root).stat().st_size == 2 * BLOCK_SIZE
        fill_part(part)
        part.commit(Label())
    assert files_below(root) == {"a/file": DATA}


def test_part_without_leaves_begins_anew(destination: LocalDestination, root: Path) -> None:
    leave(destination, 4)
    Path(f"{part_of(root)}.leaves").unlink()
    with destination.part("a/file", ATTEMPT) as part:
        assert part.size == 0


def test_two_at_once_do_not_meet_though_they_have_one_name(destination: LocalDestination, root: Path) -> None:
    with destination.part("one", ATTEMPT) as one, destination.part("two", ATTEMPT) as two:
        fill_part(one)
        assert two.size == 0
        one.commit(Label())
        fill_part(two, b"other bytes")
        two.commit(Label())
    assert files_below(root) == {"one": DATA, "two": b"other bytes"}


def test_file_system_without_locks_begins_anew(
    destination: LocalDestination, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave(destination, 2)

    def no_locks(_descriptor: int, _operation: int) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("fcntl.flock", no_locks)
    with destination.part("file", ATTEMPT) as part:
        assert part.size == 0
        fill_part(part)
        part.commit(Label())
    assert (root / "file").read_bytes() == DATA


@pytest.mark.parametrize("attempt", ["", "..", "a/b", "a\0", "x" * 250], ids=ascii)
def test_attempt_is_one_name(destination: LocalDestination, attempt: str) -> None:
    with pytest.raises(DestinationError):
        destination.part("file", attempt)


@pytest.mark.parametrize("suffix", ["", ".leaves"])
@pytest.mark.parametrize("link", [os.symlink, os.link], ids=["symbolic", "hard"])
def test_links_among_the_parts_are_not_written_through(
    destination: LocalDestination, root: Path, tmp_path: Path, link: Callable[[Path, str], None], suffix: str
) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"precious")
    (root / UNFINISHED).mkdir(parents=True)
    link(outside, f"{part_of(root)}{suffix}")
    put_part = destination.part("file", ATTEMPT)
    with put_part as part:
        fill_part(part)
        part.commit(Label())
    assert outside.read_bytes() == b"precious"
    assert files_below(root) == {"file": DATA}


def test_folder_of_parts_that_is_a_link_is_refused(destination: LocalDestination, root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    root.mkdir(parents=True)
    (root / UNFINISHED).symlink_to(outside)
    with pytest.raises(DestinationError, match="symbolic link"):
        put(destination, "file")
    assert list(outside.iterdir()) == []


def test_sweep_leaves_what_somebody_is_at(destination: LocalDestination, root: Path) -> None:
    leave(destination, 2)
    (root / UNFINISHED / "orphan.leaves").touch()
    with destination.part("file", "another") as part:
        destination.sweep()
        assert names(root / UNFINISHED) == ["another", "another.leaves"]
        fill_part(part)
        part.commit(Label())
    assert names(root) == ["file"]


def test_discarded_part_leaves_nothing(destination: LocalDestination, root: Path) -> None:
    with destination.part("file", ATTEMPT) as part:
        fill_part(part)
        part.discard()
    assert names(root) == []


def test_parts_are_nobody_elses_to_look_into(destination: LocalDestination, root: Path) -> None:
    leave(destination, 1)
    assert stat.S_IMODE((root / UNFINISHED).stat().st_mode) == 0o700
