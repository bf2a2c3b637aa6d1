"""Bytes through fsspec: ranges, open files, copies, and what becomes of a copy that fails."""

import errno
import hashlib
import io
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fsspec.callbacks import Callback

from casfs.emulator.faults import Fault, Kind
from casfs.emulator.server import Server
from casfs.emulator.shaping import Shaping
from casfs.emulator.state import State
from casfs.fsspec.filesystem import CasFileSystem
from tests.conftest import Announce
from tests.data.service import sample
from tests.fsspec.service import MIB, put
from tests.mounting import wait_until
from tests.new_threads import new_threads

SIZE = 6 * MIB + 123
DATA = sample(SIZE)
BIG = "bulk/big/output"


@pytest.fixture
def big(state: State, fs: CasFileSystem) -> CasFileSystem:
    put(state, "bulk", "big", DATA)
    return fs


ENDS = [None, 0, 1, -1, 5, -7, MIB, 3 * MIB + 1, SIZE, SIZE + 1, -SIZE - 1]


def test_ranges_are_slices(big: CasFileSystem) -> None:
    for start in ENDS:
        for end in ENDS:
            assert big.cat_file(BIG, start, end) == DATA[start:end], (start, end)


def test_ranges_of_several_come_in_their_order(big: CasFileSystem) -> None:
    paths = [BIG, "bulk/job1/output", BIG, "bulk/job2/output"]
    assert big.cat_ranges(paths, [5, 0, -5, 1], [9, 3, None, None]) == [DATA[5:9], b"fir", DATA[-5:], b"econd"]
    assert big.cat_ranges(paths[:2], 1, 3, max_gap=100) == [DATA[1:3], b"ir"]
    assert big.cat_ranges([], [], []) == []
    with pytest.raises(ValueError, match="as many"):
        big.cat_ranges(paths, [1], [2])


def test_a_range_that_fails_is_returned_or_raised(big: CasFileSystem) -> None:
    paths = [BIG, "bulk/none/output"]
    good, bad = big.cat_ranges(paths, 0, 3)
    assert good == DATA[:3]
    assert isinstance(bad, FileNotFoundError)
    with pytest.raises(FileNotFoundError):
        big.cat_ranges(paths, 0, 3, on_error="raise")


def test_ranges_are_fetched_side_by_side_and_each_once(big: CasFileSystem, server: Server) -> None:
    server.shaping = Shaping(first_byte_s=0.5)
    starts = [number * MIB for number in range(6)]
    assert big.cat_ranges([BIG] * 12, starts * 2, [start + 9 for start in starts] * 2) == [
        DATA[start : start + 9] for start in starts * 2
    ]
    assert server.journal.most_in_flight > 1
    asked = [record.range for record in server.requests if record.operation == "get_job_output"]
    assert len(asked) == len(set(asked)) == 6


def test_ranges_that_nobody_waits_for_any_more_are_not_fetched(big: CasFileSystem, server: Server) -> None:
    class BrokenOffError(BaseException):
        """What a handler of a signal raises."""

    def break_off(_number: int, _frame: object) -> None:
        raise BrokenOffError

    threads = new_threads("casfs-range")
    server.faults.add(Fault(kind=Kind.STALL, operation="get_job_output", times=None))
    before = signal.signal(signal.SIGUSR2, break_off)
    main = threading.get_ident()

    def send() -> None:
        wait_until(lambda: any(each.operation == "get_job_output" for each in server.requests), "it fetches")
        signal.pthread_kill(main, signal.SIGUSR2)

    sender = threading.Thread(target=send)
    try:
        sender.start()
        with pytest.raises(BrokenOffError):
            big.cat_ranges(
                [BIG] * 400, [(at % 7) * MIB for at in range(400)], [(at % 7) * MIB + 9 for at in range(400)]
            )
    finally:
        sender.join(60)
        signal.signal(signal.SIGUSR2, before)
    big.close()
    wait_until(lambda: not threads(), "the threads end")
    assert big.account._stages is None, "none of them has begun anew"


def test_an_open_file_is_one_of_python(big: CasFileSystem, state: State) -> None:
    with big.open(BIG, block_size=7, cache_type="readahead", cache_options={"trim": True}) as file:
        assert (file.size, file.path, file.mode, file.readable(), file.seekable()) == (SIZE, BIG, "rb", True, True)
        assert (file.writable(), file.closed) == (False, False)
        assert file.seek(-10, os.SEEK_END) == SIZE - 10
        assert (file.read(4), file.tell(), file.read(), file.read(1)) == (DATA[-10:-6], SIZE - 6, DATA[-6:], b"")
        file.seek(MIB - 5)
        assert file.readinto(bytearray(10)) == 10
        assert file.read1(5) == DATA[MIB + 5 : MIB + 10]
    with pytest.raises(ValueError, match="closed"):
        file.read(1)
    put(state, "bulk", "text", "erste\nzweite, ä\n".encode())
    with big.open("bulk/text/output", "r", encoding="utf-8") as text:
        assert list(text) == ["erste\n", "zweite, ä\n"]
    assert big.read_block("bulk/text/output", 2, 5, delimiter=b"\n") == "zweite, ä\n".encode()
    assert big.head(BIG, 3) + big.tail(BIG, 3) == DATA[:3] + DATA[-3:]


def test_eight_threads_read_one_file_and_many(big: CasFileSystem) -> None:
    def hashed(number: int) -> str:
        if number % 2:
            return hashlib.sha256(big.cat_file(BIG)).hexdigest()
        with big.open(BIG) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(hashed, range(16))) == {hashlib.sha256(DATA).hexdigest()}


class Told(Callback):
    """Notes what a callback is told."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[int] = []

    def relative_update(self, inc: int = 1) -> None:
        super().relative_update(inc)
        self.seen.append(inc)


def test_a_copy_tells_how_far_it_has_come(big: CasFileSystem, tmp_path: Path) -> None:
    told = Told()
    big.get_file(BIG, str(tmp_path / "copy"), callback=told)
    assert (tmp_path / "copy").read_bytes() == DATA
    assert (told.size, told.value) == (SIZE, SIZE)
    assert len(told.seen) == 7


def test_several_copies_are_counted(big: CasFileSystem, tmp_path: Path) -> None:
    told = Told()
    big.get("bulk/job*/output", str(tmp_path / "new"), callback=told)
    assert (told.size, told.value) == (2, 2)


Failing = Callable[[Server], Any]
WRONG = {
    "a bit is wrong": Fault(kind=Kind.FLIP, at=5 * MIB, times=None),
    "it is gone": Fault(
        kind=Kind.STATUS, operation="get_job_output", status=404, code="ResourceNotFoundException", after=1, times=None
    ),
}


@pytest.mark.parametrize("why", sorted(WRONG))
def test_a_copy_that_fails_leaves_what_was_there(
    big: CasFileSystem, server: Server, tmp_path: Path, announce: Announce, why: str
) -> None:
    announce(".*")
    target = tmp_path / "here"
    target.mkdir()
    server.faults.add(WRONG[why])
    for old in (None, b"old"):
        if old is not None:
            (target / "copy").write_bytes(old)
        with pytest.raises(OSError) as caught:  # noqa: PT011 - the errno is what is asked for
            big.get_file(BIG, target / "copy")
        assert caught.value.errno in (errno.EIO, errno.ESTALE)
        assert [path.read_bytes() for path in target.iterdir()] == [old] * (old is not None)


def test_a_copy_is_on_disk_before_it_has_its_name(
    big: CasFileSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[int, list[str]]] = []
    fsync = os.fsync

    def seen(fd: int) -> None:
        fsync(fd)
        synced.append((os.fstat(fd).st_size, [path.name for path in tmp_path.glob("copy")]))

    monkeypatch.setattr(os, "fsync", seen)
    big.get_file(BIG, tmp_path / "copy")
    assert synced == [(SIZE, [])]


def test_a_copy_that_is_broken_off_leaves_nothing(big: CasFileSystem, tmp_path: Path) -> None:
    class Stopping(Callback):
        def relative_update(self, inc: int = 1) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        big.get_file(BIG, str(tmp_path / "new" / "copy"), callback=Stopping())
    assert list((tmp_path / "new").iterdir()) == []


def test_a_whole_copy_replaces_what_was_there_through_a_link_too(big: CasFileSystem, tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_bytes(b"old")
    link.symlink_to(real)
    big.get_file("bulk/job1/output", str(link))
    assert link.is_symlink()
    assert real.read_bytes() == b"first"


def test_what_is_no_regular_file_is_written_to_and_not_replaced(big: CasFileSystem, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as threads:
        seen = threads.submit(pipe.read_bytes)
        big.get_file(BIG, str(pipe))
        assert seen.result(60) == DATA
    assert pipe.is_fifo()


class Slow(io.RawIOBase):
    """Takes 1,000 bytes at most at a time."""

    def __init__(self) -> None:
        self.taken = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self.taken += data[:1000]
        return len(data[:1000])


def test_an_open_file_may_take_less_than_it_is_given(big: CasFileSystem) -> None:
    slow, quick = Slow(), io.BytesIO()
    big.get_file(BIG, slow)
    big.get_file(BIG, None, outfile=quick)
    assert bytes(slow.taken) == quick.getvalue() == DATA


def test_no_thread_stays_behind(big: CasFileSystem) -> None:
    threads = new_threads("casfs-range")
    big.cat_ranges([BIG] * 4, 0, 9)
    assert threads() == set()
