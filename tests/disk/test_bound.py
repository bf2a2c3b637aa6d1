"""The bound of the cache on disk: what goes first, what readers keep, and that it holds over all processes."""

from collections.abc import Callable
from pathlib import Path

import pytest

from casfs.data.disk import layout
from casfs.data.disk.accounts import Account
from casfs.data.disk.store import Store
from casfs.data.disk.trimming import Stage, order
from tests.data.service import MIB
from tests.disk.contents import ROOT, Archive, Time, open_store, rebuilt, served
from tests.disk.machine import Machine, Process

EIGHT = [Archive.of(8 * MIB, seed) for seed in (1, 30, 60)]
HOUR_S = 3600.0


def before(process: Process, call: str, step: Callable[[], object]) -> None:
    """Let something happen once, before a call of a process."""

    def happen(now: str) -> None:
        if now == call:
            process.before = lambda _call: None
            step()

    process.before = happen


def fill(store: Store, archive: Archive, numbers: range = range(8)) -> int:
    return sum(store.content(archive.key).write(archive.new([number])) for number in numbers)


def test_the_least_recently_used_content_goes_first_from_its_end() -> None:
    machine, time = Machine(), Time()
    store = open_store(ROOT, 22 * MIB, time, Process(machine))
    for archive in EIGHT[:2]:
        assert fill(store, archive) == 8
        time.now_s += HOUR_S
    store.content(EIGHT[0].key).use(range(1))
    time.now_s += HOUR_S
    assert fill(store, EIGHT[2]) == 8
    first, second = (served(store.content(archive.key), archive) for archive in EIGHT[:2])
    assert first == set(range(8))
    assert second == set(range(len(second)))
    assert 0 < len(second) < 8
    assert machine.peak <= 22 * MIB


def test_what_was_used_before_the_clock_was_set_back_goes_first() -> None:
    machine, time = Machine(), Time()
    store = open_store(ROOT, 22 * MIB, time, Process(machine))
    time.now_s += 1000 * HOUR_S
    assert fill(store, EIGHT[0]) == 8
    time.now_s -= 1000 * HOUR_S
    for archive in EIGHT[1:]:
        assert fill(store, archive) == 8
        time.now_s += HOUR_S
    kept = [len(served(store.content(archive.key), archive)) for archive in EIGHT]
    assert kept[0] < 8
    assert kept[1:] == [8, 8]


def test_a_content_of_which_nothing_is_left_has_no_file_and_no_account() -> None:
    machine, time = Machine(), Time()
    store = open_store(ROOT, 64 * MIB, time, Process(machine))
    fill(store, EIGHT[0])
    time.now_s += HOUR_S
    assert store.shrink(0) == 0
    assert not [name for name, node in machine.names.items() if node is not None and "contents" in name]


def test_another_bound_holds_at_once_and_a_larger_one_is_made_use_of() -> None:
    machine, time = Machine(), Time()
    store = open_store(ROOT, 64 * MIB, time, Process(machine))
    fill(store, EIGHT[0])
    assert store.used_bytes() > 6 * MIB
    time.now_s += HOUR_S
    store.resize(4 * MIB)
    assert 0 < store.used_bytes() <= 4 * MIB
    fill(store, EIGHT[1])
    assert 0 < store.used_bytes() <= 4 * MIB
    store.resize(64 * MIB)
    fill(store, EIGHT[2])
    assert served(store.content(EIGHT[2].key), EIGHT[2]) == set(range(8))


def test_one_open_content_that_does_not_fit_goes_from_behind_its_reader() -> None:
    machine, time = Machine(), Time()
    store = open_store(ROOT, 6 * MIB, time, Process(machine))
    content = store.content(EIGHT[0].key)
    for number in range(8):
        content.use(range(max(0, number - 1), number))
        assert content.write(EIGHT[0].new([number])) == 1
    held = served(content, EIGHT[0])
    assert 0 not in held
    assert {6, 7} <= held
    assert machine.peak <= 6 * MIB


def test_what_is_in_use_stays_while_something_else_can_go() -> None:
    machine, time = Machine(), Time()
    store = open_store(ROOT, 20 * MIB, time, Process(machine))
    fill(store, EIGHT[0])
    time.now_s += HOUR_S
    fill(store, EIGHT[1])
    store.content(EIGHT[1].key).use(range(7, 8))
    fill(store, EIGHT[2])
    assert served(store.content(EIGHT[1].key), EIGHT[1]) == set(range(8))


@pytest.mark.parametrize(
    ("stage", "blocks", "backwards"),
    [
        (Stage.UNUSED, range(10), True),
        (Stage.BEHIND, range(3), False),
        (Stage.BEYOND, range(8, 10), True),
        (Stage.BETWEEN, range(4, 7), False),
    ],
    ids=lambda value: value.name if isinstance(value, Stage) else "",
)
def test_what_may_go_at_each_stage_spares_where_readers_stand(stage: Stage, blocks: range, backwards: bool) -> None:  # noqa: FBT001 - a parameter
    assert order(stage, Account(b"", first=3, last=7), 10) == (blocks, backwards)


def test_a_reader_whose_block_is_trimmed_misses_it_and_nothing_is_said_to_have_rotted() -> None:
    machine, time = Machine(), Time()
    reader, trimmer = Process(machine), Process(machine)
    store, other = open_store(ROOT, 64 * MIB, time, reader), open_store(ROOT, 64 * MIB, time, trimmer)
    content = store.content(EIGHT[0].key)
    fill(store, EIGHT[0])
    time.now_s += HOUR_S

    before(reader, "read data", lambda: other.shrink(0))
    assert served(content, EIGHT[0], [0]) == set()
    assert store.damaged_blocks == 0
    assert content.write(EIGHT[0].new([0])) == 1
    assert served(content, EIGHT[0]) == {0}


def test_a_block_that_comes_anew_while_it_is_found_rotten_is_kept() -> None:
    machine, time = Machine(), Time()
    reader = Process(machine)
    store, other = open_store(ROOT, 64 * MIB, time, reader), open_store(ROOT, 64 * MIB, time, Process(machine))
    store.content(EIGHT[0].key).write(EIGHT[0].new([0], proven=False))
    (node,) = [node for name, node in machine.names.items() if node and "contents" in name]
    node.pages[layout.data_offset(0, 8 * MIB) // layout.PAGE + 1] = bytes(4096)
    before(reader, "lock", lambda: other.content(EIGHT[0].key).write(EIGHT[0].new([0], proven=True)))
    assert served(store.content(EIGHT[0].key), EIGHT[0], [0]) == set()
    assert store.content(EIGHT[0].key).held(range(1)) != [None]


def test_nothing_is_written_to_a_file_whose_name_was_taken_away_meanwhile() -> None:
    machine, time = Machine(), Time()
    writer = Process(machine)
    store, other = open_store(ROOT, 64 * MIB, time, writer), open_store(ROOT, 64 * MIB, time, Process(machine))
    content = store.content(EIGHT[0].key)
    content.write(EIGHT[0].new([0]))
    time.now_s += HOUR_S

    def empty() -> None:
        time.now_s += HOUR_S  # the writer was stopped for so long that its lease has lapsed
        other.shrink(0)

    before(writer, "lock shared", empty)
    assert content.write(EIGHT[0].new([1])) == 0
    assert machine.taken() < MIB
    assert content.write(EIGHT[0].new([1])) == 1
    assert served(content, EIGHT[0]) == {1}


def test_two_processes_with_contents_that_do_not_fit_stay_within_the_bound() -> None:
    machine, time = Machine(), Time()
    stores = [open_store(ROOT, 10 * MIB, time, Process(machine)) for _ in range(2)]
    for number in range(8):
        for store, archive in zip(stores, EIGHT, strict=False):
            store.content(archive.key).write(archive.new([number]))
    assert machine.peak <= 10 * MIB
    assert all(served(store.content(archive.key), archive) for store, archive in zip(stores, EIGHT, strict=False))


def test_what_a_killed_writer_was_promised_is_given_back() -> None:
    machine, time = Machine(), Time()
    journal = open_store(ROOT, 10 * MIB, time, Process(machine))._room.folder.journal
    digest = EIGHT[0].key.digest
    assert journal.reserve(digest, 8 * MIB, 10 * MIB, int(time.now_s * 1e9)) == 0
    other = open_store(ROOT, 10 * MIB, time, Process(machine))
    assert other.content(EIGHT[1].key).write(EIGHT[1].new(range(4))) == 0
    time.now_s += HOUR_S
    assert other.content(EIGHT[1].key).write(EIGHT[1].new(range(4))) == 4


def test_a_cache_that_is_larger_than_its_bound_is_trimmed_once_its_accounts_were_made_anew() -> None:
    machine, time = Machine(), Time()
    fill(open_store(ROOT, 64 * MIB, time, Process(machine)), EIGHT[0])
    machine.boots += 1
    time.now_s += HOUR_S
    store = rebuilt(open_store(ROOT, 4 * MIB, time, Process(machine)))
    assert store.used_bytes() <= 4 * MIB
    assert 0 in served(store.content(EIGHT[0].key), EIGHT[0])


def test_a_bound_smaller_than_what_is_written_holds_too() -> None:
    machine = Machine()
    store = open_store(ROOT, MIB, files=Process(machine))
    assert store.content(EIGHT[0].key).write(EIGHT[0].new([0])) == 0
    assert machine.peak < MIB
    assert store.outage is None


def test_a_journal_that_another_holds_locked_costs_the_write_and_no_wait_without_end() -> None:
    machine, time = Machine(), Time()
    store, other = (open_store(ROOT, 64 * MIB, time, Process(machine)) for _ in range(2))
    with other._room.folder.journal.locked():
        assert store.content(EIGHT[0].key).write(EIGHT[0].new([0])) == 0
    assert store.content(EIGHT[0].key).write(EIGHT[0].new([0])) == 1


def test_the_files_take_what_the_accounts_say(tmp_path: Path) -> None:
    store = open_store(tmp_path / "cache", 6 * MIB)
    content = store.content(EIGHT[0].key)
    for number in range(8):
        content.use(range(max(0, number - 1), number))
        content.write(EIGHT[0].new([number]))
        files = [path for path in (tmp_path / "cache" / "contents").rglob("*") if path.is_file()]
        on_disk = sum(path.stat().st_blocks * 512 for path in files)
        assert on_disk <= 6 * MIB
        assert store.used_bytes() == on_disk + 4096 * len(files)


def test_accounts_made_anew_are_of_the_files_that_are_there_and_of_no_others() -> None:
    machine, time = Machine(), Time()
    store = open_store(ROOT, 64 * MIB, time, Process(machine))
    fill(store, EIGHT[0])
    kept = store.used_bytes()
    fill(store, EIGHT[1])
    del machine.names[store._room.folder.file_of(EIGHT[1].key.digest)]
    machine.boots += 1
    time.now_s += HOUR_S
    assert rebuilt(open_store(ROOT, 64 * MIB, time, Process(machine))).used_bytes() == kept
