"""Which size a stat shows, and what it costs."""

import pytest

from casfs.fs.attrs import View
from casfs.fs.operations import Operations
from casfs.stats import Stats
from tests.fs.stands import Behaviour, StandInOutputs, StandInTree, job

UNKNOWN, KNOWN = "/vault/unknown/output", "/vault/known/output"


@pytest.fixture
def outputs() -> StandInOutputs:
    outputs = StandInOutputs()
    outputs.behaviours = {"unknown": Behaviour(size=5), "known": Behaviour(size=5)}
    return outputs


@pytest.fixture
def operations(outputs: StandInOutputs) -> Operations:
    tree = StandInTree([job("unknown", None), job("known", 7)])
    return Operations(tree, outputs, Stats(), View(0, 0, 0o400, 0o700))


def test_a_size_that_no_document_tells_is_asked_for_before_it_is_shown(operations: Operations) -> None:
    assert operations.getattr(UNKNOWN)["st_size"] == 5


def test_a_size_that_a_document_tells_costs_no_request(operations: Operations, outputs: StandInOutputs) -> None:
    assert operations.getattr(KNOWN)["st_size"] == 7
    assert list(operations.readdir("/vault/unknown", 0))
    assert outputs.readers == []


def test_a_size_that_was_learnt_at_open_is_shown_instead_of_the_documents(
    operations: Operations, outputs: StandInOutputs
) -> None:
    outputs.open(job("known", 7).output or pytest.fail("no output"))
    assert operations.getattr(KNOWN)["st_size"] == 5
