"""Mounts of the real command over a service of the test's own."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

from casfs.emulator.samples import sample_state
from casfs.emulator.server import Server
from tests.mounting import Mounting, Service, casfs, environment, is_mounted, processes_of, wait_until


@pytest.fixture
def server() -> Iterator[Server]:
    """Run the emulator with its sample vaults."""
    with Server(sample_state(), credentials={"id": "key"}) as running:
        yield running


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    """Make a directory to mount on; no mount and no process of it is left behind."""
    made = tmp_path / "mount"
    made.mkdir()
    yield made
    if is_mounted(made):
        subprocess.run(["umount", "-l", made], check=False, timeout=10)
    wait_until(lambda: not processes_of(made), "the process of the mount ends")


@pytest.fixture
def mounting(tmp_path: Path) -> Mounting:
    """Mount a service for the time of a block; whatever nobody foresaw, in the log of the mount, fails the test.

    Returns:
        Takes the service, options of ``casfs mount``, and *suffix*, what stands behind the service's address in SOURCE;
        gives the mountpoint. The key is ``service.keys``, ``id`` and ``key`` where it has none.
    """
    numbers = count()

    @contextmanager
    def mounted(service: Service, *options: object, suffix: str = "") -> Iterator[Path]:
        path, log = tmp_path / f"mount-{next(numbers)}", tmp_path / f"log-{next(numbers)}"
        path.mkdir()
        keys = getattr(service, "keys", ("id", "key"))
        done = casfs("mount", "--log-file", log, *options, service.url + suffix, path, env=environment(tmp_path, *keys))
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
        try:
            yield path
        finally:
            subprocess.run(["umount", "-l", path], check=False, timeout=10)
            wait_until(lambda: not processes_of(path), "the process of the mount ends once it is unmounted")
        surprises = [line for line in log.read_text().splitlines() if "nobody" in line or "Traceback" in line]
        assert surprises == [], log.read_text()

    return mounted
