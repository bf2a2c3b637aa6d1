"""How often a read locks: for one step each, and never in the middle of one."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from casfs.data.outputs import Outputs
from casfs.data.reader import Reader
from tests.data.calls import in_thread, wait_until_joined
from tests.data.service import MIB, Service, archive, mounted, read, sample, settings, still
from tests.test_layering import PACKAGE, imported

DATA = sample(40 * MIB)
DATA_STAGE = PACKAGE / "data"
ABOVE = [DATA_STAGE / "outputs.py", DATA_STAGE / "reader.py", *sorted((DATA_STAGE / "ahead").glob("*.py"))]
GUARDED = (
    "casfs.data.memory.",
    "casfs.data.fetch.budget.",
    "casfs.data.fetch.flights.",
    "casfs.data.fetch.shares.",
    "casfs.data.fetch.throttle.",
    "casfs.data.fetch.workers.",
)
"""What only the monitor and its parts may import."""


class CountedLock:
    """A lock that knows how often each thread had it."""

    def __init__(self, lock: AbstractContextManager[object]) -> None:
        self._lock = lock
        self.times: Counter[int] = Counter()

    def __enter__(self) -> None:
        self._lock.__enter__()
        self.times[threading.get_ident()] += 1

    def __exit__(self, *_error: object) -> None:
        self._lock.__exit__(None, None, None)


@pytest.fixture
def service() -> Service:
    return Service({"job": DATA})


@pytest.fixture(params=[0, 16], ids=["no read-ahead", "read-ahead"])
def outputs(service: Service, request: pytest.FixtureRequest) -> Iterator[Outputs]:
    with mounted(service, settings(read_ahead=request.param), clock=still) as made:
        made._monitor._lock = CountedLock(made._monitor._lock)
        yield made


def locked(outputs: Outputs, reader: Reader, offset: int, length: int) -> int:
    """Read; return how often this thread locked."""
    lock = outputs._monitor._lock
    assert isinstance(lock, CountedLock)
    before = lock.times[threading.get_ident()]
    assert read(reader, offset, length) == DATA[offset : offset + length]
    return lock.times[threading.get_ident()] - before


def test_a_miss_of_one_block_locks_once_to_board_and_once_to_copy(outputs: Outputs) -> None:
    reader = outputs.open(archive(DATA))
    assert [locked(outputs, reader, block * MIB, MIB) for block in (0, 1, 37)] == [2, 2, 2]


def test_what_is_held_is_read_with_one_lock(outputs: Outputs) -> None:
    reader = outputs.open(archive(DATA))
    read(reader, 0, 4 * MIB)
    assert [locked(outputs, reader, *span) for span in ((0, 4096), (MIB - 1, 2), (0, 4 * MIB), (0, 0))] == [1] * 4


def test_a_miss_of_several_blocks_locks_once_more_for_each_part_it_waits_for(outputs: Outputs) -> None:
    reader = outputs.open(archive(DATA))
    assert locked(outputs, reader, 8 * MIB, 4 * MIB) == 2, "one part"
    assert locked(outputs, reader, 21 * MIB, 2 * MIB) <= 3, "two parts"


def test_who_joins_locks_no_more_often_than_who_asked(service: Service, outputs: Outputs) -> None:
    reader = outputs.open(archive(DATA))
    service.is_held = True
    first = in_thread(outputs.open(archive(DATA)), 30 * MIB, MIB)
    service.arrived(1)

    def let_through() -> None:
        wait_until_joined(outputs, 2)
        service.release()

    threading.Thread(target=let_through, daemon=True).start()
    assert locked(outputs, reader, 30 * MIB, MIB) == 2
    assert first.result(60) == DATA[30 * MIB : 31 * MIB]
    assert len(service.requests) == 1


def test_to_open_an_output_of_a_known_size_and_to_close_it_locks_three_times(outputs: Outputs) -> None:
    lock = outputs._monitor._lock
    assert isinstance(lock, CountedLock)
    outputs.open(archive(DATA)).close()
    assert lock.times[threading.get_ident()] == 3


@pytest.mark.parametrize("path", ABOVE, ids=lambda path: path.stem)
def test_nobody_above_the_monitor_knows_what_it_guards(path: Path) -> None:
    assert [name for name in imported(path) if name.startswith(GUARDED)] == []


def test_who_would_know_it_is_noticed() -> None:
    monitor = DATA_STAGE / "fetch" / "monitor.py"
    assert len([name for name in imported(monitor) if name.startswith(GUARDED)]) == len(GUARDED) - 1, "but for throttle"
