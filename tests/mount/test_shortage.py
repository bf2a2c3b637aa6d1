"""Limits of memory and threads: a mount that works, or one line and exit status 1."""

import errno
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from casfs.emulator.server import Server
from tests.mount.test_listings import number_of
from tests.mounting import COMMAND_LIMIT_S, environment, is_mounted, processes_of, wait_until

pytestmark = pytest.mark.fuse

LESS_THAN_A_BLOCK = 900 << 10
"""Enough for what libfuse and Python take of a read, and too little for a thread too."""
NO_LIMIT_MEBIBYTES = 64 << 10
"""More address space than a mount ever takes; that there is a limit makes it use little."""


@pytest.mark.parametrize("foreground", [[], ["--foreground"]], ids=["background", "foreground"])
@pytest.mark.parametrize("mebibytes", [64, 150, 300, 700, 1000])
def test_too_little_address_space_is_one_line(
    server: Server, path: Path, tmp_path: Path, mebibytes: int, foreground: list[str]
) -> None:
    log = tmp_path / "log"
    done = limited(mebibytes, server, path, tmp_path, "--log-file", log, *foreground)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert "ulimit -v" in line
    assert not is_mounted(path)
    assert "Traceback" not in (log.read_text() if log.exists() else "")


@pytest.mark.parametrize(
    ("mebibytes", "options"), [(2048, []), (1200, ["--block-cache-size", "16M", "--connections", 4])]
)
def test_enough_address_space_is_a_mount_that_works(
    server: Server, path: Path, tmp_path: Path, mebibytes: int, options: list[object]
) -> None:
    log = tmp_path / "log"
    done = limited(mebibytes, server, path, tmp_path, "--log-file", log, *options)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    for output in path.glob("*/*/output"):
        assert len(output.read_bytes()) == output.stat().st_size
    assert "Traceback" not in log.read_text()


def test_memory_that_runs_out_later_is_an_error_with_a_name_and_passes(
    server: Server, path: Path, tmp_path: Path
) -> None:
    """As under ``ulimit -v``: without a limit from the beginning, a new thread of libfuse may find no heap to use."""
    log = tmp_path / "log"
    assert limited(NO_LIMIT_MEBIBYTES, server, path, tmp_path, "--log-file", log).returncode == 0
    (process,) = processes_of(path)
    (source,) = sorted(path.glob("ledger/*/output"))[:1]
    used = int(Path(f"/proc/{process}/statm").read_text().split()[0]) * resource.getpagesize()
    usual = resource.prlimit(process, resource.RLIMIT_AS)
    resource.prlimit(process, resource.RLIMIT_AS, (used + LESS_THAN_A_BLOCK, usual[1]))
    assert number_of(source, Path.read_bytes) == errno.EIO
    resource.prlimit(process, resource.RLIMIT_AS, usual)
    wait_until(lambda: number_of(source, Path.read_bytes) is None, "the failure is forgotten")
    assert len(source.read_bytes()) == source.stat().st_size
    wait_until(lambda: "the system gives no more " in log.read_text(), "it is named")
    assert "Traceback" not in log.read_text()


def limited(
    mebibytes: int, server: Server, path: Path, home: Path, *options: object
) -> subprocess.CompletedProcess[str]:
    command = ["prlimit", f"--as={mebibytes << 20}", sys.executable, "-m", "casfs", "mount", *options, server.url, path]
    return subprocess.run(
        list(map(str, command)),
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=COMMAND_LIMIT_S,
        check=False,
    )
