"""The watchdog of a service manager: fed while the mount answers, and starved once it does not."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from casfs.emulator.faults import Fault, Kind
from casfs.emulator.server import Server
from casfs.models import PROBE_NAME
from tests.managers import Heard, manager
from tests.mount import holding
from tests.mount.managed import WATCHDOG_S, WATCHED, log, notifying
from tests.mounting import wait_until

pytestmark = pytest.mark.fuse


def test_watchdog_is_fed_by_a_probe_and_by_no_request(server: Server, path: Path) -> None:
    with manager() as heard, notifying(server.url, path, heard, WATCHDOG_USEC=WATCHED):
        heard.has("READY")
        asked = len(server.requests)
        for _ in range(3):
            heard.has("WATCHDOG")
        assert len(server.requests) == asked


def test_watchdog_is_fed_while_the_service_stalls_on_every_connection(server: Server, path: Path) -> None:
    server.faults.add(Fault(kind=Kind.STALL, operation="get_job_output", at=0, seconds=3600.0, times=None))
    options = ("--connections", "1", "--block-cache-size", "1M", "--read-timeout", "3600")
    with manager() as heard, notifying(server.url, path, heard, *options, WATCHDOG_USEC=WATCHED) as process:
        heard.has("READY")
        outputs = sorted((path / "photos").glob("*/output"))[:2]
        cats = [subprocess.Popen(["cat", output], stdout=subprocess.DEVNULL) for output in outputs]
        wait_until(lambda: any(record.operation == "get_job_output" for record in server.requests), "one is asked for")
        heard.forget()
        for _ in range(4):
            heard.has("WATCHDOG")
        assert [cat.poll() for cat in cats] == [None, None]
        process.terminate()
        for cat in cats:
            cat.wait(60)


def is_starved(heard: Heard) -> bool:
    """Whether it is not fed for longer than the manager waits."""
    ends_s = time.monotonic() + WATCHDOG_S * 1.5
    while (left_s := ends_s - time.monotonic()) > 0:
        if "WATCHDOG" in (heard.next(left_s) or {}):
            return False
    return True


def test_watchdog_is_starved_by_a_lock_of_the_reads_that_is_not_let_go(server: Server, path: Path) -> None:
    when = path.parent / "now"
    command = (sys.executable, holding.__file__, str(when))
    with manager() as heard, notifying(server.url, path, heard, command=command, WATCHDOG_USEC=WATCHED) as process:
        heard.has("WATCHDOG")
        when.touch()
        wait_until(when.with_suffix(".held").exists, "the lock is held")
        wait_until(lambda: is_starved(heard), "what was on its way has come, and no more")
        assert process.poll() is None
        wait_until(lambda: "no read is answered" in log(path), "why it is starved is told")
        process.send_signal(signal.SIGUSR1)
        wait_until(lambda: "thread watchdog" in log(path), "whoever waits is seen in the log")


def test_watchdog_is_starved_by_a_process_that_is_stopped(server: Server, path: Path) -> None:
    with manager() as heard, notifying(server.url, path, heard, WATCHDOG_USEC=WATCHED) as process:
        heard.has("WATCHDOG")
        process.send_signal(signal.SIGSTOP)
        wait_until(lambda: is_starved(heard), "what was on its way has come, and no more")
        process.send_signal(signal.SIGCONT)
        heard.has("WATCHDOG")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts over a mount")
def test_watchdog_is_fed_where_the_mount_cannot_be_seen(server: Server, path: Path) -> None:
    """Covered, or taken away while it is read: what would see it then is somebody else's."""
    with manager() as heard, notifying(server.url, path, heard, WATCHDOG_USEC=WATCHED):
        heard.has("READY")
        subprocess.run(["mount", "-t", "tmpfs", "none", path], check=True, timeout=120)
        try:
            heard.forget()
            for _ in range(2):
                heard.has("WATCHDOG")
        finally:
            subprocess.run(["umount", path], check=True, timeout=120)
        with (path / PROBE_NAME).open("rb"):
            subprocess.run(["umount", "-l", path], check=True, timeout=120)
            heard.forget()
            for _ in range(2):
                heard.has("WATCHDOG")
