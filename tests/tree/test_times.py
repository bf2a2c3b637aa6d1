"""When directories changed: what is told of it without a request."""

from dataclasses import replace

import pytest

from casfs.models import Job, JobState, Vault
from casfs.tree.nodes import Root, VaultDir
from casfs.tree.tree import Tree
from tests.tree.service import Clock, Service, job, names, vault


def at(name: str, created_ns: int | None, completed_ns: int | None, state: JobState = JobState.SUCCEEDED) -> Job:
    return replace(job(name, state), created_ns=created_ns, completed_ns=completed_ns)


def changed_ns(tree: Tree, path: str) -> int | None:
    node = tree.resolve(path)
    assert isinstance(node, Root | VaultDir)
    return node.changed_ns


@pytest.mark.parametrize(
    ("state", "moment_ns"),
    [
        (JobState.SUCCEEDED, 9),
        (JobState.FAILED, 9),
        (JobState.IN_PROGRESS, 5),
        (JobState.UNKNOWN, 5),
    ],
)
def test_a_job_changes_when_it_is_begun_and_when_it_is_finished(state: JobState, moment_ns: int) -> None:
    assert at("a", 5, 9, state).changed_ns == moment_ns


@pytest.mark.parametrize(("created_ns", "completed_ns", "moment_ns"), [(5, None, 5), (None, 9, 9), (None, None, None)])
def test_a_job_whose_document_lacks_a_time_has_the_other(
    created_ns: int | None, completed_ns: int | None, moment_ns: int | None
) -> None:
    assert at("a", created_ns, completed_ns).changed_ns == moment_ns


def test_a_vault_changed_when_the_newest_of_its_listed_jobs_did(tree: Tree, service: Service) -> None:
    service.put(
        at("one", 10, 20), at("two", 12, None, JobState.IN_PROGRESS), at("three", 1, 30), at("four", None, None)
    )
    tree.seed([vault("photos")])
    assert changed_ns(tree, "/photos") is None
    names(tree, "/photos")
    assert changed_ns(tree, "/photos") == 30
    assert [node.changed_ns for _, node in tree.entries(Root()) if isinstance(node, VaultDir)] == [30]
    assert service.asked == [("jobs", "photos")]


def test_a_vault_without_jobs_did_not_change(tree: Tree) -> None:
    names(tree, "/empty")
    assert changed_ns(tree, "/empty") is None


def test_a_job_that_is_looked_up_alone_changes_a_vault_that_was_listed(
    tree: Tree, service: Service, clock: Clock
) -> None:
    service.put(at("going", 10, None, JobState.IN_PROGRESS))
    tree.resolve("/photos/going")
    assert changed_ns(tree, "/photos") is None
    names(tree, "/photos")
    assert changed_ns(tree, "/photos") == 10
    service.put(at("going", 10, 40))
    clock.advance(30)
    tree.resolve("/photos/going")
    assert changed_ns(tree, "/photos") == 40


def test_a_time_is_known_while_a_listing_is_renewed_and_when_that_fails(
    tree: Tree, service: Service, clock: Clock
) -> None:
    service.put(at("one", 10, 20))
    names(tree, "/photos")
    clock.advance(100_000)
    assert changed_ns(tree, "/photos") == 20


def test_the_root_changed_when_the_newest_of_its_vaults_was_made(tree: Tree) -> None:
    assert changed_ns(tree, "/") is None
    tree.seed([Vault("old", 5, "{}"), Vault("new", 9, "{}"), Vault("timeless", None, "{}")])
    assert changed_ns(tree, "/") == 9
    tree.seed([Vault("timeless", None, "{}")])
    assert changed_ns(tree, "/") is None
