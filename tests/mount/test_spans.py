"""Documents and answers that tell sizes which no output has: refused by name, at no cost, and nothing else suffers."""

import os
import subprocess
from pathlib import Path

import pytest

from casfs.emulator.content import InMemory
from casfs.emulator.faults import Fault, Kind
from casfs.emulator.initiation import part
from casfs.emulator.jobs import ARCHIVE_RETRIEVAL, INVENTORY_RETRIEVAL, Json
from casfs.emulator.server import Server
from casfs.emulator.state import State
from tests.mounting import Mounting, names, processes_of

pytestmark = pytest.mark.fuse

CONTENT = b"right\n" * 1000
LIMIT_S = 60
MEMORY_KIB = 512 << 10
ABSURD: dict[str, tuple[str, dict[str, Json]]] = {
    "span": (ARCHIVE_RETRIEVAL, {"RetrievalByteRange": "0-999999999999999998"}),
    "span-of-63-bits": (ARCHIVE_RETRIEVAL, {"RetrievalByteRange": f"0-{2**63 - 2}"}),
    "span-of-more": (ARCHIVE_RETRIEVAL, {"RetrievalByteRange": f"1-{10**30}"}),
    "inventory": (INVENTORY_RETRIEVAL, {"InventorySizeInBytes": 2**63 - 1}),
    "inventory-as-text": (INVENTORY_RETRIEVAL, {"InventorySizeInBytes": str(10**18)}),
}


def run(*command: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        list(map(str, command)), capture_output=True, text=True, errors="replace", timeout=LIMIT_S, check=False
    )


def resident_kib(path: Path) -> int:
    (process,) = processes_of(path)
    status = Path(f"/proc/{process}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])


def test_a_size_that_no_output_has_fails_its_output_and_nothing_else(mounting: Mounting, tmp_path: Path) -> None:
    state = State()
    state.add_vault("vault")
    whole = part(state.add_archive("vault", InMemory(CONTENT)))
    state.add_job("vault", ARCHIVE_RETRIEVAL, whole, job_id="healthy")
    for job, (action, fields) in ABSURD.items():
        state.add_job("vault", action, whole, job_id=job, overrides=fields)
    state.add_job("vault", INVENTORY_RETRIEVAL, whole, job_id="total", overrides={"InventorySizeInBytes": None})
    lie = Fault(kind=Kind.WRONG_TOTAL, job="total", shift=10**18 - 1 - len(CONTENT), times=None)
    with Server(state, credentials={"id": "key"}) as server, mounting(server) as path:
        server.faults.add(lie)
        vault = path / "vault"
        assert names(vault) == sorted([*ABSURD, "healthy", "total"])
        for job in [*ABSURD, "total"]:
            assert os.listxattr(vault / job), "its document can be read"
            assert names(vault / job) == ["output"]
            for command in ("cat", "getfattr", "stat"):
                assert run(command, vault / job / "output").returncode != 0, (command, job)
        copied = run("rsync", "-a", f"{vault}/", tmp_path / "copies")
        assert copied.returncode == 23, copied.stderr
        assert (tmp_path / "copies" / "healthy" / "output").read_bytes() == CONTENT
        assert run("cp", vault / "healthy" / "output", tmp_path / "copy").returncode == 0
        assert (tmp_path / "copy").read_bytes() == CONTENT
        assert resident_kib(path) < MEMORY_KIB
    log = "".join(found.read_text() for found in tmp_path.glob("log-*"))
    for job in ABSURD:
        assert log.count(f"vault/{job}: its document says ") == 1, log
    assert f"the service says that the output has {10**18 - 1} bytes" in log
