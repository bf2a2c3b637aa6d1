"""In which orders programs may go through a vault, and what is passed over."""

from collections.abc import Iterator

import pytest

from casfs.models import (
    ARCHIVE_RETRIEVAL,
    INVENTORY_RETRIEVAL,
    OUTPUT_LIFE_NS,
    PUSH_TO_COS,
    Job,
    JobState,
    Output,
    Vault,
)
from casfs.tree.nodes import VaultDir, inode_of
from casfs.tree.orders import MAX_SHOWN
from casfs.tree.tree import MAX_PASSED_OVER, Tree
from tests.settings import tree_settings
from tests.tree.service import Clock, Service, job

PHOTOS = VaultDir(Vault("photos", 0, ""))
LISTED = ["delta", "alpha", "echo", "bravo", "charlie"]
NOW_NS = 10 * OUTPUT_LIFE_NS


@pytest.fixture
def service() -> Service:
    service = Service("photos")
    service.put(*map(job, LISTED))
    return service


@pytest.fixture
def tree(service: Service, clock: Clock) -> Iterator[Tree]:
    tree = Tree(service, tree_settings(list_ttl_s=60), clock=clock, now_ns=lambda: NOW_NS)
    tree.start()
    yield tree
    tree.stop()


def output(name: str, vault: str = "photos") -> Output:
    return Output(vault, name, 1, None, is_inventory=False)


def after(tree: Tree, name: str) -> list[list[str]]:
    return [[each.job for each in order] for order in tree.following(output(name))]


def test_the_orders_are_those_of_the_listing_of_names_and_of_inode_numbers(tree: Tree) -> None:
    list(tree.entries(PHOTOS))
    numbered = sorted(LISTED, key=lambda name: inode_of("photos", name))
    for name in LISTED:
        assert after(tree, name) == [order[order.index(name) + 1 :] for order in (LISTED, sorted(LISTED), numbered)]


def test_what_a_walk_is_told_are_the_outputs_that_the_tree_has(tree: Tree) -> None:
    list(tree.entries(PHOTOS))
    assert next(tree.following(output("delta"))[0]) == output("alpha")


def test_a_vault_whose_directory_was_not_read_has_no_orders_and_costs_no_request(tree: Tree, service: Service) -> None:
    tree.resolve("/photos/alpha/output")
    before = list(service.asked)
    assert after(tree, "alpha") == []
    list(tree.entries(PHOTOS))
    before.append(("jobs", "photos"))
    assert after(tree, "alpha")[0] == ["echo", "bravo", "charlie"]
    assert service.asked == before


def test_a_job_that_was_not_listed_is_in_no_order(tree: Tree) -> None:
    list(tree.entries(PHOTOS))
    assert after(tree, "bravo2") == []


def test_what_cannot_be_downloaded_is_passed_over(tree: Tree, service: Service) -> None:
    ended_ns = NOW_NS - OUTPUT_LIFE_NS
    others = [
        job("failed", JobState.FAILED),
        job("running", JobState.IN_PROGRESS),
        job("pushed", action=PUSH_TO_COS),
        Job("photos", "expired", ARCHIVE_RETRIEVAL, JobState.SUCCEEDED, 0, ended_ns, 1, None, "{}"),
        Job("photos", "valid", ARCHIVE_RETRIEVAL, JobState.SUCCEEDED, 0, ended_ns + 1, 1, None, "{}"),
        job("inventory", action=INVENTORY_RETRIEVAL),
        Job("photos", "empty", ARCHIVE_RETRIEVAL, JobState.SUCCEEDED, 0, ended_ns + 1, 0, None, "{}"),
    ]
    service.put(*others)
    list(tree.entries(PHOTOS))
    assert after(tree, "charlie")[0] == ["valid", "inventory"]
    assert [after(tree, each.id) for each in others if each.id not in ("valid", "inventory")] == [[]] * 5


def test_what_is_gone_is_passed_over(tree: Tree) -> None:
    list(tree.entries(PHOTOS))
    order = tree.following(output("delta"))[0]
    tree.gone(output("echo"))
    assert [each.job for each in order] == ["alpha", "bravo", "charlie"]


def test_many_in_a_row_that_have_no_output_end_an_order(tree: Tree, service: Service) -> None:
    service.put(*(job(f"failed-{number}", JobState.FAILED) for number in range(MAX_PASSED_OVER)), job("last"))
    list(tree.entries(PHOTOS))
    assert after(tree, "charlie")[0] == ["last"]
    service.put(*(job(f"more-{number}", JobState.FAILED) for number in range(MAX_PASSED_OVER + 1)), job("end"))
    tree.forget()
    list(tree.entries(PHOTOS))
    assert after(tree, "charlie")[0] == ["last"]


def test_a_listing_that_is_too_old_is_followed_to_its_end(tree: Tree, clock: Clock) -> None:
    list(tree.entries(PHOTOS))
    clock.advance(1000)
    assert after(tree, "echo")[0] == ["bravo", "charlie"]


def test_who_forgets_has_no_orders(tree: Tree) -> None:
    list(tree.entries(PHOTOS))
    order = tree.following(output("delta"))[0]
    tree.forget()
    assert after(tree, "alpha") == []
    assert list(order) == []


def test_the_orders_of_few_vaults_are_remembered(tree: Tree, service: Service) -> None:
    list(tree.entries(PHOTOS))
    for number in range(MAX_SHOWN):
        service.put(job("one", vault=f"vault-{number}"))
        list(tree.entries(VaultDir(Vault(f"vault-{number}", 0, ""))))
    assert after(tree, "alpha") == []
    assert len(tree.following(output("one", "vault-0"))) == 3
