"""The service's clock."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casfs.api.clock import ServiceClock, seconds_of
from tests.conftest import Announce

NOON_S = 1500000000
NOON = "Fri, 14 Jul 2017 02:40:00 GMT"


@pytest.mark.parametrize(
    "date", [NOON, "Friday, 14-Jul-17 02:40:00 GMT", "Fri Jul 14 02:40:00 2017", "14 Jul 2017 04:40:00 +0200"]
)
def test_a_date_is_read_in_every_form_that_http_has_had(date: str) -> None:
    assert seconds_of(date) == NOON_S


@given(st.none() | st.text())
def test_any_text_is_a_date_or_none(date: str | None) -> None:
    assert seconds_of(date) is None or isinstance(seconds_of(date), float)


@pytest.mark.parametrize("off_s", [-86400, -61, 61, 3600, 86400])
def test_a_clock_that_is_off_is_corrected_once(off_s: int, announce: Announce) -> None:
    announce("behind the service's" if off_s < 0 else "ahead of the service's")
    clock = ServiceClock(lambda: NOON_S + off_s)
    assert clock.correct(NOON, clock.now_s())
    assert clock.now_s() == NOON_S
    assert not clock.correct(NOON, clock.now_s())


def test_whoever_was_refused_for_the_old_time_tries_again_though_another_has_corrected_it(announce: Announce) -> None:
    announce("behind the service's")
    clock = ServiceClock(lambda: NOON_S - 3600)
    signed_s = clock.now_s()
    assert [clock.correct(NOON, signed_s) for _ in range(3)] == [True] * 3
    assert clock.now_s() == NOON_S


@pytest.mark.parametrize("off_s", [-60, 0, 60])
def test_a_clock_that_is_nearly_right_is_not_what_was_refused(off_s: int) -> None:
    clock = ServiceClock(lambda: NOON_S + off_s)
    assert not clock.correct(NOON, clock.now_s())
    assert clock.now_s() == NOON_S + off_s


@pytest.mark.parametrize("off_s", [-(10**9), -86401, 86401, 10**9])
def test_a_clock_that_is_over_a_day_off_is_not_corrected(off_s: int) -> None:
    clock = ServiceClock(lambda: NOON_S + off_s)
    assert not clock.correct(NOON, clock.now_s())
    assert clock.now_s() == NOON_S + off_s
    assert "set it" in clock.too_far(NOON)


def test_many_corrections_come_to_no_more_than_a_day(announce: Announce) -> None:
    announce("behind the service's")
    clock = ServiceClock(lambda: NOON_S - 86400)
    assert clock.correct(NOON, clock.now_s())
    assert not clock.correct("Sat, 15 Jul 2017 02:40:00 GMT", clock.now_s())
    assert clock.now_s() == NOON_S


@pytest.mark.parametrize("date", [None, "", "yesterday"])
def test_an_answer_without_a_date_corrects_nothing(date: str | None) -> None:
    assert not ServiceClock(lambda: 0).correct(date, 0)
