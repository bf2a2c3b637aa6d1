"""``casfs drain --scheduler`` on a real cluster of processes."""

import os
import pickle
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from casfs.drain.errand import Errand, proof_in
from casfs.emulator.shaping import Shaping
from casfs.errors import DestinationError, GoneError
from tests.drain.vaults import SECRET, serving, vault_of
from tests.mounting import COMMAND_LIMIT_S, environment, wait_until

distributed = pytest.importorskip("distributed", reason="the extra dask is not installed")
plugins = pytest.importorskip("distributed.diagnostics.plugin")
cloudpickle = pytest.importorskip("cloudpickle")

KEYS = ("CASFS_SECRET_ID", "CASFS_SECRET_KEY")
SLOW = Shaping(0.0, 200e3)
NAMES = [f"d/{number}" for number in range(24)]


@contextmanager
def cluster(folder: Path, *, keys: bool = True, workers: int = 2) -> Iterator[Any]:
    """Run a scheduler and workers, which have keys of their own, or none."""
    env = {name: value for name, value in environment(folder, "id", SECRET).items() if keys or name not in KEYS}
    more = dict.fromkeys(KEYS, "") if not keys else {}
    with distributed.LocalCluster(
        n_workers=workers, threads_per_worker=2, processes=True, dashboard_address="127.0.0.1:0", env=env | more,
        silence_logs=50,
    ) as found:  # fmt: skip
        yield found


class Seen:
    """What a scheduler has of each task, and who did it."""

    def __init__(self, scheduler: Any) -> None:
        self._scheduler = scheduler
        self.held: list[bytes] = []
        self.workers: set[str] = set()
        plugin = plugins.SchedulerPlugin()
        plugin.transition = self._note
        scheduler.add_plugin(plugin)

    def _note(self, key: Any, _start: str, finish: str, *_args: Any, **more: Any) -> None:
        if finish == "processing":
            self.held.append(cloudpickle.dumps(self._scheduler.tasks[key].run_spec))
        if finish == "memory":
            self.workers.add(more["worker"])
            self.held.append(repr(more).encode())


def test_all_workers_download_and_the_run_alone_keeps_the_truth(tmp_path: Path) -> None:
    with serving(vault_of("cas", NAMES, 2 << 20), "cas", tmp_path) as vault, cluster(tmp_path) as found:
        seen = Seen(found.scheduler)
        done = vault.drain("--scheduler", found.scheduler_address, "--json")
        assert (done.returncode, done.stderr) == (0, "")
        vault.check()
        assert vault.retrievals() == len(NAMES)
        assert not (vault.out / ".casfs-part").exists()
        asked = [(record.job, record.range) for record in vault.server.requests if record.operation == "get_job_output"]
        assert len(set(asked)) == len(asked), "no range was downloaded twice"
        assert len(seen.workers) == 2
        assert not found.scheduler.tasks, "nothing is left there"
        held = b"".join(seen.held)
        assert str(vault.out).encode() in held
        for secret in (SECRET, "CASFS_SECRET"):
            assert secret.encode() not in held + (vault.folder / "ledger").read_bytes()

        again = vault.drain("--scheduler", found.scheduler_address)
        assert again.returncode == 0, again.stderr


def test_workers_without_keys_are_one_line_and_cost_nothing(tmp_path: Path) -> None:
    with serving(vault_of("cas", NAMES), "cas", tmp_path) as vault, cluster(tmp_path, keys=False) as found:
        done = vault.drain("--scheduler", found.scheduler_address)
        assert (done.returncode, vault.requests("initiate_job")) == (1, 0)
        (line,) = done.stderr.splitlines()
        assert "2 of 2 workers cannot download" in line
        assert "credentials" in line


def test_a_scheduler_that_is_not_there_costs_nothing(tmp_path: Path) -> None:
    with serving(vault_of("cas", NAMES), "cas", tmp_path) as vault:
        done = vault.drain("--scheduler", "tcp://127.0.0.1:9")
        assert (done.returncode, vault.server.requests) == (1, [])
        (line,) = done.stderr.splitlines()
        assert "nobody answers at tcp://127.0.0.1:9" in line


def test_a_cluster_without_workers_costs_nothing(tmp_path: Path) -> None:
    with serving(vault_of("cas", NAMES), "cas", tmp_path) as vault, cluster(tmp_path, workers=0) as found:
        done = vault.drain("--scheduler", found.scheduler_address)
        assert (done.returncode, vault.server.requests) == (1, [])
        (line,) = done.stderr.splitlines()
        assert "has no workers" in line


def test_a_url_with_a_password_and_a_bucket_are_refused(tmp_path: Path) -> None:
    with serving(vault_of("cas", NAMES), "cas", tmp_path) as vault:
        for to, said in (("ftp://me:secret@host/x", "password"), ("cos://bucket-1/x", "nothing is downloaded")):
            done = vault.drain("--scheduler", "tcp://127.0.0.1:9", to=to)
            assert (done.returncode, vault.server.requests) == (1, [])
            assert said in done.stderr
            assert "me:secret" not in done.stderr


def test_an_errand_is_plain_and_so_is_what_comes_of_it(tmp_path: Path) -> None:
    errand = Errand("http://127.0.0.1:9/-", {"read_timeout": "5"}, "v", str(tmp_path), 4)
    assert pickle.loads(pickle.dumps(errand)) == errand
    told = {"error": "GoneError", "text": "it expired", "errno": None, "has_cause": False}
    with pytest.raises(GoneError, match="it expired"):
        proof_in(told)
    with pytest.raises(DestinationError) as caught:
        proof_in({"error": "DestinationError", "text": "full", "errno": 28, "has_cause": True})
    assert isinstance(caught.value.__cause__, OSError)
    assert caught.value.__cause__.errno == 28


def test_a_folder_that_a_worker_does_not_share_is_named(tmp_path: Path) -> None:
    with serving(vault_of("cas", NAMES), "cas", tmp_path) as vault, cluster(tmp_path, workers=1) as found:
        client = distributed.Client(found, set_as_default=False)
        (said,) = client.run(Errand(f"{vault.server.url}/-", {}, "backups", str(vault.out), 1).check, "token").values()
        client.close()
    assert said is not None
    assert "all workers must share it" in said


def test_workers_that_are_killed_cost_nothing_and_the_others_go_on(tmp_path: Path) -> None:
    state = vault_of("cas", NAMES[:8], 2 << 20)
    with (
        serving(state, "cas", tmp_path, shaping=SLOW) as vault,
        cluster(tmp_path) as found,
    ):
        with vault.running("--scheduler", found.scheduler_address) as process:
            wait_until(lambda: vault.requests("get_job_output") > 4, "downloads are under way")
            os.kill(found.workers[0].pid, signal.SIGKILL)
            vault.server.shaping = Shaping()
            process.communicate(timeout=COMMAND_LIMIT_S)
        assert process.returncode == 0
        vault.check()
        assert vault.retrievals() == 8
        asked = Counter((one.job, one.range) for one in vault.server.requests if one.operation == "get_job_output")
        assert max(asked.values()) <= 2, "nothing was downloaded more than twice"
        assert not (vault.out / ".casfs-part").exists()


def test_a_run_that_is_killed_goes_on_with_the_cluster_as_it_is(tmp_path: Path) -> None:
    state = vault_of("cas", NAMES[:8], 2 << 20)
    with (
        serving(state, "cas", tmp_path, shaping=SLOW) as vault,
        cluster(tmp_path) as found,
    ):
        with vault.running("--scheduler", found.scheduler_address) as process:
            wait_until(lambda: vault.requests("get_job_output") > 4, "downloads are under way")
            process.kill()
            process.communicate(timeout=COMMAND_LIMIT_S)
        vault.server.shaping = Shaping()
        done = vault.drain("--scheduler", found.scheduler_address)
        assert done.returncode == 0, done.stderr
        vault.check()
        assert vault.retrievals() == 8
        asked = Counter((one.job, one.range) for one in vault.server.requests if one.operation == "get_job_output")
        assert max(asked.values()) <= 2, "nothing was downloaded more than twice"
