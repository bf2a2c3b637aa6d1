"""Clusters of Dask that tests run: a scheduler, and workers with keys or without."""

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
from tests.mounting import environment

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


def worker(folder: Path, address: str, **more: Any) -> Any:
    return program(
        folder, "worker", address, "--nthreads", "2", "--no-nanny", "--no-dashboard", "--local-directory", str(folder),
        **more,
    )  # fmt: skip


def errand(vault: Vault, mark: str) -> Errand:
    return Errand(version(), f"{vault.server.url}/-", {}, VAULT, None, str(vault.out), mark, 1)
