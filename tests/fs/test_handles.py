"""Numbers of open files."""

import pytest

from casfs.errors import BadHandleError
from casfs.fs.handles import Handles, Opened
from casfs.tree.nodes import OutputFile
from tests.fs.stands import Behaviour, StandInOutputs, StandInReader, job


def opened() -> Opened:
    return Opened(OutputFile(job("a", 1)), StandInReader(StandInOutputs(), Behaviour(), 1), "/vault/a/output")


def test_a_number_leads_to_what_was_opened_until_it_is_taken() -> None:
    handles, first, second = Handles(), opened(), opened()
    fh = handles.add(first)
    other = handles.add(second)
    assert handles.get(fh) is first
    assert handles.take(fh) is first
    assert handles.get(other) is second


def test_a_number_is_never_given_twice() -> None:
    handles = Handles()
    numbers = [handles.add(opened())]
    handles.take(numbers[0])
    numbers += [handles.add(opened()) for _ in range(3)]
    assert len(set(numbers)) == 4


@pytest.mark.parametrize("fh", [0, 1, 7])
def test_a_number_that_is_not_open_is_a_bad_handle(fh: int) -> None:
    handles = Handles()
    handles.take(handles.add(opened()))
    with pytest.raises(BadHandleError):
        handles.get(fh)
    with pytest.raises(BadHandleError):
        handles.take(fh)
