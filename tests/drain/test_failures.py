"""What goes wrong while a vault is emptied: it costs what it must, nothing is lost, and what is missing is said."""

import re
import signal
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from casfs.emulator.faults import Fault, Kind
from casfs.emulator.policy import Policy
from casfs.emulator.server import Server
from casfs.emulator.shaping import Shaping
from tests.drain.runs import LIMIT_S, Drain
from tests.drain.services import served
from tests.mounting import wait_until

COUNT = 12


@pytest.fixture(params=["cas", pytest.param("glacier", marks=pytest.mark.long)])
def drain(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Drain]:
    with served(request.param, COUNT, hostile=3) as service:
        yield Drain(service, tmp_path)


@pytest.fixture
def archives(drain: Drain) -> list[str]:
    return list(drain.served.archives)


@pytest.fixture
def server(drain: Drain) -> Server:
    return drain.served.server


def fail(drain: Drain, missing: str, *, says: str) -> None:
    """Run it to its end, which must tell that one archive is missing, and why; the others must be there."""
    size = drain.served.archives[missing].content.size
    done = drain.run()
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert f"1 of {COUNT} archives are missing, {size} bytes" in last
    assert re.search(says, last), last
    drain.check(done.stdout + done.stderr, missing=[missing])


def is_downloaded(server: Server, archive: str) -> bool:
    """Whether somebody has asked for an output of the archive."""
    return any(record.archive == archive and record.operation == "get_job_output" for record in server.requests)


def test_outputs_that_expire_before_their_turn_are_retrieved_once_more(
    drain: Drain, server: Server, archives: list[str]
) -> None:
    late = archives[2:9]
    server.faults.add(*(Fault(kind=Kind.EXPIRE, archive=each, operation="get_job_output") for each in late))
    drain.succeed()
    assert drain.served.paid() == Counter(archives) + Counter(late)


def test_a_job_that_vanishes_while_it_runs_is_begun_once_more(
    drain: Drain, server: Server, archives: list[str]
) -> None:
    server.state.tier_takes_s["Bulk"] = 3600.0
    vault = drain.served.vault
    with drain.start() as process:
        wait_until(lambda: drain.served.paid().total() == COUNT, "all are asked for", LIMIT_S)
        lost = next(iter(vault.jobs[job] for job in vault.job_ids if vault.jobs[job].action == "ArchiveRetrieval"))
        assert lost.retrieves is not None
        assert lost.retrieves.archive is not None
        server.state.expire("vault", lost.id)
        wait_until(lambda: drain.served.paid().total() > COUNT, "it is asked for again", LIMIT_S)
        process.kill()
        process.communicate()
    assert drain.served.paid() == Counter([*archives, lost.retrieves.archive.id])


def test_a_job_that_fails_is_begun_once_more_and_one_that_always_fails_not_for_ever(
    drain: Drain, server: Server, archives: list[str]
) -> None:
    torn = Fault(kind=Kind.FAIL, operation="initiate_job", archive=archives[3], message="The tape is torn.", times=None)
    server.faults.add(Fault(kind=Kind.FAIL, operation="initiate_job", archive=archives[8]), torn)
    fail(drain, archives[3], says="The tape is torn.")
    assert drain.served.paid() == Counter(archives) + Counter([archives[8], archives[3], archives[3]])


@pytest.mark.parametrize("hash_header", [None, ""], ids=["with a hash of each part", "with that of the whole alone"])
def test_an_output_that_is_corrupt_for_ever_is_given_up_and_never_there(
    drain: Drain, server: Server, archives: list[str], hash_header: str | None
) -> None:
    at, operation = 2_000_000, "get_job_output"
    server.faults.add(
        Fault(kind=Kind.FLIP, operation=operation, archive=archives[7], at=at, times=None, hash_header=hash_header)
    )
    if hash_header == "":
        server.faults.add(Fault(kind=Kind.NO_HASH, operation=operation, times=None))
    fail(drain, archives[7], says="hash|proved wrong")
    assert drain.served.paid()[archives[7]] <= 3
    assert drain.served.downloads()[archives[7]] <= 6


def test_an_archive_that_is_not_what_the_inventory_tells_is_given_up(drain: Drain, archives: list[str]) -> None:
    vault = drain.served.vault
    other = vault.archives[archives[4]]
    drain.served.server.state.add_archive(
        "vault", other.content, other.description, archive_id=other.id, created_s=other.created_s,
        overrides={"SHA256TreeHash": "0" * 64},
    )  # fmt: skip
    fail(drain, archives[4], says="hash")
    assert drain.served.paid()[archives[4]] <= 3


def test_archives_that_are_gone_are_told_and_cost_nothing_more(
    drain: Drain, server: Server, archives: list[str]
) -> None:
    gone = Fault(kind=Kind.STATUS, code="ResourceNotFoundException", operation="initiate_job", archive=archives[6],
                 message="The archive ID was not found", times=None)  # fmt: skip
    server.faults.add(gone)
    fail(drain, archives[6], says="not found|gone")
    assert drain.served.paid() == Counter(each for each in archives if each != archives[6])


def test_storms_cost_no_second_retrieval(drain: Drain, server: Server, archives: list[str]) -> None:
    for after in range(3, 60, 4):
        server.faults.add(Fault(kind=Kind.STATUS, status=503, after=after, done=after % 8 == 3))
        server.faults.add(Fault(kind=Kind.THROTTLE, after=after + 1, times=2))
        server.faults.add(Fault(kind=Kind.RESET, after=after + 2))
    drain.succeed()
    assert drain.served.paid() == Counter(archives)


def test_a_refusal_without_the_code_of_the_service_costs_no_second_retrieval_whatever_is_refused(
    drain: Drain, server: Server, archives: list[str]
) -> None:
    page = Fault(kind=Kind.STATUS, operation="get_job_output", status=404, body="<html>no such page</html>")
    server.faults.add(*(replace(page, archive=each) for each in archives[:5]))
    server.faults.add(*(replace(page, operation="initiate_job", archive=each) for each in archives[3:8]))
    server.faults.add(replace(page, operation="list_jobs", after=2))
    server.faults.add(replace(page, operation="describe_job", after=1))
    drain.succeed()
    assert drain.served.paid() == Counter(archives)


def test_answers_that_are_lost_cost_no_second_retrieval(drain: Drain, server: Server, archives: list[str]) -> None:
    for archive in archives[::2]:
        server.faults.add(Fault(kind=Kind.STATUS, status=503, done=True, operation="initiate_job", archive=archive))
    server.faults.add(*(Fault(kind=Kind.DROP, operation="initiate_job", archive=each) for each in archives[1::2]))
    drain.succeed()
    assert drain.served.paid() == Counter(archives)


def test_a_policy_that_refuses_is_waited_for_and_said(drain: Drain, server: Server, archives: list[str]) -> None:
    server.state.policy = Policy(most_jobs=5)
    with drain.start() as process:
        wait_until(lambda: any(record.status == 400 for record in server.requests), "one is refused", LIMIT_S)
        server.state.policy = Policy()  # as once the day is over
        out, errors = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 0, errors
    drain.check(out + errors)
    assert drain.served.paid() == Counter(archives)
    assert re.search("policy", errors)


@pytest.mark.long
def test_a_signal_ends_it_soon_and_what_was_done_stays_done(drain: Drain, server: Server, archives: list[str]) -> None:
    server.shaping = Shaping(bytes_per_s=50e3)
    for number in (signal.SIGTERM, signal.SIGINT):
        server.journal.clear()
        with drain.start() as process:
            wait_until(lambda: is_downloaded(server, archives[7]), "the largest is on its way", LIMIT_S)
            process.send_signal(number)
            _, errors = process.communicate(timeout=LIMIT_S)
        assert process.returncode == 1
        assert "archives are missing" in errors.splitlines()[-1]
        assert "Traceback" not in errors
    server.shaping = Shaping()
    drain.succeed()
    assert drain.served.paid() == Counter(archives)


@pytest.mark.parametrize("part_of_the_way", [True, False], ids=["while it is at work", "once it was whole"])
def test_a_ledger_that_is_lost_costs_nothing_but_reading(
    drain: Drain, server: Server, archives: list[str], *, part_of_the_way: bool
) -> None:
    if part_of_the_way:
        server.shaping = Shaping(bytes_per_s=200e3)
        with drain.start() as process:
            wait_until(lambda: any(drain.destination.glob("[!.]*")), "the first one is there", LIMIT_S)
            process.kill()
            process.communicate()
        server.shaping = Shaping()
    else:
        drain.succeed()
    for path in drain.ledger.parent.iterdir():
        path.unlink()
    server.journal.clear()
    drain.succeed()
    assert drain.served.paid() == Counter(archives)
    assert drain.served.inventories() == 1
    if not part_of_the_way:
        assert drain.served.downloads().total() == 0


@pytest.mark.long
def test_one_of_two_runs_on_one_ledger_is_refused(drain: Drain, server: Server, archives: list[str]) -> None:
    server.shaping = Shaping(bytes_per_s=100e3)
    with drain.start() as process:
        wait_until(lambda: drain.served.paid().total() > 0, "it is at work", LIMIT_S)
        second = drain.run()
        server.shaping = Shaping()
        process.communicate(timeout=LIMIT_S)
    assert (second.returncode, process.returncode) == (1, 0)
    assert len(second.stderr.splitlines()) == 1
    drain.check(second.stderr)
    assert drain.served.paid() == Counter(archives)
