"""Where a flight may go from where it is."""

import itertools

import pytest

from casfs.data.content import Content
from casfs.data.fetch.flight import OVER, TRANSITIONS, Flight, State
from casfs.data.settings import Verify
from casfs.stats import Stats
from casfs.waiting import Deadline
from tests.data.service import MIB, archive

ALLOWED = {
    (State.QUEUED, State.LOOKED_FOR),
    (State.LOOKED_FOR, State.QUEUED),
    (State.LOOKED_FOR, State.LANDED),
    (State.LOOKED_FOR, State.FAILED),
    (State.QUEUED, State.SENT),
    (State.QUEUED, State.FAILED),
    (State.QUEUED, State.CALLED_BACK),
    (State.SENT, State.YIELDING),
    (State.SENT, State.LANDED),
    (State.SENT, State.FAILED),
    (State.YIELDING, State.QUEUED),
    (State.YIELDING, State.LANDED),
    (State.YIELDING, State.FAILED),
}


def flight(state: State = State.QUEUED) -> Flight:
    content = Content(archive(b"?"), 9 * MIB, Verify.AUTO, Stats())
    made = Flight(content, range(1), Deadline.after(20))
    made.state = state
    return made


@pytest.mark.parametrize(("before", "after"), list(itertools.product(State, State)), ids=lambda state: state.name)
def test_a_flight_goes_where_it_may_and_nowhere_else(before: State, after: State) -> None:
    made = flight(before)
    if (before, after) in ALLOWED:
        made.enter(after)
        assert made.state is after
    else:
        with pytest.raises(RuntimeError, match=f"{before.name} cannot be {after.name}"):
            made.enter(after)
        assert made.state is before


def test_every_state_says_what_follows_and_three_of_them_are_the_end() -> None:
    assert TRANSITIONS.keys() == set(State)
    assert {state for state, after in TRANSITIONS.items() if not after} == OVER
    assert {after for all_after in TRANSITIONS.values() for after in all_after} == set(State)


@pytest.mark.parametrize("state", State, ids=lambda state: state.name)
def test_nobody_needs_what_is_over_or_what_nobody_waits_for(state: State) -> None:
    made = flight(state)
    assert made.is_useless()
    made.readers = 1
    assert made.is_useless() is (state in OVER)
