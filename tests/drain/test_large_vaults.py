"""Vaults whose inventories nobody holds in memory."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from casfs.emulator.generated_archives import GeneratedArchives
from casfs.emulator.glacier import glacier
from casfs.emulator.inventories import inventory
from casfs.emulator.jobs import INVENTORY_RETRIEVAL
from casfs.emulator.server import Server
from casfs.emulator.state import State
from tests.drain.runs import Drain
from tests.drain.services import KEYS, Served

MOST_BYTES = 100 << 20
MEASURED = """
import json, resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
print(json.dumps({"peak_kib": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss}))
"""
"""A small process in between: the kernel counts for a child what its parent had when it began."""


@pytest.mark.parametrize(
    ("count", "form"),
    [
        (100_000, "JSON"),
        pytest.param(300_000, "JSON", marks=pytest.mark.long),
        pytest.param(300_000, "CSV", marks=pytest.mark.long),
    ],
)
def test_a_plan_takes_100_mib_however_many_archives_there_are(tmp_path: Path, count: int, form: str) -> None:
    found, size, peak = planned(tmp_path, count, form)
    assert (found, size) == (count, GeneratedArchives(count).size)
    assert peak <= MOST_BYTES


def planned(home: Path, count: int, form: str) -> tuple[int, int, int]:
    """Plan a drain; return how many archives it found, their bytes, and the most memory that it took."""
    dialect = glacier()
    state = State(region=dialect.region, account=dialect.account)
    generated = GeneratedArchives(count, id_length=dialect.archive_id_length)
    vault = state.add_vault("vault", inventory_s=state.clock(), generated=generated)
    listed, fields = inventory(vault, state, dialect, form=form)
    state.add_job("vault", INVENTORY_RETRIEVAL, listed, fields=fields)
    with Server(state, dialect=dialect, credentials=dict([KEYS])) as server:
        drain = Drain(Served("glacier", server, vault), home)
        command = [sys.executable, "-c", MEASURED, *drain.command("--dry-run", "--json")]
        done = subprocess.run(command, env=drain.environment, capture_output=True, text=True, timeout=280, check=True)
    told = list(map(json.loads, done.stdout.splitlines()))
    [plan] = [each for each in told if each.get("event") == "plan"]
    return plan["archives"], plan["bytes"], told[-1]["peak_kib"] << 10
