"""A tree that has forgotten all that the service said: what it asks anew, and what it still knows."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from casfs.errors import GoneError, NotFoundError
from casfs.tree.tree import Tree
from tests.mounting import wait_until
from tests.tree.service import Clock, Service, job, names, vault


@pytest.fixture
def tree(tree: Tree) -> Tree:
    tree.seed([vault("photos")])
    return tree


def test_forgotten_tree_asks_for_everything_again(tree: Tree, service: Service) -> None:
    names(tree, "/photos")
    tree.forget()
    names(tree, "/")
    names(tree, "/photos")
    assert service.asked == [("jobs", "photos"), ("vaults",), ("jobs", "photos")]


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("is_listed_again", [True, False])
def test_what_was_shown_before_all_was_forgotten_is_gone_and_not_missing(
    tree: Tree, service: Service, clock: Clock, times: int, *, is_listed_again: bool
) -> None:
    service.put(job("three", vault="empty"))
    tree.seed([vault("photos"), vault("empty")])
    names(tree, "/photos")
    names(tree, "/empty")
    for _ in range(times):
        tree.forget()
    del service.contents["photos"]["one"], service.contents["empty"]
    if is_listed_again:
        assert names(tree, "/") == ["photos"]
        assert names(tree, "/photos") == ["two"]
    for path in ("/photos/one", "/photos/one/output", "/empty", "/empty/three"):
        with pytest.raises(GoneError):
            tree.resolve(path)
    with pytest.raises(NotFoundError):
        tree.resolve("/photos/never")


def test_what_is_shown_by_a_listing_that_was_on_its_way_when_all_was_forgotten_is_gone_later(
    tree: Tree, service: Service, clock: Clock
) -> None:
    tree.seed([vault("photos"), vault("empty")])
    clock.advance(60)
    service.open.clear()
    with ThreadPoolExecutor(2) as askers:
        asked = [askers.submit(names, tree, path) for path in ("/photos", "/")]
        wait_until(lambda: len(service.asked) == 2, "both are asked for", 60)
        tree.forget()
        tree.forget()
        service.open.set()
        assert [each.result(60) for each in asked] == [["one", "two"], ["photos", "empty"]]
    del service.contents["photos"]["one"], service.contents["empty"]
    for path in ("/photos/one", "/empty"):
        with pytest.raises(GoneError):
            tree.resolve(path)


def test_forgotten_listing_is_still_what_the_times_of_its_vault_are_made_of(tree: Tree, service: Service) -> None:
    names(tree, "/photos")
    before = tree.resolve("/photos")
    tree.forget()
    assert tree.resolve("/photos") == before


def test_answer_that_was_on_its_way_when_all_was_forgotten_is_not_remembered(tree: Tree, service: Service) -> None:
    service.open.clear()
    with ThreadPoolExecutor(1) as asker:
        asked = asker.submit(names, tree, "/photos")
        wait_until(lambda: bool(service.asked), "it is asked for", 60)
        tree.forget()
        service.open.set()
        assert asked.result(60) == ["one", "two"]
    names(tree, "/photos")
    assert service.asked.count(("jobs", "photos")) == 2
