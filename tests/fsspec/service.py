"""A service that holds what a test puts there, by vault, job and bytes."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from casfs.emulator.content import InMemory
from casfs.emulator.initiation import part
from casfs.emulator.jobs import ARCHIVE_RETRIEVAL, StoredOutput
from casfs.emulator.server import Server
from casfs.emulator.state import State

MIB = 1 << 20
KEYS = {"id": "not-a-secret-key"}


def output_of(state: State, vault: str, job: str) -> StoredOutput:
    """Return what a job retrieves."""
    found = state.job(vault, job)
    assert found is not None
    assert found.output is not None
    return found.output


def put(state: State, vault: str, job: str, data: bytes) -> None:
    """Put an output into the service, as a job that has succeeded."""
    if state.vault(vault) is None:
        state.add_vault(vault)
    output = part(state.add_archive(vault, InMemory(data)))
    state.add_job(vault, ARCHIVE_RETRIEVAL, output, job_id=job)


@contextmanager
def serving(outputs: Mapping[str, bytes]) -> Iterator[tuple[Server, State]]:
    """Serve *outputs*, named ``VAULT/JOB``, for the time of a block."""
    state = State()
    for name, data in outputs.items():
        vault, job = name.split("/", 1)
        put(state, vault, job, data)
    with Server(state, credentials=KEYS) as server:
        yield server, state
