"""When to try again, how long to wait, when to give up."""

import errno
import logging
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casfs.api.retry import FIRST_S, LONGEST_S, Call, Retry, longest_wait_s, wait_s
from casfs.errors import (
    AccessDeniedError,
    CasfsError,
    DeadlineError,
    GoneError,
    InterruptedCallError,
    NotFoundError,
    ProtocolError,
    ServiceError,
    ShortageError,
    ThrottledError,
    TransferError,
    UnreachableError,
)
from casfs.stats import Stats
from casfs.waiting import POLL_S, Deadline
from tests.conftest import Announce


class World:
    """A clock that only sleeping and working move, and what there is to do."""

    def __init__(self, *outcomes: object, takes_s: float = 0.0) -> None:
        self.now_s = 1000.0
        self.slept_s: list[float] = []
        self.outcomes = list(outcomes)
        self.takes_s = takes_s
        self.tries = 0

    def clock(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.slept_s.append(seconds)
        self.now_s += seconds

    def attempt(self) -> object:
        self.tries += 1
        self.now_s += self.takes_s
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    def call(self, patience_s: float = 120, cancelled: Callable[[], bool] = lambda: False) -> Call:
        deadline = Deadline(self.now_s + patience_s, self.clock)
        return Call("get_job_output", deadline, 1, "v", "-j", "bytes=0-9", cancelled)

    def run(self, call: Call | None = None, stats: Stats | None = None, share: float = 1.0) -> object:
        return Retry(stats or Stats(), self.sleep, lambda: share).run(call or self.call(), self.attempt)


def test_the_bound_of_the_wait_doubles_up_to_the_longest() -> None:
    bounds = [longest_wait_s(tries) for tries in range(1, 10)]
    assert bounds == [0.25, 0.5, 1, 2, 4, 8, 8, 8, 8]
    assert longest_wait_s(10**9) == LONGEST_S


@given(st.integers(1, 10**6), st.none() | st.floats(0, 1e6), st.floats(0, 1))
def test_a_wait_is_within_its_bound_and_never_less_than_the_service_asked(
    tries: int, retry_after_s: float | None, share: float
) -> None:
    asked_s = retry_after_s or 0
    assert asked_s <= wait_s(tries, retry_after_s, share) <= asked_s + longest_wait_s(tries)


@given(st.integers(1, 50))
def test_chance_spreads_waits_over_all_of_the_bound(tries: int) -> None:
    assert wait_s(tries, None, 0.0) == 0
    assert wait_s(tries, None, 0.5) == longest_wait_s(tries) / 2
    assert wait_s(tries, None, 1.0) == longest_wait_s(tries)


@pytest.mark.parametrize(
    "passing", [ThrottledError("x"), ServiceError("x"), TransferError("x"), UnreachableError("x")], ids=repr
)
def test_what_passes_is_tried_again_until_it_has_passed(passing: CasfsError) -> None:
    world, stats = World(passing, passing, "bytes"), Stats()
    assert world.run(stats=stats) == "bytes"
    assert world.tries == 3
    assert sum(world.slept_s) == pytest.approx(FIRST_S * 3)
    assert stats.snapshot()["retries"] == 2
    assert stats.snapshot()["errors"] == 0


@pytest.mark.parametrize(
    "lasting", [AccessDeniedError("x"), GoneError("x"), ProtocolError("x"), NotFoundError("x")], ids=repr
)
def test_what_lasts_is_not_tried_again(lasting: CasfsError, announce: Announce) -> None:
    announce("get_job_output")
    world = World(lasting)
    with pytest.raises(type(lasting)):
        world.run()
    assert (world.tries, world.slept_s) == (1, [])


def test_the_service_is_not_asked_before_it_wants_to_be() -> None:
    world = World(ThrottledError("x", 7.0), ServiceError("x", 3.0), "bytes")
    assert world.run(share=0.0) == "bytes"
    assert sum(world.slept_s) == pytest.approx(10)


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
@pytest.mark.parametrize("patience_s", [1, 10, 120])
def test_a_service_that_fails_for_ever_ends_by_the_deadline_with_its_own_error(
    patience_s: float, share: float, announce: Announce
) -> None:
    announce("x")
    world = World(ServiceError("x"))
    began_s = world.now_s
    with pytest.raises(ServiceError):
        world.run(world.call(patience_s), share=share)
    assert world.now_s - began_s <= patience_s


def test_a_wait_that_would_pass_the_deadline_is_not_begun(announce: Announce) -> None:
    announce("x")
    world = World(ThrottledError("x", 3600.0))
    with pytest.raises(ThrottledError):
        world.run()
    assert (world.tries, world.slept_s) == (1, [])


def test_an_attempt_that_fails_because_the_time_is_over_says_so(announce: Announce) -> None:
    announce("the deadline passed")
    world = World(TransferError("the body stalls"), takes_s=50.0)
    with pytest.raises(DeadlineError, match=r"the deadline passed \(the body stalls\)"):
        world.run(world.call(120), share=0.0)
    assert world.tries == 3


def test_an_attempt_that_fails_just_before_the_time_is_over_failed_because_of_it(announce: Announce) -> None:
    announce("the deadline passed")
    with pytest.raises(DeadlineError):
        World(TransferError("no answer in time"), takes_s=119.99).run()


def test_what_cannot_work_says_so_even_when_the_time_is_over(announce: Announce) -> None:
    announce("x")
    world = World(GoneError("x"), takes_s=200.0)
    with pytest.raises(GoneError):
        world.run()


def test_nothing_is_begun_when_the_time_is_over(announce: Announce) -> None:
    announce("the deadline passed")
    world = World("bytes")
    with pytest.raises(DeadlineError):
        world.run(world.call(0))
    assert world.tries == 0


def test_a_cancellation_cuts_a_wait_short_and_is_nobodys_failure() -> None:
    world, stats = World(ThrottledError("x", 60.0)), Stats()
    with pytest.raises(InterruptedCallError):
        world.run(world.call(cancelled=lambda: world.now_s >= 1010), stats)
    assert world.now_s == pytest.approx(1010, abs=2 * POLL_S)
    assert world.tries == 1
    assert stats.snapshot()["errors"] == 0


def test_nothing_is_begun_that_nobody_wants() -> None:
    world = World("bytes")
    with pytest.raises(InterruptedCallError):
        world.run(world.call(cancelled=lambda: True))
    assert world.tries == 0


@pytest.mark.parametrize(
    ("error", "lacking"),
    [
        (MemoryError(), "memory"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "memory"),
        (RuntimeError("can't start new thread"), "threads"),
    ],
    ids=repr,
)
def test_what_the_system_does_not_give_is_named_and_no_bug(error: Exception, lacking: str, announce: Announce) -> None:
    announce(f"the system gives no more {lacking}")
    world = World(error)
    with pytest.raises(ShortageError, match=lacking):
        world.run()
    assert world.tries == 1


def test_a_bug_is_passed_on_at_once_and_is_not_logged_as_the_services_failure() -> None:
    world = World(ZeroDivisionError("a bug"))
    with pytest.raises(ZeroDivisionError):
        world.run()
    assert world.tries == 1


def test_a_failure_is_logged_once_with_all_that_is_known_of_it(
    caplog: pytest.LogCaptureFixture, announce: Announce
) -> None:
    announce("x")
    world, stats = World(ServiceError("the service failed"), ServiceError("x"), GoneError("no longer there")), Stats()
    call = world.call()
    call.status, call.code, call.request_id = 404, "ResourceNotFoundException", "rid"
    announce("no longer there")
    with pytest.raises(GoneError):
        world.run(call, stats)
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage() == (
        "get_job_output, vault 'v', job '-j', bytes=0-9: no longer there"
        " [tries 3, status 404, code ResourceNotFoundException, request id rid]"
    )
    fields = ("operation", "vault", "job", "range", "status", "code", "request_id", "tries")
    assert [getattr(record, name) for name in fields] == [
        "get_job_output", "v", "-j", "bytes=0-9", 404, "ResourceNotFoundException", "rid", 3
    ]  # fmt: skip
    assert stats.snapshot()["errors"] == 1


def test_that_there_is_no_such_thing_is_an_answer_and_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    stats = Stats()
    with caplog.at_level(logging.DEBUG), pytest.raises(NotFoundError):
        World(NotFoundError("x")).run(stats=stats)
    assert [record.levelno for record in caplog.records] == [logging.DEBUG]
    assert stats.snapshot()["errors"] == 0


def test_refusals_for_too_many_requests_are_counted() -> None:
    stats = Stats()
    World(ThrottledError("x"), ServiceError("x"), ThrottledError("x"), "bytes").run(stats=stats)
    assert stats.snapshot()["throttled"] == 2
    assert stats.snapshot()["retries"] == 3


def test_a_name_of_the_service_is_one_line_in_a_message() -> None:
    deadline = Deadline.after(1)
    assert str(Call("list_jobs", deadline, 1, vault="a\nb\x1b☃")) == "list_jobs, vault 'a\\nb\\x1b\\u2603'"
    assert str(Call("list_vaults", deadline, 1)) == "list_vaults"
