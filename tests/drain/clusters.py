"""Clusters of Dask that tests run: a scheduler, and workers with keys or without."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from casfs.drain.errand import Errand, version
from casfs.emulator.shaping import Shaping
from tests.drain.vaults import SECRET, VAULT, Vault
from tests.mounting import COMMAND_LIMIT_S, environment, wait_until

distributed = pytest.importorskip("distributed", reason="the extra dask is not installed")


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
        come(found.scheduler, workers)
        yield found


@contextmanager
def program(folder: Path, *command: str, before: tuple[str, ...] = (), keys: bool = True) -> Iterator[Any]:
    """Run a scheduler or a worker, behind a command, with keys of its own or without, and stop it at the end."""
    own = environment(folder, "id", SECRET)
    env = {name: value for name, value in own.items() if keys or not name.startswith(("CASFS_SECRET", "AWS_"))}
    said = (folder / f"said-{command[0]}").open("ab")
    line = [*before, sys.executable, "-m", "dask", *command]
    with said, subprocess.Popen(line, env=env, stdout=said, stderr=said, cwd=folder) as process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def scheduler(folder: Path) -> Iterator[tuple[Any, str, str]]:
    """Run a scheduler that has no keys, on ports of its own choice; gives its process, its address and its pages."""
    found = folder / "scheduler.json"
    words = ("--host", "127.0.0.1", "--port", "0", "--dashboard-address", "127.0.0.1:0", "--scheduler-file", str(found))
    with program(folder, "scheduler", *words, keys=False) as process:
        wait_until(lambda: found.exists() and found.read_text().endswith("}"), "the scheduler listens", COMMAND_LIMIT_S)
        told = json.loads(found.read_text())
        yield process, told["address"], f"http://127.0.0.1:{told['services']['dashboard']}"


def come(scheduler: Any, count: int) -> None:
    """Return once so many workers have come: how long a new process takes to is no matter of a test."""
    wait_until(lambda: len(scheduler.workers) == count, f"{count} workers have come", COMMAND_LIMIT_S)


def worker(folder: Path, address: str, **more: Any) -> Any:
    return program(
        folder, "worker", address, "--nthreads", "2", "--no-nanny", "--no-dashboard", "--local-directory", str(folder),
        **more,
    )  # fmt: skip


def errand(vault: Vault, mark: str) -> Errand:
    return Errand(version(), f"{vault.server.url}/-", {}, VAULT, None, str(vault.out), mark, 1)
