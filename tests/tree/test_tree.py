"""Paths, directories, and what they cost."""

import pytest

from casfs.errors import NotFoundError
from casfs.models import JobState
from casfs.tree.nodes import JobDir, OutputFile, Root, VaultDir
from casfs.tree.tree import Tree
from tests.tree.service import Clock, Service, job, names, vault


def test_tree_is_vaults_then_jobs_then_the_output(tree: Tree) -> None:
    assert names(tree, "/") == ["photos", "empty"]
    assert names(tree, "/photos") == ["one", "two"]
    assert names(tree, "/photos/one") == ["output"]
    assert names(tree, "/empty") == []
    assert tree.resolve("/") == Root()
    assert tree.resolve("/photos") == VaultDir(vault("photos"))
    assert tree.resolve("/photos/one") == JobDir(job("one"))
    assert tree.resolve("/photos/one/output") == OutputFile(job("one"))


def test_entries_are_what_their_paths_resolve_to(tree: Tree) -> None:
    for directory in ("/", "/photos/", "/photos/one/"):
        for name, node in tree.entries(tree.resolve(directory)):
            assert tree.resolve(directory + name) == node


def test_cold_path_costs_one_describe_once_the_vaults_were_seeded(tree: Tree, service: Service) -> None:
    tree.seed([vault("photos")])
    for path in ("/", "/photos", "/photos/one", "/photos/one/output"):
        tree.resolve(path)
    assert service.asked == [("job", "photos", "one")]


def test_listing_costs_no_describe_and_answers_every_look_up(tree: Tree, service: Service) -> None:
    tree.seed([vault("photos")])
    for name in names(tree, "/photos"):
        tree.resolve(f"/photos/{name}")
        assert names(tree, f"/photos/{name}") == ["output"]
    assert service.asked == [("jobs", "photos")]


@pytest.mark.parametrize(
    "path", ["/none", "/photos/none", "/photos/one/none", "/photos/one/output/none", "/photos/going/output"]
)
def test_what_is_not_there_is_not_found(tree: Tree, service: Service, path: str) -> None:
    service.put(job("going", JobState.IN_PROGRESS))
    with pytest.raises(NotFoundError):
        tree.resolve(path)


def test_job_that_finishes_has_its_output_within_30_seconds(tree: Tree, service: Service, clock: Clock) -> None:
    service.put(job("going", JobState.IN_PROGRESS))
    assert names(tree, "/photos/going") == []
    service.put(job("going"))
    clock.advance(30)
    assert names(tree, "/photos/going") == ["output"]
