"""The cache on disk through the kernel: what is read again over kills, mounts, vaults and processes, and damage."""

import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from casfs.emulator.content import InMemory
from casfs.emulator.initiation import part
from casfs.emulator.jobs import ARCHIVE_RETRIEVAL
from casfs.emulator.server import Server
from casfs.emulator.state import State
from tests.mounting import Mounting, processes_of, wait_until

pytestmark = pytest.mark.fuse

MIB = 1 << 20
NOISE = random.Random(13).randbytes(MIB + 7)
BYTES = (NOISE * 64)[: 64 * MIB - 5]


@pytest.fixture
def server() -> Iterator[Server]:
    state = State()
    for vault in ("photos", "copies"):
        state.add_vault(vault)
        archive = state.add_archive(vault, InMemory(BYTES))
        state.add_job(vault, ARCHIVE_RETRIEVAL, part(archive), job_id="job")
    with Server(state, credentials={"id": "key"}) as running:
        yield running


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def output(root: Path, vault: str = "photos") -> Path:
    return root / vault / "job" / "output"


def attribute(path: Path, name: str) -> str:
    return os.getxattr(path, f"user.cas.{name}").decode()


def kept(path: Path) -> None:
    """Wait until all of an output is on disk."""
    wait_until(lambda: attribute(path, "cached") == "whole", "all of the output is kept on disk")


def downloads(server: Server) -> int:
    """Return how many outputs, or parts of one, were asked for."""
    return sum(request.operation == "get_job_output" for request in server.requests)


def test_after_a_kill_what_was_read_is_read_again_from_disk(server: Server, mounting: Mounting, cache: Path) -> None:
    with mounting(server, "--cache-dir", cache) as root:
        assert output(root).read_bytes() == BYTES
        kept(output(root))
        for process in processes_of(root):
            os.kill(process, signal.SIGKILL)
    before = downloads(server)
    with mounting(server, "--cache-dir", cache) as root:
        assert output(root).read_bytes() == BYTES
        assert attribute(output(root), "verified") == "whole"
        assert attribute(output(root), "cached") == "whole"
    assert downloads(server) - before <= 2


def test_a_second_job_of_the_same_archive_is_read_from_disk_wherever_it_is(
    server: Server, mounting: Mounting, cache: Path
) -> None:
    with mounting(server, "--cache-dir", cache) as root:
        assert output(root).read_bytes() == BYTES
        kept(output(root))
        before = downloads(server)
        with mounting(server, "--cache-dir", cache) as other:
            assert output(other, "copies").read_bytes() == BYTES
    assert downloads(server) == before
