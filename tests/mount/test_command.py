"""``casfs mount``: when it returns, what it shows, and what it never shows."""

import os
import re
import resource
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from casfs.emulator.faults import Fault, Kind
from casfs.emulator.samples import sample_state
from casfs.emulator.server import Server
from casfs.log.outlets import has_system_log
from casfs.mount import mountpoint
from tests.mounting import Mounting, casfs, environment, foreground, names, processes_of, wait_until

pytestmark = pytest.mark.fuse

SECRET_ID, SECRET_KEY = "AKIDsecretIdOfTheTest", "secret/Key+of=theTest"


def test_mount_answers_when_the_command_returns(server: Server, path: Path, tmp_path: Path) -> None:
    done = casfs("mount", server.url, path, env=environment(tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert names(path) == ["empty", "ledger", "photos"]


def test_first_listing_costs_no_request_after_the_check(server: Server, mounting: Mounting) -> None:
    with mounting(server) as path:
        names(path)
        assert [record.operation for record in server.requests] == ["list_vaults"]


def test_a_hangup_has_the_service_asked_anew(server: Server, path: Path, tmp_path: Path) -> None:
    with foreground(server, path, tmp_path) as process:
        before = names(path)
        server.state.add_vault("new")
        assert names(path) == before
        process.send_signal(signal.SIGHUP)
        wait_until(lambda: names(path) == sorted([*before, "new"]), "the new vault is there")
        process.send_signal(signal.SIGHUP)
        assert process.poll() is None
        process.terminate()
        assert process.wait(60) == 0


def test_mount_goes_on_without_whoever_began_it(server: Server, path: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "casfs", "mount", server.url, str(path)]
    shell = ["sh", "-c", 'shown=$("$@"); echo "shown: $shown"', "sh", *command]
    done = subprocess.run(shell, env=environment(tmp_path), capture_output=True, text=True, timeout=120, check=True)
    assert (done.stdout, done.stderr) == ("shown: \n", "")
    assert names(path)


def test_table_of_mounts_shows_source_and_type(server: Server, mounting: Mounting) -> None:
    with mounting(server, suffix="/-/photos") as path:
        shown = [(mounted.kind, mounted.source) for mounted in mountpoint.mounts() if mounted.path == str(path)]
        assert shown == [("fuse.casfs", f"{server.url}/-/photos")]


def test_kernel_may_ask_for_whole_blocks_when_the_mount_answers(server: Server, mounting: Mounting) -> None:
    with mounting(server) as path:
        device = path.stat().st_dev
        setting = Path(f"/sys/class/bdi/{os.major(device)}:{os.minor(device)}/read_ahead_kb")
        if not os.access(setting, os.W_OK):
            pytest.skip(f"{setting} is not writable here")
        assert setting.read_text() == "1024\n"


def test_options_stand_behind_o_as_well(server: Server, mounting: Mounting) -> None:
    with mounting(server, "-o", "file_mode=0440,dir-mode=0550,rw,_netdev,noexec", "-o", "uid=12") as path:
        output = next(path.glob("photos/*/output"))
        assert (output.stat().st_mode & 0o777, output.parent.stat().st_mode & 0o777) == (0o440, 0o550)
        assert output.stat().st_uid == 12


def test_account_that_may_not_list_is_warned_and_uses_the_vault_it_knows(
    server: Server, path: Path, tmp_path: Path
) -> None:
    denied = Fault(kind=Kind.STATUS, operation="list_vaults", code="AccessDeniedException", status=403, times=None)
    server.faults.add(denied)
    done = casfs("mount", server.url, path, env=environment(tmp_path))
    assert done.returncode == 0
    assert done.stderr.startswith("casfs: warning: the vaults may not be listed")
    assert done.stderr.count("\n") == 1
    assert names(path / "photos")


def test_no_secret_is_shown_anywhere(path: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with Server(sample_state(), credentials={SECRET_ID: SECRET_KEY}) as server:
        server.faults.add(Fault(kind=Kind.STATUS, status=500, times=2), Fault(kind=Kind.DROP, after=3, times=2))
        options = ["--log-file", log, "--log-level", "debug"]
        done = casfs("mount", *options, server.url, path, env=environment(tmp_path, SECRET_ID, SECRET_KEY))
        assert done.returncode == 0, done.stderr
        subprocess.run(["cp", "-r", path, tmp_path / "copy"], check=True, timeout=120)
        shown = done.stdout + done.stderr + log.read_text() + Path("/proc/self/mountinfo").read_text()
        for process in processes_of(path):
            shown += Path(f"/proc/{process}/cmdline").read_text() + Path(f"/proc/{process}/environ").read_text()
        attributes = subprocess.run(["getfattr", "-Rd", path], capture_output=True, text=True, timeout=120, check=True)
        assert SECRET_KEY not in shown + attributes.stdout
        assert "q-signature=" not in shown.replace("q-signature=[redacted]", "")
        assert processes_of(path)


def test_a_mount_whose_log_goes_nowhere_says_so_once(server: Server, path: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "casfs", "mount", server.url, str(path)]
    env = environment(tmp_path)
    del env["CASFS_LOG_FILE"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=True)
    said = "casfs: warning: nobody takes log lines at /dev/log, so that they are lost; --log-file FILE keeps them\n"
    assert done.stderr == ("" if has_system_log() else said)


class Reflecting(BaseHTTPRequestHandler):
    """A service that refuses everything, and has all that it was told in the id of the request."""

    def do_GET(self) -> None:
        """Refuse."""
        self.send_response(400)
        told = " ".join(f"{name}: {value}" for name, value in self.headers.items())
        self.send_header("x-cas-requestId", told)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize("words", [["casfs", "mount"], ["casfs", "mount", "-f"], ["casfs.cli.mount_helper"]])
def test_what_a_service_reflects_is_no_secret_in_the_error(words: list[str], path: Path, tmp_path: Path) -> None:
    token = "tokenOfTheTest" * 20
    env = environment(tmp_path, SECRET_ID, SECRET_KEY, CASFS_TOKEN=token, CASFS_LOG_FILE=str(tmp_path / "log"))
    runner = "from casfs.cli import mount_helper; mount_helper.main()"
    start = ["-c", runner] if words == ["casfs.cli.mount_helper"] else ["-m", *words]
    with ThreadingHTTPServer(("127.0.0.1", 0), Reflecting) as service:
        threading.Thread(target=service.serve_forever).start()
        url = f"http://127.0.0.1:{service.server_port}"
        command = [sys.executable, *start, url, str(path)]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)
        service.shutdown()
    assert done.returncode in (1, 32)
    assert done.stderr.count("\n") == 1
    for shown in (done.stderr, (tmp_path / "log").read_text()):
        assert token[:20] not in shown
        assert "q-signature=" not in shown.replace("q-signature=[redacted]", "")
    assert "[redacted]" in done.stderr


def test_a_mount_leaves_no_core(server: Server, path: Path, tmp_path: Path) -> None:
    with foreground(server, path, tmp_path) as process:
        resource.prlimit(process.pid, resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        process.send_signal(signal.SIGSEGV)
        _, status = os.waitpid(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == -signal.SIGSEGV
    assert not os.WCOREDUMP(status)


def test_the_log_says_how_blocks_are_hashed(server: Server, path: Path, tmp_path: Path) -> None:
    """In the words that the README tells one to look for; how many, each process measures for itself."""
    log = tmp_path / "log"
    done = casfs("mount", "--log-file", log, "--log-level", "debug", server.url, path, env=environment(tmp_path))
    assert done.returncode == 0, done.stderr
    told = re.compile(r"blocks are hashed \d+ at a time, by \w")
    wait_until(lambda: told.search(log.read_text()) is not None, "the line is written")


def test_the_log_has_each_request_at_debug(server: Server, path: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    done = casfs("mount", "--log-file", log, "--log-level", "debug", server.url, path, env=environment(tmp_path))
    assert done.returncode == 0, done.stderr
    subprocess.run(["cp", "-r", path, tmp_path / "copy"], check=True, timeout=60)
    wait_until(lambda: log.read_text().count(".journal: ") == len(server.requests), "each request is a line")
    lines = [line.partition("casfs.api.journal: ")[2] for line in log.read_text().splitlines() if ".journal: " in line]
    assert re.fullmatch(r"list_vaults: HTTP 200, \d+ bytes in [\d.]+ s \[request id [0-9a-f]{32}\]", lines[0])
    output = (
        r"get_job_output, vault 'ledger', job '.*', bytes=0-62892: HTTP 206, 62893 bytes in [\d.]+ s \[request id .*\]"
    )
    assert [line for line in lines if re.fullmatch(output, line)]


def asked(server: Server, operation: str) -> int:
    """Return how many requests of *operation* there were."""
    return sum(record.operation == operation for record in server.requests)
