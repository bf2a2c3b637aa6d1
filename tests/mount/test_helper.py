"""``mount.casfs``, as mount(8) calls it."""

import subprocess
import sys
from pathlib import Path

import pytest

from casfs.emulator.server import Server
from tests.mounting import environment, is_mounted, names

pytestmark = pytest.mark.fuse

MAIN = "from casfs.cli.mount_helper import main; main()"


def helper(home: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", MAIN, *map(str, arguments)]
    return subprocess.run(command, env=environment(home), capture_output=True, text=True, timeout=45, check=False)


def test_mounts_with_the_arguments_of_mount(server: Server, path: Path, tmp_path: Path) -> None:
    done = helper(tmp_path, server.url, path, "-n", "-o", "rw,noauto,user=alice,_netdev,x-systemd.automount,list_ttl=5")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert names(path)


def test_says_what_it_did_only_when_asked(server: Server, path: Path, tmp_path: Path) -> None:
    assert helper(tmp_path, server.url, path, "-v").stdout == f"{server.url} on {path} type fuse.casfs\n"


def test_does_everything_but_mount_when_it_shall_only_pretend(server: Server, path: Path, tmp_path: Path) -> None:
    assert helper(tmp_path, server.url, path, "-f").returncode == 0
    assert not is_mounted(path)
    assert helper(tmp_path, "nonsense", path, "-f").returncode == 1


def test_tolerates_unknown_words_only_when_asked(server: Server, path: Path, tmp_path: Path) -> None:
    done = helper(tmp_path, server.url, path, "-o", "sync,list_ttl=5")
    assert (done.returncode, "sync" in done.stderr) == (1, True)
    assert helper(tmp_path, server.url, path, "-s", "-o", "sync,list_ttl=5").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["source"], 1),
        (["a", "b", "-z"], 1),
        (["nonsense", "/"], 1),
        (["http://127.0.0.1:1", "{path}", "-oconnect_timeout=1"], 32),
    ],
    ids=["no mountpoint", "no such flag", "no source", "nobody there"],
)
def test_exit_status_is_that_of_mount(arguments: list[str], status: int, path: Path, tmp_path: Path) -> None:
    done = helper(tmp_path, *(argument.format(path=path) for argument in arguments))
    assert done.returncode == status
    assert (done.stderr.count("\n"), done.stderr.partition(": ")[0]) == (1, "casfs")
