"""A process takes its own mount away, and no other: told by the device, since the path may be another's by now."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from casfs.emulator.server import Server
from casfs.mount import mountpoint
from casfs.mount.lifetime import GRACE_S
from tests.mount.test_listings import number_of
from tests.mounting import casfs, environment, foreground, is_mounted, names

pytestmark = pytest.mark.fuse

LIMIT_S = 120.0
"""Many times what a mount takes to end."""
VAULTS = ["empty", "ledger", "photos"]


def numbers_at(path: Path) -> list[tuple[int, int]]:
    """Return id and device of what is mounted at *path*."""
    return [(mounted.id, mounted.device) for mounted in mountpoint.mounts() if mounted.path == str(path)]


@pytest.fixture
def reader(path: Path) -> Iterator[list[int]]:
    """Keep a file of the mount open."""
    held: list[int] = []
    yield held
    for fd in held:
        with suppress(OSError):  # its mount may be gone
            os.close(fd)


def mount(server: Server, path: Path, home: Path) -> None:
    done = casfs("mount", "--log-file", home / "log-of-another", server.url, path, env=environment(home))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGQUIT], ids=lambda number: number.name)
def test_a_mount_at_the_place_of_one_that_is_still_read_stays(
    server: Server, path: Path, tmp_path: Path, reader: list[int], number: signal.Signals
) -> None:
    with foreground(server, path, tmp_path) as process:
        reader.append(os.open(next(path.glob("photos/*/output")), os.O_RDONLY))
        subprocess.run(["umount", "-l", path], check=True, timeout=120)
        mount(server, path, tmp_path)
        began_s = time.monotonic()
        process.send_signal(number)
        is_read = number_of(path, lambda _: os.pread(reader[0], 1, 0)) is None
        assert is_read or time.monotonic() - began_s > GRACE_S, "what is open can be read for a while"
        assert process.wait(LIMIT_S) == 0
        with pytest.raises(OSError, match=r"not connected|aborted"):
            os.pread(reader[0], 1, 1 << 20)
    assert names(path) == VAULTS


def test_a_mount_at_the_place_of_one_that_lives_on_in_another_namespace_stays(
    server: Server, path: Path, tmp_path: Path
) -> None:
    with foreground(server, path, tmp_path) as process:
        holder = ["unshare", "-m", "--propagation", "private", "sh", "-c", "echo; exec sleep 600"]
        with subprocess.Popen(holder, stdout=subprocess.PIPE) as held:
            assert held.stdout is not None
            held.stdout.readline()
            subprocess.run(["umount", path], check=True, timeout=120)
            mount(server, path, tmp_path)
            process.send_signal(signal.SIGTERM)
            assert process.wait(LIMIT_S) == 0
            held.kill()
    assert names(path) == VAULTS


SLOW = """
import sys
from pathlib import Path
from casfs.fs.attrs import View
from casfs.fs.binding import load_binding
from casfs.fs.operations import Operations
from casfs.fs.options import libfuse_options
from casfs.mount.own_mount import OwnMount
from casfs.stats import Stats

class Slow:
    def start(self):
        print("begun", flush=True)
    def stop(self):
        print("ending", flush=True)
        sys.stdin.readline()
        own.take_away()

class Quick(Slow):
    start = stop = lambda self: None

view, binding, own = View(0, 0, 0o400, 0o700), load_binding(), OwnMount(Path(sys.argv[1]))
options = libfuse_options("s", view, allow_other=False, libfuse=binding.libfuse)
binding.serve(Operations(Slow(), Quick(), Stats(), view), sys.argv[1], options, own)
"""


def test_a_mount_that_got_the_numbers_of_the_one_before_it_stays(server: Server, path: Path, tmp_path: Path) -> None:
    """The kernel gives the lowest free ones, while the process before has not ended yet."""
    command = [sys.executable, "-c", SLOW, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == b"begun\n"
        before = numbers_at(path)
        subprocess.run(["umount", path], check=True, timeout=120)
        assert process.stdout.readline() == b"ending\n"
        mount(server, path, tmp_path)
        has_them = numbers_at(path) == before
        process.communicate(b"\n", LIMIT_S)
        assert process.wait(LIMIT_S) == 0
    assert names(path) == VAULTS
    if not has_them:
        pytest.skip("somebody else on this machine got the numbers")


REUSED = """
import subprocess, sys
from pathlib import Path
from casfs.fs.attrs import View
from casfs.fs.binding import load_binding
from casfs.fs.operations import Operations
from casfs.fs.options import libfuse_options
from casfs.mount.mountpoint import mounts
from casfs.mount.own_mount import OwnMount
from casfs.stats import Stats

class Brief:
    def start(self):
        print(own.device in before, own.take_away(), flush=True)
    stop = lambda self: None

class Quick(Brief):
    start = lambda self: None

path, other = map(Path, sys.argv[1:])
view, binding, own = View(0, 0, 0o400, 0o700), load_binding(), OwnMount(path)
options = libfuse_options("s", view, allow_other=False, libfuse=binding.libfuse)
subprocess.run(["mount", "-t", "tmpfs", "none", other], check=True)
own.look_before()
before = {mounted.device for mounted in mounts()}
subprocess.run(["umount", other], check=True)
binding.serve(Operations(Brief(), Quick(), Stats(), view), sys.argv[1], options, own)
"""


def test_a_mount_that_got_the_device_of_one_that_ended_meanwhile_is_taken_away(path: Path, tmp_path: Path) -> None:
    """The kernel gives the lowest number that is free, which another mount may have had when this one looked."""
    (tmp_path / "other").mkdir()
    command = [sys.executable, "-c", REUSED, str(path), str(tmp_path / "other")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = process.stdout.readline().split()
        is_left = is_mounted(path)
        subprocess.run(["umount", "-l", path], check=False, stderr=subprocess.DEVNULL, timeout=120)
        assert process.wait(LIMIT_S) == 0
    if said[0] != "True":
        pytest.skip("somebody else on this machine got the number")
    assert (said[1], is_left) == ("True", False)


def test_what_is_mounted_over_it_stays(server: Server, path: Path, tmp_path: Path) -> None:
    with foreground(server, path, tmp_path) as process:
        subprocess.run(["mount", "-t", "tmpfs", "none", path], check=True, timeout=120)
        (path / "precious").touch()
        process.send_signal(signal.SIGTERM)
        assert process.wait(LIMIT_S) == 0
        assert names(path) == ["precious"]
        subprocess.run(["umount", path], check=True, timeout=120)


def test_it_is_taken_from_where_its_directory_has_gone(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "here" / "mount"
    path.mkdir(parents=True)
    with foreground(server, path, tmp_path) as process:
        path.parent.rename(tmp_path / "there")
        process.send_signal(signal.SIGTERM)
        assert process.wait(LIMIT_S) == 0
    assert not is_mounted(tmp_path / "there" / "mount")
