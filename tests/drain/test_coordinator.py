"""What a run asks for, pays for and downloads, over days that pass in no time."""

import time
from pathlib import Path

import pytest

from casfs.drain.archive import State
from casfs.drain.ledger.ledger import Ledger
from casfs.drain.times import steady
from casfs.drain.waves import Bounds
from casfs.errors import (
    AccessDeniedError,
    ServiceError,
    UnreachableError,
)
from tests.drain.simulation import HOUR, SECOND, Simulation, contents, failing

DONE, FAILED, GONE = State.DONE, State.FAILED, State.GONE


def test_everything_is_asked_for_once_and_is_where_it_was_to_go(tmp_path: Path) -> None:
    drain = Simulation(tmp_path, contents(20))
    assert drain.run() == {DONE: 20}
    assert sorted(drain.service.begun) == sorted(drain.service.contents)
    assert {path.name: path.read_bytes() for path in drain.out.iterdir()} == drain.service.contents
    assert drain.service.log[0] == "list"
    begun, listed = drain.service.log.count("retrieve"), drain.service.log.count("list")
    assert (begun, drain.watch.last.retrievals[0]) == (20, 20)
    assert listed <= 8 * 12 + 3, "a list each poll of the eight hours that jobs take, and few more"
    before = len(drain.service.log)
    assert drain.run() == {DONE: 20}
    assert len(drain.service.log) == before


def test_jobs_that_there_are_already_are_not_paid_for_again(tmp_path: Path) -> None:
    drain = Simulation(tmp_path, contents(6))
    for name in ("archive-000", "archive-001"):
        drain.service.begin(name)
    drain.service.begin("archive-002", takes_ns=0)
    drain.service.begin("archive-003", takes_ns=0, fails="no luck")
    assert drain.run() == {DONE: 6}
    assert sorted(drain.service.begun) == ["archive-003", "archive-004", "archive-005"]


@pytest.mark.parametrize("is_begun", [True, False])
def test_an_answer_that_was_lost_is_looked_for_before_it_is_asked_for_again(tmp_path: Path, *, is_begun: bool) -> None:
    drain = Simulation(tmp_path, contents(2))

    def lose(archive: str) -> None:
        drain.service.on_retrieve = lambda _: None
        if is_begun:
            drain.service.begin(archive)
        raise ServiceError("the answer was lost")

    drain.service.on_retrieve = lose
    assert drain.run() == {DONE: 2}
    assert len(drain.service.jobs_by_id) == 2


def test_a_ledger_that_was_lost_costs_nothing(tmp_path: Path) -> None:
    drain = Simulation(tmp_path, contents(5))
    assert drain.run() == {DONE: 5}
    opened = list(drain.service.opened)
    drain.ledger.unlink()
    drain.service.now_ns += 30 * HOUR
    assert drain.run() == {DONE: 5}
    assert (len(drain.service.begun), drain.service.opened) == (5, opened)


def test_a_ledger_that_was_lost_while_jobs_run_costs_nothing(tmp_path: Path) -> None:
    drain = Simulation(tmp_path, contents(5))
    drain.service.on_open = failing(1, lambda: AccessDeniedError("for now"))
    with pytest.raises(AccessDeniedError):
        drain.run()
    drain.ledger.unlink()
    assert drain.run() == {DONE: 5}
    assert len(drain.service.begun) == 5


def test_outputs_that_expire_before_their_turn_are_asked_for_again_up_to_the_bound(tmp_path: Path) -> None:
    drain = Simulation(tmp_path, contents(4, size=1000), speed=1000 / (10 * 3600), lives_ns=15 * HOUR)
    assert drain.run(jobs=1) == {DONE: 4}
    assert 4 < len(drain.service.begun) <= 8, "two outputs of ten hours each get out in fifteen"

    drain = Simulation(tmp_path / "other", contents(2), lives_ns=0)
    assert drain.run(attempts=2) == {FAILED: 2}
    assert len(drain.service.begun) == 4
    assert "2 retrievals; --attempts allows more" in drain.reasons()[0]
    assert drain.run(attempts=2) == {FAILED: 2}
    assert len(drain.service.begun) == 4, "attempts count over all runs"
    drain.service.lives_ns = 24 * HOUR
    assert drain.run(attempts=3) == {DONE: 2}
    assert len(drain.service.begun) == 6


def test_those_that_expire_first_are_downloaded_first(tmp_path: Path) -> None:
    drain = Simulation(tmp_path, contents(5))
    for number in (3, 1, 4, 0, 2):
        age = {3: 5, 1: 4, 4: 3, 0: 2, 2: 1}[number]
        drain.service.begin(f"archive-00{number}", began_ns=drain.service.now_ns - age * HOUR, takes_ns=0)
    assert drain.run(jobs=1) == {DONE: 5}
    assert [job[-3:] for job in drain.service.opened] == ["003", "001", "004", "000", "002"]


def test_no_more_is_asked_for_than_may_wait_and_one_archive_always_is(tmp_path: Path) -> None:
    drain = Simulation(tmp_path, contents(10))
    assert drain.run(bounds=Bounds(3100, None)) == {DONE: 10}
    assert drain.watch.most_waiting <= 3100
    assert drain.service.log.count("retrieve") == 10

    large = Simulation(tmp_path / "large", contents(3, size=5000))
    assert large.run(bounds=Bounds(10, None)) == {DONE: 3}
    assert large.watch.most_waiting < 5100


def test_no_more_is_asked_for_in_any_day_than_the_quota_of_a_day(tmp_path: Path) -> None:
    drain = Simulation(tmp_path, contents(10))
    asked: list[int] = []
    drain.service.on_retrieve = lambda _: asked.append(drain.service.now_ns)
    assert drain.run(bounds=Bounds(1 << 40, 3100)) == {DONE: 10}
    assert len(asked) == 10
    for begin_ns in asked:
        assert sum(begin_ns <= each < begin_ns + 24 * HOUR for each in asked) <= 3
    assert asked[-1] - asked[0] < 4 * 24 * HOUR


def test_a_slow_link_is_not_given_more_than_it_brings(tmp_path: Path) -> None:
    drain = Simulation(tmp_path, contents(40), speed=1000 / 3600)
    drain.enter()
    with Ledger(drain.ledger) as ledger, ledger.step():
        ledger.put("speed", 1000 / 3600)
    assert drain.run(jobs=1, attempts=1) == {DONE: 40}, "an hour each, and none waited for a day"
    assert drain.watch.most_waiting <= 20 * 1000


def test_a_host_that_slept_does_not_end_the_run_by_the_first_error_after(tmp_path: Path) -> None:
    drain = Simulation(tmp_path, contents(2))

    def sleep(_: str) -> None:
        drain.service.on_open = lambda _: None
        drain.service.now_ns += 5 * HOUR
        raise UnreachableError("the connection of before")

    drain.service.on_open = sleep
    assert drain.run() == {DONE: 2}


def test_a_clock_that_is_set_moves_nothing_that_a_run_waits_for() -> None:
    wall, boot = [1_700_000_000 * SECOND], [77 * SECOND]
    now_ns = steady(lambda: wall[0], lambda: boot[0])
    assert now_ns() == wall[0]
    wall[0] -= 24 * HOUR
    boot[0] += 5 * SECOND
    assert now_ns() == 1_700_000_005 * SECOND
    assert abs(steady()() - time.time_ns()) < HOUR


def test_without_a_hash_in_the_inventory_it_is_the_jobs(tmp_path: Path) -> None:
    drain = Simulation(tmp_path, contents(2))
    drain.enter(hashes=False)
    assert drain.run() == {DONE: 2}
    with Ledger(drain.ledger) as ledger:
        assert {line["hash_from"] for line in ledger.archives.manifest()} == {"job"}


def test_a_job_that_a_list_does_not_have_yet_is_asked_for_by_its_id(tmp_path: Path) -> None:
    drain = Simulation(tmp_path, contents(2))
    drain.service.shows_after_ns = 400 * SECOND
    assert drain.run() == {DONE: 2}
    assert len(drain.service.begun) == 2
