"""What a run does not get, or not at once: what it tries again, what it gives up, and what ends it."""

import re
import resource
from pathlib import Path

import pytest

from casfs.drain.archive import Entry, State
from casfs.drain.trouble import Trouble
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
from tests.data.service import MIB
from tests.drain.simulation import HOUR, SECOND, Simulation, contents, failing

DONE, FAILED, GONE = State.DONE, State.FAILED, State.GONE


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


def test_a_refusal_that_may_pass_is_met_again_later_and_not_paid_for_again(tmp_path: Path) -> None:
    drain = Simulation(tmp_path, contents(2))
    drain.service.on_open = failing(3, muttering, of="archive-001")
    assert drain.run() == {DONE: 2}
    assert len(drain.service.begun) == 2


def test_a_request_that_anybody_may_have_refused_is_made_again_later(tmp_path: Path) -> None:
    drain = Simulation(tmp_path, contents(2))
    drain.service.on_retrieve = failing(3, muttering, of="archive-001")
    listing = failing(3, muttering)
    drain.service.on_list = lambda: listing("")
    assert drain.run() == {DONE: 2}
    assert sorted(drain.service.begun) == ["archive-000", "archive-001"]
    assert drain.watch.notes == []


def test_an_archive_that_is_always_refused_so_is_asked_for_ever_more_rarely_and_given_up(tmp_path: Path) -> None:
    drain = Simulation(tmp_path, contents(3), takes_ns=60 * SECOND, step_s=0.5)
    drain.service.on_retrieve = failing(10**6, muttering, of="archive-001")
    assert drain.run() == {DONE: 2, FAILED: 1}
    (why,) = drain.reasons()
    assert re.fullmatch(r"\d+ requests were refused: HTTP 404; another run asks for it again", why)
    assert 5 <= drain.service.log.count("retrieve") - 2 <= 12
    drain.service.on_retrieve = lambda _: None
    assert drain.run() == {DONE: 3}


def test_a_proxy_that_begins_no_job_ends_the_run_though_it_lists_them(tmp_path: Path) -> None:
    drain = Simulation(tmp_path, contents(50))
    drain.service.on_retrieve = failing(10**6, muttering)
    began_ns = drain.service.now_ns
    with pytest.raises(RefusedError, match="404"):
        drain.run()
    assert 120 * SECOND <= drain.service.now_ns - began_ns < HOUR
    assert drain.service.log.count("retrieve") <= 16 * 12


def test_a_proxy_that_lists_no_jobs_is_waited_for_an_hour(tmp_path: Path) -> None:
    drain = Simulation(tmp_path, contents(2))
    listing = failing(10**6, muttering)
    drain.service.on_list = lambda: listing("")
    began_ns = drain.service.now_ns
    with pytest.raises(RefusedError, match="404"):
        drain.run()
    assert HOUR < drain.service.now_ns - began_ns < 2 * HOUR


def muttering() -> RefusedError:
    error = RefusedError("HTTP 404")
    error.may_pass = True
    return error


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


def test_a_file_that_is_too_large_for_the_file_system_keeps_no_other_from_being_brought(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    drain = Simulation(tmp_path, {"a": bytes(3 * MIB), "b": b"2", "c": b"3"})
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    request.addfinalizer(lambda: resource.setrlimit(resource.RLIMIT_FSIZE, unlimited))
    resource.setrlimit(resource.RLIMIT_FSIZE, (2 * MIB, unlimited[1]))
    assert drain.run() == {DONE: 2, FAILED: 1}
    assert any("a: File too large" in why for why in drain.reasons())
    resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    assert drain.run() == {DONE: 3}
    assert len(drain.service.begun) == 3


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
