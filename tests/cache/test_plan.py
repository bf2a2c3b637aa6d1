"""What is fetched first, what will be too late, and what has no room."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casfs.cache.plan import OVERHEAD_BYTES, planned, without_room
from casfs.cache.target import Cache, Holding, Target
from tests.cache.shelves import ABSENT, DONE, MIB, S, target


def names(targets: object) -> list[str]:
    assert isinstance(targets, list)
    return [one.name for one in targets]


def test_soonest_to_expire_is_first_and_what_never_does_is_last() -> None:
    plan = planned([target("b", expires_s=20), target("never"), target("a", expires_s=10)], 0, None)
    assert (names(plan.order), names(plan.late)) == (["a", "b", "never"], [])


def test_without_a_rate_only_what_has_expired_is_late() -> None:
    plan = planned([target("old", expires_s=5), target("new", size=1 << 40, expires_s=11)], 10 * S, None)
    assert (names(plan.order), names(plan.late)) == (["new", "old"], ["old"])


def test_where_not_all_can_be_had_the_largest_is_left_for_the_end() -> None:
    targets = [
        target("large", size=10 * MIB, expires_s=10),
        target("small", size=MIB, expires_s=10.5),
        target("other", size=MIB, expires_s=11),
    ]
    plan = planned(targets, 0, float(MIB))
    assert (names(plan.order), names(plan.late)) == (["small", "other", "large"], ["large"])
    assert names(planned(targets, 0, 2.0 * MIB).late) == []


def test_what_is_there_already_takes_no_time() -> None:
    half = target("half", size=10 * MIB, expires_s=5, holding=Holding("5/10", "5/10"))
    assert half.missing_bytes == 5 * MIB
    assert names(planned([half], 0, float(MIB)).late) == []
    assert names(planned([target("none", size=10 * MIB, expires_s=5)], 0, float(MIB)).late) == ["none"]


def test_a_deadline_counts_as_an_expiry_of_all() -> None:
    targets = [target("a", size=3 * MIB, expires_s=100), target("b", size=3 * MIB)]
    plan = planned(targets, 0, float(MIB), 4 * S)
    assert (names(plan.order), names(plan.late)) == (["b", "a"], ["a"])


def test_where_the_deadline_is_before_all_that_expires_the_soonest_to_expire_is_first_still() -> None:
    plan = planned([target("a", expires_s=200), target("b", expires_s=100)], 0, None, 50 * S)
    assert names(plan.order) == ["b", "a"]


def in_time(order: object, rate: float) -> int:
    """Count those of an order that are there before they expire."""
    assert isinstance(order, tuple | list)
    done, found = 0.0, 0
    for one in order:
        done += one.missing_bytes / rate
        found += one.expires_ns is None or done <= one.expires_ns / S
    return found


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 12)), max_size=5))
def test_no_other_order_has_more_in_time(jobs: list[tuple[int, int]]) -> None:
    targets = [target(str(number), size * MIB, expires) for number, (size, expires) in enumerate(jobs)]
    plan = planned(targets, 0, float(MIB))
    assert sorted(names(plan.order)) == sorted(one.name for one in targets)
    chosen = [one for one in plan.order if one not in plan.late]
    assert in_time(chosen, MIB) == len(chosen)
    assert len(chosen) == max(in_time(order, MIB) for order in permutations(targets))


def sized(name: str, size: int, expires_s: float, holding: Holding = ABSENT, cache: str = "a") -> Target:
    return target(name, size, expires_s, holding=holding, cache=Cache(cache, 10 * MIB))


def test_what_does_not_fit_beside_what_expires_sooner_has_no_room() -> None:
    targets = [sized("later", 6 * MIB, 20), sized("sooner", 6 * MIB, 10), sized("small", MIB, 30)]
    assert names(without_room(targets)) == ["later"]


def test_what_is_there_already_keeps_its_room() -> None:
    targets = [sized("sooner", 6 * MIB, 10), sized("there", 6 * MIB, 20, DONE)]
    assert names(without_room(targets)) == ["sooner"]


def test_each_cache_has_room_of_its_own() -> None:
    targets = [sized("one", 9 * MIB, 10, cache="a"), sized("two", 9 * MIB, 20, cache="b")]
    assert without_room(targets) == []


@pytest.mark.parametrize(("size", "fits"), [(10 * MIB - OVERHEAD_BYTES, True), (10 * MIB, False)])
def test_a_cache_holds_less_than_its_bound_of_bytes(size: int, fits: bool) -> None:  # noqa: FBT001 - a parameter
    assert (without_room([sized("one", size, 10)]) == []) is fits
