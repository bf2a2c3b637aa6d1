"""Processes that share a cache on disk: each block comes once, whoever dies; and real ones that are killed."""

import contextlib
import stat
import subprocess
import threading
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from casfs.data.disk.leases import Lease
from casfs.waiting import Deadline
from tests.children import code_command
from tests.data.service import MIB, PATIENCE_S
from tests.disk.contents import ROOT, Archive, Time, open_store, rebuilt, served
from tests.disk.machine import Machine, Process

ARCHIVE = Archive.of(8 * MIB + 5)


def test_blocks_that_one_process_downloads_are_not_another_s_to_take(tmp_path: Path) -> None:
    one, other = (open_store(tmp_path / "cache").content(ARCHIVE.key) for _ in range(2))
    lease = one.claim(range(4))
    assert lease is not None
    assert other.claim(range(3, 5)) is None
    beside = other.claim(range(4, 8))
    assert beside is not None
    lease.release()
    assert other.claim(range(4)) is not None


def test_whoever_waits_has_the_blocks_once_they_are_on_disk(tmp_path: Path) -> None:
    one, other = (open_store(tmp_path / "cache").content(ARCHIVE.key) for _ in range(2))
    lease = one.claim(range(4))
    assert lease is not None
    found: list[bool] = []
    waiter = threading.Thread(target=lambda: found.append(other.wait(range(4), Deadline.after(PATIENCE_S))))
    waiter.start()
    one.write(ARCHIVE.new(range(4)))
    lease.release()
    waiter.join(PATIENCE_S)
    assert found == [True]
    assert served(other, ARCHIVE) == {0, 1, 2, 3}


def test_whoever_waits_gives_up_when_the_deadline_passes_or_nobody_wants_it() -> None:
    machine, time = Machine(), Time()
    one, other = (open_store(ROOT, time=time, files=Process(machine)).content(ARCHIVE.key) for _ in range(2))
    lease = one.claim(range(4))
    assert lease is not None
    assert not other.wait(range(4), Deadline.after(3.0, time.clock))
    assert time.now_s == pytest.approx(1_000_003.0)
    assert not other.wait(range(4), Deadline.after(3.0, time.clock, lambda: True))
    lease.release()
    assert not other.wait(range(4), Deadline.after(3.0, time.clock))
    assert time.now_s == pytest.approx(1_000_003.0)


def make_room(machine: Machine, path: str, call: str) -> None:
    """Let a content go before a call that is about to open its file."""
    if call == "open for writing":
        machine.names.pop(path, None)


def test_a_content_that_makes_room_meanwhile_is_nobodys_and_no_failure_of_the_disk() -> None:
    machine, time = Machine(), Time()
    process = Process(machine)
    store = open_store(ROOT, time=time, files=process)
    content = store.content(ARCHIVE.key)
    path = store._room.folder.file_of(ARCHIVE.key.digest)
    for step in (lambda: content.wait(range(4), Deadline.after(3.0, time.clock)), lambda: content.claim(range(4))):
        assert content.claim(range(4)) is not None
        process.before = partial(make_room, machine, path)
        step()
        process.before = lambda _call: None
        assert path not in machine.names
    assert store.outage is None


def test_the_lease_of_a_process_that_was_killed_is_no_more() -> None:
    machine, time = Machine(), Time()
    process = Process(machine)
    lease = open_store(ROOT, time=time, files=process).content(ARCHIVE.key).claim(range(4))
    other = open_store(ROOT, time=time, files=Process(machine)).content(ARCHIVE.key)
    assert isinstance(lease, Lease)
    assert other.claim(range(4)) is None
    process.stop()
    assert other.claim(range(4)) is not None


WRITER = """
import sys
from pathlib import Path
from tests.disk.contents import Archive
from tests.data.service import MIB
from casfs.data.disk.store import Store
archive = Archive.of(8 * MIB + 5)
store = Store.open(Path(sys.argv[1]), 6 * MIB if sys.argv[2] == "small" else 64 * MIB)
content = store.content(archive.key)
lease = content.claim(range(9))
print("ready", flush=True)
while True:
    for number in range(9):
        content.use(range(max(0, number - 1), number))
        content.write(archive.new([number]))
        print(number, flush=True)
    store.shrink(3 * MIB)
    content.forget(range(0, 2))
"""


@pytest.mark.parametrize("capacity", ["small", "large"])
def test_a_process_that_is_killed_in_the_middle_of_its_work_leaves_a_cache_that_is_right(
    tmp_path: Path, capacity: str
) -> None:
    folder, time = tmp_path / "cache", Time()
    for kills in range(12):
        command = code_command(WRITER, str(folder), capacity)
        with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            for _ in range(2 + 3 * kills):  # each time a little further on
                assert writer.stdout.readline()
            writer.kill()
        store = rebuilt(open_store(folder, 6 * MIB, time))
        content = store.content(ARCHIVE.key)
        lease = content.claim(range(9))
        assert lease is not None
        lease.release()
        served(content, ARCHIVE)
        assert store.damaged_blocks == 0
        assert store.outage is None
    time.now_s += 1e9  # the clock of the killed ones was the machine's
    store = open_store(folder, 6 * MIB, time)
    content = store.content(ARCHIVE.key)
    content.forget(range(3, 4))
    assert content.write(ARCHIVE.new([3])) == 1  # with it, what the last one was promised is given back
    on_disk = sum(path.stat().st_blocks * 512 for path in (folder / "contents").rglob("*") if path.is_file())
    assert store.used_bytes() == on_disk + 4096


FILLER = """
import sys
from pathlib import Path
from casfs.data.disk.store import Store
from tests.data.service import MIB
from tests.disk.contents import Archive
from tests.disk.test_sharing import on_disk
archive = Archive.of(24 * MIB, int(sys.argv[2]))
store = Store.open(Path(sys.argv[1]), 16 * MIB)
content = store.content(archive.key)
print("ready", flush=True)
sys.stdin.readline()
kept, seen = 0, []
for turn in range(3):
    for number in range(0, 24, 4):
        content.use(range(max(0, number - 1), number + 1))
        kept += content.write(archive.new(range(number, number + 4)))
        seen.append(on_disk(Path(sys.argv[1])))
print(max(seen), kept, store.damaged_blocks, store.outage, flush=True)
"""


def looked_at(folder: Path) -> dict[Path, tuple[int, int]]:
    """Return what each file of a cache takes on real blocks, and when it changed last."""
    found = {}
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            state = path.stat()
            if stat.S_ISREG(state.st_mode):
                found[path] = state.st_blocks * 512, state.st_ctime_ns
    return found


def on_disk(folder: Path) -> int:
    """Return what all files take; 0 where that changed meanwhile: it may be more than they ever took at once."""
    before, after = looked_at(folder), looked_at(folder)
    return sum(size for size, _ in before.values()) if before == after else 0


SAMPLE_S = 0.01


def sampled(folder: Path, fillers: Sequence["subprocess.Popen[str]"]) -> list[int]:
    """Look at a folder often as long as it is filled."""
    samples = []
    while any(filler.poll() is None for filler in fillers):
        samples.append(on_disk(folder))
        time.sleep(SAMPLE_S)
    return samples


def test_two_processes_with_outputs_that_do_not_fit_are_never_over_the_bound(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    fillers = [
        subprocess.Popen(
            code_command(FILLER, str(folder), str(seed)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in (1, 90)
    ]
    with contextlib.ExitStack() as stack:
        for filler in fillers:
            stack.enter_context(filler)
            assert filler.stdout is not None
            assert filler.stdout.readline() == "ready\n"
        for filler in fillers:
            assert filler.stdin is not None
            filler.stdin.write("go\n")
            filler.stdin.flush()
        samples = sampled(folder, fillers)
        told = [filler.stdout.read().split() for filler in fillers if filler.stdout is not None]
    for most, kept, *rest in told:
        samples.append(int(most))  # each looks after each write, however seldom a busy machine lets anyone else
        assert int(kept) > 36
        assert rest == ["0", "None"]
    assert max(samples) > 12 * MIB
    assert max(samples) <= 16 * MIB
