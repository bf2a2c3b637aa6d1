"""The process of the mount, through real forks: each script runs in an interpreter of its own."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mounting import wait_until

PREAMBLE = """
import os, sys, time
from casfs.mount.background import detach
from casfs.errors import ConfigError, MountError
def run(serve):
    try:
        detach(serve, lambda text: print("warned:", text, flush=True))
    except MountError as error:
        print("failed:", error)
"""


def run(script: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run *script* and wait until it and whoever holds its standard output and error have ended."""
    command = [sys.executable, "-c", PREAMBLE + script, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def wait_for_text(path: Path) -> str:
    """Return what *path* holds once it holds something."""
    wait_until(lambda: path.exists() and path.read_text() != "", f"{path} holds something")
    return path.read_text()


def test_command_ends_when_the_mount_is_ready_though_the_mount_goes_on(tmp_path: Path) -> None:
    script = """
def serve(herald):
    herald.ready()
    open(sys.argv[1], "w").write(str(os.getpid()))
    time.sleep(600)
run(serve)
print("back")
"""
    done = run(script, tmp_path / "pid")
    assert (done.stdout, done.stderr, done.returncode) == ("back\n", "", 0)
    os.kill(int(wait_for_text(tmp_path / "pid")), signal.SIGKILL)


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ('raise ConfigError("no such\\n  vault")', "failed: no such vault\n"),
        ('raise KeyError("surprise")', "failed: KeyError: 'surprise'\n"),
        ("os._exit(7)", "failed: the mount ended before it answered; casfs mount --foreground shows why\n"),
        ("return", "failed: the mount ended before it answered; casfs mount --foreground shows why\n"),
        ('herald.warn("careful"); herald.ready()', "warned: careful\n"),
    ],
    ids=["a named error", "a bug", "a crash", "an end before its time", "a warning"],
)
def test_command_hears_how_it_went(what: str, said: str) -> None:
    done = run(f"def serve(herald):\n    {what}\nrun(serve)")
    assert (done.stdout, done.stderr, done.returncode) == (said, "", 0)


def test_mount_learns_that_nobody_waits_for_it_any_more(tmp_path: Path) -> None:
    script = """
def serve(herald):
    os.kill(command, 9)
    while os.path.exists(f"/proc/{command}/fd/1"):
        pass
    try:
        herald.ready()
    except MountError as error:
        open(sys.argv[1], "w").write(str(error))
command = os.getpid()
run(serve)
"""
    assert run(script, tmp_path / "said").returncode == -signal.SIGKILL
    assert wait_for_text(tmp_path / "said") == "the command that waited for the mount has ended"


def test_mount_holds_nothing_of_its_caller(tmp_path: Path) -> None:
    script = """
def serve(herald):
    fds = {fd: os.readlink(f"/proc/self/fd/{fd}") for fd in map(int, os.listdir("/proc/self/fd"))
           if os.path.exists(f"/proc/self/fd/{fd}")}
    herald.ready()
    held = [name for name in fds.values() if name != "/dev/null" and not name.startswith(("pipe:", "/proc/"))]
    told = [held, sum(name.startswith("pipe:") for name in fds.values()), os.getcwd(), os.getsid(0) != session]
    open(sys.argv[1], "w").write(repr(told))
session = os.getsid(0)
inherited = open(sys.argv[2])
os.set_inheritable(inherited.fileno(), True)
run(serve)
"""
    (tmp_path / "lock").touch()
    run(script, tmp_path / "told", tmp_path / "lock")
    assert wait_for_text(tmp_path / "told") == repr([[], 1, "/", True])


def test_mount_is_made_in_the_process_group_of_the_command_which_an_automount_lets_pass(tmp_path: Path) -> None:
    script = """
def serve(herald):
    before = os.getpgid(0) == group
    herald.ready()
    open(sys.argv[1], "w").write(repr([before, os.getpgid(0) == os.getsid(0) == os.getpid()]))
group = os.getpgid(0)
run(serve)
"""
    run(script, tmp_path / "told")
    assert wait_for_text(tmp_path / "told") == repr([True, True])


def test_mount_starts_from_a_caller_without_standard_streams(tmp_path: Path) -> None:
    script = """
def serve(herald):
    herald.ready()
    open(sys.argv[1], "w").write("served")
detach(serve, print)
"""
    command = [sys.executable, "-c", PREAMBLE + script, str(tmp_path / "said")]
    shell = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *command]
    assert subprocess.run(shell, timeout=120, check=False).returncode == 0
    assert wait_for_text(tmp_path / "said") == "served"
