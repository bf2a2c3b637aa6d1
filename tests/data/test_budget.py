"""Memory for prefetch among handles that read, and those that have stopped."""

from dataclasses import dataclass

from casfs.data.fetch.budget import IDLE_S, Budget


@dataclass(eq=False)
class Handle:
    """What a handle is to the budget."""

    read_s: float
    has_released: bool = False

    def release(self) -> None:
        self.has_released = True


def test_one_reader_has_its_limit_and_many_have_what_there_is_alike() -> None:
    budget = Budget(192, 128, connections=32, timeout_s=120.0)
    assert budget.share(0.0) == 128
    for readers, share in [(1, 128), (2, 96), (3, 64), (4, 48)]:
        budget.join(Handle(0.0))
        assert (readers, budget.share(0.0)) == (readers, share)
    for _ in range(500):
        budget.join(Handle(0.0))
    assert budget.share(0.0) == 1


def test_a_reader_that_stopped_does_not_count() -> None:
    budget = Budget(192, 192, connections=32, timeout_s=120.0)
    budget.join(Handle(read_s=0.0))
    budget.join(Handle(read_s=IDLE_S))
    assert budget.share(IDLE_S) == 192


def test_only_who_stopped_gives_up_what_it_holds_longest_first() -> None:
    budget = Budget(8, 8, connections=32, timeout_s=120.0)
    old, older = Handle(read_s=2.0), Handle(read_s=1.0)
    budget.join(old)
    budget.join(older)
    assert not budget.reclaim(1.0)
    assert budget.reclaim(2.0 + IDLE_S)
    assert (old.has_released, older.has_released) == (False, True)


def test_a_budget_is_never_more_than_the_memory_there_is() -> None:
    assert Budget(6, 128, connections=32, timeout_s=120.0).limit == 6


def test_what_was_asked_for_and_what_was_not_read_share_the_memory() -> None:
    budget = Budget(8, 8, connections=32, timeout_s=120.0)
    budget.asked = 4
    assert budget.has_room(2, unread=2)
    assert not budget.has_room(3, unread=2)


def test_a_slow_link_gets_small_parts_and_few() -> None:
    budget = Budget(192, 128, connections=32, timeout_s=120.0)
    assert budget.width(128, 128) == 4
    assert budget.is_soon_enough(128)
    budget.throttle.sent(0.0)
    budget.throttle.ended(2.0, 0.0, 1 << 20)
    assert budget.width(128, 128) == 1
    assert budget.is_soon_enough(4)
    budget.asked = 1
    assert not budget.is_soon_enough(4)


def test_parts_leave_work_for_every_connection_at_the_limit_of_the_window() -> None:
    for limit, connections, blocks in [(128, 32, 4), (64, 32, 2), (16, 32, 1), (128, 16, 8), (128, 1, 16), (8, 1, 2)]:
        assert Budget(192, limit, connections, timeout_s=120.0).width(limit, 1000) == blocks
