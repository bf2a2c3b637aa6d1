"""Jobs: for how long the service is believed, and what a walk costs."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from casfs.errors import GoneError, NotFoundError
from casfs.models import JobState
from casfs.tree import known_jobs
from casfs.tree.known_jobs import MIN_DESCRIBES
from casfs.tree.nodes import OutputFile
from casfs.tree.tree import Tree
from tests.settings import tree_settings
from tests.tree.service import Clock, Service, job, names, vault


@pytest.fixture
def tree(tree: Tree) -> Tree:
    tree.seed([vault("photos")])
    return tree


def output(tree: Tree, path: str) -> OutputFile:
    node = tree.resolve(path)
    assert isinstance(node, OutputFile)
    return node


def test_job_is_asked_for_again_after_the_ttl(tree: Tree, service: Service, clock: Clock) -> None:
    tree.resolve("/photos/one")
    clock.advance(59.9)
    tree.resolve("/photos/one")
    assert len(service.asked) == 1
    clock.advance(0.1)
    tree.resolve("/photos/one")
    assert service.asked == [("job", "photos", "one")] * 2


@pytest.mark.parametrize("state", [JobState.IN_PROGRESS, JobState.UNKNOWN])
def test_job_that_is_not_finished_is_asked_for_again_after_30_seconds(
    tree: Tree, service: Service, clock: Clock, state: JobState
) -> None:
    service.put(job("going", state))
    tree.resolve("/photos/going")
    clock.advance(29.9)
    tree.resolve("/photos/going")
    assert len(service.asked) == 1
    clock.advance(0.1)
    tree.resolve("/photos/going")
    assert len(service.asked) == 2


def test_listing_with_an_unfinished_job_is_renewed_after_30_seconds(tree: Tree, service: Service, clock: Clock) -> None:
    service.put(job("going", JobState.IN_PROGRESS))
    names(tree, "/photos")
    service.put(job("going"), job("later"))
    clock.advance(30)
    tree.resolve("/photos/one")
    assert service.asked == [("jobs", "photos")]
    assert names(tree, "/photos") == ["one", "two", "going", "later"]
    assert names(tree, "/photos/going") == ["output"]
    assert service.asked == [("jobs", "photos")] * 2


def test_unfinished_job_of_a_listing_is_described_alone_after_30_seconds(
    tree: Tree, service: Service, clock: Clock
) -> None:
    service.put(job("going", JobState.IN_PROGRESS))
    names(tree, "/photos")
    clock.advance(30)
    service.put(job("going"))
    assert names(tree, "/photos/going") == ["output"]
    assert service.asked == [("jobs", "photos"), ("job", "photos", "going")]


def test_job_that_began_after_the_listing_can_be_looked_up_and_is_shown_then(
    tree: Tree, service: Service, clock: Clock
) -> None:
    names(tree, "/photos")
    service.put(job("new", JobState.IN_PROGRESS))
    clock.advance(5)
    tree.resolve("/photos/new")
    assert names(tree, "/photos") == ["one", "two", "new"]
    assert service.asked == [("jobs", "photos"), ("job", "photos", "new")]


def test_name_that_is_no_job_is_asked_for_once_in_5_seconds(tree: Tree, service: Service, clock: Clock) -> None:
    names(tree, "/photos")
    for seconds in (0, 4.9, 0.1, 4.9):
        clock.advance(seconds)
        with pytest.raises(NotFoundError):
            tree.resolve("/photos/.git")
    assert service.asked == [("jobs", "photos"), ("job", "photos", ".git")]


def test_job_that_vanished_is_gone_after_the_ttl(tree: Tree, service: Service, clock: Clock) -> None:
    names(tree, "/photos")
    del service.contents["photos"]["one"]
    clock.advance(60)
    with pytest.raises(GoneError):
        tree.resolve("/photos/one/output")
    assert names(tree, "/photos") == ["two"]


def test_job_found_vanished_by_a_look_up_is_no_longer_listed(tree: Tree, service: Service, clock: Clock) -> None:
    service.put(job("going", JobState.IN_PROGRESS))
    names(tree, "/photos")
    del service.contents["photos"]["going"]
    clock.advance(30)
    with pytest.raises(GoneError):
        tree.resolve("/photos/going")
    with pytest.raises(GoneError):
        tree.resolve("/photos/going/output")
    assert "going" not in names(tree, "/photos")


@pytest.mark.parametrize("listed", [True, False], ids=["listed", "looked up"])
def test_output_that_is_gone_takes_its_job_with_it_at_once(tree: Tree, service: Service, *, listed: bool) -> None:
    if listed:
        names(tree, "/photos")
    gone = output(tree, "/photos/one/output")
    del service.contents["photos"]["one"]
    tree.gone(gone.output)
    with pytest.raises(GoneError if listed else NotFoundError):
        tree.resolve("/photos/one")
    assert names(tree, "/photos") == ["two"]


def test_twenty_who_look_up_the_same_path_share_one_describe(tree: Tree, service: Service) -> None:
    service.open.clear()
    with ThreadPoolExecutor(20) as askers:
        asked = [askers.submit(tree.resolve, "/photos/one/output") for _ in range(20)]
        service.open.set()
        assert {each.result(60) for each in asked} == {OutputFile(job("one"))}
    assert service.asked == [("job", "photos", "one")]


def test_twenty_who_list_a_vault_share_one_listing(tree: Tree, service: Service) -> None:
    service.open.clear()
    with ThreadPoolExecutor(20) as askers:
        asked = [askers.submit(names, tree, "/photos") for _ in range(20)]
        service.open.set()
        assert all(each.result(60) == ["one", "two"] for each in asked)
    assert service.asked == [("jobs", "photos")]


def test_walk_goes_on_with_a_new_listing_when_the_old_one_ends_in_its_middle(
    tree: Tree, service: Service, clock: Clock
) -> None:
    service.put(*[job(f"job{number}") for number in range(2500)])
    listed = names(tree, "/photos")
    clock.advance(60)
    for name in listed:
        tree.resolve(f"/photos/{name}/output")
    assert service.asked.count(("jobs", "photos")) == 2
    assert len(service.asked) == 2 + MIN_DESCRIBES


def test_each_old_listing_is_walked_for_a_while_before_it_is_renewed(
    tree: Tree, service: Service, clock: Clock
) -> None:
    service.put(*[job(f"job{number}", JobState.IN_PROGRESS) for number in range(100)])
    listed = names(tree, "/photos")
    for _ in range(3):
        clock.advance(30)
        for name in listed:
            tree.resolve(f"/photos/{name}")
    assert service.asked.count(("jobs", "photos")) == 4
    assert len(service.asked) == 4 + 3 * MIN_DESCRIBES


def test_names_that_are_no_jobs_do_not_renew_a_listing(tree: Tree, service: Service, clock: Clock) -> None:
    names(tree, "/photos")
    clock.advance(5)
    for number in range(2 * MIN_DESCRIBES):
        with pytest.raises(NotFoundError):
            tree.resolve(f"/photos/.probe{number}")
    assert service.asked.count(("jobs", "photos")) == 1


def test_listing_tells_what_became_of_a_job_looked_up_before(tree: Tree, service: Service, clock: Clock) -> None:
    service.put(job("going", JobState.IN_PROGRESS))
    tree.resolve("/photos/going")
    service.put(job("going"))
    clock.advance(1)
    names(tree, "/photos")
    assert names(tree, "/photos/going") == ["output"]


def test_short_ttl_is_that_of_unfinished_jobs_too(service: Service, clock: Clock) -> None:
    tree = Tree(service, tree_settings(list_ttl_s=10), clock=clock)
    tree.start()
    service.put(job("going", JobState.IN_PROGRESS))
    tree.resolve("/photos/going")
    service.put(job("going"))
    clock.advance(10)
    assert names(tree, "/photos/going") == ["output"]
    tree.stop()


def test_listing_larger_than_all_that_may_be_kept_is_kept_alone(
    service: Service, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known_jobs, "MAX_LISTED_JOBS", 5)
    tree = Tree(service, tree_settings(), clock=clock)
    tree.start()
    service.put(*[job(f"job{number}") for number in range(10)], job("other", vault="empty"))
    for vault_name in ("photos", "photos", "empty", "photos"):
        assert names(tree, f"/{vault_name}")
    assert [question for question in service.asked if question[0] == "jobs"] == [
        ("jobs", "photos"),
        ("jobs", "empty"),
        ("jobs", "photos"),
    ]
    tree.stop()


def test_jobs_looked_up_now_and_then_never_cost_a_listing(tree: Tree, service: Service, clock: Clock) -> None:
    names(tree, "/photos")
    for _ in range(5 * MIN_DESCRIBES):
        clock.advance(60)
        tree.resolve("/photos/one")
    assert service.asked.count(("jobs", "photos")) == 1


def test_vault_never_listed_is_not_listed_by_looking_up_its_jobs(tree: Tree, service: Service) -> None:
    service.put(*[job(f"job{number}") for number in range(100)])
    for number in range(100):
        tree.resolve(f"/photos/job{number}")
    assert ("jobs", "photos") not in service.asked


def test_directory_that_is_being_read_does_not_change_under_its_reader(
    tree: Tree, service: Service, clock: Clock
) -> None:
    entries = tree.entries(tree.resolve("/photos"))
    tree.gone(output(tree, "/photos/one/output").output)
    service.put(job("three"))
    clock.advance(5)
    tree.resolve("/photos/three")
    assert [name for name, _ in entries] == ["one", "two"]
