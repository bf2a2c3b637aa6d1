"""The promise, fault by fault: exit status 0 means the right bytes.

Every fault of the emulator by once, twice and for ever by the programs that people copy with by the first block, one in
the middle and the last: any two of these meet, and with ``--long`` all three. Each cell has a job of its own, so that
all cells of a fault run in one mount at the same time.
"""

import subprocess
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pytest

from casfs.emulator.content import InMemory
from casfs.emulator.faults import Fault, Kind
from casfs.emulator.initiation import part
from casfs.emulator.jobs import ARCHIVE_RETRIEVAL
from casfs.emulator.server import Server
from casfs.emulator.state import State
from tests.certificate import CERTIFICATE, certified
from tests.mounting import Mounting
from tests.providers import DIALECTS, EVERY_PROVIDER, state_of

pytestmark = pytest.mark.fuse

MIB = 1 << 20
CONTENT = b"".join(bytes([number]) * (MIB - 1) + b"\n" for number in range(1, 6)) + b"the end"
PLACES = {"first": 1000, "middle": 2 * MIB + 5, "last": 5 * MIB + 3}
TIMES: dict[str, int | None] = {"once": 1, "twice": 2, "always": None}
READ_TIMEOUT_S = 6.0
DELAY_S = 0.2
DRIP_S = READ_TIMEOUT_S / 2
"""Between two bytes: the few that follow the fault in the last block take longer than a read may."""
PROGRAM_LIMIT_S = 4 * READ_TIMEOUT_S + 36.0
"""One read that fails by its deadline, one more by the kernel's own second try, both again by rsync, which copies anew
what it could not read (18.2 s were seen, three deadlines), and a machine that is busy."""

MMAP = (
    "import mmap,sys;f=open(sys.argv[1],'rb');open(sys.argv[2],'wb').write(mmap.mmap(f.fileno(),0,prot=mmap.PROT_READ))"
)
PROGRAMS: dict[str, list[str]] = {
    "cp": ["cp", "--", "{source}", "{target}"],
    "cat": ["sh", "-c", 'cat -- "$0" > "$1"', "{source}", "{target}"],
    "dd": ["dd", "if={source}", "of={target}", "bs=100K", "status=none"],
    "rsync": ["rsync", "-a", "--", "{source}", "{target}"],
    "mmap": [sys.executable, "-c", MMAP, "{source}", "{target}"],
}

HARMLESS = {Kind.DELAY, Kind.WHOLE, Kind.SKEW}
"""Survived for ever: a slow service, one that ignores Range, one with another clock."""
ONE_MORE_FETCH = {Kind.FLIP, Kind.WRONG_HASH, Kind.WRONG_TOTAL}
"""What comes twice in a row is believed: a mismatch is fetched once more, a size is asked once more."""
LASTING = {Kind.EXPIRE, Kind.FAIL}
"""Over once is over."""
NOT_OF_OUTPUTS = {Kind.GARBAGE, Kind.HUGE, Kind.FAIL}
OF_OUTPUTS = {Kind.WRONG_TOTAL, Kind.NO_HASH, Kind.WRONG_HASH, Kind.BAD_HASH, Kind.FLIP}
UNREADABLE = {Kind.GARBAGE, Kind.HUGE, Kind.WRONG_LENGTH}
"""Documents that are no JSON, or that nobody should read: an error at once, as the service calls them whole."""

LONG = {Kind.DRIP: pytest.mark.long}
"""Readers wait for it as they do for a stall."""


@dataclass(frozen=True)
class Cell:
    """One fault, how often, where, and the program that meets it."""

    kind: Kind
    often: str
    program: str
    place: str

    @property
    def job(self) -> str:
        """The job of this cell alone."""
        return f"{self.often}-{self.program}-{self.place}"

    @property
    def must_succeed(self) -> bool:
        """Whether the fault passes, or harms nobody."""
        if self.kind in HARMLESS:
            return True
        if self.kind is Kind.NO_HASH and self.place == "last":
            return True  # the hash of the end may be missing, as long as it never comes: the root decides
        passing = self.often == "once" or (self.often == "twice" and self.kind not in ONE_MORE_FETCH)
        return passing and self.kind not in LASTING

    @property
    def must_fail(self) -> bool:
        """Whether the right bytes cannot be had."""
        if self.kind is Kind.NO_HASH:  # where others came with theirs; the first block may be asked for before them
            return self.often == "always" and self.place == "middle"
        return (self.often == "always" and self.kind not in HARMLESS) or self.kind in LASTING


def _cells(kind: Kind, provider: str, *, is_whole: bool) -> list[Cell]:
    """Return the matrix of a fault; for Glacier, which is asked over TLS here, what differs below the programs."""
    if provider != "cas":
        return [Cell(kind, often, "cp", place) for often, place in product(("once", "twice"), PLACES)]
    numbered = product(enumerate(TIMES), enumerate(PROGRAMS), enumerate(PLACES))
    return [
        Cell(kind, often, program, place)
        for (first, often), (second, program), (third, place) in numbered
        if is_whole
        or (first + second + third) % 3 == 0  # a program and a place meet once, both meet each number of times
    ]


def _state(cells: Iterable[Cell], provider: str = "cas") -> State:
    state = state_of(provider)
    state.add_vault("vault")
    archive = state.add_archive("vault", InMemory(CONTENT))
    for cell in cells:
        state.add_job("vault", ARCHIVE_RETRIEVAL, part(archive), job_id=cell.job)
    return state


def _fault(cell: Cell) -> Fault:
    return Fault(
        kind=cell.kind,
        operation="get_job_output",
        job=cell.job,
        at=PLACES[cell.place],
        times=TIMES[cell.often],
        seconds=DRIP_S if cell.kind is Kind.DRIP else DELAY_S,
    )


def _broken_promise(cell: Cell, root: Path, into: Path) -> str | None:
    """Run the program of a cell; return what it did that it must not, None if it kept the promise."""
    target = into / cell.job
    words = {"source": str(root / "vault" / cell.job / "output"), "target": str(target)}
    began_s = time.monotonic()
    done = subprocess.run(
        [word.format(**words) for word in PROGRAMS[cell.program]], check=False, capture_output=True, timeout=120
    )
    took_s = time.monotonic() - began_s
    right = target.exists() and target.read_bytes() == CONTENT
    if done.returncode == 0 and not right:
        return f"{cell.job}: exit status 0, wrong bytes"
    if cell.must_succeed and done.returncode != 0:
        return f"{cell.job}: did not survive: {done.stderr.decode()[-200:]}"
    if cell.must_fail and done.returncode == 0:
        return f"{cell.job}: exit status 0, though the bytes could not be had"
    if took_s > PROGRAM_LIMIT_S:
        return f"{cell.job}: took {took_s:.1f} s"
    return None


@EVERY_PROVIDER
@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=LONG.get(kind, ())) for kind in sorted(set(Kind) - NOT_OF_OUTPUTS)]
)
def test_exit_status_0_means_the_right_bytes(
    kind: Kind, provider: str, mounting: Mounting, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    cells = _cells(kind, provider, is_whole=pytestconfig.getoption("--long"))
    tls = certified() if provider == "glacier" else None
    with Server(_state(cells, provider), credentials={"id": "key"}, dialect=DIALECTS[provider], tls=tls) as server:
        server.faults.add(*map(_fault, cells))
        times = ("--read-timeout", str(int(READ_TIMEOUT_S)), "--connections", "64")
        options = ("--provider", provider, "--ca-bundle", CERTIFICATE, *times)
        with mounting(server, *options) as root, ThreadPoolExecutor(15) as pool:
            broken = list(pool.map(lambda cell: _broken_promise(cell, root, tmp_path), cells))
    assert [line for line in broken if line] == []


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=LONG.get(kind, ())) for kind in sorted(set(Kind) - OF_OUTPUTS)]
)
def test_a_fault_of_the_names_is_an_error_or_survived(kind: Kind, mounting: Mounting, tmp_path: Path) -> None:
    """By each operation in a vault of its own, so that one mount does for both."""
    state, operations = state_of("cas"), ("describe_job", "list_jobs")
    archive = state.add_archive(state.add_vault("vault").name, InMemory(CONTENT))
    for operation in operations:
        state.add_vault(operation)
        state.add_job(operation, ARCHIVE_RETRIEVAL, part(archive), job_id="job")
    with Server(state, credentials={"id": "key"}) as server, mounting(server) as root:
        for operation in operations:
            server.faults.add(Fault(kind=kind, operation=operation, vault=operation, times=2))
            if operation == "list_jobs":
                subprocess.run(["ls", "-l", root / operation], check=False, capture_output=True, timeout=60)
            source, target = root / operation / "job" / "output", tmp_path / operation
            done = subprocess.run(["cp", source, target], check=False, capture_output=True, timeout=60)
            assert done.returncode != 0 or target.read_bytes() == CONTENT, operation
            assert kind in UNREADABLE | LASTING or done.returncode == 0, operation
            server.faults.clear()
