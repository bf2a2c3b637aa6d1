"""``casfs drain --scheduler`` on a real cluster of processes."""

import contextlib
import os
import pickle
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from casfs.drain.errand import Errand, proof_in, told_of, version
from casfs.emulator.faults import Fault, Kind
from casfs.emulator.shaping import Shaping
from casfs.errors import DestinationError, GoneError
from tests.drain.clusters import NAMES, SLOW, cluster, scheduler, worker
from tests.drain.vaults import SECRET, Vault, serving, vault_of
from tests.mounting import COMMAND_LIMIT_S, wait_until

plugins = pytest.importorskip("distributed.diagnostics.plugin")
cloudpickle = pytest.importorskip("cloudpickle")


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
        wait_until(lambda: not found.scheduler.tasks, "nothing is left there")
        held = b"".join(seen.held)
        assert str(vault.out).encode() in held
        for secret in (SECRET, "CASFS_SECRET"):
            assert secret.encode() not in held + (vault.folder / "ledger").read_bytes()

        again = vault.drain("--scheduler", found.scheduler_address)
        assert again.returncode == 0, again.stderr


def test_a_scheduler_that_is_not_there_costs_nothing(tmp_path: Path) -> None:
    with serving(vault_of("cas", NAMES), "cas", tmp_path) as vault:
        done = vault.drain("--scheduler", "tcp://127.0.0.1:9")
        assert (done.returncode, vault.server.requests) == (1, [])
        (line,) = done.stderr.splitlines()
        assert "nobody answers at tcp://127.0.0.1:9" in line


def test_a_url_with_a_password_and_a_bucket_are_refused(tmp_path: Path) -> None:
    with serving(vault_of("cas", NAMES), "cas", tmp_path) as vault:
        for to, said in (
            ("ftp://me:secret@host/x", "password"),
            ("simplecache::ftp://me:secret@host/x", "password"),
            ("cos://bucket-1/x", "nothing is downloaded"),
        ):
            done = vault.drain("--scheduler", "tcp://127.0.0.1:9", to=to)
            assert (done.returncode, vault.server.requests) == (1, [])
            assert said in done.stderr
            assert "me:secret" not in done.stderr


def test_an_errand_is_plain_and_so_is_what_comes_of_it(tmp_path: Path) -> None:
    errand = Errand(version(), "http://127.0.0.1:9/-", {"read_timeout": "5"}, "v", None, str(tmp_path), "mark", 4)
    assert pickle.loads(pickle.dumps(errand)) == errand
    expired = GoneError("it expired")
    expired.may_pass = True
    with pytest.raises(GoneError, match="it expired") as gone:
        proof_in(told_of(expired))
    assert gone.value.may_pass
    full = DestinationError("full")
    full.__cause__ = OSError(28, "full")
    with pytest.raises(DestinationError) as caught:
        proof_in(told_of(full))
    assert isinstance(caught.value.__cause__, OSError)
    assert caught.value.__cause__.errno == 28


def test_a_scheduler_has_no_secret_in_memory_on_its_pages_and_in_its_logs(tmp_path: Path) -> None:
    with serving(vault_of("cas", NAMES[:8]), "cas", tmp_path) as vault:
        vault.server.faults.add(Fault(kind=Kind.STATUS, operation="get_job_output", status=503, times=3))
        with scheduler(tmp_path) as (process, address, pages), worker(tmp_path, address):
            counts = f"{pages}/json/counts.json"
            wait_until(
                lambda: requests.get(counts, timeout=COMMAND_LIMIT_S).json()["workers"] == 1,
                "it comes",
                COMMAND_LIMIT_S,
            )
            done = vault.drain("--scheduler", address)
            assert done.returncode == 0, done.stderr
            vault.check()
            held = memory_of(process.pid)
            for name in ("info/main/workers.html", "info/logs.html", "json/identity.json", "metrics"):
                held += requests.get(f"{pages}/{name}", timeout=COMMAND_LIMIT_S).content
        held += b"".join(path.read_bytes() for path in tmp_path.glob("said-*"))
    assert str(vault.out).encode() in held, "what a scheduler knows is seen"
    assert SECRET.encode() not in held


def memory_of(process: int) -> bytes:
    """Return all that a process may write to in its memory."""
    held = []
    with Path(f"/proc/{process}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{process}/maps").read_text("utf-8").splitlines():
            span, rights = line.split()[:2]
            start, end = (int(each, 16) for each in span.split("-"))
            if rights.startswith("rw"):
                memory.seek(start)
                with contextlib.suppress(OSError):
                    held.append(memory.read(end - start))
    return b"".join(held)


@contextmanager
def slowly_downloading(folder: Path) -> Iterator[tuple[Vault, Any, subprocess.Popen[str]]]:
    """Run a drain over a cluster until downloads are under way; after the block all must have come, at no more cost."""
    state = vault_of("cas", NAMES[:8], 2 << 20)
    with serving(state, "cas", folder, shaping=SLOW) as vault, cluster(folder) as found:
        with vault.running("--scheduler", found.scheduler_address) as process:
            wait_until(lambda: vault.requests("get_job_output") > 4, "downloads are under way", COMMAND_LIMIT_S)
            yield vault, found, process
        vault.check()
        assert vault.retrievals() == 8
        asked = Counter((one.job, one.range) for one in vault.server.requests if one.operation == "get_job_output")
        assert max(asked.values()) <= 2, "nothing was downloaded more than twice"


def test_workers_that_are_killed_cost_nothing_and_the_others_go_on(tmp_path: Path) -> None:
    with slowly_downloading(tmp_path) as (vault, found, process):
        os.kill(found.workers[0].pid, signal.SIGKILL)
        vault.server.shaping = Shaping()
        process.communicate(timeout=COMMAND_LIMIT_S)
        assert process.returncode == 0
        assert not (vault.out / ".casfs-part").exists()


def test_a_run_that_is_killed_goes_on_with_the_cluster_as_it_is(tmp_path: Path) -> None:
    with slowly_downloading(tmp_path) as (vault, found, process):
        process.kill()
        process.communicate(timeout=COMMAND_LIMIT_S)
        vault.server.shaping = Shaping()
        done = vault.drain("--scheduler", found.scheduler_address)
        assert done.returncode == 0, done.stderr
