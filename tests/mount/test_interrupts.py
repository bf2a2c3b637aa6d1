"""Programs that wait for a service that stalls can be ended, through the whole house."""

import signal
import subprocess
import sys
from collections.abc import Iterator
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
CONTENT = bytes(6 * MIB)
PROMPT_S = 60.0
"""More than a very busy machine takes to end a process; the read itself would go on for two minutes."""
HANDLER = """
import os, signal, sys
def end(*_): sys.exit(7)
signal.signal(signal.SIGINT, end)
signal.signal(signal.SIGTERM, end)
fd = os.open(sys.argv[1], os.O_RDONLY)
while os.read(fd, 65536): pass
"""
PROGRAMS = {"cat": ["cat"], "dd": ["dd", "bs=64k"], "a handler": [sys.executable, "-c", HANDLER]}


@pytest.fixture
def server() -> Iterator[Server]:
    """Run a service with one output, whose third block never comes."""
    state = State()
    state.add_vault("vault")
    archive = state.add_archive("vault", InMemory(CONTENT))
    state.add_job("vault", ARCHIVE_RETRIEVAL, part(archive), job_id="stalls")
    with Server(state, credentials={"id": "key"}) as running:
        running.faults.add(Fault(kind=Kind.STALL, operation="get_job_output", at=2 * MIB, times=None))
        yield running


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_reader_of_a_stalled_service_is_ended_at_once(
    server: Server, mounting: Mounting, program: str, number: signal.Signals
) -> None:
    with mounting(server) as root:
        output = root / "vault/stalls/output"
        command = [*PROGRAMS[program], f"if={output}" if program == "dd" else str(output)]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as reader:
            wait_until(lambda: "folio" in Path(f"/proc/{reader.pid}/wchan").read_text(), "the program waits for a page")
            reader.send_signal(number)
            reader.wait(PROMPT_S)
            assert reader.returncode != 0
