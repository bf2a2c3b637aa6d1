"""A program's mount for the length of one measurement: fresh before, gone after, whatever happened between."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import processes
from service import environment

START_TIMEOUT_S = 60.0  # httpdirfs lists before it mounts; 2,500 HEADs at 30 ms take it ten seconds
STOP_TIMEOUT_S = 20.0


@dataclass(frozen=True)
class Mount:
    """A mount that answers, and the process behind it.

    Attributes:
        path: where it is mounted.
        pid: the process that serves it.
        idle_mib: what it held before anything was read.
    """

    path: Path
    pid: int
    idle_mib: float


@contextmanager
def mounted(command: Sequence[str], path: Path, *, daemon: bool, log: Path) -> Iterator[Mount]:
    """Mount, hand over the mount once it answers, and unmount.

    Args:
        command: what to run; it mounts at *path*.
        path: an empty directory.
        daemon: the command ends with status 0 once the mount answers; else it stays and serves.
        log: receives what the command says.

    Raises:
        RuntimeError: it did not mount, and why as far as it said so.
    """
    with log.open("wb") as said:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, env=environment())
    pid = child.pid
    try:
        _wait_ready(child, path, daemon=daemon, log=log)
        pid = processes.find(str(path)) if daemon else child.pid
        yield Mount(path, pid, processes.resident_mib(pid))
    finally:
        _unmount(path)
        _end(child, pid)


def is_mounted(path: Path) -> bool:
    """Tell whether something is mounted at *path*, without asking it."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return any(line.split()[4] == str(path) for line in lines)


def _wait_ready(child: "subprocess.Popen[bytes]", path: Path, *, daemon: bool, log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while not (is_mounted(path) and (child.poll() == 0 if daemon else True)):
        if child.poll() not in (None, 0) or time.monotonic() > deadline:
            raise RuntimeError(f"{child.args!r} did not mount: {log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.01)
    path.stat()  # the first answer of the program itself


def _unmount(path: Path) -> None:
    tool = ["umount"] if os.geteuid() == 0 else ["fusermount3", "-u"]
    deadline = time.monotonic() + STOP_TIMEOUT_S
    while is_mounted(path):
        if time.monotonic() > deadline:
            tool += ["-l" if os.geteuid() == 0 else "-z"]  # lazily: what still holds it keeps it, and we go on
        subprocess.run([*tool, path], check=False, capture_output=True)
        time.sleep(0.02)


def _end(child: "subprocess.Popen[bytes]", pid: int) -> None:
    if pid == child.pid:
        try:
            child.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
    elif not processes.wait_gone(pid, STOP_TIMEOUT_S):
        os.kill(pid, signal.SIGKILL)
