"""How a mount ends: by ``umount``, by a signal, or with the command that began it."""

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from casfs.emulator.content import InMemory
from casfs.emulator.faults import Fault, Kind
from casfs.emulator.initiation import part
from casfs.emulator.jobs import ARCHIVE_RETRIEVAL
from casfs.emulator.messages import ReceivedRequest
from casfs.emulator.samples import sample_state
from casfs.emulator.server import Server
from casfs.fs.options import BACKGROUND_REQUESTS
from casfs.mount import mountpoint
from tests.mount.test_command import asked
from tests.mounting import environment, foreground, is_mounted, names, processes_of, wait_until

pytestmark = pytest.mark.fuse


def test_umount_ends_the_process(server: Server, path: Path, tmp_path: Path) -> None:
    with foreground(server, path, tmp_path) as process:
        subprocess.run(["umount", path], check=True, timeout=120)
        assert process.wait(60) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT], ids=lambda number: number.name)
def test_a_signal_unmounts(server: Server, path: Path, tmp_path: Path, number: signal.Signals) -> None:
    with foreground(server, path, tmp_path) as process:
        process.send_signal(number)
        assert process.wait(60) == 0
        assert not is_mounted(path)


def test_signals_without_a_meaning_end_nothing(server: Server, path: Path, tmp_path: Path) -> None:
    with foreground(server, path, tmp_path) as process:
        for number in (signal.SIGUSR1, signal.SIGUSR2):
            process.send_signal(number)
            assert names(path)
        process.terminate()
        assert process.wait(60) == 0


def test_the_end_of_a_mount_is_a_line(server: Server, path: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with foreground(server, path, tmp_path, "--log-file", str(log), log_level="info") as process:
        subprocess.run(["umount", path], check=True, timeout=120)
        assert process.wait(60) == 0
    with foreground(server, path, tmp_path, "--log-file", str(log), log_level="info") as process:
        process.terminate()
        assert process.wait(60) == 0
    with foreground(server, path, tmp_path, "--log-file", str(log), log_level="info") as process:
        held = os.open(next(path.glob("photos/*/output")), os.O_RDONLY)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        with suppress(OSError):  # it is a file of nowhere
            os.close(held)
    ends = [line.partition(f"the mount at {path} ended after 0:0")[2] for line in log.read_text().splitlines()]
    assert [end.split(": ")[1] for end in ends if end] == [
        "unmounted by others",
        "SIGTERM",
        "SIGINT, while files were open",
    ]


def test_a_signal_ends_a_mount_whose_reader_is_stalled(server: Server, path: Path, tmp_path: Path) -> None:
    server.faults.add(Fault(kind=Kind.STALL, operation="get_job_output", times=None))
    with foreground(server, path, tmp_path) as process:
        output = next(path.glob("photos/*/output"))
        with subprocess.Popen(["cat", output], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as reader:
            wait_until(lambda: asked(server, "get_job_output") > 0, "the reader reads")
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
            assert not is_mounted(path)
            assert reader.wait(60) == 1


READ_EVERY_BLOCK = """
import os, sys, threading
failed = []
def read(path, block):
    try:
        os.pread(os.open(path, os.O_RDONLY), 1 << 20, block << 20)
    except OSError:
        failed.append(block)
threads = [threading.Thread(target=read, args=(path, block)) for path in sys.argv[1:] for block in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
sys.exit(len(failed) % 256)
"""


def test_names_answer_and_a_signal_ends_it_while_more_reads_stall_than_the_kernel_sends_at_once(
    server: Server, path: Path, tmp_path: Path
) -> None:
    archive = part(server.state.add_archive("photos", InMemory(bytes(8 << 20))))
    for number in range(BACKGROUND_REQUESTS // 8 + 1):
        server.state.add_job("photos", ARCHIVE_RETRIEVAL, archive, job_id=f"stalled-{number}")
    server.faults.add(Fault(kind=Kind.STALL, operation="get_job_output", times=None))
    with foreground(server, path, tmp_path) as process:
        outputs = list(path.glob("photos/stalled-*/output"))
        assert 8 * len(outputs) > BACKGROUND_REQUESTS
        reader = subprocess.Popen([sys.executable, "-c", READ_EVERY_BLOCK, *outputs])
        # libfuse 2 asks eight times for a block, so that eight blocks are all that the kernel asks for at once.
        stalled = 8 if os.environ.get("CASFS_FUSE") == "2" else 32
        wait_until(lambda: asked(server, "get_job_output") >= stalled, "the reads stall")
        listing = subprocess.run(["ls", "-l", path / "ledger"], capture_output=True, timeout=120, check=False)
        assert listing.stdout.count(b"\n") > 5
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        assert reader.wait(60) == 8 * len(outputs) % 256, "every read has failed"


def test_a_mount_that_is_killed_as_it_begins_is_gone(server: Server, path: Path, tmp_path: Path) -> None:
    """Asking itself whether it answers, 1 in 40 could not be killed, nor whoever looked at its mountpoint."""
    command = [sys.executable, "-m", "casfs", "mount", "-f", "--log-level", "error", server.url, str(path)]
    for _ in range(10):
        with subprocess.Popen(command, env=environment(tmp_path)) as process:
            wait_until(lambda: str(path) in [mounted.path for mounted in mountpoint.mounts()], "it is mounted")
            process.kill()
            assert process.wait(60) == -signal.SIGKILL
        subprocess.run(["umount", "-l", path], check=True, timeout=120)


def test_nothing_is_mounted_for_a_command_that_was_killed_meanwhile(path: Path, tmp_path: Path) -> None:
    asks, killed = threading.Event(), threading.Event()

    def held(_request: ReceivedRequest) -> None:
        asks.set()
        killed.wait(120)

    with Server(sample_state(), credentials={"id": "key"}, also=held) as server:
        command = [sys.executable, "-m", "casfs", "mount", server.url, str(path)]
        with subprocess.Popen(command, env=environment(tmp_path)) as process:
            assert asks.wait(120), "the new process asks for the vaults"
            process.kill()
        killed.set()
        wait_until(lambda: not processes_of(path), "the new process ends by itself")
    assert not is_mounted(path)
