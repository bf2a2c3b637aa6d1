"""Limits of memory and threads: a mount that works, or one line and exit status 1."""

import subprocess
import sys
from pathlib import Path

import pytest

from casfs.emulator.server import Server
from tests.mounting import COMMAND_LIMIT_S, environment, is_mounted

pytestmark = pytest.mark.fuse


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
