"""What is told of the tree without a question to the service: how many vaults, and when the next output expires."""

from dataclasses import replace

from casfs.models import ARCHIVE_RETRIEVAL, OUTPUT_LIFE_NS, Job, JobState
from casfs.tree.tree import Tree
from tests.tree.service import Clock, Service, job, names, vault

HOUR_NS = 3600 * 10**9
DONE_NS = 1_700_000_000 * 10**9


def done(name: str, after_h: int, state: JobState = JobState.SUCCEEDED, action: str = ARCHIVE_RETRIEVAL) -> Job:
    """Return a job that was completed some hours after DONE_NS."""
    return replace(job(name, state, action), completed_ns=DONE_NS + after_h * HOUR_NS)


def expires_ns(after_h: int) -> int:
    return DONE_NS + after_h * HOUR_NS + OUTPUT_LIFE_NS


def test_next_expiry_is_that_of_an_output_whether_it_was_listed_or_asked_for(
    tree: Tree, service: Service, clock: Clock
) -> None:
    assert tree.next_expiry_ns(0) is None
    service.contents["photos"].clear()
    service.put(done("one", 5), done("two", 5), done("late", 9))
    service.put(done("pushed", 1, action="PushToCOS"), done("failed", 1, state=JobState.FAILED))
    service.put(job("going", JobState.IN_PROGRESS), replace(job("of nobody"), completed_ns=None))
    names(tree, "/photos")
    moments = [tree.next_expiry_ns(now_ns) for now_ns in (0, expires_ns(5) - 1, expires_ns(5), expires_ns(9))]
    assert moments == [expires_ns(5), expires_ns(5), expires_ns(9), None]
    service.put(done("new", 7))
    clock.advance(6)
    tree.resolve("/photos/new")
    assert tree.next_expiry_ns(expires_ns(5)) == expires_ns(7)
    asked = len(service.asked)
    tree.next_expiry_ns(0)
    assert len(service.asked) == asked


def test_vaults_that_are_known_are_counted(tree: Tree) -> None:
    assert tree.vault_count() == 0
    tree.seed([vault("photos"), vault("empty")])
    assert tree.vault_count() == 2


def test_another_time_for_which_listings_are_believed_counts_from_when_all_is_forgotten(
    tree: Tree, service: Service, clock: Clock
) -> None:
    tree.forget(list_ttl_s=5)
    for _ in range(2):
        names(tree, "/")
    clock.advance(5)
    names(tree, "/")
    assert [asked[0] for asked in service.asked] == ["vaults", "vaults"]
