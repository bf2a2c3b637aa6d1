"""What a run asks for, pays for and downloads, over days that pass in no time."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from casfs.drain.archive import Entry, State
from casfs.drain.ledger.ledger import Ledger
from casfs.drain.loading import Trouble
from casfs.drain.times import steady
from casfs.drain.waves import Bounds
from casfs.drain.work import Loaded
from casfs.errors import (
    AccessDeniedError,
    CorruptDataError,
    DestinationError,
    GoneError,
    NotFoundError,
    ProtocolError,
    QuotaError,
    RefusedError,
    ServiceError,
    ThrottledError,
    TransferError,
    UncheckableError,
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


def test_what_a_policy_refuses_waits_and_is_said(tmp_path: Path) -> None:
    drain = Simulation(tmp_path, contents(5))
    began_ns = drain.service.now_ns

    def refuse(_: str) -> None:
        if drain.service.now_ns < began_ns + 20 * HOUR:
            raise QuotaError("Exceeded the policy (HTTP 400, PolicyEnforcedException)")

    drain.service.on_retrieve = refuse
    assert drain.run() == {DONE: 5}
    assert drain.service.log.count("retrieve") < 5 + 16 + 30, "each hour once, and not in a hurry"
    assert "PolicyEnforcedException" in drain.watch.notes[0]
    assert "wait until 2023-11-14T" in drain.watch.notes[0]


def test_storms_are_waited_out(tmp_path: Path) -> None:
    drain = Simulation(tmp_path, contents(5))
    drain.service.on_retrieve = failing(7, lambda: ThrottledError("slowly"))
    drain.service.on_open = failing(9, lambda: ServiceError("503"))
    listing = failing(6, lambda: UnreachableError("no route"))
    drain.service.on_list = lambda: listing("")
    assert drain.run(attempts=1) == {DONE: 5}
    assert len(drain.service.jobs_by_id) == 5


def test_a_service_that_nobody_reaches_for_an_hour_ends_the_run(tmp_path: Path) -> None:
    drain = Simulation(tmp_path, contents(2))
    listing = failing(10**6, lambda: UnreachableError("no route"))
    drain.service.on_list = lambda: listing("")
    began_ns = drain.service.now_ns
    with pytest.raises(UnreachableError):
        drain.run()
    assert HOUR < drain.service.now_ns - began_ns < 2 * HOUR
    assert drain.service.begun == []


@pytest.mark.parametrize(
    "error", [lambda: CorruptDataError("wrong"), lambda: GoneError("gone"), lambda: NotFoundError("none")]
)
def test_an_output_that_is_no_use_is_retrieved_again_and_given_up_in_the_end(tmp_path: Path, error: object) -> None:
    assert callable(error)
    drain = Simulation(tmp_path, contents(3))
    drain.service.on_open = failing(10**6, error, of="archive-001")
    assert drain.run() == {DONE: 2, FAILED: 1}
    assert drain.service.begun.count("archive-001") == 3
    assert len(drain.service.begun) == 5


def test_bytes_that_are_not_those_of_the_inventory_never_get_a_name(tmp_path: Path) -> None:
    drain = Simulation(tmp_path, contents(2))
    drain.enter()
    drain.service.contents["archive-001"] = b"x" * 1001
    assert drain.run() == {DONE: 1, FAILED: 1}
    assert {path.name for path in drain.out.iterdir()} <= {"archive-000", ".casfs-part"}
    assert "tree hash" in drain.reasons()[0]
    drain.service.contents["archive-001"] = b"x" * 7
    drain.service.now_ns += 48 * HOUR
    assert drain.run(attempts=4) == {DONE: 1, FAILED: 1}
    assert "7 bytes, and the inventory says 1001" in drain.reasons()[0]


@pytest.mark.parametrize("error", [RefusedError, ProtocolError, UncheckableError])
def test_what_no_other_retrieval_mends_is_not_paid_for_again(tmp_path: Path, error: type[RefusedError]) -> None:
    drain = Simulation(tmp_path, contents(2))
    drain.service.on_open = failing(10**6, lambda: error("no"), of="archive-001")
    assert drain.run() == {DONE: 1, FAILED: 1}
    assert len(drain.service.begun) == 2
    drain.service.on_open = lambda _: None
    assert drain.run() == {DONE: 2}, "a run begins by trying again what was given up"
    assert len(drain.service.begun) == 2


def test_an_archive_that_the_vault_has_no_more_is_gone(tmp_path: Path) -> None:
    drain = Simulation(tmp_path, contents(3))
    drain.enter()
    del drain.service.contents["archive-001"]
    assert drain.run() == {DONE: 2, GONE: 1}
    assert drain.service.log.count("retrieve") == 3
    assert drain.run() == {DONE: 2, GONE: 1}
    assert drain.service.log.count("retrieve") == 4


def test_a_job_that_fails_counts_as_an_attempt(tmp_path: Path) -> None:
    drain = Simulation(tmp_path, contents(2))

    def doom(archive: str) -> None:
        if archive == "archive-001":
            drain.service.begun.append(archive)
            drain.service.begin(archive, fails="no luck")
            raise ProtocolError("begun, and nobody knows which")

    drain.service.on_retrieve = doom
    assert drain.run(attempts=2) == {DONE: 1, FAILED: 1}
    assert drain.service.begun.count("archive-001") == 2
    assert "the job failed: no luck" in drain.reasons()[0]


def test_what_every_archive_is_refused_for_ends_the_run(tmp_path: Path) -> None:
    drain = Simulation(tmp_path, contents(50))
    drain.service.on_retrieve = failing(10**6, lambda: RefusedError("Invalid tier"))
    with pytest.raises(RefusedError, match="tier"):
        drain.run()
    assert drain.service.log.count("retrieve") <= 16 + 10

    some = Simulation(tmp_path / "some", contents(50))
    some.service.on_retrieve = failing(10**6, lambda: RefusedError("too large"), of="archive-01")
    assert some.run() == {DONE: 40, FAILED: 10}


def test_whom_the_service_refuses_ends_the_run_and_goes_on_later(tmp_path: Path) -> None:
    drain = Simulation(tmp_path, contents(3))
    drain.service.on_retrieve = failing(1, lambda: AccessDeniedError("no permission"))
    with pytest.raises(AccessDeniedError):
        drain.run()
    assert drain.run() == {DONE: 3}
    assert len(drain.service.jobs_by_id) == 3


def test_a_destination_that_fails_ends_the_run_and_a_name_that_cannot_be_does_not(tmp_path: Path) -> None:
    drain = Simulation(tmp_path, contents(3))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "archive-001").mkdir()
    assert drain.run() == {DONE: 2, FAILED: 1}
    (tmp_path / "out" / "archive-001").rmdir()
    assert drain.run() == {DONE: 3}
    assert len(drain.service.begun) == 3

    full = Simulation(tmp_path / "full", contents(3))
    (tmp_path / "full").mkdir(exist_ok=True)
    (tmp_path / "full" / "out").write_text("no folder")
    with pytest.raises(DestinationError):
        full.run()
    (tmp_path / "full" / "out").unlink()
    assert full.run() == {DONE: 3}
    assert len(full.service.begun) <= 3


@pytest.mark.parametrize("hashes", [True, False], ids=["asked for", "downloaded"])
def test_a_link_in_the_way_is_told_of_the_archive_that_needs_it(tmp_path: Path, *, hashes: bool) -> None:
    drain = Simulation(tmp_path, {"a/1": b"1", "b/2": b"2", "c/3/4": b"3"})
    drain.enter(hashes=hashes)
    drain.out.mkdir()
    (tmp_path / "outside").mkdir()
    (drain.out / "b").symlink_to(tmp_path / "outside")
    (drain.out / "c").write_bytes(b"a file")
    assert drain.run() == {DONE: 1, FAILED: 2}
    assert any("'b' in it is a symbolic link" in why for why in drain.reasons())
    assert any("'c' in it is no folder" in why for why in drain.reasons())
    assert list((tmp_path / "outside").iterdir()) == []


def test_an_output_that_never_comes_is_given_up_and_costs_nothing_more(tmp_path: Path) -> None:
    drain = Simulation(tmp_path, contents(3), lives_ns=10**6 * HOUR)
    drain.service.on_open = failing(10**6, lambda: TransferError("reset"), of="archive-001")
    assert drain.run() == {DONE: 2, FAILED: 1}
    opened = sum("archive-001" in job for job in drain.service.opened)
    assert 5 <= opened <= 12
    (why,) = drain.reasons()
    assert re.fullmatch(r"\d+ downloads brought nothing: reset; another run tries the same job again", why)
    drain.service.on_open = lambda _: None
    assert drain.run() == {DONE: 3}
    assert len(drain.service.begun) == 3


def test_a_link_that_is_down_gives_up_no_output(tmp_path: Path) -> None:
    drain = Simulation(tmp_path, contents(3))
    drain.service.on_open = failing(30, lambda: UnreachableError("no route"))
    assert drain.run() == {DONE: 3}
    assert drain.watch.notes == []


@pytest.mark.parametrize(("moved", "is_for_ever"), [(0, True), (100, False), (900, True)])
def test_downloads_that_bring_more_each_time_are_gone_on_with(*, moved: int, is_for_ever: bool) -> None:
    entry = Entry(1, "a", 1000, None, "", "a", State.LOADING)
    trouble = Trouble(0)
    for try_ in range(9):
        trouble.add(Loaded(entry, None, TransferError("reset"), moved), try_ * 60 * SECOND, try_ * 60 * SECOND)
    assert trouble.is_for_ever(9 * 60 * SECOND) == is_for_ever


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


class CrashError(BaseException):
    """A kill."""


class CrashingLedger(Ledger):
    """A ledger whose process is killed at one of its steps: before it is on disk, or just after."""

    left = 0
    is_after = False

    @contextmanager
    def step(self) -> Iterator[None]:
        self.left -= 1
        if self.left < 0 and not (self.left == -1 and self.is_after):
            raise CrashError
        with super().step():
            yield
        if self.left < 0:
            raise CrashError


@pytest.mark.parametrize("is_after", [False, True])
def test_a_run_that_is_killed_at_any_step_of_the_ledger_is_gone_on_with(tmp_path: Path, *, is_after: bool) -> None:
    for step in range(200):
        drain = Simulation(tmp_path / str(step), contents(3), takes_ns=600 * SECOND)
        drain.enter()
        ledger = CrashingLedger(drain.ledger)
        ledger.left, ledger.is_after = step, is_after
        try:
            drain.run(killed=ledger)
        except CrashError:
            assert drain.run() == {DONE: 3}
        else:
            break
        assert len(drain.service.jobs_by_id) == 3, f"killed at step {step}, something was paid for twice"
        names = [job.rpartition("-of-")[2] for job in drain.service.opened]
        assert all(names.count(name) <= 2 for name in names)
    assert 6 < step < 199
