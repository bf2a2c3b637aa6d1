"""What it costs where a permission is missing: a refused request once in a while, and not one for each look-up."""

import pytest

from casfs.errors import AccessDeniedError, CredentialsError, GoneError, NotFoundError
from casfs.tree.existence import find_vault
from casfs.tree.nodes import OutputFile, VaultDir
from casfs.tree.permissions import Permissions
from casfs.tree.tree import Tree
from casfs.waiting import Deadline
from tests.tree.service import Clock, Service, job, names, vault

NO = AccessDeniedError("no permission")


def deny(service: Service, *questions: str) -> None:
    service.fails |= dict.fromkeys(questions, NO)


def test_job_that_may_not_be_described_is_found_in_the_listing_at_the_price_of_one_refusal_a_ttl(
    tree: Tree, service: Service, clock: Clock
) -> None:
    deny(service, "job")
    service.put(*(job(f"job-{number}") for number in range(100)))
    for _ in range(2):
        for number in range(100):
            tree.resolve(f"/photos/job-{number}")
            with pytest.raises(NotFoundError):
                tree.resolve(f"/photos/none-{number}")
        assert service.asked.count(("jobs", "photos")) == 1
        assert len([asked for asked in service.asked if asked[0] == "job"]) == 1
        clock.advance(60)
        service.asked.clear()


def test_job_that_may_be_described_costs_one_describe_though_the_vault_may_not_be_listed(
    tree: Tree, service: Service, clock: Clock
) -> None:
    deny(service, "vaults", "vault", "jobs")
    tree.resolve("/photos")
    service.asked.clear()
    for name in ("one", "two"):
        assert isinstance(tree.resolve(f"/photos/{name}/output"), OutputFile)
    clock.advance(3600)
    tree.resolve("/photos/one/output")
    assert service.asked == [("job", "photos", "one"), ("job", "photos", "two"), ("job", "photos", "one")]


def test_vault_that_may_not_be_described_is_asked_about_once_a_ttl(tree: Tree, service: Service, clock: Clock) -> None:
    deny(service, "vaults", "vault")
    for _ in range(10):
        tree.resolve("/photos", fresh=True)
    assert service.asked == [("vault", "photos"), ("vaults",), ("jobs", "photos")]
    tree.resolve("/empty")
    assert service.asked[3:] == [("vault", "empty"), ("jobs", "empty")], "the account's own refusal is remembered"
    clock.advance(60)
    tree.resolve("/photos", fresh=True)
    assert service.asked[5:] == [("vault", "photos"), ("vaults",), ("jobs", "photos")]


def test_vault_shows_what_was_listed_of_it_where_it_may_not_be_described(
    tree: Tree, service: Service, clock: Clock
) -> None:
    tree.seed([vault("photos")])
    deny(service, "vault")
    clock.advance(60)
    assert tree.resolve("/photos", fresh=True) == VaultDir(vault("photos"))
    deny(service, "vaults")
    clock.advance(60)
    assert tree.resolve("/photos", fresh=True) == VaultDir(vault("photos"))
    del service.contents["photos"]
    clock.advance(60)
    with pytest.raises(NotFoundError):
        tree.resolve("/unheard-of", fresh=True)


def test_every_refusal_of_a_vault_is_remembered_for_the_ttl(tree: Tree, service: Service, clock: Clock) -> None:
    deny(service, "vaults", "vault", "jobs", "job")
    for _ in range(10):
        with pytest.raises(AccessDeniedError):
            tree.resolve("/photos")
        clock.advance(2)
    assert len(service.asked) == 4
    service.fails.clear()
    clock.advance(60)
    tree.resolve("/photos")


def test_listing_is_asked_for_whenever_somebody_wants_it_and_ends_the_refusal(
    tree: Tree, service: Service, clock: Clock
) -> None:
    tree.seed([vault("photos")])
    deny(service, "jobs", "job")
    for _ in range(2):
        with pytest.raises(AccessDeniedError):
            names(tree, "/photos")
        with pytest.raises(AccessDeniedError):
            tree.resolve("/photos/one")
        clock.advance(2)
    del service.fails["jobs"]
    assert names(tree, "/photos") == ["one", "two"]
    clock.advance(6)
    with pytest.raises(NotFoundError):
        tree.resolve("/photos/three")


def test_sighup_forgets_refusals(tree: Tree, service: Service) -> None:
    deny(service, "vaults", "vault", "jobs", "job")
    with pytest.raises(AccessDeniedError):
        tree.resolve("/photos")
    service.fails.clear()
    tree.forget()
    tree.resolve("/photos")


@pytest.mark.parametrize("refused", ["vault", "job"])
def test_refused_key_is_not_asked_about_in_other_ways(tree: Tree, service: Service, refused: str) -> None:
    service.fails[refused] = CredentialsError("the token has expired")
    with pytest.raises(CredentialsError):
        tree.resolve("/photos" if refused == "vault" else "/photos/one")
    assert len(service.asked) == 1


def test_walk_through_a_vault_that_may_not_be_listed_any_more_goes_on_job_by_job(
    tree: Tree, service: Service, clock: Clock
) -> None:
    service.put(*(job(f"job-{number}") for number in range(100)))
    names(tree, "/photos")
    deny(service, "jobs")
    clock.advance(60)
    for number in range(100):
        tree.resolve(f"/photos/job-{number}/output")
    assert service.asked.count(("jobs", "photos")) == 2


def test_what_was_listed_of_a_vault_and_is_gone_is_stale_without_describe_job(
    tree: Tree, service: Service, clock: Clock
) -> None:
    deny(service, "job")
    names(tree, "/photos")
    del service.contents["photos"]["one"]
    clock.advance(60)
    with pytest.raises(GoneError):
        tree.resolve("/photos/one/output")


def test_vault_is_told_by_its_jobs_where_the_vaults_are_too_many_to_wait_for(service: Service, clock: Clock) -> None:
    deny(service, "vault")
    found = find_vault(service, Permissions(clock, 60), "photos", lambda: None, Deadline.after(5, clock))
    assert found.name == "photos"
    assert service.asked == [("vault", "photos"), ("jobs", "photos")]
