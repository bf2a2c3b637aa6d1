"""Mounts whose process was killed: what they are until they are made again, and how that is done."""

import errno
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from casfs.emulator.server import Server
from casfs.mount import mountpoint
from tests.mount.helping import helper
from tests.mounting import casfs, environment, names, processes_of, wait_until

pytestmark = pytest.mark.fuse


def kill(path: Path) -> None:
    """Kill who serves the mount at *path*."""
    for process in processes_of(path, str(path)):
        os.kill(process, signal.SIGKILL)
    wait_until(lambda: number_of(path) == errno.ENOTCONN, "the mount is dead")


def number_of(path: Path) -> int | None:
    """Return the errno that a look at *path* ends with, None where it works."""
    try:
        path.stat()
    except OSError as error:
        return error.errno
    return None


def mounted_at(path: Path) -> int:
    return sum(mounted.path == str(path) for mounted in mountpoint.mounts())


Mount = Callable[[str, Path], "subprocess.CompletedProcess[str]"]
MOUNTS = pytest.mark.parametrize(
    "mount",
    [
        lambda url, path: casfs("mount", url, path, env=environment(path.parent)),
        lambda url, path: helper(path.parent, url, path),
    ],
    ids=["casfs mount", "mount.casfs"],
)


@MOUNTS
def test_what_died_is_mounted_again_without_a_hand(mount: Mount, server: Server, path: Path) -> None:
    assert mount(server.url, path).returncode == 0
    for _ in range(2):
        kill(path)
        done = mount(server.url, path)
        assert (done.returncode, done.stderr) == (0, "")
        assert (names(path), mounted_at(path)) == (["empty", "ledger", "photos"], 1)


def test_what_died_stays_where_the_new_one_is_refused(server: Server, path: Path) -> None:
    """Whoever copies meanwhile gets an error, and not an empty directory."""
    assert casfs("mount", server.url, path, env=environment(path.parent)).returncode == 0
    kill(path)
    done = casfs("mount", server.url, path, env=environment(path.parent, secret_key="of-another"))
    assert done.returncode == 1
    assert (number_of(path), mounted_at(path)) == (errno.ENOTCONN, 1)


def test_what_is_hidden_by_a_dead_mount_is_looked_at_before_a_new_one_hides_it(server: Server, path: Path) -> None:
    assert casfs("mount", server.url, path, env=environment(path.parent)).returncode == 0
    kill(path)
    subprocess.run(["umount", "-l", path], check=True, timeout=120)
    (path / "precious").touch()
    assert "not empty" in casfs("mount", server.url, path, env=environment(path.parent)).stderr


def test_dead_mount_of_others_is_left_and_named(server: Server, faulty: Callable[[str], None], tmp_path: Path) -> None:
    del faulty
    path = tmp_path / "mountpoint"
    kill(path)
    done = casfs("mount", server.url, path, env=environment(tmp_path))
    assert (done.returncode, "a mount that died is still there; remove it with: umount -l" in done.stderr) == (1, True)
    assert mounted_at(path) == 1


def test_living_mount_is_never_taken_away(server: Server, path: Path) -> None:
    assert casfs("mount", server.url, path, env=environment(path.parent)).returncode == 0
    done = casfs("mount", server.url, path, env=environment(path.parent))
    assert (done.returncode, "something is mounted there already" in done.stderr) == (1, True)
    assert names(path)
