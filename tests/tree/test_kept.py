"""Jobs that the service has dropped and whose outputs are kept: where they are shown, and when nothing is."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from casfs.errors import CasfsError, NotFoundError, ServiceError, UnreachableError
from casfs.models import Job
from casfs.tree.nodes import JobDir, OutputFile
from casfs.tree.tree import Tree
from tests.settings import tree_settings
from tests.tree.service import Clock, Service, job, names, vault


class Shelf:
    """Keeps what a test gives it."""

    def __init__(self, *kept: str) -> None:
        self.jobs = {name: replace(job(name), is_expired=True) for name in kept}
        self.failure: CasfsError | None = None
        self.has_started = False

    def start(self) -> None:
        self.has_started = True

    def all(self, vault: str) -> Mapping[str, Job]:
        if self.failure is not None:
            raise self.failure
        return self.jobs if vault == "photos" else {}

    def get(self, vault: str, job: str) -> Job | None:
        return self.all(vault).get(job)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf("one", "old")


@pytest.fixture
def tree(service: Service, clock: Clock, shelf: Shelf) -> Iterator[Tree]:
    tree = Tree(service, tree_settings(list_ttl_s=60), clock=clock, kept=shelf)
    tree.start()
    tree.seed([vault("photos"), vault("empty")])
    yield tree
    tree.stop()


def test_a_directory_has_what_the_service_lists_and_then_what_is_kept_each_once(tree: Tree, shelf: Shelf) -> None:
    assert names(tree, "/photos") == ["one", "two", "old"]
    assert names(tree, "/empty") == []
    assert dict(tree.entries(tree.resolve("/photos"))) == {
        "one": JobDir(job("one")),
        "two": JobDir(job("two")),
        "old": JobDir(shelf.jobs["old"]),
    }


def test_it_is_looked_for_from_the_beginning(tree: Tree, shelf: Shelf) -> None:
    assert shelf.has_started


def test_a_kept_job_is_found_by_its_name_with_its_output(tree: Tree, service: Service, shelf: Shelf) -> None:
    assert tree.resolve("/photos/old/output") == OutputFile(shelf.jobs["old"])
    assert service.asked == [("job", "photos", "old")], "the service has the first word"
    assert names(tree, "/photos/old") == ["output"]


def test_a_job_that_the_service_has_is_the_services_though_it_is_kept(tree: Tree) -> None:
    assert tree.resolve("/photos/one") == JobDir(job("one"))


def test_a_job_that_vanishes_while_it_is_shown_goes_on_as_a_kept_one(
    tree: Tree, service: Service, clock: Clock, shelf: Shelf
) -> None:
    assert names(tree, "/photos") == ["one", "two", "old"]
    service.contents["photos"] = {}
    clock.advance(100)
    assert tree.resolve("/photos/one/output") == OutputFile(shelf.jobs["one"])
    with pytest.raises(CasfsError):
        tree.resolve("/photos/two/output")
    assert sorted(names(tree, "/photos")) == ["old", "one"]


def test_a_listing_that_fails_is_an_error_though_jobs_are_kept(tree: Tree, service: Service) -> None:
    service.fails["jobs"] = UnreachableError("no network")
    with pytest.raises(UnreachableError):
        names(tree, "/photos")


def test_a_name_that_the_service_cannot_be_asked_for_is_an_error_though_its_job_is_kept(
    tree: Tree, service: Service
) -> None:
    service.fails["job"] = UnreachableError("no network")
    with pytest.raises(UnreachableError):
        tree.resolve("/photos/old")


def test_where_it_cannot_be_told_what_is_kept_no_directory_and_no_absence_is_told(tree: Tree, shelf: Shelf) -> None:
    shelf.failure = ServiceError("the disk fails")
    with pytest.raises(ServiceError):
        names(tree, "/photos")
    with pytest.raises(ServiceError):
        tree.resolve("/photos/old")
    assert tree.resolve("/photos/one") == JobDir(job("one")), "what the service has needs no disk"


def test_a_vault_that_is_gone_shows_nothing_of_it(tree: Tree, service: Service, clock: Clock) -> None:
    del service.contents["photos"]
    clock.advance(100)
    with pytest.raises(CasfsError):
        names(tree, "/photos")
    with pytest.raises(NotFoundError):
        tree.resolve("/none/old")
