"""Listings that take longer than a program waits."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from casfs.errors import InterruptedCallError
from casfs.models import Job
from casfs.tree.partial_listing import PartialListing
from casfs.tree.single_flight import LISTING_S
from casfs.tree.tree import Tree
from casfs.waiting import Deadline
from tests.settings import tree_settings
from tests.tree.service import Clock, Service, job, names, vault


class Pages:
    """Two jobs; before the second, nobody waits any more, once."""

    def __init__(self) -> None:
        self.found = [job("one"), job("two")]
        self.failures = [InterruptedCallError("nobody waits")]

    def __iter__(self) -> Iterator[Job]:
        return self

    def __next__(self) -> Job:
        if len(self.found) == 1 and self.failures:
            raise self.failures.pop()
        if not self.found:
            raise StopIteration
        return self.found.pop(0)


class LongService(Service):
    """A service whose first listing takes longer than anybody waits."""

    def jobs(self, vault: str, deadline: Deadline) -> Iterator[Job]:
        self.asked.append(("jobs", vault))
        return iter(Pages()) if len(self.asked) == 1 else iter([job("anew")])


@pytest.mark.parametrize(("pause_s", "found"), [(5, ["one", "two"]), (LISTING_S, ["anew"])], ids=["soon", "too late"])
def test_listing_that_was_left_is_gone_on_with_by_the_next_who_asks(
    clock: Clock, pause_s: float, found: list[str]
) -> None:
    tree = Tree(LongService(), tree_settings(list_ttl_s=60), clock=clock)
    tree.start()
    tree.seed([vault("photos")])
    with pytest.raises(InterruptedCallError):
        names(tree, "/photos")
    clock.advance(pause_s)
    assert names(tree, "/photos") == found
    tree.stop()


def test_listing_is_gone_at_once_when_nobody_has_it_any_more() -> None:
    gc.disable()
    try:
        begun = PartialListing(lambda _: iter([job("one")]), "photos", Deadline.after(60))
        begun.finish({})
        left = weakref.ref(begun)
        del begun
        assert left() is None
    finally:
        gc.enable()
