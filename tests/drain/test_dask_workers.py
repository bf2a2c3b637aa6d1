"""Workers of a cluster: those that cannot download are named before anything is spent, or left out."""

import os
import shlex
import shutil
import signal
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from casfs.drain.archive import Entry, State
from casfs.drain.destinations.opening import folder_at
from casfs.drain.errand import plain
from casfs.emulator.faults import Fault, Kind
from casfs.errors import ConfigError, DestinationError
from tests.conftest import Announce
from tests.drain.clusters import KEYS, NAMES, cluster, come, errand, worker
from tests.drain.test_command import inventory_file
from tests.drain.vaults import SECRET, serving, vault_of
from tests.mounting import COMMAND_LIMIT_S, wait_until
from tests.new_threads import new_threads

dask = pytest.importorskip("casfs.drain.dask")


def test_workers_without_keys_are_one_line_and_cost_nothing(tmp_path: Path) -> None:
    with serving(vault_of("cas", NAMES), "cas", tmp_path) as vault, cluster(tmp_path, keys=False) as found:
        done = vault.drain("--scheduler", found.scheduler_address)
        assert (done.returncode, vault.requests("initiate_job")) == (1, 0)
        (line,) = done.stderr.splitlines()
        assert "2 of 2 workers cannot download" in line
        assert "credentials" in line


def test_a_cluster_without_workers_costs_nothing(tmp_path: Path) -> None:
    with serving(vault_of("cas", NAMES), "cas", tmp_path) as vault, cluster(tmp_path, workers=0) as found:
        done = vault.drain("--scheduler", found.scheduler_address)
        assert (done.returncode, vault.server.requests) == (1, [])
        (line,) = done.stderr.splitlines()
        assert "has no workers" in line


def test_what_a_worker_does_not_share_with_the_run_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(vault_of("cas", NAMES), "cas", tmp_path) as vault:
        for name, value in zip(KEYS, ("id", SECRET), strict=True):
            monkeypatch.setenv(name, value)
        destination, own = folder_at(str(vault.out)), errand(vault, "mark")
        with pytest.raises(DestinationError, match="all workers must share it"):
            own.check()
        with destination.mark("mark"):
            own.check()
            destination.sweep()
            own.check()
            with pytest.raises(ConfigError, match=r"the run is by 0\.0\.1"):
                replace(own, version="0.0.1").check()
            with pytest.raises(ConfigError, match=r"is another one here: its vault backups is .*, not qcs::else"):
                replace(own, whose="qcs::else").check()
        assert not list(vault.out.iterdir())


def test_a_worker_that_a_proxy_refuses_for_a_while_is_not_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, announce: Announce
) -> None:
    announce("^describe_vault")
    for name, value in zip(KEYS, ("id", SECRET), strict=True):
        monkeypatch.setenv(name, value)
    with serving(vault_of("cas", NAMES), "cas", tmp_path) as vault:
        vault.server.faults.add(Fault(kind=Kind.STATUS, operation="describe_vault", status=404, body="<html/>"))
        told = errand(vault, "mark").run(plain(Entry(1, "id", 1, None, "", "x", State.LOADING, "job")))
    assert (told["error"], told["may_pass"], told["unfit"]) == ("RefusedError", True, False)


def test_a_worker_keeps_no_account_of_the_runs_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in zip(KEYS, ("id", SECRET), strict=True):
        monkeypatch.setenv(name, value)
    with serving(vault_of("cas", NAMES), "cas", tmp_path) as vault:
        destination, before = folder_at(str(vault.out)), set[threading.Thread]()
        for run in range(4):
            begun = new_threads("casfs-")
            with destination.mark(f"mark-{run}"):
                errand(vault, f"mark-{run}").check()
            own = begun()
            assert own
            wait_until(lambda: not any(each.is_alive() for each in before), "those of the run before end")  # noqa: B023 - called before the next turn
            before = own


def test_a_url_that_leads_elsewhere_on_each_worker_costs_nothing(tmp_path: Path) -> None:
    with (
        serving(vault_of("cas", NAMES), "cas", tmp_path) as vault,
        cluster(tmp_path, workers=0) as found,
        worker(tmp_path, found.scheduler_address),
    ):
        come(found.scheduler, 1)
        done = vault.drain("--scheduler", found.scheduler_address, to="memory://out")
        assert (done.returncode, vault.requests("initiate_job")) == (1, 0)
        (line,) = done.stderr.splitlines()
        assert "1 of 1 workers cannot download" in line
        assert "all workers must share it" in line


def unshared(*folders: Path) -> tuple[str, ...]:
    """Return what a command begins with that is to have folders of its own there, which begin empty."""
    if os.geteuid() or not shutil.which("unshare"):
        pytest.skip("only root has folders of its own")
    mounts = " && ".join(f"mount -t tmpfs none {shlex.quote(str(each))}" for each in folders)
    return "unshare", "-m", "sh", "-c", f'{mounts} && exec "$@"', "sh"


def test_workers_that_come_late_and_cannot_download_are_left_out(tmp_path: Path) -> None:
    state = vault_of("cas", NAMES[:8], 2 << 20)
    listed = inventory_file(tmp_path, state)
    with (
        serving(state, "cas", tmp_path) as vault,
        cluster(tmp_path, workers=1) as found,
        vault.running("--inventory", listed, "--scheduler", found.scheduler_address, "--read-timeout", 5) as process,
    ):
        vault.server.faults.add(Fault(kind=Kind.STALL, operation="get_job_output", times=None))
        wait_until(lambda: vault.requests("get_job_output") > 1, "downloads are under way", COMMAND_LIMIT_S)
        with (
            worker(tmp_path, found.scheduler_address, keys=False),
            worker(tmp_path, found.scheduler_address, before=unshared(vault.out)),
        ):
            said = []
            for line in process.stderr or ():
                said.append(line)
                if sum("is left out" in each for each in said) == 2:
                    vault.server.faults.clear()
            out = process.stdout.read() if process.stdout else ""
            assert process.wait(COMMAND_LIMIT_S) == 0, said
            vault.check()
        assert vault.retrievals() == 8
        left_out = [line for line in said if "is left out" in line]
        assert len(left_out) == len({line.split()[2] for line in left_out}) == 2
        assert sum("there are no credentials" in line for line in left_out) == 1
        assert sum("all workers must share it" in line for line in left_out) == 1
        assert SECRET not in "".join([out, *said])


def test_a_worker_that_does_not_answer_is_named(tmp_path: Path) -> None:
    with (
        serving(vault_of("cas", NAMES), "cas", tmp_path) as vault,
        cluster(tmp_path, workers=0) as found,
        worker(tmp_path, found.scheduler_address) as stopped,
    ):
        come(found.scheduler, 1)
        with closing(dask.Cluster(found.scheduler_address, 4)) as looked_at:
            stopped.send_signal(signal.SIGSTOP)
            with pytest.raises(ConfigError, match=r"1 of 1 workers cannot download, tcp://.*: it does not answer"):
                looked_at.check(errand(vault, "mark"), within_s=1)
