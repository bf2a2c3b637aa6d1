"""Memory for prefetch among handles that read, and those that have stopped."""

from dataclasses import dataclass

import pytest

from casfs.data.fetch.budget import IDLE_S, SLOW_PART_S, Budget
from casfs.data.hashing.blocks import BLOCK_SIZE


@dataclass(eq=False)
class Handle:
    """What a handle is to the budget."""

    read_s: float


def of(total: int, limit: int, connections: int = 32) -> Budget[Handle]:
    return Budget(total, limit, connections, timeout_s=120.0)


def bringing(limit: int, connections: int, block_s: float, blocks: int) -> Budget[Handle]:
    """A budget once a connection has brought parts of *blocks*, in *block_s* each and the latency before."""
    budget = of(192, limit, connections)
    for number in range(20):
        budget.throttle.sent(float(number))
        budget.throttle.ended(number + block_s * blocks, float(number), blocks * BLOCK_SIZE)
    return budget


def test_one_reader_has_its_limit_and_many_have_what_there_is_alike() -> None:
    budget = of(192, 128)
    assert budget.share(0.0) == 128
    for readers, share in [(1, 128), (2, 96), (3, 64), (4, 48)]:
        budget.join(Handle(0.0))
        assert (readers, budget.share(0.0)) == (readers, share)
    for _ in range(500):
        budget.join(Handle(0.0))
    assert budget.share(0.0) == 1


def test_a_reader_that_stopped_does_not_count() -> None:
    budget = of(192, 192)
    budget.join(Handle(read_s=0.0))
    budget.join(Handle(read_s=IDLE_S))
    assert budget.share(IDLE_S) == 192


def test_only_who_stopped_is_to_give_up_what_it_holds_longest_first() -> None:
    budget = of(8, 8)
    old, older = Handle(read_s=2.0), Handle(read_s=1.0)
    budget.join(old)
    budget.join(older)
    assert budget.idle(1.0) is None
    assert budget.idle(2.0 + IDLE_S) is older
    budget.leave(older)
    assert budget.idle(2.0 + IDLE_S) is old


def test_a_budget_is_never_more_than_the_memory_there_is() -> None:
    assert of(6, 128).limit == 6


def test_what_was_asked_for_and_what_was_not_read_share_the_memory() -> None:
    budget = of(8, 8)
    assert budget.has_room(2, held=4 + 2)
    assert not budget.has_room(3, held=4 + 2)


def test_a_slow_link_gets_small_parts_and_few() -> None:
    budget = of(192, 128)
    assert budget.width(128, 128) == 4
    assert budget.is_soon_enough(128, asked=0)
    budget.throttle.sent(0.0)
    budget.throttle.ended(2.0, 0.0, 1 << 20)
    assert budget.width(128, 128) == 1
    assert budget.is_soon_enough(4, asked=0)
    assert not budget.is_soon_enough(4, asked=1)


@pytest.mark.parametrize(("connections", "slow"), [(33, 2), (48, 2), (64, 2), (65, 1), (256, 1)])
def test_many_connections_have_smaller_parts_only_where_each_is_slow(connections: int, slow: int) -> None:
    quick = 4
    assert of(192, 128, connections).width(128, 1000) == quick, "nothing is known"
    for asked in (1, 2, 4):
        just, hardly = SLOW_PART_S / 4 * 0.99, SLOW_PART_S / 4 * 1.01
        assert bringing(128, connections, just, asked).width(128, 1000) == quick
        assert bringing(128, connections, hardly, asked).width(128, 1000) == slow


@pytest.mark.parametrize("connections", [1, 4, 8, 16, 32])
def test_few_connections_have_the_same_parts_on_every_link_that_brings_one_in_two_seconds(connections: int) -> None:
    for limit in (8, 64, 128):
        quick, slow = bringing(limit, connections, 0.04, 1), bringing(limit, connections, 0.12, 1)
        assert slow.width(limit, 1000) == quick.width(limit, 1000) == of(192, limit, connections).width(limit, 1000)


def test_parts_leave_work_for_every_connection_at_the_limit_of_the_window() -> None:
    for limit, connections, blocks in [(128, 32, 4), (64, 32, 2), (16, 32, 1), (128, 16, 8), (128, 1, 16), (8, 1, 2)]:
        assert Budget(192, limit, connections, timeout_s=120.0).width(limit, 1000) == blocks
