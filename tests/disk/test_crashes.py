"""The cache on disk after a kill or a loss of power, at every change that it makes; and any course of events."""

import contextlib
import random
from collections.abc import Iterator

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

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


class AnyCourse(RuleBasedStateMachine):
    """Two processes, contents that do not fit, kills, losses of power and rot: right bytes or none, and the bound."""

    archives = st.sampled_from(range(len(ARCHIVES)))
    who = st.integers(0, 1)
    numbers = st.sets(st.integers(0, 2), min_size=1)

    @initialize(capacity=st.sampled_from([2 * MIB, 3 * MIB, 64 * MIB]))
    def begin(self, capacity: int) -> None:
        self.machine, self.time, self.capacity = Machine(), Time(), capacity
        self.processes = [Process(self.machine), Process(self.machine)]
        self.stores = [open_store(ROOT, capacity, self.time, process) for process in self.processes]
        self.allowed = capacity
        self.sure: set[tuple[int, int]] = set()
        self.chance = random.Random(capacity)

    def start(self, who: int) -> None:
        self.processes[who].stop()
        self.processes[who] = Process(self.machine)
        self.stores[who] = open_store(ROOT, self.capacity, self.time, self.processes[who])

    @rule(which=archives, who=who, numbers=numbers, proven=st.booleans())
    def write(self, which: int, who: int, numbers: set[int], proven: bool) -> None:  # noqa: FBT001 - drawn
        new = ARCHIVES[which].new(sorted(number for number in numbers if number < ARCHIVES[which].count), proven=proven)
        written = self.stores[who].content(ARCHIVES[which].key).write(new)
        if self.capacity < 64 * MIB:
            self.sure.clear()
        elif not self.stores[who].needs_rebuild:
            assert written == len(new)
            self.sure |= {(which, one.block) for one in new}

    @rule(which=archives, who=who)
    def read(self, which: int, who: int) -> None:
        found = served(self.stores[who].content(ARCHIVES[which].key), ARCHIVES[which])
        sure = {number for of, number in self.sure if of == which}
        assert found >= sure

    @rule(who=who, mebibytes=st.integers(0, 4))
    def shrink(self, who: int, mebibytes: int) -> None:
        self.stores[who].shrink(mebibytes * MIB)
        self.sure.clear()

    @rule(which=archives, who=who, first=st.integers(0, 2))
    def use(self, which: int, who: int, first: int) -> None:
        self.stores[who].content(ARCHIVES[which].key).use(range(first, first + 1))

    @rule(which=archives, who=who)
    def prove(self, which: int, who: int) -> None:
        self.stores[who].content(ARCHIVES[which].key).prove_root()

    @rule(seconds=st.sampled_from([1.0, 1000.0]))
    def wait(self, seconds: float) -> None:
        self.time.now_s += seconds

    @rule(who=who)
    def kill(self, who: int) -> None:
        self.start(who)

    @rule(which=archives, who=who, after=st.integers(1, 20))
    def kill_while_it_writes(self, which: int, who: int, after: int) -> None:
        process = self.processes[who]
        process.stops_at = process.changes + after
        with contextlib.suppress(StoppedError):
            self.stores[who].content(ARCHIVES[which].key).write(ARCHIVES[which].new(range(ARCHIVES[which].count)))
        if self.capacity < 64 * MIB:
            self.sure.clear()
        self.start(who)

    @rule()
    def lose_power(self) -> None:
        for process in self.processes:
            process.stop()
        self.machine.lose_power(self.chance)
        # Names that were taken away and not synced are there again, beside what was written since.
        self.allowed, self.machine.peak = max(self.capacity, self.machine.taken() + 8 * 4096), 0
        self.sure.clear()
        for who in (0, 1):
            self.start(who)

    @rule(who=who)
    def rebuild(self, who: int) -> None:
        for _ in self.stores[who].rebuild():
            pass

    @rule(which=archives, page=st.integers(0, 1) | st.integers(33, 840), seed=st.integers(0, 7))
    def rot(self, which: int, page: int, seed: int) -> None:
        digest = ARCHIVES[which].key.digest.hex()
        node = self.machine.names.get(f"/cache/contents/{digest[:2]}/{digest}")
        if node is not None and page in node.pages:
            node.pages[page] = random.Random(seed).randbytes(4096)
            self.sure.clear()

    @invariant()
    def the_bound_holds(self) -> None:
        if hasattr(self, "machine"):
            assert self.machine.peak <= self.allowed


AnyCourse.TestCase.settings = hypothesis_settings(max_examples=60, stateful_step_count=25, deadline=None)
TestAnyCourse = AnyCourse.TestCase
