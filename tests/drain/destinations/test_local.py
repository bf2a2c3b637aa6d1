"""A folder as a destination: what is there is whole, nothing is outside, and what a kill left is checked."""

import os
import pickle
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from casfs.data.hashing.blocks import BLOCK_SIZE
from casfs.drain.destinations.destination import UNFINISHED, Label
from casfs.drain.destinations.local import LocalDestination
from casfs.errors import DestinationError
from tests.children import code_command
from tests.drain.destinations.contents import ATTEMPT, DATA, files_below, fill_part, put, tree_hash
from tests.mounting import names


def test_file_has_its_name_only_once_it_is_whole(destination: LocalDestination, root: Path) -> None:
    with destination.part("a/b/file", ATTEMPT) as part:
        fill_part(part)
        assert not (root / "a").exists()
        part.commit(Label(modified_ns=1_700_000_000_123_456_789))
    assert files_below(root) == {"a/b/file": DATA}
    assert names(root) == ["a"]
    assert (root / "a/b/file").stat().st_mtime_ns == 1_700_000_000_123_456_789


def test_old_file_stays_until_the_new_one_is_whole(destination: LocalDestination, root: Path) -> None:
    put(destination, "file", b"old")
    with destination.part("file", ATTEMPT) as part:
        fill_part(part)
        assert (root / "file").read_bytes() == b"old"
        part.commit(Label())
    assert (root / "file").read_bytes() == DATA


def test_attributes_are_kept_that_the_file_system_takes(destination: LocalDestination, root: Path) -> None:
    taken = {"user.cas.tree_hash": b"abc", "user.cas.describe": b"{}"}
    put(destination, "file", label=Label(attributes={**taken, "user.": b"x", "user.large": bytes(1 << 20)}))
    found = os.listxattr(root / "file")
    assert {name: os.getxattr(root / "file", name) for name in found if name.startswith("user.cas.")} == taken


HOSTILE = [
    "", "/", "/etc/passwd", "..", "../out", "a/../../out", "a//b", "a/", ".", "./a", "a/./b", "a\0b", "\ud800",
    "x" * 256, "a/" + "é" * 128, UNFINISHED, f"{UNFINISHED}/attempt",
]  # fmt: skip


@pytest.mark.parametrize("path", HOSTILE, ids=ascii)
def test_path_that_leads_out_or_can_be_none_is_refused(destination: LocalDestination, root: Path, path: str) -> None:
    for ask in (lambda: destination.part(path, ATTEMPT), lambda: destination.holds(path, 1, "")):
        with pytest.raises(DestinationError):
            ask()
    assert not root.exists()


def test_link_in_the_way_is_not_followed(destination: LocalDestination, root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    root.mkdir(parents=True)
    (root / "a").symlink_to(outside)
    with pytest.raises(DestinationError, match="'a' in it is a symbolic link"):
        put(destination, "a/file")
    assert files_below(outside) == {}
    with pytest.raises(DestinationError, match="symbolic link"):
        destination.holds("a/file", 1, "")


def test_link_that_is_put_in_the_way_meanwhile_is_not_followed(
    destination: LocalDestination, root: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    with destination.part("a/file", ATTEMPT) as part:
        fill_part(part)
        (root / "a").symlink_to(outside)
        with pytest.raises(DestinationError, match="symbolic link"):
            part.commit(Label())
    assert files_below(outside) == {}


def test_link_under_the_final_name_is_replaced_and_what_it_leads_to_stays(
    destination: LocalDestination, root: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(DATA)
    root.mkdir(parents=True)
    (root / "file").symlink_to(outside)
    assert not destination.holds("file", len(DATA), tree_hash(DATA))
    put(destination, "file", b"new")
    assert (outside.read_bytes(), files_below(root)) == (DATA, {"file": b"new"})


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo], ids=["folder", "pipe"])
def test_what_is_no_file_is_not_replaced_and_said_before_a_byte_is_fetched(
    destination: LocalDestination, root: Path, make: Callable[[Path], None]
) -> None:
    root.mkdir(parents=True)
    make(root / "file")
    with pytest.raises(DestinationError, match="/file: there is something, and it is no file"):
        destination.part("file", ATTEMPT)
    assert not stat.S_ISREG((root / "file").stat().st_mode)


def test_what_takes_the_name_meanwhile_and_is_no_file_is_not_replaced(
    destination: LocalDestination, root: Path
) -> None:
    with destination.part("file", ATTEMPT) as part:
        fill_part(part)
        os.mkfifo(root / "file")
        with pytest.raises(DestinationError, match="it is no file"):
            part.commit(Label())
    assert stat.S_ISFIFO((root / "file").stat().st_mode)


def test_bytes_are_on_disk_before_the_name_and_the_name_before_it_is_said(
    destination: LocalDestination, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    fsync, rename = os.fsync, os.rename

    def noted_fsync(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        done.append(f"folder {path}" if path.is_dir() else "bytes")
        fsync(descriptor)

    def noted_rename(source: str, target: str, **folders: int) -> None:
        done.append(f"name {target}")
        rename(source, target, **folders)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(os, "rename", noted_rename)
    put(destination, "a/b/file")
    assert done[-5:] == ["bytes", f"folder {root}", f"folder {root}/a", "name file", f"folder {root}/a/b"]


def test_file_where_a_folder_is_needed_is_an_error(destination: LocalDestination) -> None:
    put(destination, "a", b"file")
    with pytest.raises(DestinationError, match="'a' in it is no folder"):
        put(destination, "a/b")


@pytest.mark.parametrize(
    ("path", "data", "held"),
    [("file", DATA, True), ("file", DATA[:-1], False), ("file", DATA[:-1] + b"?", False), ("no/file", DATA, False)],
    ids=["same", "shorter", "other", "missing"],
)
def test_what_is_held_is_told_by_reading_it(
    destination: LocalDestination,
    path: str,
    data: bytes,
    held: bool,  # noqa: FBT001
) -> None:
    put(destination, "file")
    assert destination.holds(path, len(data), tree_hash(data)) is held


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
@pytest.mark.parametrize("known", ["", None], ids=["hash", "no hash"])
def test_what_no_file_can_replace_is_said_and_a_pipe_not_waited_for(
    destination: LocalDestination, root: Path, make: Callable[[Path], None], known: str | None
) -> None:
    root.mkdir(parents=True)
    make(root / "file")
    with pytest.raises(DestinationError, match="there is something, and it is no file"):
        destination.holds("file", 0, known)


def test_what_nobody_knows_is_held_nowhere(destination: LocalDestination) -> None:
    put(destination, "file")
    assert not destination.holds("file", len(DATA), None)


def test_copy_by_pickle_is_the_same_destination(destination: LocalDestination) -> None:
    put(destination, "file")
    assert pickle.loads(pickle.dumps(destination)).holds("file", len(DATA), tree_hash(DATA))


FULL = """
import sys
from casfs.drain.destinations.local import LocalDestination
from casfs.errors import DestinationError
from tests.drain.destinations.contents import ATTEMPT, fill_part
try:
    with LocalDestination(sys.argv[1]).part("file", ATTEMPT) as part:
        fill_part(part)
except DestinationError as error:
    print(error)
"""


def test_full_disk_is_one_error_and_what_came_before_is_there(root: Path) -> None:
    root.mkdir(parents=True)
    script = 'mount -t tmpfs -o size=3584k tmpfs "$0" && "$@" && stat -c %s "$0"/.casfs-part/* && ls "$0"'
    command = ["unshare", "--mount", "sh", "-c", script, str(root), *code_command(FULL, str(root))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if os.geteuid() or "unshare" in done.stderr:
        pytest.skip("mounting a file system that is full is root's")
    said, size, _leaves = done.stdout.splitlines()
    assert said == f"{root}/file: No space left on device"
    assert int(size) >= 2 * BLOCK_SIZE


def test_lengths_are_those_of_files_and_no_link_is_followed(
    destination: LocalDestination, root: Path, tmp_path: Path
) -> None:
    paths = ["a/file", "a/other", "file", "a", "link", "linked/file", "a/file/x", "no"]
    assert list(destination.look(paths)) == [None] * len(paths)
    put(destination, "a/file", b"12345")
    put(destination, "file", b"")
    (root / "link").symlink_to(root / "file")
    (root / "linked").symlink_to(root / "a")
    found = [each and (each.size, each.changed_ns) for each in destination.look(paths)]
    times = [(root / path).stat().st_ctime_ns for path in ("a/file", "file")]
    assert found == [(5, times[0]), None, (0, times[1]), None, None, None, None, None]
    with pytest.raises(DestinationError):
        list(destination.look(["../file"]))
