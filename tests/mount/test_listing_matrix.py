"""The promise for directories, fault by fault: whoever ends with 0 has seen all of it, and no copy was emptied.

Every fault of the emulator by the first, a middle and the last page by the programs that people list and copy with.
Each cell has a vault of its own, so that all cells of a fault run in one mount at the same time.
"""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import pytest

from casfs.emulator.dialect import CAS, Page
from casfs.emulator.faults import Fault, Kind
from casfs.emulator.server import Server
from casfs.emulator.state import State
from tests.mounting import Mounting, names, wait_until

pytestmark = pytest.mark.fuse

PER_PAGE = 2
JOBS = tuple(f"job-{number}" for number in range(3 * PER_PAGE))
PLACES = {"first": 0, "middle": 1, "last": 2}
LIMIT_S = 100.0
"""More than a listing that fails takes, on a machine that is busy: 30 s, and as long for a second call."""

LIST = "import os, sys\ntry: print(*os.listdir(sys.argv[1]), sep='\\n')\nexcept OSError as error: sys.exit(error.errno)"
PROGRAMS: dict[str, list[str]] = {
    "ls": ["ls", "{source}"],
    "cp": ["cp", "-r", "{source}/.", "{copy}"],
    "rsync": ["rsync", "-a", "--delete", "{source}/", "{copy}"],
    "find": ["find", "{source}", "-mindepth", "1", "-maxdepth", "1", "-printf", "%f\\n"],
    "listdir": [sys.executable, "-c", LIST, "{source}"],
}
COPIES = ("cp", "rsync")

UNSEEN = {Kind.FLIP}
"""A bit that falls in a document is in no hash, and a name that is another is one for every reader."""
SLOW = {Kind.DRIP, Kind.STALL}
NOT_OF_LISTINGS = {Kind.WHOLE, Kind.WRONG_RANGE, Kind.WRONG_TOTAL, Kind.WRONG_HASH, Kind.NO_HASH, Kind.BAD_HASH}
"""What they spoil no listing has."""


PASSING = {Kind.CUT, Kind.DELAY, Kind.DROP, Kind.RESET, Kind.SKEW, Kind.STATUS, Kind.THROTTLE}
"""Survived wherever they come once."""


@dataclass(frozen=True)
class Wrong:
    """A fault, and at which pages the directory must be read all the same, or must not."""

    fault: Fault
    survived: frozenset[str] = frozenset()
    fatal: bool = False


def mute(status: int) -> Fault:
    """Return a refusal without a code: a proxy's."""
    return Fault(kind=Kind.STATUS, status=status, body="<html>nothing here</html>")


def coded(code: str, status: int) -> Fault:
    """Return the service's own."""
    return Fault(kind=Kind.STATUS, code=code, status=status, message="The marker is not valid.")


def plain(kind: Kind) -> Fault:
    """Return a fault as it comes; what drips takes longer than anybody waits."""
    return Fault(kind=kind, seconds=5.0 if kind is Kind.DRIP else 0.2, job=JOBS[0] if kind is Kind.EXPIRE else None)


def body(text: str) -> Fault:
    """Return an answer of *text*."""
    return Fault(kind=Kind.GARBAGE, body=text)


def always(fault: Fault) -> Wrong:
    """Return *fault* for ever."""
    return Wrong(replace(fault, times=None), fatal=True)


EVERYWHERE, LATER = frozenset(PLACES), frozenset({"middle", "last"})
ONCE: dict[str, Wrong] = {
    str(kind): Wrong(plain(kind), EVERYWHERE if kind in PASSING else frozenset())
    for kind in sorted(set(Kind) - UNSEEN - NOT_OF_LISTINGS)
}
QUICK: dict[str, Wrong] = {
    **{name: wrong for name, wrong in ONCE.items() if wrong.fault.kind not in SLOW},
    "garbage always": always(plain(Kind.GARBAGE)),
    "no code 404": Wrong(mute(404), LATER),
    "no code 404 always": always(mute(404)),
    "no code 410 always": always(mute(410)),
    "vault gone": always(coded("ResourceNotFoundException", 404)),
    "marker refused": Wrong(coded("InvalidParameterValueException", 400), LATER),
    "marker refused always": always(coded("InvalidParameterValueException", 400)),
    "denied always": always(coded("AccessDeniedException", 403)),
    "no list": Wrong(body('{"Marker": null}')),
    "null": Wrong(body("null")),
    "empty": Wrong(body("")),
    "half a page": Wrong(replace(plain(Kind.CUT), announced=False)),
}
LINGERING: dict[str, Wrong] = {
    **{kind: ONCE[kind] for kind in sorted(SLOW)},
    **{f"{kind} always": always(plain(kind)) for kind in (Kind.CUT, Kind.DROP, Kind.RESET, Kind.STALL)},
}


@dataclass(frozen=True)
class Cell:
    """One program that meets the fault at one page."""

    program: str
    place: str

    @property
    def vault(self) -> str:
        """The vault of this cell alone."""
        return f"{self.program}-{self.place}"


CELLS = [Cell(*names) for names in product(PROGRAMS, PLACES)]


def state() -> State:
    """Return an account with a vault for each cell."""
    made = State()
    for cell in CELLS:
        made.add_vault(cell.vault)
        for name in JOBS:
            made.add_job(cell.vault, "PushToCOS", job_id=name)
    return made


def fault(cell: Cell, wrong: Wrong) -> Fault:
    """Return what the cell meets."""
    return replace(wrong.fault, operation="list_jobs", vault=cell.vault, after=PLACES[cell.place])


def broken_promise(cell: Cell, wrong: Wrong, root: Path, copies: Path) -> str | None:
    """Run the program of a cell; return what it did that it must not, None if it kept the promise."""
    copy = copies / cell.vault
    for name in JOBS if cell.program == "rsync" else ():
        (copy / name).mkdir(parents=True)
    copy.mkdir(exist_ok=True)
    words = {"source": str(root / cell.vault), "copy": str(copy)}
    command = [word.format(**words) for word in PROGRAMS[cell.program]]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=LIMIT_S)
    seen = {found.name for found in copy.iterdir()} if cell.program in COPIES else set(done.stdout.split())
    gone = {JOBS[0]} if wrong.fault.kind is Kind.EXPIRE else set()
    if not set(JOBS) - gone <= seen and (done.returncode == 0 or cell.program == "rsync"):
        return f"{cell}: exit status {done.returncode}, and {sorted(seen)}"
    if wrong.fatal and done.returncode == 0:
        return f"{cell}: exit status 0, though a page could not be had"
    if cell.place in wrong.survived and done.returncode != 0:
        return f"{cell}: did not survive: {done.stderr[-200:]}"
    return None


def broken_promises(wrong: Wrong, mounting: Mounting, copies: Path, cells: Sequence[Cell]) -> list[str]:
    """Return what the programs of *cells* did that they must not, in a mount of their own."""
    copies.mkdir()
    small_pages = replace(CAS, jobs_page=Page(PER_PAGE, PER_PAGE, clamps=True))
    with Server(state(), credentials={"id": "key"}, dialect=small_pages) as server:
        server.faults.add(*(fault(cell, wrong) for cell in cells))
        with mounting(server) as root, ThreadPoolExecutor(len(cells)) as pool:
            broken = list(pool.map(lambda cell: broken_promise(cell, wrong, root, copies), cells))
        met = {record.vault for record in server.requests if record.operation == "list_jobs"}
    assert met == {cell.vault for cell in cells}
    return [line for line in broken if line]


@pytest.mark.parametrize("wrong", QUICK.values(), ids=QUICK)
def test_exit_status_0_means_the_whole_directory(wrong: Wrong, mounting: Mounting, tmp_path: Path) -> None:
    assert broken_promises(wrong, mounting, tmp_path / "copies", CELLS) == []


def test_a_page_that_does_not_come_is_an_error(mounting: Mounting, tmp_path: Path) -> None:
    """All at the same time, since they wait; as many in a mount as it lists at a time."""
    cells = [cell for cell in CELLS if cell.program == "rsync"] + [Cell("listdir", "middle")]

    def broken(name: str) -> list[str]:
        return broken_promises(LINGERING[name], mounting, tmp_path / name, cells)

    with ThreadPoolExecutor(len(LINGERING)) as pool:
        assert dict(zip(LINGERING, pool.map(broken, LINGERING), strict=True)) == {name: [] for name in LINGERING}


VAULTS = [f"vault-{number}" for number in range(3 * PER_PAGE)]
OF_ROOTS = {
    **{name: wrong for name, wrong in QUICK.items() if wrong.fault.kind is not Kind.EXPIRE},
    "no text for a marker": always(body('{"VaultList": [], "Marker": 5}')),
}


def broken_roots(place: str, mounting: Mounting, copy: Path) -> list[str]:
    """Return what rsync did to the copy of a root that it must not, fault by fault at one page of List Vaults."""
    for name in VAULTS:
        (copy / name).mkdir(parents=True)
    made = State()
    for name in VAULTS:
        made.add_vault(name)
    small_pages = replace(CAS, vaults_page=Page(PER_PAGE, PER_PAGE, clamps=True))
    served = Server(made, credentials={"id": "key"}, dialect=small_pages)
    with served as server, mounting(server, "--list-ttl", "0") as root:
        return [f"{name}: {why}" for name in OF_ROOTS for why in broken_root(name, place, server, root, copy)]


def broken_root(name: str, place: str, server: Server, root: Path, copy: Path) -> Iterator[str]:
    """Yield what rsync did that it must not, once List Vaults meets the fault of that name."""
    wrong = OF_ROOTS[name]
    wait_until(lambda: is_listed(root), "the failure before is forgotten")
    asked = len(server.requests)
    server.faults.add(replace(wrong.fault, operation="list_vaults", after=PLACES[place]))
    command = ["rsync", "--dirs", "--delete", f"{root}/", str(copy)]
    status = subprocess.run(command, check=False, capture_output=True, timeout=LIMIT_S).returncode
    if len(server.requests) - asked <= PLACES[place] or (wrong.fault.times and server.faults.left()):
        yield "the fault met nobody"
    server.faults.clear()
    if names(copy) != VAULTS:
        yield f"exit status {status}, and {names(copy)}"
    if wrong.fatal and status == 0:
        yield "exit status 0, though a page could not be had"
    if place in wrong.survived and status != 0:
        yield f"did not survive: {status}"


def is_listed(root: Path) -> bool:
    """Return whether the root can be read, and is whole then."""
    try:
        return names(root) == VAULTS
    except OSError:
        return False


@pytest.mark.timeout(240)
def test_a_root_that_cannot_be_listed_empties_no_copy(mounting: Mounting, tmp_path: Path) -> None:
    """All three pages at the same time, since a failure is remembered for a second."""
    with ThreadPoolExecutor(len(PLACES)) as pool:
        broken = pool.map(lambda place: broken_roots(place, mounting, tmp_path / place), PLACES)
        assert dict(zip(PLACES, broken, strict=True)) == {place: [] for place in PLACES}
