"""Any course of events in the cache on disk, held against a model of what it must still have."""

import contextlib
import errno
import random
from collections.abc import Iterator

from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from casfs.data.disk import outage
from casfs.data.disk.layout import ContentKey, Label
from casfs.data.disk.root_proof import RootProof
from casfs.data.hashing import treehash
from tests.data.service import MIB, sample
from tests.disk.contents import ROOT, Archive, Time, open_store, served
from tests.disk.machine import Inode, Machine, Process, StoppedError

ARCHIVES = [Archive.of(2 * MIB + 7, 1), Archive.of(MIB + MIB // 2, 50, hashed=False)]
SECOND = ContentKey.of(2 * MIB + 7, ARCHIVES[0].key.tree_hash, ("https://cas.example", "100", "vault", "second"))
"""What another job of the first archive is kept under."""
CONFUSED = ContentKey.of(2 * MIB + 7, ARCHIVES[0].key.tree_hash, ("https://cas.example", "100", "vault", "confused"))
WRONG = Archive(sample(2 * MIB + 7, 99), CONFUSED)
"""What a service sends for a job that it confuses with the first archive's, with the right hashes of its parts."""
LARGE = 64 * MIB
PAGES = st.integers(0, 2) | st.sampled_from([17, 18]) | st.integers(33, 840)
"""Of a content's file: its identity, the first of each slot of labels, its leaves, its data."""
CALLS = ["open", "open for writing", "read", "read data", "write", "sync", "punch", "state", "lock", "lock shared"]


class AnyCourse(RuleBasedStateMachine):
    """Two processes, contents that do not fit, kills, losses of power, failures and rot: right bytes or none.

    What is sure is there whatever happens but what takes it away; what is flushed is there after a loss of power too.
    """

    archives = st.sampled_from(range(len(ARCHIVES)))
    who = st.integers(0, 1)
    numbers = st.sets(st.integers(0, 2), min_size=1)

    @initialize(capacity=st.sampled_from([2 * MIB, 3 * MIB, LARGE]))
    def begin(self, capacity: int) -> None:
        outage.log.disabled = True  # a disk that fails is part of the game
        self.machine, self.time, self.capacity = Machine(), Time(), capacity
        self.processes = [Process(self.machine), Process(self.machine)]
        self.stores = [open_store(ROOT, capacity, self.time, process) for process in self.processes]
        self.allowed = capacity
        self.chance = random.Random(capacity)
        self.is_sound = True
        self.is_confused = False
        self.lose()

    def teardown(self) -> None:
        outage.log.disabled = False

    def lose(self) -> None:
        """Nothing is sure any more."""
        self.sure: set[tuple[int, int]] = set()
        self.flushed: set[tuple[int, int]] = set()
        self.owed: list[set[int]] = [set(), set()]
        self.places: set[tuple[int, str]] = set()

    def start(self, who: int) -> None:
        self.processes[who].stop()
        self.processes[who] = Process(self.machine)
        self.stores[who] = open_store(ROOT, self.capacity, self.time, self.processes[who])
        self.owed[who].clear()

    def file(self, which: int) -> tuple[str, Inode | None]:
        digest = ARCHIVES[which].key.digest.hex()
        path = f"/cache/contents/{digest[:2]}/{digest}"
        return path, self.machine.names.get(path)

    @contextlib.contextmanager
    def takes_room(self) -> Iterator[None]:
        yield
        if self.capacity < LARGE:  # what was there may have had to go
            self.lose()

    @rule(which=archives, who=who, numbers=numbers, proven=st.booleans())
    def write(self, which: int, who: int, numbers: set[int], proven: bool) -> None:  # noqa: FBT001 - drawn
        new = ARCHIVES[which].new(sorted(number for number in numbers if number < ARCHIVES[which].count), proven=proven)
        content = self.stores[who].content(ARCHIVES[which].key)
        with self.takes_room():
            if not self.is_sound:  # what is fetched was missed first; what is rotten and not read is not written anew
                served(content, ARCHIVES[which])
            written = content.write(new)
            if self.capacity == LARGE and not self.stores[who].needs_rebuild:
                assert written == len(new)
                if self.is_confused and not which:  # at any look all of it may be given up
                    return
                self.sure |= {(which, one.block) for one in new}
                self.owed[who].add(which)

    @rule(which=archives, who=who)
    def read(self, which: int, who: int) -> None:
        content = self.stores[who].content(ARCHIVES[which].key)
        assert served(content, ARCHIVES[which]) >= {number for of, number in self.sure if of == which}
        leaves = content.held(range(ARCHIVES[which].count))
        digests = [treehash.leaf(ARCHIVES[which].block(number)) for number in range(ARCHIVES[which].count)]
        assert all(leaf is None or leaf.digest == digest for leaf, digest in zip(leaves, digests, strict=True))

    @rule(who=who, numbers=numbers)
    def write_for_another_job(self, who: int, numbers: set[int]) -> None:
        with self.takes_room():
            self.stores[who].content(SECOND).write(ARCHIVES[0].new(sorted(numbers)))
            self.lose_words_of(numbers)

    @rule(who=who, numbers=numbers)
    def write_for_a_confused_job(self, who: int, numbers: set[int]) -> None:
        with self.takes_room():
            self.stores[who].content(CONFUSED).write(WRONG.new(sorted(numbers)))
            self.is_confused = True
            self.lose_words_of({0, 1, 2})

    def lose_words_of(self, numbers: set[int]) -> None:
        """Blocks of the first archive are the word of another job now."""
        for known in (self.sure, self.flushed):
            known -= {(0, number) for number in numbers}

    @rule(who=who)
    def read_for_another_job(self, who: int) -> None:
        served(self.stores[who].content(SECOND), ARCHIVES[0])

    @rule(who=who)
    def read_for_a_confused_job(self, who: int) -> None:
        """As long as it is not found out, it has what the service sends for it; then it is the archive."""
        content = self.stores[who].content(CONFUSED)
        if all(content.held(range(3))) and content.prove_root() is RootProof.MET:
            assert served(content, ARCHIVES[0]) == {0, 1, 2}

    @rule(who=who)
    def flush(self, who: int) -> None:
        self.stores[who].flush()
        self.flushed |= {one for one in self.sure if one[0] in self.owed[who]}
        self.owed[who].clear()

    @rule(which=archives, who=who, job=st.sampled_from("abc"))
    def note(self, which: int, who: int, job: str) -> None:
        label = Label("https://cas.example", "100", f"vault {which}", job, None, int(self.time.now_s), "{}" * 3000)
        with self.takes_room():
            if self.stores[who].content(ARCHIVES[which].key).note(label):
                self.places.add((which, job))

    @rule(who=who)
    def list_all(self, who: int) -> None:
        which = {archive.key.digest.hex(): number for number, archive in enumerate(ARCHIVES)}
        found = {(label.vault, which[entry.digest], label.job) for label, entry in self.stores[who].labels()}
        assert found >= {(f"vault {number}", number, job) for number, job in self.places}
        assert all(vault == f"vault {number}" for vault, number, _ in found)

    @rule(which=archives, who=who, number=st.integers(0, 2))
    def forget(self, which: int, who: int, number: int) -> None:
        if number < ARCHIVES[which].count:
            self.stores[who].content(ARCHIVES[which].key).forget(range(number, number + 1))
            assert self.stores[who].content(ARCHIVES[which].key).held(range(number, number + 1)) == [None]
            self.sure.discard((which, number))
            self.flushed.discard((which, number))

    @rule(who=who, mebibytes=st.integers(0, 4))
    def shrink(self, who: int, mebibytes: int) -> None:
        self.stores[who].shrink(mebibytes * MIB)
        self.lose()

    @rule(which=archives, who=who, first=st.integers(0, 2))
    def use(self, which: int, who: int, first: int) -> None:
        self.stores[who].content(ARCHIVES[which].key).use(range(first, first + 1))

    @rule(which=archives, who=who)
    def prove(self, which: int, who: int) -> None:
        self.stores[who].content(ARCHIVES[which].key).prove_root()

    @rule(who=who)
    def inspect(self, who: int) -> None:
        found = list(self.stores[who].upkeep().inspect())
        assert all(one.is_sound for one in found) or not self.is_sound or self.is_confused
        self.is_sound = True

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
        with self.takes_room(), contextlib.suppress(StoppedError):
            self.stores[who].content(ARCHIVES[which].key).write(ARCHIVES[which].new(range(ARCHIVES[which].count)))
        self.is_sound = False  # a file may have been made that does not say yet whose it is
        self.start(who)

    @rule(
        which=archives,
        who=who,
        call=st.sampled_from(CALLS),
        after=st.integers(0, 8),
        number=st.sampled_from([errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EROFS]),
    )
    def fail_while_it_writes(self, which: int, who: int, call: str, after: int, number: int) -> None:
        calls: list[str] = []

        def refuse(now: str) -> int | None:
            calls.append(now)
            return number if calls.count(call) > after and now == call else None

        self.processes[who].refuses = refuse
        content = self.stores[who].content(ARCHIVES[which].key)
        with self.takes_room():
            content.write(ARCHIVES[which].new(range(ARCHIVES[which].count)))
            served(content, ARCHIVES[which])
        self.processes[who].refuses = lambda _call: None
        if (call, number) == ("read data", errno.EIO):  # what cannot be read is given up
            self.sure = {one for one in self.sure if one[0] != which}
            self.flushed = {one for one in self.flushed if one[0] != which}
        self.time.now_s += 1000
        self.is_sound = False

    @rule()
    def lose_power(self) -> None:
        for process in self.processes:
            process.stop()
        self.machine.lose_power(self.chance)
        # Names that were taken away and not synced are there again, beside what was written since.
        self.allowed, self.machine.peak = max(self.capacity, self.machine.taken() + 8 * 4096), 0
        places, flushed = self.places, self.flushed
        self.lose()
        self.places, self.sure, self.flushed = places, set(flushed), flushed
        self.is_sound = False
        for who in (0, 1):
            self.start(who)

    @rule(who=who)
    def rebuild(self, who: int) -> None:
        for _ in self.stores[who].rebuild():
            pass
        if self.capacity < LARGE:
            self.lose()

    @rule(which=archives, page=PAGES, seed=st.integers(0, 7))
    def rot(self, which: int, page: int, seed: int) -> None:
        _, node = self.file(which)
        if node is not None and page in node.pages:
            node.pages[page] = random.Random(seed).randbytes(4096)
            self.is_sound = False
            self.lose()

    @rule(which=archives, pages=PAGES)
    def cut(self, which: int, pages: int) -> None:
        _, node = self.file(which)
        if node is not None:
            node.truncate(min(node.length, pages * 4096))
            self.is_sound = False
            self.lose()

    @rule(which=archives)
    def remove(self, which: int) -> None:
        path, node = self.file(which)
        if node is not None:
            node.links = 0
            del self.machine.names[path]
            self.lose()

    @rule()
    def swap(self) -> None:
        (one, first), (other, second) = self.file(0), self.file(1)
        if self.capacity == LARGE and first is not None and second is not None:
            self.machine.names |= {one: second, other: first}
            self.is_sound = False
            self.lose()

    @invariant()
    def the_bound_holds(self) -> None:
        if hasattr(self, "machine"):
            assert self.machine.peak <= self.allowed


AnyCourse.TestCase.settings = hypothesis_settings(max_examples=60, stateful_step_count=25, deadline=None)
TestAnyCourse = AnyCourse.TestCase
