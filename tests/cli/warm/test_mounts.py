"""``casfs warm`` by paths in a mount: its cache filled by the real command."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from casfs.emulator.faults import Fault, Kind
from casfs.emulator.server import Server
from tests.cli.warm.runs import BYTES, downloads, first_asked, run
from tests.mounting import Mounting, casfs, environment, processes_of, wait_until


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
            assert done.objects[job]["expires"] == os.getxattr(path, "user.cas.expires").decode()
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
