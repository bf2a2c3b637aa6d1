"""What has come and is to be kept on disk: batches of what is in memory still, and nothing kept there for them."""

import pytest

from casfs.data.content import Content
from casfs.data.disk.files import SystemFiles
from casfs.data.disk.leases import Lease
from casfs.data.fetch.backlog import MAX_BATCH_BLOCKS, MAX_PARTS, STRETCH_BLOCKS, Backlog, Batch, Part
from casfs.data.fetch.flight import Flight
from casfs.data.memory.cache import BlockCache
from casfs.data.settings import Verify
from casfs.stats import Stats
from tests.data.service import MIB, archive

CAPACITY = 64


@pytest.fixture
def stats() -> Stats:
    return Stats()


@pytest.fixture
def cache(stats: Stats) -> BlockCache[Flight]:
    return BlockCache(CAPACITY, stats)


@pytest.fixture
def content(stats: Stats) -> Content:
    return Content(archive(b"?"), 4096 * MIB, Verify.AUTO, stats)


def come(cache: BlockCache[Flight], content: Content, blocks: range, lease: Lease | None = None) -> Part:
    """Put blocks into the memory."""
    for block in blocks:
        assert cache.reserve(1)
        cache.keep((content, block), cache.take())
    return Part(content, blocks, lease)


def numbers(batch: Batch | None) -> list[int]:
    return [] if batch is None else [slot.key[1] for slot in batch.slots]


def skipped(stats: Stats) -> object:
    return stats.snapshot()["disk_blocks_skipped"]


def test_neighbours_are_written_together_and_an_eighth_of_the_memory_at_most(
    cache: BlockCache[Flight], content: Content, stats: Stats
) -> None:
    backlog = Backlog(cache, stats)
    for first in (8, 0, 4):
        assert backlog.add(come(cache, content, range(first, first + 4))) == []
    assert numbers(backlog.next()) == [0, 1, 2, 3, 8, 9, 10, 11], "as they came, and in order"
    assert numbers(backlog.next()) == [4, 5, 6, 7]
    assert backlog.next() is None
    assert skipped(stats) == 0


def test_a_part_larger_than_a_batch_ends_its_lease_with_its_last_block(
    cache: BlockCache[Flight], content: Content, stats: Stats
) -> None:
    backlog, lease = Backlog(cache, stats), Lease(SystemFiles(), None)
    backlog.add(come(cache, content, range(12), lease))
    batches = [backlog.next(), backlog.next()]
    assert [numbers(batch) for batch in batches] == [[*range(8)], [8, 9, 10, 11]]
    assert [[part.lease for part in batch.parts] for batch in batches if batch] == [[None], [lease]]


def test_other_outputs_and_blocks_that_are_far_apart_are_written_apart(
    cache: BlockCache[Flight], content: Content, stats: Stats
) -> None:
    backlog = Backlog(cache, stats)
    other = Content(archive(b"?", "other"), 4096 * MIB, Verify.AUTO, stats)
    for part in (
        come(cache, content, range(1)),
        come(cache, other, range(1)),
        come(cache, content, range(STRETCH_BLOCKS, STRETCH_BLOCKS + 1)),
        come(cache, content, range(1, 2)),
    ):
        backlog.add(part)
    batches = [backlog.next() for _ in range(4)]
    assert [numbers(batch) for batch in batches] == [[0, 1], [0], [STRETCH_BLOCKS], []]
    assert [batch.content for batch in batches if batch] == [content, other, content]


def test_what_has_left_the_memory_is_skipped(cache: BlockCache[Flight], content: Content, stats: Stats) -> None:
    backlog = Backlog(cache, stats)
    backlog.add(come(cache, content, range(4)))
    assert cache.reserve(CAPACITY - 2)  # of which two blocks have to go
    assert numbers(backlog.next()) == [2, 3]
    assert skipped(stats) == 2


def test_no_more_waits_than_the_memory_holds(cache: BlockCache[Flight], content: Content, stats: Stats) -> None:
    backlog = Backlog(cache, stats)
    parts = [Part(content, range(at, at + 16), None) for at in range(0, 80, 16)]
    assert [backlog.add(part) for part in parts] == [[], [], [], [], parts[:1]]
    assert skipped(stats) == 16


def test_no_more_parts_wait_than_there_may_be_descriptors(content: Content, stats: Stats) -> None:
    backlog = Backlog(BlockCache(4 * MAX_PARTS, stats), stats)
    given_up = [backlog.add(Part(content, range(at, at + 1), None)) for at in range(MAX_PARTS + 1)]
    assert [len(parts) for parts in given_up] == [0] * MAX_PARTS + [1]


def test_of_an_output_that_proved_wrong_nothing_is_kept(
    cache: BlockCache[Flight], content: Content, stats: Stats
) -> None:
    backlog = Backlog(cache, stats)
    other = Content(archive(b"?", "other"), 9 * MIB, Verify.AUTO, stats)
    wrong, right = come(cache, content, range(3)), come(cache, other, range(1))
    backlog.add(wrong)
    backlog.add(right)
    assert backlog.drop(content) == [wrong]
    assert numbers(backlog.next()) == [0]
    assert backlog.next() is None
    for _ in range(CAPACITY):
        assert backlog.add(wrong) == [], "what was dropped before takes no place of others"
        assert backlog.drop(content) == [wrong]


@pytest.mark.parametrize(("capacity", "batch"), [(1, 0), (2, 1), (8, 1), (64, 8), (1024, MAX_BATCH_BLOCKS)])
def test_a_memory_of_any_size_leaves_buffers_to_readers(capacity: int, batch: int, stats: Stats) -> None:
    cache: BlockCache[Flight] = BlockCache(capacity, stats)
    content = Content(archive(b"?"), 4096 * MIB, Verify.AUTO, stats)
    backlog = Backlog(cache, stats)
    backlog.add(come(cache, content, range(min(capacity, 64))))
    assert len(numbers(backlog.next())) == batch
