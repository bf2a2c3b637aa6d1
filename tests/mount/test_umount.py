"""``casfs umount``: what it takes away, and what it says where it does not."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from casfs.emulator.server import Server
from tests.mount.nobody import MOUNT, Run
from tests.mount.test_recovery import kill
from tests.mounting import casfs, environment, is_mounted, names, processes_of, wait_until

pytestmark = pytest.mark.fuse

IN_USE = """
import mmap, os, sys
how, path = sys.argv[1:]
if how == "directory":
    os.chdir(path)
elif how == "file":
    fd = os.open(path, os.O_RDONLY)
else:
    with open(path, "rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
    os.closerange(3, 100)  # the mapping has a descriptor of its own
print(flush=True)
sys.stdin.read()
"""


@contextmanager
def user(how: str, path: Path) -> Iterator[int]:
    """Use a mount in a process of its own; gives its number."""
    command = [sys.executable, "-c", IN_USE, how, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process.pid
        process.kill()


def umount(path: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    return casfs("umount", *options, path, env=environment(path.parent))


@pytest.fixture
def mounted(server: Server, path: Path) -> Path:
    assert casfs("mount", server.url, path, env=environment(path.parent)).returncode == 0
    return path


def test_takes_away_what_nobody_uses(mounted: Path) -> None:
    done = umount(mounted)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not is_mounted(mounted)
    wait_until(lambda: not processes_of(mounted), "its process ends")


@pytest.mark.parametrize("how", ["directory", "file", "mapping"])
def test_names_who_uses_it_and_takes_it_away_lazily(mounted: Path, how: str) -> None:
    (output,) = list((mounted / "photos").glob("*/output"))[:1]
    what = {"directory": "its working directory", "file": str(output), "mapping": "a mapped file"}[how]
    with user(how, mounted if how == "directory" else output) as pid:
        done = umount(mounted)
        assert done.returncode == 1
        assert f"(process {pid}: {what})" in done.stderr
        assert (done.stderr.count("\n"), "with --lazy" in done.stderr) == (1, True)
        assert names(mounted)
        assert umount(mounted, "--lazy").returncode == 0
        assert not is_mounted(mounted)


@pytest.mark.parametrize("options", [[], ["--lazy"]], ids=["plain", "lazy"])
def test_takes_away_what_has_died(mounted: Path, options: list[str]) -> None:
    kill(mounted)
    assert umount(mounted, *options).returncode == 0
    assert not is_mounted(mounted)


def test_touches_no_mount_that_is_none_of_casfs(path: Path) -> None:
    assert "nothing is mounted there" in umount(path).stderr
    done = casfs("umount", "--lazy", "/proc", env=environment(path.parent))
    assert (done.returncode, "what is mounted there is proc" in done.stderr) == (1, True)
    assert Path("/proc/self").exists()


def test_user_takes_away_what_is_theirs(run: Run, server: Server, nobodys: Path) -> None:
    path = nobodys / "mount"
    script = f'"$@" {server.url} {path}; ls {path} >/dev/null; {sys.executable} -m casfs umount {path}; ls -A {path}'
    done = run(script, *MOUNT)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
