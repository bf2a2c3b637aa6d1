"""Nodes as struct stat."""

import stat
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casfs.fs.attrs import View, entry_of, stat_of, statvfs_of_mount
from casfs.models import JobState, Vault
from casfs.tree.nodes import JobDir, Node, OutputFile, Root, VaultDir
from tests.fs.stands import COMPLETED_NS, CREATED_NS, job

VIEW = View(uid=1000, gid=100, file_mode=0o440, dir_mode=0o550, began_ns=5)
NODES: list[Node] = [Root(), VaultDir(Vault("v", CREATED_NS, "{}")), JobDir(job("a", 1)), OutputFile(job("a", 1))]


def test_an_output_is_a_file_with_the_modes_and_the_owner_of_the_mount() -> None:
    attrs = stat_of(OutputFile(job("a", 5)), VIEW, 5)
    assert attrs["st_mode"] == stat.S_IFREG | 0o440
    assert (attrs["st_uid"], attrs["st_gid"], attrs["st_nlink"]) == (1000, 100, 1)
    assert attrs["st_blksize"] == 1 << 20


def test_an_output_has_the_times_of_its_job_to_the_nanosecond() -> None:
    attrs = stat_of(OutputFile(job("a", 5)), VIEW, 5)
    assert (attrs["st_mtime"], attrs["st_ctime"]) == (COMPLETED_NS, CREATED_NS)


def times(node: Node) -> tuple[int, int]:
    attrs = stat_of(node, VIEW, None)
    assert attrs["st_atime"] == attrs["st_mtime"]
    return attrs["st_mtime"], attrs["st_ctime"]


@pytest.mark.parametrize("node", NODES[1:3], ids=repr)
def test_a_directory_has_the_modes_of_the_mount(node: Node) -> None:
    assert stat_of(node, VIEW, None)["st_mode"] == stat.S_IFDIR | 0o550


def test_a_job_has_the_time_when_it_was_finished_and_before_when_it_was_begun() -> None:
    assert times(JobDir(job("a", 1))) == (COMPLETED_NS, CREATED_NS)
    assert times(JobDir(replace(job("a", 1), state=JobState.FAILED))) == (COMPLETED_NS, CREATED_NS)
    assert times(JobDir(replace(job("a", 1), state=JobState.IN_PROGRESS))) == (CREATED_NS, CREATED_NS)


def test_a_vault_has_the_time_of_its_newest_job_and_before_it_is_listed_its_own() -> None:
    assert times(VaultDir(Vault("v", CREATED_NS, "{}"))) == (CREATED_NS, CREATED_NS)
    assert times(VaultDir(Vault("v", CREATED_NS, "{}"), COMPLETED_NS)) == (COMPLETED_NS, CREATED_NS)


def test_the_root_has_the_time_of_its_newest_vault_and_before_any_is_known_that_of_the_mount() -> None:
    assert times(Root()) == (5, 5)
    assert times(Root(CREATED_NS)) == (CREATED_NS, 5)


def test_an_output_without_a_completion_date_has_the_time_of_its_creation() -> None:
    assert stat_of(OutputFile(replace(job("a", 5), completed_ns=None)), VIEW, 5)["st_mtime"] == CREATED_NS


def test_times_that_the_service_does_not_give_are_those_of_the_epoch() -> None:
    timeless = replace(job("a", 5), created_ns=None, completed_ns=None)
    for node in (VaultDir(Vault("v", None, "{}")), JobDir(timeless), OutputFile(timeless)):
        attrs = stat_of(node, VIEW, None)
        assert (attrs["st_mtime"], attrs["st_ctime"]) == (0, 0)


def test_a_size_that_nobody_knows_is_shown_as_zero() -> None:
    assert stat_of(OutputFile(job("a", None)), VIEW, None)["st_size"] == 0


@given(st.integers(min_value=0, max_value=1 << 80))
def test_any_size_is_an_off_t_and_its_sectors_hold_it(size: int) -> None:
    attrs = stat_of(OutputFile(job("a", size)), VIEW, size)
    assert attrs["st_size"] == min(size, (1 << 63) - 1)
    assert 0 <= attrs["st_blocks"] * 512 - attrs["st_size"] < 512


@pytest.mark.parametrize("node", NODES, ids=repr)
def test_a_directory_entry_says_what_stat_says(node: Node) -> None:
    attrs = stat_of(node, VIEW, 1)
    entry = entry_of(node)
    assert entry["st_ino"] == attrs["st_ino"]
    assert stat.S_IFMT(entry["st_mode"]) == stat.S_IFMT(attrs["st_mode"])


def test_only_a_directory_that_holds_no_directories_claims_so() -> None:
    links = {type(node): stat_of(node, VIEW, 1)["st_nlink"] for node in NODES}
    assert links == {Root: 1, VaultDir: 1, JobDir: 2, OutputFile: 1}


def test_the_mount_is_neither_full_nor_empty_of_blocks() -> None:
    mount = statvfs_of_mount()
    assert mount["f_blocks"] == mount["f_bavail"] > 0
    assert mount["f_namemax"] == 255
