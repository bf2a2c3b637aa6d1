"""What a drain takes: waves, days and money, as arithmetic."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casfs.drain import prices
from casfs.drain.archive import Archive
from casfs.drain.choice import Choice, Chooser
from casfs.drain.plan import Plan, plan
from casfs.drain.speed import LEAST_BYTES, Speed
from casfs.drain.waves import LIFE_S, MARGIN_S, MOST_UNDER_WAY, Bounds, Room, ahead_of
from casfs.errors import ConfigError

SIZES = st.lists(st.integers(0, 50), max_size=20)


@given(SIZES, st.integers(1, 60), st.integers(1, 60) | st.none())
def test_what_is_asked_for_stays_within_the_bounds_but_for_one_archive(
    sizes: list[int], ahead: int, daily: int | None
) -> None:
    room, taken = Room(ahead, daily), list[int]()
    for size in sizes:
        if not room.fits(size):
            break
        room = room.after(size)
        taken.append(size)
    if sizes:
        assert taken
    assert sum(taken) <= ahead or len(taken) == 1 or sum(taken[1:]) == 0 or taken[0] + sum(taken[1:]) <= ahead
    if daily is not None:
        assert sum(taken) <= daily or sum(1 for size in taken if size) == 1


def test_room_comes_back_with_what_was_downloaded_and_with_the_day() -> None:
    assert not Room(100, None, waiting=90, under_way=1).fits(20)
    assert Room(100, None, waiting=80, under_way=1).fits(20)
    assert not Room(100, 50, waiting=0, today=40).fits(20)
    assert Room(100, 50, waiting=0, today=30).fits(20)
    assert Room(100, 50).fits(1000)
    assert not Room(100, None, under_way=MOST_UNDER_WAY).fits(1)


def test_a_slow_link_is_asked_for_no_more_than_it_brings_before_it_expires() -> None:
    assert ahead_of(Bounds(10**12, None), None) == 10**12
    assert ahead_of(Bounds(10**12, None), 1000.0) == int(1000 * (LIFE_S - MARGIN_S))
    assert ahead_of(Bounds(10, None), 1000.0) == 10


@given(SIZES, st.integers(1, 60), st.integers(1, 60) | st.none())
def test_a_plan_counts_everything_and_its_waves_are_what_asking_would_make_of_them(
    sizes: list[int], ahead: int, daily: int | None
) -> None:
    found = plan(sizes, Bounds(ahead, daily), "Bulk", None)
    assert (found.archives, found.size) == (len(sizes), sum(sizes))
    waves, left = 0, list(sizes)
    while left:
        room = Room(ahead, None)
        while left and room.fits(left[0]):
            room = room.after(left.pop(0))
        waves += 1
    assert found.waves == waves
    assert found.days >= waves / 2
    if daily is not None and sizes:
        assert found.days >= sum(sizes) / max(daily, *sizes) - 1


def test_a_plan_knows_the_speed_that_was_measured() -> None:
    assert plan([100] * 10, Bounds(1000, None), "Standard", None) == Plan(10, 1000, 1, 5 / 24)
    assert plan([86_400], Bounds(10**6, None), "Standard", 1.0).days == pytest.approx(5 / 24 + 1)
    assert plan([], Bounds(1000, 10), "Bulk", None) == Plan()


def test_speed_is_that_of_the_time_in_which_anything_was_downloaded() -> None:
    speed = Speed()
    assert speed.get() is None
    second = 10**9
    speed.add(0, 20 * second, 4 * LEAST_BYTES)
    speed.add(10 * second, 20 * second, 4 * LEAST_BYTES)
    assert speed.get() == 8 * LEAST_BYTES / 20
    speed.add(100 * second, 120 * second, 2 * LEAST_BYTES)
    assert speed.get() == 10 * LEAST_BYTES / 40
    speed.add(10_000 * second, 10_010 * second, LEAST_BYTES)
    assert speed.get() == LEAST_BYTES / 10


def test_speed_of_little_is_that_of_an_earlier_run() -> None:
    speed = Speed(5.0)
    speed.add(0, 10**9, LEAST_BYTES)
    speed.add(0, 100 * 10**9, 10)
    assert Speed(5.0).get() == 5.0
    assert speed.get() == (LEAST_BYTES + 10) / 100


ARCHIVE = Archive("the-id", "photos/2014/a.jpg", "2014-03-01T12:00:00.000Z", 1, None)


@pytest.mark.parametrize(
    ("choice", "has"),
    [
        (Choice(), True),
        (Choice(only="2014"), True),
        (Choice(only="^a.jpg"), False),
        (Choice(only="the-id"), False),
        (Choice(newer="2014-03-01T12:00:00Z"), True),
        (Choice(newer="2014-03-01T12:00:01Z"), False),
        (Choice(older="2014-03-01T12:00:00Z"), False),
        (Choice(older="2014-03-01T12:00:01Z"), True),
        (Choice(newer="2014-03-01", older="2014-03-02"), True),
        (Choice(newer="2014-03-01T13:00:00+01:00"), True),
    ],
)
def test_archives_are_chosen_by_description_and_date(choice: Choice, *, has: bool) -> None:
    assert Chooser(choice).has(ARCHIVE) is has


def test_an_archive_without_a_description_is_chosen_by_its_id_and_one_without_a_date_is_not_left_out() -> None:
    assert Chooser(Choice(only="^x-1$")).has(Archive("x-1", "", "", 1, None))
    assert Chooser(Choice(newer="2020-01-01", older="2020-01-02")).has(Archive("x-1", "", "soon", 1, None))


@pytest.mark.parametrize("choice", [Choice(only="("), Choice(newer="yesterday"), Choice(older="2014-13-01")])
def test_a_choice_that_cannot_be_read_is_an_error(choice: Choice) -> None:
    with pytest.raises(ConfigError, match=r"--(only|newer|older)"):
        Chooser(choice)


def test_the_price_of_a_retrieval_is_that_of_jobs_and_bytes_with_a_date_and_a_source() -> None:
    price = prices.find(prices.read(None), "glacier", "us-east-1", "Standard")
    assert price is not None
    assert price.of(15_000_000, 102_400 << 30)[0] == pytest.approx(750 + 1024)  # the example of the source
    assert price.date
    assert "AWS" in price.source


@pytest.mark.parametrize("tier", ["Expedited", "Standard", "Bulk"])
def test_no_price_is_made_up(tier: str) -> None:
    table = prices.read(None)
    assert prices.find(table, "cas", "ap-chengdu", tier) is None
    assert prices.find(table, "glacier", "xx-nowhere-1", tier) is None
    assert prices.find(table, "glacier", None, tier) is None
    assert prices.find(table, "glacier", "us-west-2", tier) is not None


def test_a_table_of_the_users_own_is_taken_and_one_that_is_none_is_named(tmp_path: Path) -> None:
    path = tmp_path / "prices.toml"
    path.write_text(
        '[cas]\ncurrency = "CNY"\ndate = "2026-11"\nsource = "our contract"\n'
        "[cas.ap-chengdu]\nBulk = { per_1000 = 1.0, per_gb = 2.0 }\nStandard = { per_gb = 1 }\n"
    )
    price = prices.find(prices.read(path), "cas", "ap-chengdu", "Bulk")
    assert price == prices.Price("CNY", 1.0, 2.0, 0.0, "2026-11", "our contract")
    with pytest.raises(ConfigError, match="Standard cannot be used"):
        prices.find(prices.read(path), "cas", "ap-chengdu", "Standard")
    path.write_text("[cas")
    with pytest.raises(ConfigError, match="--prices"):
        prices.read(path)
    with pytest.raises(ConfigError, match="No such file"):
        prices.read(tmp_path / "nothing")
