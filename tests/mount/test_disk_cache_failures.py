"""A cache on a disk that is too small, turns read-only, or fails: programs read on, and the log has one warning."""

import errno
import hashlib
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from casfs.emulator.content import InMemory
from casfs.emulator.initiation import part
from casfs.emulator.jobs import ARCHIVE_RETRIEVAL
from casfs.emulator.server import Server
from casfs.emulator.state import State
from tests.mounting import Mounting, environment, processes_of, wait_until

pytestmark = pytest.mark.fuse

MIB = 1 << 20
LARGE = random.Random(14).randbytes(MIB + 9) * 64
SMALL = random.Random(15).randbytes(4 * MIB + 9)
OUTPUTS = {"large": LARGE[: 64 * MIB], "small": SMALL}

SCRIPT = """
    mount -t tmpfs -o size=20m,mode=700 none "$disk"
    "$python" -m casfs mount --log-file "$log" --cache-dir "$disk" "$url" "$mount" 2>/dev/null
    trap 'umount -l "$mount"' EXIT
    sha256sum < "$mount/vault/{first}/output"
    {between}
    sha256sum < "$mount/vault/{second}/output"
    cp "$mount/vault/large/output" /dev/null
    for _ in $(seq 2000); do grep -q " WARNING " "$log" && break; sleep 0.05; done
"""
READ_ONLY = """
    for _ in $(seq 2000); do mount -o remount,ro "$disk" 2>/dev/null && break; sleep 0.05; done
    ! touch "$disk/x" 2>/dev/null
"""


@pytest.fixture
def server() -> Iterator[Server]:
    state = State()
    state.add_vault("vault")
    for job, content in OUTPUTS.items():
        state.add_job("vault", ARCHIVE_RETRIEVAL, part(state.add_archive("vault", InMemory(content))), job_id=job)
    with Server(state, credentials={"id": "key"}) as running:
        yield running


def log_in(folder: Path) -> Path:
    """Return the log of the one mount."""
    return next(folder.glob("log-[0-9]"))


def warnings(log: Path) -> list[str]:
    return [line for line in log.read_text().splitlines() if " WARNING " in line or " ERROR " in line]


@pytest.mark.parametrize(
    ("first", "between", "second", "reason"),
    [("large", "", "small", errno.ENOSPC), ("small", READ_ONLY, "large", errno.EROFS)],
    ids=["too small", "read-only"],
)
def test_a_disk_that_takes_no_more_costs_one_warning(  # noqa: PLR0917 - what happens, and where
    first: str, between: str, second: str, reason: int, server: Server, tmp_path: Path
) -> None:
    unshare = ["unshare", "-m", "sh", "-euc"]
    if os.geteuid() or subprocess.run([*unshare, "true"], check=False, timeout=120).returncode:
        pytest.skip("unshare -m is not allowed here")
    places = {name: str(tmp_path / name) for name in ("disk", "mount", "log")}
    for name in ("disk", "mount"):
        Path(places[name]).mkdir()
    env = environment(tmp_path, **places, url=server.url, python=sys.executable)
    script = SCRIPT.format(first=first, between=between, second=second)
    done = subprocess.run([*unshare, script], env=env, capture_output=True, text=True, timeout=240, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    right = [hashlib.sha256(OUTPUTS[name]).hexdigest() for name in (first, second)]
    assert [line.split()[0] for line in done.stdout.splitlines()] == right
    wait_until(lambda: not processes_of(tmp_path / "mount"), "the mount has said all that it says")
    (warning,) = warnings(tmp_path / "log")
    assert os.strerror(reason) in warning


CALLS = "getattr readdir mkdir unlink open create read write truncate fsync fsyncdir"


@pytest.mark.parametrize("calls", [CALLS, "read", "write", "fsync"])
def test_a_disk_that_fails_costs_one_warning(
    calls: str, server: Server, mounting: Mounting, faulty: Callable[[str], None], tmp_path: Path
) -> None:
    disk = tmp_path / "mountpoint" / "cache"
    with mounting(server, "--cache-dir", disk, "--block-cache-size", "32M") as root:
        small, large = (root / "vault" / job / "output" for job in ("small", "large"))
        assert small.read_bytes() == SMALL
        wait_until(lambda: os.getxattr(small, "user.cas.cached") == b"whole", "the small one is kept")
        faulty(f"{errno.EIO} {calls}")
        assert large.read_bytes() == OUTPUTS["large"]
        with small.open("rb", buffering=0) as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            assert file.read() == SMALL
        wait_until(lambda: warnings(log_in(tmp_path)) != [], "the disk has been tried")
    (warning,) = warnings(log_in(tmp_path))
    assert os.strerror(errno.EIO) in warning


def test_a_disk_that_fails_at_the_beginning_is_no_reason_not_to_mount(
    server: Server, mounting: Mounting, faulty: Callable[[str], None], tmp_path: Path
) -> None:
    faulty(f"{errno.EIO} {CALLS}")
    with mounting(server, "--cache-dir", tmp_path / "mountpoint" / "cache") as root:
        assert (root / "vault" / "small" / "output").read_bytes() == SMALL
        assert os.getxattr(root / "vault" / "small" / "output", "user.cas.cached") == b"none"
    (warning,) = warnings(log_in(tmp_path))
    assert os.strerror(errno.EIO) in warning


def test_a_disk_that_hangs_at_the_beginning_is_no_reason_not_to_mount(
    server: Server, mounting: Mounting, faulty: Callable[[str], None], tmp_path: Path
) -> None:
    faulty("0 getattr")
    with mounting(server, "--cache-dir", tmp_path / "mountpoint" / "cache") as root:
        assert (root / "vault" / "small" / "output").read_bytes() == SMALL
        faulty("")  # nobody could end a process that hangs in it
    assert "not used for now: it does not answer" in warnings(log_in(tmp_path))[0]
