"""Memory for prefetch among handles that read, and those that have stopped."""

from dataclasses import dataclass

from casfs.data.budget import IDLE_S, Budget


@dataclass(eq=False)
class Handle:
    """What a handle is to the budget."""

    read_s: float
    has_released: bool = False

    def release(self) -> None:
        self.has_released = True


def test_one_reader_has_its_limit_and_many_have_what_there_is_alike() -> None:
    budget = Budget(total=192, limit=128)
    assert budget.share(0.0) == 128
    for readers, share in [(1, 128), (2, 96), (3, 64), (4, 48)]:
        budget.join(Handle(0.0))
        assert (readers, budget.share(0.0)) == (readers, share)
    for _ in range(500):
        budget.join(Handle(0.0))
    assert budget.share(0.0) == 1


def test_a_reader_that_stopped_does_not_count() -> None:
    budget = Budget(total=192, limit=192)
    budget.join(Handle(read_s=0.0))
    budget.join(Handle(read_s=IDLE_S))
    assert budget.share(IDLE_S) == 192


def test_only_who_stopped_gives_up_what_it_holds_longest_first() -> None:
    budget = Budget(total=8, limit=8)
    old, older = Handle(read_s=2.0), Handle(read_s=1.0)
    budget.join(old)
    budget.join(older)
    assert not budget.reclaim(1.0)
    assert budget.reclaim(2.0 + IDLE_S)
    assert (old.has_released, older.has_released) == (False, True)


def test_a_budget_is_never_more_than_the_memory_there_is() -> None:
    assert Budget(total=6, limit=128).limit == 6
