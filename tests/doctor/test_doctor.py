"""``casfs doctor`` on a good host, and what it says of the account and the clock."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from casfs.data.hashing import lanes
from casfs.doctor import machine
from casfs.doctor.check import Look, Verdict, looked, ok
from casfs.emulator.faults import Fault, Kind
from casfs.emulator.server import Server
from tests.doctor.host import AS_ROOT, Host
from tests.mounting import environment
from tests.ports import free_port


@pytest.mark.fuse
def test_on_a_good_host_all_is_well_and_the_status_is_0(host: Host, server: Server) -> None:
    wishes = (
        "--log-file",
        host.home / "log",
        "--cache-dir",
        host.home / "cache",
        "--metrics",
        f"127.0.0.1:{free_port()}",
    )
    seen = host.doctor(*wishes, server.url)
    assert seen.status == 0, seen.failed()
    names = {
        "python", "binding", "libfuse", "/dev/fuse", "fusermount3", "user_allow_other", "read_ahead_kb", "hash lanes",
        "clock", "dns", "tls", "proxy", "keys", "credentials", "permissions of vault photos", "cache directory",
        "memory", "updatedb", "systemd", "settings", "log", "metrics",
    }  # fmt: skip
    assert names <= set(seen.checks)
    assert not (host.home / "cache").exists()
    assert (
        seen.checks["permissions of vault photos"]["said"] == "Describe Vault, List Jobs, Describe Job, Get Job Output"
    )
    fetched = [record for record in server.requests if record.operation == "get_job_output"]
    assert {record.range for record in fetched} == {"bytes=0-0"}


@pytest.mark.fuse
def test_without_a_source_and_a_profile_the_machine_alone_is_looked_at(host: Host) -> None:
    host.env = {"CASFS_SECRET_ID": "", "CASFS_SECRET_KEY": ""}
    seen = host.doctor()
    assert seen.status == 0, seen.failed()
    assert seen.checks["settings"]["mending"] == "name a SOURCE to have it looked at"


def test_a_line_is_words_between_tabs_without_json(host: Host, server: Server) -> None:
    command = [sys.executable, "-m", "casfs", "doctor", server.url]
    done = subprocess.run(command, env=environment(host.home), capture_output=True, text=True, timeout=120, check=False)
    first = done.stdout.splitlines()[0].split("\t")
    assert first[:2] == ["ok", "python"]
    assert "key\n" not in done.stdout


@pytest.mark.fuse
@pytest.mark.parametrize(("off_s", "status", "verdict"), [(3600, 0, "warn"), (9 * 86400, 1, "fail")])
def test_a_clock_that_is_off_is_told_by_how_much(
    host: Host, served: Callable[..., Server], off_s: int, status: int, verdict: str
) -> None:
    seen = host.doctor(served(clock=lambda: time.time() + off_s).url)
    assert (seen.status, seen.checks["clock"]["verdict"]) == (status, verdict), seen.text
    assert seen.checks["clock"]["mending"] == "set it: timedatectl set-ntp true"
    assert abs(int(seen.checks["clock"]["said"].split()[0]) - off_s) < 60


@pytest.mark.fuse
def test_what_the_account_may_not_ask_is_named_for_each_vault(host: Host, server: Server) -> None:
    for operation in ("list_vaults", "describe_job"):
        server.faults.add(Fault(kind=Kind.STATUS, status=403, code="AccessDeniedException", operation=operation))
    seen = host.doctor(f"{server.url}/-/photos")
    vault = seen.checks["permissions of vault photos"]
    assert seen.checks["permission to list vaults"]["verdict"] == "warn"
    assert (seen.status, vault["verdict"]) == (0, "warn"), seen.text
    assert vault["mending"] == "allow Describe Job for this vault"


@pytest.mark.fuse
def test_a_vault_of_which_nothing_may_be_read_fails(host: Host, server: Server) -> None:
    server.faults.add(Fault(kind=Kind.STATUS, status=403, code="AccessDeniedException", operation="get_job_output"))
    seen = host.doctor(f"{server.url}/-/photos")
    assert (seen.status, seen.checks["permissions of vault photos"]["verdict"]) == (1, "fail")
    assert seen.checks["permissions of vault photos"]["mending"] == "allow Get Job Output for this vault"


@AS_ROOT
@pytest.mark.fuse
@pytest.mark.parametrize(("text", "verdict"), [('PRUNEFS="NFS nfs4"', "warn"), ('PRUNEFS="NFS fuse.casfs"', "ok")])
def test_updatedb_is_to_leave_mounts_alone(host: Host, server: Server, text: str, verdict: str) -> None:
    (host.home / "updatedb.conf").write_text(f"{text}\n")
    overlay = f"mkdir -p {host.home}/up {host.home}/work && cp {host.home}/updatedb.conf {host.home}/up"
    host.set_up = f"{overlay} && mount -t tmpfs none /etc -o size=1M && cp {host.home}/up/updatedb.conf /etc/"
    seen = host.doctor(server.url)
    assert seen.checks["updatedb"]["verdict"] == verdict, seen.text
    if verdict == "warn":
        assert seen.checks["updatedb"]["mending"].startswith("sed -i '/^PRUNEFS=/s/")


def test_a_look_that_hangs_is_left_behind() -> None:
    goes_on = threading.Event()
    look = Look("something", lambda: [ok("something", str(goes_on.wait(120)))], limit_s=0.05)
    assert [check.verdict for check in looked(look)] == [Verdict.FAIL]
    goes_on.set()


def test_without_compiled_lanes_a_line_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "LIBRARY", tmp_path / "none.so")
    lanes._plan.cache_clear()
    try:
        (check,) = next(look for look in machine.looks("0") if look.name == "hash lanes").checks()
    finally:
        lanes._plan.cache_clear()
    assert check.said == "blocks are hashed 1 at a time, by hashlib"
    assert (check.verdict, "install cc" in check.mending) == (Verdict.WARN, True)
