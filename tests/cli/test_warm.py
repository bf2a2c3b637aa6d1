"""``casfs warm``: real caches filled by the real command, by paths in a mount and by PLACEs without one."""

import json
import os
import random
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from casfs.emulator.content import InMemory
from casfs.emulator.faults import Fault, Kind
from casfs.emulator.initiation import part
from casfs.emulator.jobs import ARCHIVE_RETRIEVAL
from casfs.emulator.server import Server
from casfs.emulator.state import State
from tests.cli.test_cache import written_to_a_terminal
from tests.mounting import Mounting, casfs, environment, processes_of, wait_until

MIB = 1 << 20
BYTES = {job: random.Random(job).randbytes(2 * MIB + 9) for job in ("later", "sooner", "last")}
LIVES_S = {"later": 7200.0, "sooner": 3600.0, "last": 80_000.0}
SIZE = 2 * MIB + 9


@pytest.fixture
def server() -> Iterator[Server]:
    state = State()
    state.add_vault("vault")
    archives = {job: state.add_archive("vault", InMemory(data)) for job, data in BYTES.items()}
    for job, archive in archives.items():
        began_s = state.clock() - 86_400 + LIVES_S[job]
        state.add_job("vault", ARCHIVE_RETRIEVAL, part(archive), job_id=job, created_s=began_s, lives_s=90_000)
    state.add_job("vault", ARCHIVE_RETRIEVAL, part(archives["last"]), job_id="going", takes_s=3600)
    with Server(state, credentials={"id": "key"}) as running:
        yield running


@dataclass(frozen=True)
class Done:
    """What a run of the command came to."""

    status: int
    objects: dict[str, dict[str, object]]
    errors: list[str]


def run(home: Path, *arguments: object, **more: str) -> Done:
    done = casfs("warm", "--json", *arguments, env=environment(home, **more))
    found = [json.loads(line) for line in done.stdout.splitlines()]
    return Done(
        done.returncode, {one["job"] or one.get("path") or one["place"]: one for one in found}, done.stderr.splitlines()
    )


def downloads(server: Server) -> list[str | None]:
    """Return of which jobs an output, or a part of one, was asked for."""
    return [request.job for request in server.requests if request.operation == "get_job_output"]


def first_asked(server: Server) -> list[str | None]:
    return list(dict.fromkeys(downloads(server)))


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


# By PLACEs


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
    done = run(tmp_path, "--cache-dir", cache, "--jobs", "1", "--deadline", "5", place)
    assert done.status == 1
    assert {job: one["error"] for job, one in done.objects.items()} == {
        "sooner": "the deadline passed",
        "later": "the deadline passed before its turn",
        "last": "the deadline passed before its turn",
    }


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


# By paths in a mount


@pytest.mark.fuse
def test_paths_in_a_mount_are_fetched_into_its_cache(
    server: Server, cache: Path, tmp_path: Path, mounting: Mounting
) -> None:
    with mounting(server, "--cache-dir", cache) as root:
        done = run(tmp_path, "--jobs", "1", root)
        assert (done.status, done.errors) == (0, [])
        assert first_asked(server) == ["sooner", "later", "last"]
        assert done.objects["later"]["path"] == str(root / "vault" / "later" / "output")
        assert done.objects["later"]["vault"] == "vault"
        for job, data in BYTES.items():
            path = root / "vault" / job / "output"
            assert os.getxattr(path, "user.cas.cached") == b"whole"
            assert os.getxattr(path, "user.cas.verified") == b"whole"
            assert path.read_bytes() == data
        before = len(downloads(server))
        assert run(tmp_path, root / "vault" / "later", root / "vault" / "last" / "output").status == 0
        assert len(downloads(server)) == before


@pytest.mark.fuse
def test_what_only_the_kernel_has_is_fetched_for_the_cache_too(
    server: Server, cache: Path, tmp_path: Path, mounting: Mounting
) -> None:
    with mounting(server, "--cache-dir", cache, "--block-cache-size", "4M", "--read-ahead", "0") as root:
        path = root / "vault" / "later" / "output"
        for job in ("later", "sooner", "last"):  # which drive each other out of the memory of the mount
            assert (root / "vault" / job / "output").read_bytes() == BYTES[job]
        assert casfs("cache", "clear", "--cache-dir", cache, env=environment(tmp_path)).returncode == 0
        assert os.getxattr(path, "user.cas.cached") == b"none"
        done = run(tmp_path, path)
        assert (done.status, done.errors) == (0, [])
        assert os.getxattr(path, "user.cas.cached") == b"whole"


@pytest.mark.fuse
def test_what_a_mount_has_in_memory_is_written_again_once_the_cache_was_cleared(
    server: Server, cache: Path, tmp_path: Path, mounting: Mounting
) -> None:
    with mounting(server, "--cache-dir", cache) as root:
        assert run(tmp_path, root).status == 0
        before = len(downloads(server))
        assert casfs("cache", "clear", "--cache-dir", cache, env=environment(tmp_path)).returncode == 0
        with (root / "vault" / "later" / "output").open("rb"):  # somebody has it open all the time
            assert casfs("cache", "clear", "--cache-dir", cache, env=environment(tmp_path)).returncode == 0
            done = run(tmp_path, root)
        assert (done.status, done.errors) == (0, [])
        assert {one["cached"] for one in done.objects.values()} == {"whole"}
        assert len(downloads(server)) == before, "what is in memory is not fetched"


@pytest.mark.fuse
def test_paths_by_symbolic_links_and_from_the_working_directory_are_found(
    server: Server, cache: Path, tmp_path: Path, mounting: Mounting, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mounting(server, "--cache-dir", cache) as root:
        (tmp_path / "link").symlink_to(root / "vault")
        monkeypatch.chdir(tmp_path)
        done = run(tmp_path, "link/sooner")
        assert (done.status, done.errors) == (0, [])
        assert [one["path"] for one in done.objects.values()] == [f"{tmp_path}/link/sooner/output"]


@pytest.mark.fuse
def test_a_mount_whose_root_is_a_vault_is_fetched_too(
    server: Server, cache: Path, tmp_path: Path, mounting: Mounting
) -> None:
    with mounting(server, "--cache-dir", cache, suffix="/-/vault") as root:
        done = run(tmp_path, root / "sooner", root)
        assert (done.status, done.errors, set(done.objects)) == (0, [], set(BYTES))
        assert {one["vault"] for one in done.objects.values()} == {None}


@pytest.mark.fuse
def test_a_mount_without_a_cache_and_a_path_in_no_mount_are_refused_by_name(
    server: Server, tmp_path: Path, mounting: Mounting
) -> None:
    with mounting(server) as root:
        done = run(tmp_path, root / "vault", tmp_path, root / "vault" / "nothing")
        assert (done.status, downloads(server)) == (1, [])
        assert done.errors == [
            f"casfs: {root}/vault: its mount has no cache on disk: mount it with --cache-dir",
            f"casfs: {tmp_path}: it is in no mount of casfs",
            f"casfs: {root}/vault/nothing: No such file or directory",
            "casfs: 3 of 3 outputs are not whole and checked",
        ]


@pytest.mark.fuse
def test_a_mount_that_does_not_answer_holds_nobody_up(
    server: Server, cache: Path, tmp_path: Path, mounting: Mounting
) -> None:
    """The mount has taken the question, so that who waits for the answer cannot be ended."""
    with mounting(server, "--cache-dir", cache) as root:
        server.faults.add(Fault(kind=Kind.STALL, operation="list_jobs", times=None))
        (process,) = processes_of(root)
        command = [sys.executable, "-m", "casfs", "warm", str(root / "vault")]
        with subprocess.Popen(command, env=environment(tmp_path), stdout=subprocess.PIPE) as warming:
            wait_until(lambda: any(each.operation == "list_jobs" for each in server.requests), "it asks")
            (child,) = children_of(warming.pid)
            os.kill(process, signal.SIGSTOP)
            try:
                warming.send_signal(signal.SIGINT)
                assert warming.wait(40) == 130
                assert warming.stdout is not None
                ended, _, _ = select.select([warming.stdout], [], [], 40)
                assert ended, "nobody holds its output"
                assert Path("/proc", str(child)).exists(), "what waits in the kernel is left behind"
            finally:
                os.kill(process, signal.SIGCONT)
        server.faults.clear()
        wait_until(lambda: not Path("/proc", str(child)).exists(), "it ends with the wait")


def children_of(process: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


@pytest.mark.fuse
def test_reads_that_fail_are_told_with_the_error_of_the_mount(
    server: Server, cache: Path, tmp_path: Path, mounting: Mounting
) -> None:
    gone = Fault(kind=Kind.STATUS, operation="get_job_output", job="later", status=404,
                 code="ResourceNotFoundException", times=None)  # fmt: skip
    server.faults.add(gone)
    with mounting(server, "--cache-dir", cache) as root:
        done = run(tmp_path, root / "vault")
        assert (done.status, {job for job, one in done.objects.items() if one["ok"]}) == (1, {"sooner", "last"})
        assert done.errors == [
            f"casfs: {root}/vault/later/output: Stale file handle",
            "casfs: 1 of 3 outputs are not whole and checked",
        ]
