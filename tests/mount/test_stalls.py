"""Outputs that stall hold up nobody else: real programs, the connections that there are by default."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from casfs.emulator.content import InMemory
from casfs.emulator.faults import Fault, Kind
from casfs.emulator.initiation import part
from casfs.emulator.jobs import ARCHIVE_RETRIEVAL
from casfs.emulator.server import Server
from casfs.emulator.state import State
from tests.mounting import Mounting, wait_until

pytestmark = pytest.mark.fuse

MIB = 1 << 20
CONTENT = b"".join(bytes([number]) * MIB for number in range(1, 6)) + b"the end"
IS_LIBFUSE_2 = os.environ.get("CASFS_FUSE") == "2"
CONNECTIONS, STALLED = (16, 20) if IS_LIBFUSE_2 else (32, 66)
"""Twice as many as there are connections by default. Over libfuse 2 the kernel asks eight times for each block: more
outputs than these would take all of the reads ahead that it makes at once."""
HOUR_S = 3600.0
LIMIT_S = 240.0
"""Far more than a copy takes, and less than the reads of those that stall have."""


@contextmanager
def served() -> Iterator[Server]:
    """Serve one healthy output, and STALLED of which half send no head, and half nothing but a head."""
    state = State()
    state.add_vault("vault")
    archive = part(state.add_archive("vault", InMemory(CONTENT)))
    faults = []
    for number in range(STALLED):
        state.add_job("vault", ARCHIVE_RETRIEVAL, archive, job_id=f"stalled-{number}")
        kind = Kind.STALL if number % 2 else Kind.DELAY
        faults.append(
            Fault(kind=kind, operation="get_job_output", job=f"stalled-{number}", at=0, seconds=HOUR_S, times=None)
        )
    state.add_job("vault", ARCHIVE_RETRIEVAL, archive, job_id="healthy")
    with Server(state, credentials={"id": "key"}) as server:
        server.faults.add(*faults)
        yield server


@contextmanager
def reading(path: Path) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["cat", path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as cat:
        try:
            yield cat
        finally:
            cat.kill()


@pytest.mark.parametrize("connections", [CONNECTIONS, 1])
def test_a_healthy_output_is_copied_while_others_stall(mounting: Mounting, tmp_path: Path, connections: int) -> None:
    count = STALLED if connections > 1 else 1
    with ExitStack() as stack:
        server = stack.enter_context(served())
        vault = stack.enter_context(mounting(server, "--connections", connections, "--read-timeout", HOUR_S)) / "vault"
        cats = [stack.enter_context(reading(vault / f"stalled-{number}" / "output")) for number in range(count)]

        def held() -> int:
            return sum(record.operation == "get_job_output" for record in server.requests)

        wait_until(lambda: held() >= min(count, connections), "those that stall hold the connections", LIMIT_S)
        copy = tmp_path / "copy"
        subprocess.run(["cp", vault / "healthy" / "output", copy], check=True, timeout=LIMIT_S)
        assert copy.read_bytes() == CONTENT
        assert [cat.poll() for cat in cats] == [None] * count, "those that stall still wait"
        subprocess.run(["ls", "-l", vault / "stalled-0"], check=True, timeout=LIMIT_S, stdout=subprocess.DEVNULL)
