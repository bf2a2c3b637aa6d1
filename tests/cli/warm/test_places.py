"""``casfs warm`` by PLACEs: real caches filled by the real command, without a mount."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from casfs.emulator.faults import Fault, Kind
from casfs.emulator.server import Server
from tests.cli.test_cache import written_to_a_terminal
from tests.cli.warm.runs import BYTES, SIZE, downloads, first_asked, run
from tests.mounting import Mounting, environment, wait_until


def test_a_vault_is_fetched_the_soonest_to_expire_first_and_then_nothing_more(
    server: Server, cache: Path, tmp_path: Path
) -> None:
    place = f"{server.url}/-/vault"
    done = run(tmp_path, "--cache-dir", cache, "--jobs", "1", place)
    assert (done.status, done.errors) == (0, [])
    assert first_asked(server) == ["sooner", "later", "last"]
    assert {
        job: (one["cached"], one["verification"], one["ok"], one["error"]) for job, one in done.objects.items()
    } == (dict.fromkeys(BYTES, ("whole", "whole", True, None)))
    assert done.objects["sooner"]["place"] == f"{server.url}/-/vault/sooner"
    assert [done.objects["sooner"][name] for name in ("vault", "size")] == ["vault", SIZE]
    before = len(downloads(server))
    again = run(tmp_path, "--cache-dir", cache, place)
    assert (again.status, set(again.objects)) == (0, set(BYTES))
    assert len(downloads(server)) == before, "what is there is left"


@pytest.mark.fuse
def test_one_job_is_fetched_alone_and_a_mount_reads_it_without_a_request(
    server: Server, cache: Path, tmp_path: Path, mounting: Mounting
) -> None:
    assert run(tmp_path, "--cache-dir", cache, f"{server.url}/-/vault/later").status == 0
    assert first_asked(server) == ["later"]
    before = len(downloads(server))
    with mounting(server, "--cache-dir", cache) as root:
        assert (root / "vault" / "later" / "output").read_bytes() == BYTES["later"]
    assert len(downloads(server)) == before


def test_what_fails_is_a_line_each_and_the_rest_is_done(server: Server, cache: Path, tmp_path: Path) -> None:
    gone = Fault(kind=Kind.STATUS, operation="get_job_output", job="later", status=404,
                 code="ResourceNotFoundException", times=None)  # fmt: skip
    server.faults.add(gone)
    place = f"{server.url}/-/vault"
    done = run(tmp_path, "--cache-dir", cache, place, f"{place}/going", f"{place}/nothing", f"{server.url}/-/none")
    assert done.status == 1
    assert {job for job, one in done.objects.items() if one["ok"]} == {"sooner", "last"}
    told = "\n".join(done.errors)
    assert f"casfs: {place}/later: " in told
    assert f"casfs: {place}/going: the job has no output: ArchiveRetrieval InProgress" in told
    assert f"casfs: {place}/nothing: " in told
    assert f"casfs: {server.url}/-/none: " in told
    assert done.errors[-1] == "casfs: 4 of 6 outputs are not whole and checked"
    assert len(done.errors) == 5
    server.faults.clear()
    again = run(tmp_path, "--cache-dir", cache, place)
    assert (again.status, again.errors) == (0, [])


def test_a_run_that_was_killed_is_gone_on_with(server: Server, cache: Path, tmp_path: Path) -> None:
    stall = Fault(kind=Kind.STALL, operation="get_job_output", job="last", times=None)
    server.faults.add(stall)
    place = f"{server.url}/-/vault"
    command = [sys.executable, "-m", "casfs", "warm", "--jobs", "1", "--cache-dir", str(cache), place]
    with subprocess.Popen(command, env=environment(tmp_path)) as process:
        wait_until(lambda: "last" in downloads(server), "the last one is asked for")
        process.kill()
    server.faults.clear()
    before = len(downloads(server))
    done = run(tmp_path, "--cache-dir", cache, place)
    assert (done.status, done.errors) == (0, [])
    assert {*downloads(server)[before:]} <= {"last", "later"}, "but for what was not synced yet"


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_ctrl_c_and_sigterm_end_it_soon(
    server: Server, cache: Path, tmp_path: Path, number: signal.Signals, status: int
) -> None:
    server.faults.add(Fault(kind=Kind.STALL, operation="get_job_output", times=None))
    command = [sys.executable, "-m", "casfs", "warm", "--cache-dir", str(cache), f"{server.url}/-/vault"]
    with subprocess.Popen(command, env=environment(tmp_path), stderr=subprocess.PIPE) as process:
        wait_until(lambda: bool(downloads(server)), "something is asked for")
        process.send_signal(number)
        assert process.wait(40) == status
        assert process.stderr is not None
        assert b"Traceback" not in process.stderr.read()


def test_a_deadline_ends_it_with_what_is_missing(server: Server, cache: Path, tmp_path: Path) -> None:
    server.faults.add(Fault(kind=Kind.STALL, operation="get_job_output", job="sooner", times=None))
    place = f"{server.url}/-/vault"
    done = run(tmp_path, "--cache-dir", cache, "--jobs", "1", "--deadline", "2", place)
    assert (done.status, set(done.objects)) == (1, set(BYTES))
    told = {str(one["error"]) for one in done.objects.values()}  # of which turn each is depends on the machine
    assert told <= {"the deadline passed", "the deadline passed before its turn"}


def test_what_the_cache_has_no_room_for_is_said_and_drives_out_nothing(
    server: Server, cache: Path, tmp_path: Path
) -> None:
    place = f"{server.url}/-/vault"
    done = run(tmp_path, "--cache-dir", cache, "--cache-size", "5M", "--jobs", "1", place)
    assert (done.status, {job for job, one in done.objects.items() if one["ok"]}) == (1, {"sooner", "later"})
    assert "no room" in str(done.objects["last"]["error"])
    assert first_asked(server) == ["sooner", "later"]


def test_a_full_disk_is_said_and_not_waited_for(server: Server, cache: Path, tmp_path: Path) -> None:
    cache.mkdir()
    command = [sys.executable, "-m", "casfs", "warm", "--cache-dir", str(cache), f"{server.url}/-/vault/last"]
    script = 'mount -t tmpfs -o size=1m,mode=700 tmpfs "$0" && exec "$@"'
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script, str(cache), *command],
        env=environment(tmp_path), capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    if os.geteuid() or "unshare" in done.stderr:
        pytest.skip("mounting a file system that is full is root's")
    assert done.returncode == 1
    assert "the cache did not keep all of it: none; its disk is full, or fails" in done.stderr


def test_on_a_terminal_there_is_a_bar_with_the_rate_and_then_a_table(server: Server, cache: Path) -> None:
    server.faults.add(Fault(kind=Kind.DELAY, operation="get_job_output", seconds=1.0, times=1))
    shown = written_to_a_terminal(cache, "warm", "--jobs", "1", f"{server.url}/-/vault")
    assert "fetching" in shown
    assert "/s" in shown
    assert "2.0 MiB  whole   whole" in shown


def test_without_a_cache_a_place_is_refused_by_name(server: Server, tmp_path: Path) -> None:
    done = run(tmp_path, f"{server.url}/-/vault")
    assert (done.status, downloads(server)) == (1, [])
    assert f"{server.url}/-/vault: no folder of a cache is named: --cache-dir" in done.errors[0]
