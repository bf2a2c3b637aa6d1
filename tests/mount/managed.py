"""A mount whose service manager is the test: what it is told, it hears."""

import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.managers import Heard
from tests.mounting import environment

WATCHDOG_S = 4.0
"""What the manager gives: a second from look to look, and two for an answer."""
WATCHED = str(int(WATCHDOG_S * 10**6))
COMMAND = (sys.executable, "-m", "casfs")


@contextmanager
def notifying(
    url: str, path: Path, heard: Heard, *options: str, command: Sequence[str] = COMMAND, **more: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Mount in the foreground for a service manager; the block begins at once."""
    env = environment(path.parent, NOTIFY_SOCKET=heard.address, **more)
    with subprocess.Popen([*command, "mount", "-f", *options, url, str(path)], env=env) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGCONT)
            process.kill()


def log(path: Path) -> str:
    return (path.parent / "log-of-mounts").read_text()
