"""An open output is a file of Python: exact reads, one step each, for whatever takes a binary file."""

import gc
import io
import os
import pickle
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casfs.errors import CorruptDataError, DeadlineError, InterruptedCallError
from casfs.file import BUFFER_BYTES, File
from tests.conftest import no_more_threads
from tests.data.calls import Clock
from tests.data.service import MIB, Request, Service, mounted, settings
from tests.library.in_memory import DATA, InMemory, file_of, made, opened, unknown
from tests.mounting import wait_until
from tests.new_threads import new_threads

POSITIONS = [0, 1, BUFFER_BYTES - 1, MIB - 1, MIB, 3 * MIB + 5, len(DATA) - 1, len(DATA), len(DATA) + 9]
LENGTHS = [0, 1, 100, BUFFER_BYTES, BUFFER_BYTES + 1, MIB, 2 * MIB + 1, 9 * MIB]


@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize("length", LENGTHS)
def test_every_way_to_read_gives_the_same_bytes(file: File, position: int, length: int) -> None:
    expected = DATA[position : position + length]
    assert file.seek(position) == position
    assert file.read(length) == expected
    assert file.tell() == position + len(expected)
    into = bytearray(length)
    file.seek(position)
    assert file.readinto(into) == len(expected)
    assert into[: len(expected)] == expected
    file.seek(position)
    assert file.peek()[:length] == expected[: len(file.peek()[:length])]
    some = file.read1(length)
    assert (some, bool(some)) == (expected[: len(some)], bool(expected))
    file.seek(position)
    count = file.readinto1(into)
    assert (bytes(into[:count]), bool(count)) == (expected[:count], bool(expected))


@pytest.mark.parametrize("position", POSITIONS)
def test_a_read_without_a_length_gives_all_that_is_left(file: File, position: int) -> None:
    for size in (-1, None):
        file.seek(position)
        assert file.read(size) == DATA[position:]


def test_a_read_longer_than_the_timeout_succeeds_over_a_link_that_moves() -> None:
    clock, service = Clock(), Service({"job": DATA})

    def act(_request: Request) -> None:
        clock.now_s += 1.5

    service.act = act
    with mounted(service, settings(connections=1, timeout_s=2.0), clock=clock) as outputs:
        assert made(outputs).read() == DATA
    assert len(service.requests) == 6


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(-40, 40), st.integers(-1, 40)), max_size=12), st.binary())
def test_seeks_and_reads_are_those_of_a_file_in_memory(steps: list[tuple[int, int, int]], data: bytes) -> None:
    file, expected = file_of(data), io.BytesIO(data)
    for whence, offset, length in steps:
        if {0: 0, 1: expected.tell(), 2: len(data)}[whence] + offset >= 0:
            assert file.seek(offset, whence) == expected.seek(offset, whence)
        assert file.read(length) == expected.read(length)
        assert file.tell() == expected.tell()
        assert file.readline(length) == expected.readline(length)


def test_a_seek_to_before_the_beginning_or_from_nowhere_is_an_error_and_moves_nothing() -> None:
    file = file_of(b"bytes")
    file.seek(3)
    with pytest.raises(ValueError, match="before the beginning"):
        file.seek(-6, os.SEEK_END)
    with pytest.raises(ValueError, match="whence"):
        file.seek(0, 7)
    assert (file.tell(), file.read()) == (3, b"es")


def test_it_says_what_it_is() -> None:
    file = file_of(b"bytes")
    assert (file.name, file.mode, file.size, file.closed) == ("vault/job/output", "rb", 5, False)
    assert file.verification == unknown()
    assert (file.readable(), file.seekable(), file.writable()) == (True, True, False)
    for refused in (file.fileno, lambda: file.write(b"more"), file.truncate, file.detach):
        with pytest.raises(io.UnsupportedOperation):
            refused()
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(file)


def test_each_block_of_a_long_read_is_a_call_with_time_of_its_own() -> None:
    reader = InMemory(DATA)
    with opened(reader) as file:
        file.seek(MIB // 2)
        assert file.read() == DATA[MIB // 2 :]
    assert max(reader.lengths) <= MIB
    assert len(reader.lengths) <= 7


def test_a_long_read_goes_straight_into_the_memory_of_the_caller() -> None:
    reader = InMemory(DATA)
    into = bytearray(4 * MIB)
    with opened(reader) as file:
        file.readinto(into)
    assert reader.lengths == [MIB] * 4


def test_small_reads_share_one_look_at_a_block_and_none_touches_the_next() -> None:
    reader = InMemory(DATA)
    with opened(reader) as file:
        file.seek(MIB - 100)
        assert b"".join(file.read(10) for _ in range(10)) == DATA[MIB - 100 : MIB]
    assert reader.lengths == [100]


def test_a_read_that_fails_leaves_the_position_and_can_be_tried_again() -> None:
    failures = [DeadlineError("the deadline passed")]

    def fail_once(offset: int) -> None:
        if failures and offset >= 2 * MIB:
            raise failures.pop()

    with opened(InMemory(DATA, fail_once)) as file:
        file.read(10)
        with pytest.raises(DeadlineError):
            file.read(4 * MIB)
        assert file.tell() == 10
        assert file.read() == DATA[10:]


def test_what_has_proved_wrong_is_told_at_the_latest_when_the_file_is_closed() -> None:
    reader = InMemory(DATA)
    file = opened(reader)
    file.read(10)
    reader.wrong = CorruptDataError("bytes that were served before have proved wrong")
    with pytest.raises(CorruptDataError):
        file.close()
    assert file.closed
    assert reader.is_closed
    file.close()


@pytest.mark.parametrize(
    "use",
    [
        *(File.read, File.tell, File.readable, File.seekable, File.readline, File.peek, File.__enter__, next),
        *(lambda file: file.seek(0), lambda file: file.readinto(bytearray(1)), lambda file: file.read(0)),
    ],
)
def test_a_file_that_is_closed_is_a_value_error(use: Callable[[File], object]) -> None:
    file = file_of(DATA)
    file.read(1)
    file.close()
    with pytest.raises(ValueError, match="closed"):
        use(file)


def test_a_read_that_is_under_way_when_all_ends_is_a_value_error() -> None:
    def stop(_offset: int) -> None:
        raise InterruptedCallError("stopping")

    with opened(InMemory(DATA, stop)) as file, pytest.raises(ValueError, match="closed meanwhile"):
        file.read(1)


def test_a_file_that_nobody_holds_any_more_closes_its_reader() -> None:
    reader = InMemory(DATA)
    opened(reader)
    wait_until(lambda: reader.is_closed, "a thread of its own closes it")


@pytest.mark.parametrize("size", [1 << 45, 1 << 70])
def test_a_read_of_more_than_there_is_takes_no_memory_for_the_rest(size: int) -> None:
    with file_of(DATA) as file:
        file.seek(7)
        assert file.read(size) == DATA[7:]
        file.seek(len(DATA) - 7)
        assert file.read1(size) == DATA[-7:]
        file.seek(7)
        assert file.readline(size) == io.BytesIO(DATA[7:]).readline()
        assert file.read(size) + file.read1(size) == DATA[7 + len(io.BytesIO(DATA[7:]).readline()) :]


class Number:
    """What is an index and no int, like the integers of NumPy."""

    def __index__(self) -> int:
        return 7


def test_a_length_is_whatever_is_an_index() -> None:
    with file_of(DATA) as file:
        assert file.read(Number()) + file.read1(Number()) == DATA[:14]  # type: ignore[arg-type]
        assert (file.seek(Number()), file.readline(Number())) == (7, DATA[7:14].splitlines(keepends=True)[0])  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            file.read(1.5)  # type: ignore[arg-type]


def test_a_file_that_cannot_be_opened_leaves_nothing_to_be_closed(recwarn: pytest.WarningsRecorder) -> None:
    def fail() -> InMemory:
        raise CorruptDataError("it is empty, and should not be")

    threads = new_threads("casfs-close")
    with pytest.raises(CorruptDataError):
        File("vault/job/output", fail, unknown)
    assert (threads(), list(recwarn)) == (set(), [])


@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
def test_a_file_that_nobody_holds_is_let_go_though_the_system_gives_no_thread() -> None:
    reader = InMemory(DATA)
    file = opened(reader)
    with no_more_threads():
        del file
        gc.collect()
