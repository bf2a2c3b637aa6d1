"""Names that the service does not tell hold up no others: real programs, through the kernel."""

import subprocess
from collections.abc import Iterable, Iterator, Sequence
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

CONTENT = b"what is well"
HOUR_S = 3600.0
LIMIT_S = 100.0
"""Far more than anything here takes: what hangs is given up after 30 s."""


@contextmanager
def served(vaults: Iterable[str], jobs: Iterable[str]) -> Iterator[Server]:
    """Serve *vaults* with *jobs* each."""
    state = State()
    for vault in vaults:
        state.add_vault(vault)
        archive = part(state.add_archive(vault, InMemory(CONTENT)))
        for job in jobs:
            state.add_job(vault, ARCHIVE_RETRIEVAL, archive, job_id=job)
    with Server(state, credentials={"id": "key"}) as server:
        yield server


def silence(server: Server, operation: str, vault: str, job: str | None = None) -> None:
    """Answer *operation* no more: with nothing, or nothing but a head, in turns."""
    kind = Kind.STALL if len(server.faults.left()) % 2 else Kind.DELAY
    server.faults.add(Fault(kind=kind, operation=operation, vault=vault, job=job, seconds=HOUR_S, times=None))


@contextmanager
def waiting(program: str, paths: Sequence[Path]) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Let one *program* wait for each path."""
    quiet = subprocess.DEVNULL
    started = [subprocess.Popen([program, path], stdout=quiet, stderr=quiet) for path in paths]
    try:
        yield started
    finally:
        for each in started:
            each.kill()
        for each in started:
            each.wait()


def output_of(*command: str | Path) -> bytes:
    """Return what a program says; it must end with 0."""
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=LIMIT_S).stdout


@pytest.mark.timeout(240)
@pytest.mark.parametrize("count", [4, 20])
def test_a_vault_is_listed_while_others_are_silent(mounting: Mounting, count: int) -> None:
    vaults = [f"silent-{number}" for number in range(count)]
    with ExitStack() as stack:
        server = stack.enter_context(served([*vaults, "healthy"], ["job"]))
        root = stack.enter_context(mounting(server))
        for vault in vaults:
            silence(server, "list_jobs", vault)
        waits = stack.enter_context(waiting("ls", [root / vault for vault in vaults]))
        wait_until(lambda: len(asked(server, "list_jobs")) == count, "all silent vaults are asked", LIMIT_S)
        assert output_of("ls", root / "healthy") == b"job\n"
        assert [each.poll() for each in waits] == [None] * count, "the others still wait"


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("vaults", "jobs"), [(1, 20), (5, 12)], ids=["one vault", "more than connections that are kept"]
)
def test_a_job_is_looked_up_while_others_are_silent(mounting: Mounting, vaults: int, jobs: int) -> None:
    silent = [(f"silent-{vault}", f"job-{job}") for vault in range(vaults) for job in range(jobs)]
    well = [("healthy", "well"), ("silent-0", "well")]
    names = [*sorted({vault for vault, _ in silent}), "healthy"]
    with ExitStack() as stack:
        server = stack.enter_context(served(names, ["well", *(f"job-{job}" for job in range(jobs))]))
        root = stack.enter_context(mounting(server, "--list-ttl", "1"))
        # The kernel asks at the same time for names of a directory that it has heard of. For new ones it does where
        # libfuse lets it: since 3.17.
        output_of("stat", *(root / vault / job for vault, job in silent + well))
        wait_until(lambda: is_asked_again(server, root / "healthy" / "well"), "what is known is too old", LIMIT_S)
        before = len(server.requests)
        for vault, job in silent:
            silence(server, "describe_job", vault, job)
        waits = stack.enter_context(waiting("stat", [root / vault / job for vault, job in silent]))
        wait_until(lambda: asked(server, "describe_job", before) >= set(silent), "all are asked for", LIMIT_S)
        for vault, job in well:
            output_of("stat", root / vault / job)
            assert output_of("cat", root / vault / job / "output") == CONTENT
        assert [each.poll() for each in waits] == [None] * len(silent), "the others still wait"


def is_asked_again(server: Server, path: Path) -> bool:
    """Return whether a look at *path*, which was looked at last, costs a request."""
    before = len(server.requests)
    output_of("stat", path)
    return len(server.requests) > before


def asked(server: Server, operation: str, before: int = 0) -> set[tuple[str | None, str | None]]:
    """Return vault and job of each request of *operation*, but for so many requests before."""
    return {(record.vault, record.job) for record in server.requests[before:] if record.operation == operation}
