"""Vaults: for how long the service is believed."""

import pytest

from casfs.errors import AccessDeniedError, GoneError, NotFoundError, UnreachableError
from casfs.tree.known_jobs import MIN_DESCRIBES
from casfs.tree.stale_names import STALE_TTL_S
from casfs.tree.tree import Tree
from tests.settings import tree_settings
from tests.tree.service import Clock, Service, job, names, vault


def test_listed_root_answers_every_look_up_even_of_what_is_not_there(tree: Tree, service: Service) -> None:
    names(tree, "/")
    for probe in (".Trash", ".git", "autorun.inf", ".hidden", ".xdg-volume-info"):
        with pytest.raises(NotFoundError):
            tree.resolve(f"/{probe}")
    assert service.asked == [("vaults",)]


def test_name_that_no_vault_can_have_is_never_asked_for(tree: Tree, service: Service) -> None:
    for probe in ("System Volume Information", "x" * 256, "\udcff", "a:b"):
        with pytest.raises(NotFoundError):
            tree.resolve(f"/{probe}")
    assert service.asked == []


def test_unlisted_vault_is_described_once(tree: Tree, service: Service) -> None:
    tree.resolve("/photos")
    tree.resolve("/photos")
    assert service.asked == [("vault", "photos")]


def test_vault_that_is_not_there_is_asked_for_again_after_5_seconds(tree: Tree, service: Service, clock: Clock) -> None:
    for _ in range(2):
        with pytest.raises(NotFoundError):
            tree.resolve("/new")
    service.contents["new"] = {}
    clock.advance(4.9)
    with pytest.raises(NotFoundError):
        tree.resolve("/new")
    clock.advance(0.1)
    tree.resolve("/new")
    assert service.asked == [("vault", "new")] * 2


def test_root_is_listed_again_after_the_ttl(tree: Tree, service: Service, clock: Clock) -> None:
    tree.seed([vault("photos"), vault("deleted")])
    clock.advance(59.9)
    assert names(tree, "/") == ["photos", "deleted"]
    clock.advance(0.1)
    assert names(tree, "/") == ["photos", "empty"]
    with pytest.raises(GoneError):
        tree.resolve("/deleted")
    assert service.asked == [("vaults",)]


def test_cold_path_costs_one_describe_long_after_its_vault_was_listed(
    tree: Tree, service: Service, clock: Clock
) -> None:
    tree.seed([vault("photos")])
    clock.advance(3600)
    for path in ("/", "/photos", "/photos/one", "/photos/one/output"):
        tree.resolve(path)
    assert service.asked == [("job", "photos", "one")]


def test_attributes_of_a_vault_are_never_older_than_the_ttl(tree: Tree, service: Service, clock: Clock) -> None:
    tree.seed([vault("photos")])
    tree.resolve("/photos", fresh=True)
    assert service.asked == []
    clock.advance(60)
    tree.resolve("/photos", fresh=True)
    tree.resolve("/photos", fresh=True)
    assert service.asked == [("vault", "photos")]


def test_job_of_a_vault_that_is_not_there_is_never_asked_for(tree: Tree, service: Service) -> None:
    tree.seed([vault("photos")])
    with pytest.raises(NotFoundError):
        tree.resolve("/none/one/output")
    assert service.asked == []


def test_deleted_vault_ends_when_a_job_in_it_is_asked_for(tree: Tree, service: Service, clock: Clock) -> None:
    tree.seed([vault("deleted")])
    clock.advance(60)
    tree.resolve("/deleted")
    with pytest.raises(GoneError):
        tree.resolve("/deleted/one")
    with pytest.raises(GoneError):
        tree.resolve("/deleted")
    assert service.asked == [("job", "deleted", "one"), ("vault", "deleted")]


def test_deleted_vault_ends_when_it_is_listed(tree: Tree, service: Service, clock: Clock) -> None:
    tree.seed([vault("deleted")])
    clock.advance(60)
    with pytest.raises(GoneError):
        names(tree, "/deleted")
    with pytest.raises(GoneError):
        tree.resolve("/deleted")


def test_job_that_is_not_there_costs_no_describe_of_a_vault_just_listed(tree: Tree, service: Service) -> None:
    tree.seed([vault("photos")])
    with pytest.raises(NotFoundError):
        tree.resolve("/photos/none")
    assert service.asked == [("job", "photos", "none")]


def test_account_that_may_not_list_can_walk_into_its_vault(tree: Tree, service: Service) -> None:
    service.fails["vaults"] = AccessDeniedError("no")
    with pytest.raises(AccessDeniedError):
        names(tree, "/")
    assert names(tree, "/photos") == ["one", "two"]
    with pytest.raises(AccessDeniedError):
        names(tree, "/")


def test_vault_can_be_the_root(service: Service, clock: Clock) -> None:
    service.fails["vaults"] = AccessDeniedError("no")
    tree = Tree(service, tree_settings(root_vault="photos"), clock=clock)
    tree.start()
    tree.seed([vault("photos")])
    assert names(tree, "/") == ["one", "two"]
    assert names(tree, "/one") == ["output"]
    assert service.asked == [("jobs", "photos")]
    with pytest.raises(NotFoundError):
        tree.resolve("/one/output/none")
    tree.stop()


def test_old_listing_is_not_shown_when_the_service_does_not_answer(tree: Tree, service: Service, clock: Clock) -> None:
    names(tree, "/")
    names(tree, "/photos")
    service.fails |= dict.fromkeys(["vaults", "jobs", "job"], UnreachableError("no network"))
    assert names(tree, "/") == ["photos", "empty"]
    assert names(tree, "/photos") == ["one", "two"]
    clock.advance(60)
    for directory in ("/", "/photos"):
        with pytest.raises(UnreachableError):
            names(tree, directory)
    with pytest.raises(UnreachableError):
        tree.resolve("/photos/one")


def test_names_that_cannot_be_files_are_left_out_and_cannot_be_looked_up(
    tree: Tree, service: Service, announce: object
) -> None:
    assert callable(announce)
    announce("^left out ")
    hostile = ["..", ".", "", "a/b", "a\0b", "\ud800", "x" * 256]
    service.put(*[job(name) for name in hostile])
    service.contents |= {name: {} for name in hostile}
    assert names(tree, "/") == ["photos", "empty"]
    assert names(tree, "/photos") == ["one", "two"]
    assert [tree.resolve(f"/{name}").inode for name in ("photos", "empty")]


@pytest.mark.parametrize("newer", [True, False], ids=["a newer listing lacks it", "a look-up misses it"])
def test_what_a_directory_showed_is_stale_once_it_is_gone_and_not_unheard_of(
    tree: Tree, service: Service, clock: Clock, *, newer: bool
) -> None:
    names(tree, "/")
    names(tree, "/photos")
    del service.contents["photos"]["one"], service.contents["empty"]
    clock.advance(60)
    if newer:
        assert (names(tree, "/"), names(tree, "/photos")) == (["photos"], ["two"])
    for path in ("/photos/one", "/photos/one/output", "/empty/one") if newer else ("/photos/one", "/photos/one/output"):
        with pytest.raises(GoneError):
            tree.resolve(path)
    with pytest.raises(NotFoundError):
        tree.resolve("/photos/never")


def test_a_job_whose_directory_was_read_is_stale_once_it_is_gone(tree: Tree, service: Service, clock: Clock) -> None:
    assert names(tree, "/photos/one") == ["output"]
    del service.contents["photos"]["one"]
    clock.advance(60)
    with pytest.raises(GoneError):
        tree.resolve("/photos/one/output")


def test_a_vault_that_goes_while_its_jobs_are_walked_through_is_stale(
    tree: Tree, service: Service, clock: Clock
) -> None:
    tree.seed([vault("photos")])
    names(tree, "/photos")
    clock.advance(60)
    del service.contents["photos"]
    for _ in range(2 * MIN_DESCRIBES):
        with pytest.raises(GoneError):
            tree.resolve("/photos/one")
        clock.advance(6)


def test_what_was_shown_is_unheard_of_after_an_hour(tree: Tree, service: Service, clock: Clock) -> None:
    names(tree, "/photos")
    del service.contents["photos"]["one"]
    clock.advance(60)
    assert names(tree, "/photos") == ["two"]
    clock.advance(STALE_TTL_S)
    with pytest.raises(NotFoundError):
        tree.resolve("/photos/one")
