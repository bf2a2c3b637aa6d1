"""A log that nobody reads, or that is full, makes nobody wait: not who mounts, who reads, nor who ends the mount."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from casfs.emulator.server import Server
from tests.mounting import foreground, is_mounted

pytestmark = pytest.mark.fuse

LIMIT_S = 120.0


@pytest.fixture
def full_pipe() -> Iterator[int]:
    """Yield the writing end of a pipe that is full, and whose reader has stopped."""
    listening, speaking = os.pipe()
    os.set_blocking(speaking, False)
    with suppress(BlockingIOError):
        while True:
            os.write(speaking, b"x" * 4096)
    with suppress(BlockingIOError):
        while True:
            os.write(speaking, b"x")
    os.set_blocking(speaking, True)
    yield speaking
    os.close(speaking)
    os.close(listening)


def check_that_nobody_waits(process: subprocess.Popen[bytes], path: Path, tmp_path: Path) -> None:
    subprocess.run(["ls", "-lR", path], check=True, stdout=subprocess.DEVNULL, timeout=LIMIT_S)
    subprocess.run(["cp", "-r", path / "ledger", tmp_path / "copy"], check=True, timeout=LIMIT_S)
    process.send_signal(signal.SIGHUP)
    process.send_signal(signal.SIGTERM)
    assert process.wait(LIMIT_S) == 0
    assert not is_mounted(path)


def test_standard_error(server: Server, path: Path, tmp_path: Path, full_pipe: int) -> None:
    """As of ``casfs mount -f … 2>&1 | tee`` after Ctrl-Z."""
    with foreground(server, path, tmp_path, stderr=full_pipe, log_level="debug") as process:
        check_that_nobody_waits(process, path, tmp_path)


@pytest.mark.parametrize("has_reader", [True, False], ids=["stopped reader", "no reader"])
def test_a_fifo(server: Server, path: Path, tmp_path: Path, *, has_reader: bool) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK) if has_reader else None
    with foreground(server, path, tmp_path, "--log-file", str(fifo), log_level="debug") as process:
        check_that_nobody_waits(process, path, tmp_path)
    if reader is not None:
        os.close(reader)


def test_a_full_disk(server: Server, path: Path, tmp_path: Path) -> None:
    with foreground(server, path, tmp_path, "--log-file", "/dev/full", log_level="debug") as process:
        check_that_nobody_waits(process, path, tmp_path)


def test_a_mount_that_is_unmounted_ends(server: Server, path: Path, tmp_path: Path, full_pipe: int) -> None:
    with foreground(server, path, tmp_path, stderr=full_pipe, log_level="debug") as process:
        subprocess.run(["umount", path], check=True, timeout=LIMIT_S)
        assert process.wait(LIMIT_S) == 0
