"""``casfs top``: what it shows of a mount, what it costs that, and how it ends."""

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from casfs.emulator.faults import Fault, Kind
from casfs.emulator.server import Server
from casfs.errors import MountError
from casfs.operate.inquiry import Inquiry
from tests.mount import holding
from tests.mount.nobody import MOUNT, Run
from tests.mounting import COMMAND_LIMIT_S, Mounting, casfs, environment, foreground, processes_of, wait_until

pytestmark = pytest.mark.fuse

SOON = ("--interval", "0.2")


def once(path: Path) -> dict[str, Any]:
    done = casfs("top", "--once", "--json", *SOON, path, env=environment(path.parent))
    assert (done.returncode, done.stderr) == (0, "")
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def stats_of(path: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(os.getxattr(path, "user.cas.stats"))
    return told


def test_shows_what_is_read_what_expires_and_the_figures_of_the_mount(
    server: Server, mounting: Mounting, tmp_path: Path
) -> None:
    with mounting(server, "--cache-dir", tmp_path / "cache", "--block-cache-size", "8M") as path:
        outputs = sorted(path.glob("*/*/output"))
        with outputs[0].open("rb") as file, outputs[0].open("rb"):
            file.read(5000)
            told, stats = once(path), stats_of(path)
        vault, job, _ = outputs[0].relative_to(path).parts
    (row,) = told["reading"]
    assert (row["vault"], row["job"], row["readers"], told["open_outputs"]) == (vault, job, 2, 1)
    assert row["size"] >= row["position"] >= 5000
    assert row["idle_s"] >= 0
    assert told["memory"]["limit_bytes"] == 8 << 20
    assert told["memory"]["bytes"] == stats["cache_bytes"]
    assert told["disk"]["fails"] == 0
    assert told["errors"] == stats["errors"] == 0
    found = {(one["vault"], one["job"]) for one in told["expiring"]}
    assert found <= {output.relative_to(path).parts[:2] for output in outputs}
    assert len(found) == len(told["expiring"]) >= 3
    assert all(0 < one["seconds"] <= 24 * 3600 for one in told["expiring"])
    assert (told["mountpoint"], told["source"]) == (str(path), server.url)


def test_rates_and_times_are_of_the_interval_and_failing_reads_have_their_errno(
    server: Server, mounting: Mounting
) -> None:
    server.faults.add(Fault(kind=Kind.STATUS, status=404, code="ResourceNotFoundException", operation="get_job_output"))
    with mounting(server) as path, looking(path, "--json", "--interval", "0.5") as (process, lines):
        first = json.loads(next(lines))
        assert (first["read_latency_s"], first["failed_reads"]) == (None, {})
        output = next(iter(sorted(path.glob("photos/*/output"))))
        assert subprocess.run(["cat", output], capture_output=True, check=False, timeout=120).returncode == 1
        told = next(one for one in map(json.loads, lines) if one["failed_reads"])
        assert "ESTALE" in told["failed_reads"], "and what the kernel read ahead, for nobody by then"
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0


@pytest.mark.parametrize("suffix", ["", "/-/photos"], ids=["account", "vault"])
def test_asks_the_service_for_nothing(server: Server, mounting: Mounting, suffix: str) -> None:
    """Though the vault that is the root is known no longer, of which every other attribute would be asked for."""
    with mounting(server, "--list-ttl", "0", suffix=suffix) as path:
        for _ in range(2):
            before = len(server.requests)
            list(path.glob("*"))
            assert len(server.requests) > before, "nothing that was listed is believed"
        asked = len(server.requests)
        once(path)
        assert len(server.requests) == asked


@contextmanager
def looking(path: Path, *options: str, **more: str) -> Iterator[tuple["subprocess.Popen[str]", Iterator[str]]]:
    """Look at a mount on a terminal; gives the process, and the lines that it writes there."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "casfs", "top", *options, str(path)]
    env = environment(path.parent) | {"TERM": "xterm", "COLUMNS": "100", "LINES": "40"} | more
    with subprocess.Popen(command, env=env, stdout=theirs, stderr=subprocess.PIPE, text=True) as process:
        os.close(theirs)
        with os.fdopen(ours, encoding="utf-8", errors="replace") as lines:
            try:
                yield process, lines
            finally:
                process.kill()


def end_of(process: "subprocess.Popen[str]") -> tuple[int, str]:
    assert process.stderr is not None
    said = process.stderr.read()
    return process.wait(COMMAND_LIMIT_S), said


def test_screen_is_shown_anew_until_ctrl_c_which_ends_it_without_a_word(server: Server, mounting: Mounting) -> None:
    with mounting(server) as path:
        next(path.glob("photos/*"))
        with looking(path, *SOON) as (process, lines):
            for _ in range(2):
                assert any("expires next" in line for line in lines)
            process.send_signal(signal.SIGINT)
            assert end_of(process) == (0, "")


def test_terminal_that_cannot_go_back_is_shown_it_once(server: Server, mounting: Mounting) -> None:
    with mounting(server) as path, looking(path, *SOON, TERM="dumb") as (process, lines):
        assert "since it is up  errors 0, retries 0" in "".join(next(lines) for _ in range(8))
        assert end_of(process) == (0, "")


def test_mount_that_is_taken_away_meanwhile_ends_it_with_a_line(server: Server, mounting: Mounting) -> None:
    with mounting(server) as path, looking(path, "--json", *SOON) as (process, lines):
        next(lines)
        wait_until(
            lambda: subprocess.run(["umount", path], check=False, timeout=120).returncode == 0, "it is unmounted"
        )
        assert end_of(process) == (1, f"casfs: {path}: no mount of casfs is there any more\n")


def test_so_does_one_whose_process_dies(server: Server, path: Path, tmp_path: Path) -> None:
    with foreground(server, path, tmp_path) as mount, looking(path, "--json", *SOON) as (process, lines):
        next(lines)
        mount.kill()
        assert end_of(process) == (1, f"casfs: {path}: the mount has ended: its process has died\n")


def test_mount_that_is_stopped_is_said_not_to_answer(server: Server, path: Path, tmp_path: Path) -> None:
    with foreground(server, path, tmp_path) as process, closing(Inquiry(str(path), 0.5)) as inquiry:
        process.send_signal(signal.SIGSTOP)
        with pytest.raises(MountError, match="the mount does not answer: it said nothing for"):
            inquiry.ask()


def test_mount_that_hangs_hangs_nobody_who_looks_at_it(server: Server, path: Path) -> None:
    """The process that asks cannot even be killed: what it waits for has reached the mount."""
    when = path.parent / "all"
    command = [sys.executable, holding.__file__, str(when), "mount", "-f", server.url, str(path)]
    with subprocess.Popen(command, env=environment(path.parent)) as process:
        try:
            wait_until(path.is_mount, "it is mounted")
            assert once(path)["errors"] == 0
            when.touch()
            wait_until(when.with_suffix(".held").exists, "all is held")
            done = casfs("top", "--once", path, env=environment(path.parent))
            assert (done.returncode, done.stdout) == (1, "")
            assert done.stderr == f"casfs: {path}: the mount does not answer: it said nothing for 10 s\n"
            assert casfs("umount", "--lazy", path, env=environment(path.parent)).returncode == 0
        finally:
            process.kill()


def test_what_is_no_mount_of_casfs_is_said_to_be_none(path: Path) -> None:
    for place, what in ((path, "nothing is mounted there"), (Path("/proc"), "what is mounted there is proc")):
        done = casfs("top", place, env=environment(path.parent))
        assert (done.returncode, done.stderr) == (1, f"casfs: {place}: no mount of casfs; {what}\n")


def test_whoever_may_read_the_mount_may_look(run: Run, server: Server, nobodys: Path) -> None:
    before = f"{' '.join(MOUNT)} --allow-other {server.url} {nobodys}/mount"
    try:
        done = run(
            '"$1" -m casfs top --once --json --interval 0.2 "$2"', sys.executable, nobodys / "mount", before=before
        )
    finally:
        for process in processes_of(nobodys / "mount"):
            os.kill(process, signal.SIGTERM)
        wait_until(lambda: not processes_of(nobodys / "mount"), "the mount ends, which has a namespace of its own")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["source"] == server.url
