"""The rules that fsspec's own abstract tests have for ``get``, over vaults, jobs and outputs.

A vault is a directory of directories, a job one of a single file; there are no files beside directories.
"""

import itertools
from pathlib import Path
from typing import Any

import pytest

from casfs.emulator.state import State
from casfs.fsspec.filesystem import CasFileSystem
from tests.conftest import Announce
from tests.fsspec.service import put

FIRST, SECOND, THIRD = "bulk/job1/output", "bulk/job2/output", "bulk/other/output"
SLASHES = pytest.mark.parametrize("slash", ["", "/"], ids=["bare", "slash"])


def tree(directory: Path) -> dict[str, str]:
    """Return the text of each file below a directory, by its path there; directories that are empty are named too."""
    found = {}
    for path in sorted(directory.rglob("*")):
        if path.is_file():
            found[str(path.relative_to(directory))] = path.read_text()
        elif not any(path.iterdir()):
            found[str(path.relative_to(directory)) + "/"] = ""
    return found


BULK = {"job1/output": "first", "job2/output": "second", "other/output": "third"}


@pytest.fixture
def target(tmp_path: Path) -> Path:
    made = tmp_path / "target"
    made.mkdir()
    return made


@SLASHES
def test_a_file_goes_into_a_directory_that_exists(fs: CasFileSystem, target: Path, slash: str) -> None:
    fs.get(FIRST, f"{target}{slash}")
    assert tree(target) == {"output": "first"}


def test_a_file_goes_into_a_new_directory_where_the_target_ends_in_a_slash(fs: CasFileSystem, target: Path) -> None:
    fs.get(FIRST, f"{target}/new/")
    assert tree(target) == {"new/output": "first"}


def test_a_file_gets_the_name_of_a_target_that_is_new(fs: CasFileSystem, target: Path) -> None:
    fs.get(FIRST, f"{target}/name")
    fs.get(SECOND, f"{target}/new/name")
    assert tree(target) == {"name": "first", "new/name": "second"}


@SLASHES
def test_a_directory_is_not_copied_unless_that_is_asked_for(fs: CasFileSystem, target: Path, slash: str) -> None:
    for source, new in itertools.product(("bulk", "bulk/", "bulk/job1", "bulk/job1/"), ("", "/new")):
        fs.get(source, f"{target}{new}{slash}")
    assert tree(target) == {}


@SLASHES
def test_a_directory_goes_into_one_that_exists(fs: CasFileSystem, target: Path, slash: str) -> None:
    fs.get("bulk", f"{target}{slash}", recursive=True)
    assert tree(target) == {f"bulk/{name}": text for name, text in BULK.items()}


@SLASHES
def test_what_is_in_a_directory_goes_there_where_the_source_ends_in_a_slash(
    fs: CasFileSystem, target: Path, slash: str
) -> None:
    fs.get("bulk/", f"{target}{slash}", recursive=True)
    assert tree(target) == BULK


@pytest.mark.parametrize(("source", "slash"), [("bulk", ""), ("bulk/", ""), ("bulk/", "/")])
def test_a_directory_becomes_one_that_is_new(fs: CasFileSystem, target: Path, source: str, slash: str) -> None:
    fs.get(source, f"{target}/new{slash}", recursive=True)
    assert tree(target / "new") == BULK


def test_a_directory_goes_into_a_new_one_where_the_target_ends_in_a_slash(fs: CasFileSystem, target: Path) -> None:
    fs.get("bulk/job1", f"{target}/new/", recursive=True)
    assert tree(target) == {"new/job1/output": "first"}


def test_a_directory_goes_into_what_the_first_copy_of_it_made(fs: CasFileSystem, target: Path) -> None:
    for _ in range(2):
        fs.get("bulk/job1", f"{target}/new", recursive=True)
    assert tree(target / "new") == {"output": "first", "job1/output": "first"}


def test_depth_bounds_what_is_copied(fs: CasFileSystem, target: Path) -> None:
    fs.get("bulk", str(target), recursive=True, maxdepth=1)
    assert tree(target) == {}
    fs.get("bulk/job1/", str(target), recursive=True, maxdepth=1)
    assert tree(target) == {"output": "first"}
    fs.get("bulk", f"{target}/deep", recursive=True, maxdepth=2)
    assert tree(target / "deep") == BULK


JOBS = {name: text for name, text in BULK.items() if name.startswith("job")}


@SLASHES
@pytest.mark.parametrize("new", ["", "/new"])
@pytest.mark.parametrize(
    ("pattern", "recursive", "depth", "expected"),
    [
        ("job?", False, None, {}),
        ("job?", True, None, JOBS),
        ("job[1-2]", True, None, JOBS),
        ("job[1-2]", True, 1, {}),
        ("job?", True, 2, JOBS),
        ("*", False, None, {}),
        ("*", True, None, BULK),
        ("*", True, 1, {}),
        ("*", True, 2, BULK),
        ("**", False, None, BULK),
        ("**", True, None, BULK),
        ("**", False, 1, {}),
        ("**", False, 2, BULK),
        ("*1", True, None, {"output": "first"}),
        ("**/*1", False, None, {}),
        ("**/*1", True, None, {"output": "first"}),
        ("**/job1", False, None, {}),
        ("**/job1", True, None, {"output": "first"}),
        ("**/job1/out*", False, 2, {"output": "first"}),
        ("job*/output", False, None, JOBS),
        ("job*/*put*", True, None, JOBS),
        ("*/output", False, None, BULK),
        ("job1/*", False, None, {"output": "first"}),
        ("job1/*", True, None, {"output": "first"}),
    ],
)
def test_patterns(  # noqa: PLR0917 - the columns of a table
    fs: CasFileSystem, target: Path, new: str, slash: str, pattern: str, recursive: Any, depth: Any, expected: Any
) -> None:
    fs.get(f"bulk/{pattern}", f"{target}{new}{slash}", recursive=recursive, maxdepth=depth)
    found = tree(Path(f"{target}{new}"))
    assert {name: text for name, text in found.items() if not name.endswith("/")} == expected


@SLASHES
def test_a_list_of_a_file_goes_into_a_directory(fs: CasFileSystem, target: Path, slash: str) -> None:
    fs.get([FIRST], f"{target}{slash}")
    fs.get([SECOND], f"{target}/new/")
    assert tree(target) == {"output": "first", "new/output": "second"}


def test_a_list_of_files_whose_names_are_the_same_is_refused_and_none_is_lost(fs: CasFileSystem, target: Path) -> None:
    for sources in ([FIRST, SECOND], ["bulk/*/output"], ["bulk"]):
        with pytest.raises(ValueError, match="list of local paths"):
            fs.get(sources, str(target), recursive=True)
    assert tree(target) == {}


def test_lists_of_sources_and_targets_keep_their_order(fs: CasFileSystem, state: State, target: Path) -> None:
    jobs = [f"{number * 7919 % 101:03}" for number in range(10)]
    for job in jobs:
        put(state, "ten", job, job.encode())
    fs.get([f"ten/{job}/output" for job in jobs], [f"{target}/{job}" for job in jobs])
    assert tree(target) == {job: job for job in jobs}


def test_a_directory_is_copied_without_another_whose_name_begins_like_it(fs: CasFileSystem, target: Path) -> None:
    fs.get("prefix/sub", str(target / "one"), recursive=True)
    assert tree(target / "one") == {"output": "below"}
    fs.get("prefix/sub*", str(target / "both"), recursive=True)
    assert tree(target / "both") == {"sub/output": "below", "sub.txt/output": "beside"}


@pytest.mark.parametrize("source", ["bulk/none/output", "none", "bulk/none", "none/*", "bulk/job1/output/deeper"])
def test_what_is_not_there_is_said_to_be_missing(
    fs: CasFileSystem, target: Path, source: str, announce: Announce
) -> None:
    announce("Vault not found")
    with pytest.raises(FileNotFoundError):
        fs.get(source, str(target), recursive=True)
    assert tree(target) == {}
