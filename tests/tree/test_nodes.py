"""Numbers of nodes."""

from itertools import combinations

import pytest

from casfs.errors import NotFoundError
from casfs.models import JobState
from casfs.tree.nodes import JobDir, OutputFile, Root, VaultDir, inode_of
from tests.tree.service import job, vault


def test_inode_numbers_are_the_same_in_every_mount() -> None:
    # written down once: a change would make every backup index believe that all files are new
    assert Root().inode == 1
    assert VaultDir(vault("photos")).inode == inode_of("photos") == 14038295224252296745
    assert JobDir(job("one")).inode == inode_of("photos", "one") == 10246890927367203685
    assert OutputFile(job("one")).inode == inode_of("photos", "one", "output") == 6196590172945981998


def test_inode_numbers_of_all_nodes_differ_and_none_is_that_of_the_root() -> None:
    names = [
        *combinations("abcdefghijklmnop", 1),
        *combinations("abcdefghijklmnop", 3),
        ("ab",),
        ("a", "b"),
        ("", "ab"),
    ]
    numbers = {inode_of(*each) for each in names}
    assert len(numbers) == len(names)
    assert min(numbers) > 1
    assert max(numbers) < 2**64


def test_output_file_of_a_job_without_output_is_not_found() -> None:
    with pytest.raises(NotFoundError):
        _ = OutputFile(job("one", JobState.FAILED)).output
