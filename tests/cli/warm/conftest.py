"""A service with outputs that expire at different times, and a cache that has none of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from casfs.emulator.content import InMemory
from casfs.emulator.initiation import part
from casfs.emulator.jobs import ARCHIVE_RETRIEVAL
from casfs.emulator.server import Server
from casfs.emulator.state import State
from tests.cli.warm.runs import BYTES, LIVES_S


@pytest.fixture
def server() -> Iterator[Server]:
    state = State()
    state.add_vault("vault")
    archives = {job: state.add_archive("vault", InMemory(data)) for job, data in BYTES.items()}
    for job, archive in archives.items():
        began_s = state.clock() - 86_400 + LIVES_S[job]
        state.add_job("vault", ARCHIVE_RETRIEVAL, part(archive), job_id=job, created_s=began_s, lives_s=90_000)
    state.add_job("vault", ARCHIVE_RETRIEVAL, part(archives["last"]), job_id="going", takes_s=3600)
    with Server(state, credentials={"id": "key"}) as running:
        yield running


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"
