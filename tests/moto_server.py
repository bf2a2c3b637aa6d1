"""moto's server in a process of its own: a Glacier that nobody here wrote, and that is wrong in ways worth surviving.

Seen of moto 5.2.5 (2026-11): it ignores Range; gives no tree hash; says ArchiveSizeInBytes 0, RetrievalByteRange null
and InventorySizeInBytes 10000 whatever the truth; answers an unknown job with a page of HTML and status 500.
"""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

START_S = 30
"""It imports most of botocore first: 0.3 s on an idle machine, many times that on a busy one."""


@contextmanager
def running() -> Iterator[str]:
    """Serve for as long as the context lasts, and yield the URL."""
    port = _free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            _wait_for(port, server)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(port: int, server: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError("moto's server did not come up")
