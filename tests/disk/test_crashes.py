"""The cache on disk after a kill or a loss of power, at every change that it makes."""

import contextlib
import random
from collections.abc import Iterator

import pytest

from casfs.data.disk import layout
from casfs.data.disk.layout import Label
from casfs.data.disk.store import Store
from tests.data.service import MIB
from tests.disk.contents import ROOT, Archive, Time, open_store, rebuilt, served
from tests.disk.machine import Machine, Process, StoppedError

ONE, OTHER = Archive.of(2 * MIB + 7, 1), Archive.of(MIB + MIB // 2, 50, hashed=False)
ARCHIVES = [ONE, OTHER]


def work(store: Store) -> None:
    """Write, read, make room, prove and write again."""
    for archive in ARCHIVES:
        store.content(archive.key).write(archive.new([0, 1], proven=False))
    store.shrink(2 * MIB)
    content = store.content(ONE.key)
    content.write(ONE.new(range(3), proven=False))
    content.prove_root()
    for job in "ab":
        content.note(Label("https://cas.example", "100", "vault", job, None, 5))
    content.use(range(1, 2))
    store.shrink(MIB)
    content.forget(range(1))
    content.write(ONE.new([0]))


def stopped_at(change: int) -> Machine | None:
    """Return the machine on which a process was killed before a change, None where it had ended by then."""
    machine, time = Machine(), Time()
    process = Process(machine, stops_at=change)
    with contextlib.suppress(StoppedError):
        work(open_store(ROOT, 3 * MIB, time, process))
        return None
    return machine


def every_stop() -> Iterator[Machine]:
    change = 0
    while (machine := stopped_at(change)) is not None:
        yield machine
        change += 1
    assert change > 50


def check_whole(machine: Machine) -> None:
    """Assert that the cache can be used: right bytes, right accounts, room for what comes."""
    store = rebuilt(open_store(ROOT, 8 * MIB, Time(2_000_000.0), Process(machine)))
    for archive in ARCHIVES:
        served(store.content(archive.key), archive)
        assert store.content(archive.key).write(archive.new(range(archive.count))) == archive.count
        assert served(store.content(archive.key), archive) == set(range(archive.count))
    assert store.outage is None
    contents = [node for name, node in machine.names.items() if node and name.startswith("/cache/contents")]
    assert store.used_bytes() == sum(4096 * (len(node.pages) + 1) for node in contents)


def test_a_kill_at_any_change_costs_no_right_byte_and_leaves_the_accounts_right() -> None:
    for machine in every_stop():
        check_whole(machine)


@pytest.mark.parametrize("seed", range(4))
def test_a_loss_of_power_at_any_change_costs_no_right_byte_and_leaves_the_accounts_right(seed: int) -> None:
    for number, machine in enumerate(every_stop()):
        machine.lose_power(random.Random(seed * 1000 + number))
        check_whole(machine)


def test_what_was_synced_outlives_a_loss_of_power_once_the_leaves_were_synced_too() -> None:
    machine = Machine()
    content = open_store(ROOT, files=Process(machine)).content(ONE.key)
    content.write(ONE.new([0]))
    content.write(ONE.new([1]))  # its sync carries the leaf of the block before
    machine.lose_power(random.Random(1))
    assert 0 in served(open_store(ROOT, files=Process(machine)).content(ONE.key), ONE)


@pytest.mark.parametrize("seed", range(8))
def test_what_was_flushed_outlives_a_loss_of_power_and_is_flushed_once(seed: int) -> None:
    machine = Machine()
    process = Process(machine)
    store = open_store(ROOT, files=process)
    for archive in ARCHIVES:
        store.content(archive.key).write(archive.new([0]))
    store.content(ONE.key).write(ONE.new([2]))
    store.content(ONE.key).flush()
    store.flush()
    before = process.changes
    store.content(ONE.key).flush()
    store.flush()
    assert process.changes == before
    machine.lose_power(random.Random(seed))
    again = open_store(ROOT, files=Process(machine))
    assert [served(again.content(archive.key), archive) for archive in ARCHIVES] == [{0, 2}, {0}]


def test_no_leaf_is_written_before_its_data_were_synced() -> None:
    for machine in every_stop():
        for archive in ARCHIVES:
            digest = archive.key.digest.hex()
            node = machine.names.get(f"/cache/contents/{digest[:2]}/{digest}")
            held = open_store(ROOT, files=Process(machine)).content(archive.key).held(range(archive.count))
            if node is not None and any(held):
                first = layout.data_offset(0, len(archive.data)) // layout.PAGE
                blocks = {(number - first) * layout.PAGE // MIB for number in node.dirty if number >= first}
                assert not blocks & {number for number, leaf in enumerate(held) if leaf is not None}
