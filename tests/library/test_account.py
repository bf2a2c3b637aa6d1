"""An account of a service, for programs: over a real socket, in one process."""

import gc
import json
import pickle
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

import casfs
from casfs.emulator.faults import Fault, Kind
from casfs.emulator.initiation import part
from casfs.emulator.jobs import ARCHIVE_RETRIEVAL
from casfs.emulator.server import Server
from casfs.tree.single_flight import REQUEST_S
from tests.conftest import Announce
from tests.data.service import MIB
from tests.library.conftest import DATA, SECRET, Connect, outputs
from tests.mounting import wait_until
from tests.new_threads import new_threads


def whole(account: casfs.Account, job: str) -> bytes:
    with account.open("backups", job) as file:
        return file.read()


def test_vaults_jobs_and_outputs_are_those_of_the_service(connect: Connect) -> None:
    with connect() as account:
        assert [vault.name for vault in account.vaults()] == ["backups"]
        assert account.vault("backups").fields["VaultName"] == "backups"
        jobs = {job.id: job for job in account.jobs("backups")}
        assert set(jobs) == set(outputs())
        job = account.job("backups", "job")
        assert job == jobs["job"]
        assert (job.state, job.action, job.size) == ("Succeeded", "ArchiveRetrieval", len(DATA))
        assert job.fields == json.loads(job.document)
        assert job.completed_ns is not None
        assert job.expires_ns == job.completed_ns + 24 * 3600 * 10**9
        with account.open("backups", "job") as file:
            assert (file.size, file.name) == (len(DATA), "backups/job/output")
            assert str(file.verification) == "none"
            assert file.read() == DATA
            assert (file.verification.state, file.verification.proven, file.verification.total) == ("whole", 5, 5)


def test_what_the_user_should_know_is_a_warning_of_connecting(
    connect: Connect, announce: Announce, caplog: pytest.LogCaptureFixture
) -> None:
    announce("more than the memory that there is")
    connect(block_cache_size="1T").close()
    assert "--block-cache-size is more than the memory that there is" in caplog.text


def test_connecting_sends_nothing_and_no_thread_is_left_behind_the_block(connect: Connect, server: Server) -> None:
    threads = new_threads("casfs-")
    account = connect()
    assert (server.requests, threads()) == ([], set())
    with account:
        account.open("backups", "job").read()
        assert threads()
    wait_until(lambda: not threads(), "the threads end")
    account.close()


def test_what_is_used_after_the_end_is_a_value_error(connect: Connect) -> None:
    with connect() as account:
        file = account.open("backups", "job")
        file.read(1)
    for use in (account.vaults, account.__enter__, lambda: account.job("backups", "job"), file.read, file.tell):
        with pytest.raises(ValueError, match="closed"):
            use()
    assert file.closed


def test_a_read_that_waits_when_the_account_is_closed_is_a_value_error(connect: Connect, server: Server) -> None:
    with connect() as account, ThreadPoolExecutor(1) as pool:
        file = account.open("backups", "job")
        server.faults.add(Fault(kind=Kind.DELAY, operation="get_job_output", times=None, seconds=600))
        read = pool.submit(file.read)
        wait_until(lambda: "get_job_output" in [request.operation for request in server.requests], "it is asked for")
        account.close()
        with pytest.raises(ValueError, match="closed"):
            read.result(60)


def test_what_is_not_there_and_what_cannot_be_are_errors_by_name(connect: Connect, announce: Announce) -> None:
    announce("none")
    with connect() as account:
        asked: list[Callable[[], object]] = [
            lambda: account.job("backups", "none"),
            lambda: account.job("none", "job"),
            lambda: account.vault("none"),
            lambda: account.jobs("none"),
            lambda: account.open("backups", "none"),
            lambda: account.job("", "job"),
            lambda: account.job("backups", "job/output"),
            lambda: account.jobs("backups/job"),
        ]
        for ask in asked:
            with pytest.raises(casfs.NotFoundError):
                ask()
    with pytest.raises(casfs.ConfigError, match="has a vault"):
        casfs.connect("http://127.0.0.1:1/-/backups")
    with pytest.raises(casfs.ConfigError, match="did you mean read_timeout"):
        connect(read_timout=1)


def test_a_job_that_is_in_progress_has_no_output_yet_and_is_waited_for(connect: Connect, server: Server) -> None:
    vault = server.state.vault("backups")
    assert vault is not None
    output = part(next(iter(vault.archives.values())))
    server.state.add_job("backups", ARCHIVE_RETRIEVAL, output, job_id="later", takes_s=3600)
    with connect() as account:
        assert account.job("backups", "later").state == "InProgress"
        assert account.job("backups", "later").expires_ns is None
        with pytest.raises(casfs.NotReadyError, match="InProgress"):
            account.open("backups", "later")
        with pytest.raises(casfs.DeadlineError):
            account.wait("backups", "later", timeout=0.05, poll=0.02)
        with pytest.raises(ValueError, match="poll"):
            account.wait("backups", "later", poll=0)
        server.state.add_job("backups", ARCHIVE_RETRIEVAL, output, job_id="soon", takes_s=0.5)
        assert account.wait("backups", "soon", poll=0.02).state == "Succeeded"
        assert account.open("backups", "soon").size


def test_a_wait_ends_when_the_account_is_closed(connect: Connect, server: Server) -> None:
    vault = server.state.vault("backups")
    assert vault is not None
    output = part(next(iter(vault.archives.values())))
    server.state.add_job("backups", ARCHIVE_RETRIEVAL, output, job_id="later", takes_s=3600)
    with connect() as account, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(account.wait, "backups", "later")
        wait_until(lambda: bool(server.requests), "it is asked for")
        account.close()
        with pytest.raises(ValueError, match="closed"):
            waiting.result(60)


def test_fresh_asks_the_service_and_what_is_not_does_not(connect: Connect, server: Server) -> None:
    with connect() as account:
        list(account.jobs("backups"))
        for fresh, requests in ((False, 0), (True, 1), (False, 0), (True, 1)):
            before = len(server.requests)
            assert account.job("backups", "job", fresh=fresh).id == "job"
            assert len(server.requests) - before == requests


def test_eight_threads_read_one_file_and_many(connect: Connect, server: Server) -> None:
    with connect() as account, ThreadPoolExecutor(8) as pool:
        many = [pool.submit(whole, account, name) for name in outputs()]
        assert [read.result(60) for read in many] == list(outputs().values())
        fetched = sum(1 for request in server.requests if request.operation == "get_job_output")
        with account.open("backups", "job") as file:
            pieces = [piece for read in [pool.submit(file.read, MIB) for _ in range(8)] if (piece := read.result(60))]
        assert sorted(pieces) == sorted(DATA[at : at + MIB] for at in range(0, len(DATA), MIB))
        again = sum(1 for request in server.requests if request.operation == "get_job_output")
    assert again == fetched, "each byte was there already"


def test_a_read_over_a_link_that_stalls_ends_at_the_timeout(
    connect: Connect, server: Server, announce: Announce
) -> None:
    announce("get_job_output|backups/job")
    server.faults.add(Fault(kind=Kind.DELAY, operation="get_job_output", times=None, seconds=600))
    with connect(read_timeout=1) as account, account.open("backups", "job") as file:
        with pytest.raises(casfs.CasfsError) as caught:
            file.read()
        assert isinstance(caught.value, casfs.DeadlineError | casfs.TransferError)
        assert file.tell() == 0
        server.faults.clear()


def test_a_copy_begins_anew_and_holds_no_secret(connect: Connect) -> None:
    with connect(read_timeout=7, block_cache_size="8M") as account:
        account.open("backups", "job").read(1)
        pickled = pickle.dumps(account)
    assert SECRET.encode() not in pickled
    assert SECRET not in repr(account)
    with pickle.loads(pickled) as copy:
        assert copy.open("backups", "job").read() == DATA


def test_a_file_that_is_collected_where_its_locks_are_held_is_closed_all_the_same(connect: Connect) -> None:
    threads = new_threads("casfs-close")
    with connect() as account:
        files: list[object] = [account.open("backups", "job")]
        files.append(files)
        stages = account._stages
        assert stages is not None
        monitor = stages.outputs._monitor
        content = next(iter(stages.outputs._contents._contents.values()))

        def collect() -> None:
            with monitor._lock:
                gc.collect()

        collector = threading.Thread(target=collect, daemon=True)
        del files
        collector.start()
        collector.join(60)
        assert not collector.is_alive()
        wait_until(lambda: not threads() and not content.open_readers, "it is closed")


def test_a_wait_ends_in_time_though_nobody_answers(connect: Connect, server: Server, announce: Announce) -> None:
    announce("waiting goes on")
    server.faults.add(Fault(kind=Kind.DELAY, seconds=600, times=None))
    with connect(read_timeout=600) as account, ThreadPoolExecutor(1) as pool:
        began_s = time.monotonic()
        for wait in (account.wait, lambda *asked, **more: pool.submit(account.wait, *asked, **more).result()):
            with pytest.raises(casfs.DeadlineError):
                wait("backups", "job", timeout=0.1, poll=0.1)
        assert time.monotonic() - began_s < REQUEST_S


def test_a_wait_goes_on_over_an_outage(connect: Connect, server: Server, announce: Announce) -> None:
    announce("cannot connect|nobody listens|waiting goes on|no answer")
    vault = server.state.vault("backups")
    assert vault is not None
    output = part(next(iter(vault.archives.values())))
    server.state.add_job("backups", ARCHIVE_RETRIEVAL, output, job_id="later", takes_s=3600)
    with connect() as account, ThreadPoolExecutor(1) as pool:
        assert account.job("backups", "later").state == "InProgress"
        waiting = pool.submit(account.wait, "backups", "later", poll=0.02)
        asked = len(server.requests)
        wait_until(lambda: len(server.requests) > asked, "it is asked for")
        server.stop()
        with pytest.raises(TimeoutError):
            waiting.result(0.5)
        server.state.add_job("backups", ARCHIVE_RETRIEVAL, output, job_id="later", created_s=server.state.clock() - 100)
        server.start()
        assert waiting.result(60).state == "Succeeded"


@pytest.mark.parametrize("name", ["two\nlines", "\x1b[2J", "\ud800", "\x00"])
def test_the_text_of_an_error_is_one_line_whatever_was_asked_for(connect: Connect, server: Server, name: str) -> None:
    vault = server.state.vault("backups")
    assert vault is not None
    server.state.add_job("backups", "Push\nToCOS", part(next(iter(vault.archives.values()))), job_id="odd")
    with connect() as account:
        for ask in (account.vault, lambda name: account.job("backups", name), lambda name: account.open(name, "job")):
            with pytest.raises(casfs.NotFoundError) as caught:
                ask(name)
            assert str(caught.value).isprintable()
        with pytest.raises(casfs.NotFoundError) as caught:
            account.open("backups", "odd")
        assert str(caught.value).isprintable()
