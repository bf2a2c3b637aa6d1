"""Several outputs fetched at once: in which order, what is told, and how it ends."""

import threading
from collections.abc import Sequence

import pytest

from casfs.cache.target import Advance, Holding, Outcome, Target
from casfs.cache.warming import Listener, Warming
from casfs.errors import GoneError
from tests.cache.shelves import ABSENT, DONE, MIB, StandInShelf, Time, target


class Notes:
    """What was told."""

    def __init__(self) -> None:
        self.fetched = 0
        self.late: list[tuple[list[str], float]] = []
        self.listener = Listener(self.advance, self.note_late)

    def advance(self, count: int) -> None:
        self.fetched += count

    def note_late(self, late: Sequence[Target], rate: float) -> None:
        self.late.append(([one.name for one in late], rate))


def run(
    targets: list[Target], notes: Notes | None = None, side_by_side: int = 1, ends_s: float | None = None,
    time: Time | None = None,
) -> dict[str, Outcome]:  # fmt: skip
    warming = Warming(targets, (notes or Notes()).listener, side_by_side, ends_s, (time or Time()).wall)
    return {outcome.name: outcome for outcome in warming.outcomes()}


def test_one_after_the_other_the_soonest_to_expire_is_first() -> None:
    shelf = StandInShelf()
    found = run([target(name, expires_s=at, shelf=shelf) for name, at in {"c": 30, "a": 10, "b": 20}.items()])
    assert shelf.asked == ["a", "b", "c"]
    assert {name: (one.error, one.holding) for name, one in found.items()} == dict.fromkeys("abc", (None, DONE))


def test_as_many_as_were_asked_for_are_fetched_at_once() -> None:
    together = threading.Barrier(3)

    def meet(_target: Target, _advance: Advance) -> Holding:
        together.wait(60)
        return DONE

    shelf = StandInShelf(meet)
    assert len(run([target(str(number), shelf=shelf) for number in range(6)], side_by_side=3)) == 6


def test_one_that_fails_leaves_the_others_alone() -> None:
    def fail(one: Target, _advance: Advance) -> Holding:
        if one.name == "b":
            raise GoneError("the service no longer has it")
        return DONE

    shelf = StandInShelf(fail)
    found = run([target(name, shelf=shelf) for name in "abc"])
    assert {name: one.error for name, one in found.items()} == {
        "a": None, "b": "the service no longer has it", "c": None
    }  # fmt: skip


@pytest.mark.parametrize(
    ("holding", "error"),
    [
        (Holding("whole", "whole"), None),
        (Holding("whole", "unavailable"), None),
        (Holding("3/4", "whole"), "the cache did not keep all of it: 3/4"),
        (Holding("none", "whole"), "the cache did not keep all of it: none"),
        (Holding("whole", "3/4"), "not all of it could be checked: 3/4"),
        (Holding("whole", "mismatch"), "its bytes are not what the service's hash says"),
    ],
    ids=lambda value: f"{value.cached}, {value.verification}" if isinstance(value, Holding) else "",
)
def test_what_is_not_whole_and_checked_afterwards_says_why(holding: Holding, error: str | None) -> None:
    found = run([target("a", shelf=StandInShelf(lambda _target, _advance: holding))])
    assert found["a"].error == error


def test_the_rate_tells_what_will_be_late_once_before_its_turn() -> None:
    notes, time = Notes(), Time()

    def fetch(one: Target, advance: Advance) -> Holding:
        advance(one.size)
        time.now_s += 10
        return DONE

    shelf = StandInShelf(fetch)
    sizes = {"first": (10, 15), "large": (30, 35), "small": (10, 36), "third": (10, 60)}
    found = run([target(name, size * MIB, at, shelf=shelf) for name, (size, at) in sizes.items()], notes, time=time)
    assert shelf.asked == ["first", "small", "third", "large"]
    assert notes.late == [(["large"], float(MIB))]
    assert notes.fetched == 60 * MIB
    assert {one.error for one in found.values()} == {None}, "what is late is tried all the same"


def test_what_has_expired_by_its_date_is_tried_last() -> None:
    shelf = StandInShelf()
    run([target("old", expires_s=5, shelf=shelf), target("new", expires_s=50, shelf=shelf)], time=Time(10))
    assert shelf.asked == ["new", "old"]


def test_when_the_time_is_over_what_is_not_there_is_told_and_nothing_is_begun() -> None:
    time, release = Time(), threading.Event()

    def hang(one: Target, _advance: Advance) -> Holding:
        if one.name == "a":
            return DONE
        time.now_s = 100
        release.wait(60)
        return DONE

    shelf = StandInShelf(hang)
    found = run([target(name, shelf=shelf) for name in "abc"], ends_s=50, time=time)
    release.set()
    assert {name: one.error for name, one in found.items()} == {
        "a": None, "b": "the deadline passed", "c": "the deadline passed before its turn"
    }  # fmt: skip
    assert shelf.asked == ["a", "b"]
    assert found["b"].holding == ABSENT


def test_nothing_to_fetch_ends_at_once() -> None:
    assert run([]) == {}
