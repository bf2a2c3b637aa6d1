"""What a process has used, as the kernel counts it: processor seconds, memory now, memory at its peak."""

import os
import time
from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
MIB_PER_KIB = 1 / 1024


def cpu_s(pid: int) -> float:
    """Give the processor seconds, user and system, of every thread of a process. Source: proc(5), /proc/PID/stat."""
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / TICKS_PER_S


def _status_mib(pid: int, field: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    found = [int(line.split()[1]) for line in lines if line.startswith(field)]
    if not found:
        raise ProcessLookupError(f"process {pid} has ended")
    return found[0] * MIB_PER_KIB


def resident_mib(pid: int) -> float:
    """Give the memory a process holds now."""
    return _status_mib(pid, "VmRSS:")


def peak_mib(pid: int) -> float:
    """Give the most memory a process has held since it started, or since `forget_peak`."""
    return _status_mib(pid, "VmHWM:")


def forget_peak(pid: int) -> None:
    """Let the peak be counted from here. Source: proc(5), /proc/PID/clear_refs, value 5."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def find(argument: str) -> int:
    """Find the newest process, this one apart, that was given *argument*: a daemon's pid, whoever forked it.

    Raises:
        LookupError: no process was.
    """
    wanted = argument.encode()
    for pid in sorted((int(path.name) for path in Path("/proc").glob("[0-9]*")), reverse=True):
        try:
            given = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue  # it ended meanwhile
        if wanted in given and pid != os.getpid():
            return pid
    raise LookupError(f"no process was given {argument}")


def wait_gone(pid: int, timeout_s: float) -> bool:
    """Wait until a process that need not be a child has ended; False if it has not in time."""
    deadline = time.monotonic() + timeout_s
    while Path(f"/proc/{pid}/stat").exists() and not _is_zombie(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
