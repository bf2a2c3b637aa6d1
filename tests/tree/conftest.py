"""A started tree over a scripted service and a clock that stands still."""

from collections.abc import Iterator

import pytest

from casfs.tree.tree import Tree
from tests.settings import tree_settings
from tests.tree.service import Clock, Service, job


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def service() -> Service:
    service = Service("photos", "empty")
    service.put(job("one"), job("two"))
    return service


@pytest.fixture
def tree(service: Service, clock: Clock) -> Iterator[Tree]:
    tree = Tree(service, tree_settings(list_ttl_s=60), clock=clock)
    tree.start()
    yield tree
    service.open.set()
    tree.stop()
