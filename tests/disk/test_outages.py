"""A disk that is full, read-only, broken, or gone: misses, writes that do not take place, one warning, new tries."""

import errno
import itertools
import logging
import shutil
import threading
from pathlib import Path

import pytest

from casfs.data.disk import store as store_module
from casfs.data.disk.files import SystemFiles
from casfs.data.disk.store import Store
from tests.conftest import Announce
from tests.data.service import MIB
from tests.disk.contents import ROOT, Archive, Time, open_store, rebuilt, served
from tests.disk.machine import Machine, Process
from tests.mounting import wait_until

ARCHIVE = Archive.of(3 * MIB + 7)
WRITES = frozenset({"open for writing", "create", "write", "truncate", "punch", "sync", "sync_folder", "make_folder"})
FAILURES = {
    "full": (errno.ENOSPC, frozenset({"write", "create", "make_folder"})),
    "quota": (errno.EDQUOT, frozenset({"write", "create", "make_folder"})),
    "read-only": (errno.EROFS, WRITES),
    "sync fails": (errno.EIO, frozenset({"sync"})),
    "no descriptors": (errno.EMFILE, frozenset({"open", "open for writing"})),
    "reads fail": (errno.EIO, frozenset({"read", "read data"})),
    "all fails": (
        errno.EIO,
        WRITES
        | {"open", "read", "read data", "state", "names", "lock", "lock shared", "claim", "is_claimed", "device"},
    ),
    "gone": (errno.ENODEV, WRITES | {"open", "read", "read data", "state", "names", "device"}),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_disk_that_fails_is_said_once_and_used_again_once_it_works(
    name: str, announce: Announce, caplog: pytest.LogCaptureFixture
) -> None:
    announce("not used for now")
    number, calls = FAILURES[name]
    machine, time = Machine(), Time()
    process = Process(machine)
    store = open_store(ROOT, 64 * MIB, time, process)
    content = store.content(ARCHIVE.key)
    assert content.write(ARCHIVE.new([0, 1])) == 2
    process.refuses = lambda call: number if call in calls else None
    for _ in range(3):
        content.write(ARCHIVE.new([2]))
        served(content, ARCHIVE)
        content.claim(range(2))
        content.forget(range(3, 4))
        content.prove_root()
        content.use(range(1))
        store.shrink(64 * MIB)
        list(store.entries())
        store.used_bytes()
        time.now_s += 1000.0
    assert store.outage is not None
    assert [record.levelno for record in caplog.records if "not used for now" in record.message] == [logging.WARNING]
    process.refuses = lambda _call: None
    time.now_s += 1000.0
    assert content.write(ARCHIVE.new([2])) == 1
    assert served(content, ARCHIVE) == {0, 1, 2}
    assert store.outage is None
    assert len([record for record in caplog.records if "used again" in record.message]) <= 1


def test_a_disk_that_takes_no_more_is_read_on(announce: Announce) -> None:
    announce("No space left|refused")
    machine, time = Machine(), Time()
    process = Process(machine)
    store = open_store(ROOT, 64 * MIB, time, process)
    content = store.content(ARCHIVE.key)
    content.write(ARCHIVE.new([0, 1]))
    process.refuses = lambda call: errno.ENOSPC if call == "write" else None
    assert content.write(ARCHIVE.new([2])) == 0
    assert served(content, ARCHIVE) == {0, 1}
    outage = store.outage
    assert outage is not None
    assert outage.retry_at_s == time.now_s + 30


def test_a_disk_that_failed_is_asked_nothing_before_it_is_tried_again(announce: Announce) -> None:
    announce("refused")
    machine, time = Machine(), Time()
    process = Process(machine)
    content = open_store(ROOT, 64 * MIB, time, process).content(ARCHIVE.key)
    asked: list[str] = []

    def refuse(call: str) -> int:
        asked.append(call)
        return errno.EIO

    process.refuses = refuse
    pauses = []
    for _ in range(400):
        before = len(asked)
        content.held(range(4))
        content.write(ARCHIVE.new([0]))
        if len(asked) > before:
            pauses.append(time.now_s)
        time.now_s += 10
    gaps = [later - sooner for sooner, later in itertools.pairwise(pauses)]
    assert gaps[0] >= 30
    assert max(gaps) <= 610
    assert len(pauses) < 20


def test_blocks_that_were_written_in_part_give_their_room_back(announce: Announce) -> None:
    announce("refused")
    machine, time = Machine(), Time()
    process = Process(machine)
    store = open_store(ROOT, 64 * MIB, time, process)
    content = store.content(ARCHIVE.key)
    content.write(ARCHIVE.new([0]))
    before = machine.taken()
    process.refuses = lambda call: errno.EIO if call == "sync" else None
    assert content.write(ARCHIVE.new([1, 2])) == 0
    assert machine.taken() == before
    assert content.held(range(1, 3)) == [None, None]


def test_a_folder_that_was_deleted_is_made_anew_where_it_was(tmp_path: Path, announce: Announce) -> None:
    announce("No such file")
    folder, time = tmp_path / "cache", Time()
    store = open_store(folder, time=time)
    content = store.content(ARCHIVE.key)
    content.write(ARCHIVE.new([0, 1]))
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert served(content, ARCHIVE) == set()
    assert content.write(ARCHIVE.new([0])) == 0
    time.now_s += 60
    assert rebuilt(store).content(ARCHIVE.key).write(ARCHIVE.new([0])) == 1
    assert served(content, ARCHIVE) == {0}
    assert store.outage is None


def test_a_failed_listing_forgets_no_account(announce: Announce) -> None:
    announce("refused")
    machine, time = Machine(), Time()
    process = Process(machine)
    store = open_store(ROOT, 64 * MIB, time, process)
    store.content(ARCHIVE.key).write(ARCHIVE.new([0, 1]))
    before = store.used_bytes()
    time.now_s += 1000
    process.refuses = lambda call: errno.EIO if call == "names" else None
    for _ in store.rebuild():
        pass
    process.refuses = lambda _call: None
    time.now_s += 1000
    assert store.used_bytes() == before
    assert served(store.content(ARCHIVE.key), ARCHIVE) == {0, 1}


def test_a_file_system_that_makes_no_holes_lets_whole_contents_go() -> None:
    machine, time = Machine(), Time()
    process = Process(machine)
    store = open_store(ROOT, 64 * MIB, time, process)
    store.content(ARCHIVE.key).write(ARCHIVE.new(range(4)))
    time.now_s += 1000
    process.refuses = lambda call: errno.EOPNOTSUPP if call == "punch" else None
    assert store.shrink(2 * MIB) == 0
    assert store.outage is None


def test_a_file_system_without_claims_lets_everybody_download() -> None:
    machine = Machine()
    process = Process(machine)
    content = open_store(ROOT, files=process).content(ARCHIVE.key)
    process.refuses = lambda call: errno.EINVAL if call in {"claim", "is_claimed"} else None
    assert content.claim(range(2)) is not None
    assert content.claim(range(2)) is not None


class Silent(SystemFiles):
    """A disk that does not answer until it is let."""

    def __init__(self) -> None:
        self.lets = threading.Event()

    def device(self, path: str) -> int:
        assert self.lets.wait(60)
        return super().device(path)


def test_a_disk_that_does_not_answer_when_it_is_opened_is_tried_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, announce: Announce
) -> None:
    announce("not used for now: it does not answer")
    monkeypatch.setattr(store_module, "HANG_S", 0.1)
    files, time, archive = Silent(), Time(), Archive.of(MIB)
    store = Store.open(tmp_path / "cache", 64 * MIB, may_fail=True, files=files, clock=time.clock, sleep=time.sleep)
    assert store.outage is not None
    content = store.content(archive.key)
    assert content.write(archive.new([0])) == 0
    files.lets.set()

    def is_written() -> bool:
        time.now_s += 1000
        return content.write(archive.new([0])) == 1

    # Tried more than once: who hung is still at work for a moment.
    wait_until(is_written, "the disk that answers again is written to")
    assert store.outage is None


def test_a_folder_that_others_may_write_to_since_is_not_used_again(tmp_path: Path, announce: Announce) -> None:
    announce("not used for now")
    time, archive = Time(), Archive.of(2 * MIB)
    folder = tmp_path / "cache"
    store = open_store(folder, time=time)
    content = store.content(archive.key)
    assert content.write(archive.new([0])) == 1
    folder.rename(tmp_path / "away")
    assert content.write(archive.new([1])) == 0
    folder.mkdir()
    folder.chmod(0o777)
    time.now_s += 1000
    assert content.write(archive.new([1])) == 0
    assert list(folder.iterdir()) == []
    folder.chmod(0o700)
    time.now_s += 10_000
    assert content.write(archive.new([1])) == 1
