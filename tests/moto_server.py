"""moto's server in a process of its own: a Glacier that nobody here wrote, and that is wrong in ways worth surviving.

Seen of moto 5.2.5 (2026-11): it ignores Range; gives no tree hash; says ArchiveSizeInBytes 0, RetrievalByteRange null
and InventorySizeInBytes 10000 whatever the truth; answers an unknown job with a page of HTML and status 500.
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.mounting import wait_until

START_S = 120.0
"""It imports most of botocore first: 0.3 s on an idle machine, many times that on a busy one."""


@contextmanager
def running() -> Iterator[str]:
    """Serve for as long as the context lasts, and yield the URL."""
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    with (
        tempfile.NamedTemporaryFile() as said,
        subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said) as server,
    ):
        try:
            yield _address(Path(said.name), server)
        finally:
            server.terminate()


def _address(said: Path, server: "subprocess.Popen[bytes]") -> str:
    """Return where it listens, once it says so."""
    found: list[str] = []

    def is_said() -> bool:
        found.extend(re.findall(r"Running on (http://\S+)\n", said.read_text()))
        return bool(found) or server.poll() is not None

    wait_until(is_said, "moto's server comes up", START_S)
    assert found, said.read_text()
    return found[0]
