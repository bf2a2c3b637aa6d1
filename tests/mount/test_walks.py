"""Programs that copy a vault through the kernel: what is asked for ahead of them, and for whom nothing is."""

import json
import os
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from casfs.emulator.content import InMemory
from casfs.emulator.faults import Fault, Kind
from casfs.emulator.initiation import part
from casfs.emulator.jobs import ARCHIVE_RETRIEVAL
from casfs.emulator.server import Server
from casfs.emulator.state import State
from tests.mounting import Mounting, wait_until

pytestmark = pytest.mark.fuse

JOBS = [f"{(number * 7919) % 10007:05}-job" for number in range(24)]
"""In an order that is not that of their names."""

COPIES = {
    "cp": 'cp -r "$0" "$1"',
    "rsync": 'mkdir "$1" && rsync -a "$0/" "$1/"',
    "tar": 'mkdir "$1" && tar -C "$0" -cf - . | tar -C "$1" -xf -',
    "xargs": 'mkdir "$1" && cd "$0" && ls | xargs -P8 -n5 cp -r -t "$1"',
}


def bytes_of(job: str) -> bytes:
    """Return the bytes of an output: one block, or two."""
    number = JOBS.index(job)
    return (job.encode() * (1 << 18))[: (1 << 20) + 5 if number % 5 == 3 else number * 1000 + 1]


@pytest.fixture
def vault() -> Iterator[Server]:
    state = State()
    state.add_vault("vault")
    for job in JOBS:
        state.add_job("vault", ARCHIVE_RETRIEVAL, part(state.add_archive("vault", InMemory(bytes_of(job)))), job_id=job)
    with Server(state, credentials={"id": "key"}) as server:
        yield server


def asked(server: Server) -> list[tuple[str | None, str | None]]:
    """Return which ranges of which outputs were asked for."""
    return [(each.job, each.range) for each in server.journal.records() if each.operation == "get_job_output"]


def figures(root: Path) -> dict[str, int]:
    found: dict[str, int] = json.loads(os.getxattr(root, "user.cas.stats"))
    return found


def is_kept(root: Path, job: str) -> bool:
    return os.getxattr(root / "vault" / job / "output", "user.cas.cached") == b"whole"


@pytest.mark.parametrize("program", COPIES)
def test_a_copy_of_a_vault_is_right_and_asks_for_nothing_that_came_twice(
    program: str, vault: Server, mounting: Mounting, tmp_path: Path
) -> None:
    with mounting(vault) as root:
        subprocess.run(["sh", "-c", COPIES[program], root / "vault", tmp_path / "copy"], check=True, timeout=120)
        counted = figures(root)
    assert {job: (tmp_path / "copy" / job / "output").read_bytes() for job in JOBS} == {
        job: bytes_of(job) for job in JOBS
    }
    times = max(Counter(asked(vault)).values())
    if program == "xargs":
        # Its programs follow no order among themselves. Three steps make believe in one; where that is lost, what is on
        # its way is called back, and whoever opens it asks again.
        assert times <= len(JOBS) // 3
    else:
        assert times == 1
        assert counted["prefetched_outputs"] >= len(JOBS) - 6
        assert counted["prefetch_unused_outputs"] == 0


LOOKS = (
    'find "$0" -type f -size +0',
    'ls -lR "$0"',
    'getfattr -R -d -m - "$0"',
    'du -a "$0"',
    'stat "$0"/*/output',
    'rsync -a --dry-run "$0/" /nowhere/',
)


def test_who_only_looks_has_nothing_asked_for(vault: Server, mounting: Mounting) -> None:
    with mounting(vault) as root:
        for look in LOOKS:
            subprocess.run(["sh", "-c", look, root / "vault"], check=True, stdout=subprocess.DEVNULL, timeout=120)
        assert figures(root)["prefetched_outputs"] == 0
    assert asked(vault) == []


def test_one_that_expires_while_it_is_asked_for_ahead_fails_alone(
    vault: Server, mounting: Mounting, tmp_path: Path
) -> None:
    lost = sorted(JOBS)[8]
    vault.faults.add(
        Fault(kind=Kind.STATUS, code="ResourceNotFoundException", operation="get_job_output", job=lost, times=None)
    )
    with mounting(vault) as root:
        (tmp_path / "copy").mkdir()
        command = ["rsync", "-a", f"{root}/vault/", f"{tmp_path}/copy/"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, lost in done.stderr) == (23, True), done.stderr
    assert {path.parent.name for path in (tmp_path / "copy").glob("*/output")} == {*JOBS} - {lost}


def test_one_that_fails_while_it_is_asked_for_ahead_is_read_all_the_same(
    vault: Server, mounting: Mounting, tmp_path: Path
) -> None:
    vault.faults.add(*(Fault(kind=Kind.FLIP, operation="get_job_output", job=job, times=1) for job in JOBS[1::3]))
    with mounting(vault) as root:
        subprocess.run(["cp", "-r", root / "vault", tmp_path / "copy"], check=True, timeout=120)
    assert all((tmp_path / "copy" / job / "output").read_bytes() == bytes_of(job) for job in JOBS)


def test_a_program_that_is_killed_leaves_nothing_on_its_way(vault: Server, mounting: Mounting, tmp_path: Path) -> None:
    order = sorted(JOBS)
    for job in order[3:]:
        vault.faults.add(Fault(kind=Kind.STALL, operation="get_job_output", job=job, times=None))
    with mounting(vault) as root:
        copying = subprocess.Popen(["rsync", "-a", f"{root}/vault/", f"{tmp_path}/copy/"], stderr=subprocess.DEVNULL)
        wait_until(lambda: figures(root)["prefetched_outputs"] > 0, "outputs are asked for ahead")
        copying.kill()
        copying.wait(60)
        vault.faults.clear()
        assert (root / "vault" / order[20] / "output").read_bytes() == bytes_of(order[20])
        wait_until(lambda: figures(root)["in_flight"] == 0, "what nobody reads is called back")


def test_what_is_kept_on_disk_is_asked_of_the_disk_ahead(vault: Server, mounting: Mounting, tmp_path: Path) -> None:
    kept = ("--cache-dir", tmp_path / "kept")
    with mounting(vault, *kept) as root:
        subprocess.run(["cp", "-r", root / "vault", tmp_path / "first"], check=True, timeout=120)
        wait_until(lambda: all(is_kept(root, job) for job in JOBS), "all is on disk")
    before = asked(vault)
    with mounting(vault, *kept) as root:
        subprocess.run(["cp", "-r", root / "vault", tmp_path / "second"], check=True, timeout=120)
        counted = figures(root)
    assert asked(vault) == before
    assert counted["prefetched_outputs"] >= len(JOBS) - 6
    assert all((tmp_path / "second" / job / "output").read_bytes() == bytes_of(job) for job in JOBS)
