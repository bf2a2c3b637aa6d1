"""Which block goes when a buffer is needed, and which may not go."""

from collections.abc import Collection

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from casfs.data.content import Content
from casfs.data.fetch.flight import Flight
from casfs.data.memory.cache import BlockCache, Key, Place, Slot
from casfs.data.settings import Verify
from casfs.models import Output
from casfs.stats import Stats

CAPACITY = 4
BLOCKS = st.integers(0, 6)


@pytest.fixture
def stats() -> Stats:
    return Stats()


@pytest.fixture
def cache(stats: Stats) -> BlockCache[Flight]:
    return BlockCache(CAPACITY, stats)


@pytest.fixture
def content(stats: Stats) -> Content:
    return Content(Output("v", "j", None, None, is_inventory=False), 99 << 20, Verify.AUTO, stats)


def one(cache: BlockCache[Flight]) -> memoryview:
    assert cache.reserve(1)
    return cache.take()


def flight(content: Content, block: int) -> Flight:
    return Flight(content, range(block, block + 1), None)


def held(cache: BlockCache[Flight], content: Content) -> list[int]:
    return [block for block in range(99) if (content, block) in cache]


def test_the_block_that_was_read_longest_ago_goes_first(cache: BlockCache[Flight], content: Content) -> None:
    for block in range(CAPACITY):
        cache.keep((content, block), one(cache))
    cache.get((content, 0))
    one(cache)
    assert held(cache, content) == [0, 2, 3]


def test_a_block_prefetched_for_nobody_goes_before_all_that_were_read(
    cache: BlockCache[Flight], content: Content, stats: Stats
) -> None:
    for block in range(3):
        cache.keep((content, block), one(cache))
    cache.put_ahead((content, 3), one(cache), flight(content, 3))
    cache.abandon((content, 3))
    one(cache)
    assert held(cache, content) == [0, 1, 2]
    assert stats.snapshot()["prefetch_unused_blocks"] == 1


def test_blocks_ahead_of_a_reader_and_those_waited_for_do_not_go(cache: BlockCache[Flight], content: Content) -> None:
    cache.put_ahead((content, 0), one(cache), flight(content, 0))
    cache.pin((content, 1), one(cache), 2)
    cache.keep((content, 2), one(cache))
    cache.keep((content, 3), one(cache))
    assert not cache.reserve(3)
    assert held(cache, content) == [0, 1, 2, 3], "what cannot be had in full evicts nothing"
    assert cache.reserve(2)
    assert held(cache, content) == [0, 1]


def test_a_block_can_go_once_everybody_who_waited_has_copied_it(cache: BlockCache[Flight], content: Content) -> None:
    cache.pin((content, 0), one(cache), 2)
    cache.unpin((content, 0))
    assert not cache.reserve(CAPACITY)
    cache.unpin((content, 0))
    assert cache.reserve(CAPACITY)


@pytest.mark.parametrize("is_stale", [False, True], ids=["ahead", "stale"])
def test_a_prefetched_block_is_like_any_other_once_it_was_read(
    cache: BlockCache[Flight], content: Content, stats: Stats, *, is_stale: bool
) -> None:
    view = one(cache)
    cache.put_ahead((content, 0), view, flight(content, 0))
    assert (cache.brought_ahead((content, 0)), cache.ahead) != (None, 0)
    if is_stale:
        cache.abandon((content, 0))
    assert cache.get((content, 0)) is view
    assert cache.brought_ahead((content, 0)) is None
    assert cache.ahead == 0
    cache.abandon((content, 0))
    cache.reserve(CAPACITY)
    assert stats.snapshot()["prefetch_unused_blocks"] == 0


def test_dropping_an_output_frees_every_buffer_of_it_and_no_other(
    cache: BlockCache[Flight], content: Content, stats: Stats
) -> None:
    other = Content(content.output, 1, Verify.AUTO, stats)
    cache.keep((content, 0), one(cache))
    cache.put_ahead((content, 1), one(cache), flight(content, 1))
    cache.pin((content, 2), one(cache), 1)
    cache.keep((other, 0), one(cache))
    cache.drop(content)
    assert len(cache) == 1
    assert (other, 0) in cache
    cache.unpin((content, 2))
    assert cache.reserve(CAPACITY)


def test_a_block_that_is_being_written_stays_and_its_buffer_is_not_used_again(
    cache: BlockCache[Flight], content: Content
) -> None:
    for block in range(CAPACITY):
        cache.keep((content, block), one(cache))
    slots = [cache.lend((content, block)) for block in (0, 1)]
    assert not cache.reserve(3)
    assert cache.reserve(1)
    assert held(cache, content) == [0, 1, 3]
    cache.drop(content)
    assert not cache.reserve(2), "though it is in the memory no more"
    for slot in filter(None, slots):
        cache.take_back(slot)
    assert cache.reserve(CAPACITY - 1)


def test_a_block_that_was_passed_stays_until_it_is_written_unless_its_buffer_is_wanted(
    cache: BlockCache[Flight], content: Content
) -> None:
    for block in range(CAPACITY):
        cache.keep((content, block), one(cache))
    for block in (1, 2):
        cache.owe((content, block))
    for block in (1, 2, 3):
        cache.spend((content, block))
    assert held(cache, content) == [0, 1, 2], "what is on disk gives its buffer back at once"
    slot = cache.lend((content, 1))
    assert slot is not None
    cache.take_back(slot)
    assert held(cache, content) == [0, 2], "what is written now too"
    assert cache.reserve(3)
    assert held(cache, content) == [0], "and others that were read stay before it"


class Reference:
    """The rules in plain lists: what is kept from the one read longest ago on, what is stale in the order it came."""

    def __init__(self) -> None:
        self.rows: dict[Place, list[int]] = {place: [] for place in Place}

    def place_of(self, block: int) -> Place | None:
        return next((place for place, row in self.rows.items() if block in row), None)

    def move(self, block: int, to: Place) -> None:
        for row in self.rows.values():
            if block in row:
                row.remove(block)
        self.rows[to].append(block)

    def evictable(self, lent: Collection[int]) -> list[int]:
        places = (Place.STALE, Place.PASSED, Place.KEPT)
        return [block for place in places for block in self.rows[place] if block not in lent]

    def remove(self, block: int) -> None:
        for row in self.rows.values():
            if block in row:
                row.remove(block)


class Order(RuleBasedStateMachine):
    """Any order of events leaves each block where the rules say."""

    def __init__(self) -> None:
        super().__init__()
        self.cache: BlockCache[str] = BlockCache(CAPACITY, Stats())
        self.owner = Content(Output("v", "j", None, None, is_inventory=False), 99 << 20, Verify.AUTO, Stats())
        self.reference = Reference()
        self.lent: dict[int, Slot[str]] = {}
        self.lent_and_gone: list[Slot[str]] = []
        self.owed: set[int] = set()

    @rule(block=BLOCKS, to=st.sampled_from([place for place in Place if place is not Place.PASSED]))
    def put(self, block: int, to: Place) -> None:
        evictable = self.reference.evictable(self.lent)
        is_full = len(self.cache) + len(self.lent_and_gone) == CAPACITY
        if self.reference.place_of(block) is not None:
            return
        assert self.cache.reserve(1) is bool(evictable or not is_full)
        if is_full and not evictable:
            return
        if is_full:
            self.gone(evictable[0])
        put(self.cache, to, (self.owner, block))
        self.reference.move(block, to)

    @rule(block=BLOCKS)
    def get(self, block: int) -> None:
        place = self.reference.place_of(block)
        assert (self.cache.get((self.owner, block)) is None) is (place is None)
        if place not in {None, Place.PINNED}:
            self.reference.move(block, Place.KEPT)

    @rule(block=BLOCKS)
    def abandon(self, block: int) -> None:
        self.cache.abandon((self.owner, block))
        if self.reference.place_of(block) is Place.AHEAD:
            self.reference.move(block, Place.STALE)

    @rule(block=BLOCKS)
    def unpin(self, block: int) -> None:
        self.cache.unpin((self.owner, block))
        if self.reference.place_of(block) is Place.PINNED:
            self.reference.move(block, Place.KEPT)

    @rule(block=BLOCKS)
    def spend(self, block: int) -> None:
        self.cache.spend((self.owner, block))
        if self.reference.place_of(block) is Place.KEPT:
            if block in self.owed:
                self.reference.move(block, Place.PASSED)
            else:
                self.gone(block)

    @rule(block=BLOCKS)
    def owe(self, block: int) -> None:
        self.cache.owe((self.owner, block))
        if self.reference.place_of(block) is not None:
            self.owed.add(block)

    @rule(block=BLOCKS)
    def lend(self, block: int) -> None:
        if block in self.lent:
            return
        slot = self.cache.lend((self.owner, block))
        assert (slot is None) is (self.reference.place_of(block) is None)
        if slot is not None:
            self.lent[block] = slot
            self.owed.discard(block)

    @rule(block=BLOCKS)
    def take_back(self, block: int) -> None:
        if block in self.lent:
            self.cache.take_back(self.lent.pop(block))
            if self.reference.place_of(block) is Place.PASSED:
                self.gone(block)
        elif self.lent_and_gone:
            self.cache.take_back(self.lent_and_gone.pop())

    @rule()
    def drop(self) -> None:
        self.cache.drop(self.owner)
        for block in range(9):
            self.gone(block)

    def gone(self, block: int) -> None:
        self.reference.remove(block)
        self.owed.discard(block)
        if block in self.lent:
            self.lent_and_gone.append(self.lent.pop(block))

    @invariant()
    def is_as_the_rules_say(self) -> None:
        assert {place: rowed(self.cache, place) for place in Place} == self.reference.rows
        ahead = {block for block in range(9) if self.cache.brought_ahead((self.owner, block)) == "bringer"}
        assert ahead == set(self.reference.rows[Place.AHEAD])
        assert len(self.cache) == sum(len(row) for row in self.reference.rows.values())


Order.TestCase.settings = hypothesis_settings(max_examples=60, stateful_step_count=40, deadline=None)
test_any_order_of_events_leaves_each_block_where_the_rules_say = Order.TestCase


def put(cache: BlockCache[str], to: Place, key: Key) -> None:
    view = cache.take()
    match to:
        case Place.KEPT:
            cache.keep(key, view)
        case Place.STALE:
            cache.put_stale(key, view)
        case Place.AHEAD:
            cache.put_ahead(key, view, "bringer")
        case Place.PINNED:
            cache.pin(key, view, 1)


def rowed(cache: BlockCache[str], place: Place) -> list[int]:
    """Return the blocks of a place from the oldest on."""
    row = list(cache._rows[place])
    assert all((slot.place, cache._slots[slot.key]) == (place, slot) for slot in row)
    return [slot.key[1] for slot in row]
