"""Questions to the service: each asked once, each wait ended."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from casfs.errors import DeadlineError, InterruptedCallError, UnreachableError
from casfs.tree.single_flight import ABANDONED_S, FAILURE_TTL_S, REQUEST_S, WAIT_S, SingleFlight
from casfs.tree.threads import ThreadPool
from casfs.waiting import Deadline, never
from tests.conftest import Announce
from tests.mounting import wait_until
from tests.tree.service import Clock


@pytest.fixture
def pool(clock: Clock) -> Iterator[ThreadPool]:
    pool = ThreadPool(4, 4, never, clock)
    pool.start()
    yield pool
    pool.stop()


def test_twenty_who_ask_the_same_share_one_request(pool: ThreadPool) -> None:
    questions: SingleFlight[str, int] = SingleFlight(pool, str)
    answer: Future[int] = Future()
    asked = []

    def work(deadline: Deadline) -> int:
        asked.append(deadline)
        return answer.result(60)

    with ThreadPoolExecutor(20) as askers:
        answers = [askers.submit(questions.ask, "key", work, "it") for _ in range(20)]
        wait_until(lambda: sum(call.waiting for call in questions._calls.copy().values()) == 20, "all wait")
        answer.set_result(7)
        assert [each.result(60) for each in answers] == [7] * 20
    assert len(asked) == 1


def test_different_questions_do_not_wait_for_each_other(pool: ThreadPool) -> None:
    questions: SingleFlight[str, int] = SingleFlight(pool, str)
    answer: Future[int] = Future()
    with ThreadPoolExecutor(1) as asker:
        slow = asker.submit(questions.ask, "slow", lambda _: answer.result(60), "it")
        assert questions.ask("fast", lambda _: 1, "it") == 1
        answer.set_result(2)
        assert slow.result(60) == 2


def test_failure_is_shared_and_remembered_for_a_second(pool: ThreadPool, clock: Clock) -> None:
    questions: SingleFlight[str, int] = SingleFlight(pool, str)

    def fail(_: Deadline) -> int:
        raise UnreachableError("nobody")

    with pytest.raises(UnreachableError):
        questions.ask("key", fail, "it")
    with pytest.raises(UnreachableError):
        questions.ask("key", lambda _: 1, "it")
    clock.advance(FAILURE_TTL_S)
    assert questions.ask("key", lambda _: 1, "it") == 1


def test_bug_in_the_work_reaches_who_waits_and_does_not_end_the_thread(pool: ThreadPool) -> None:
    questions: SingleFlight[str, float] = SingleFlight(pool, str)
    for _ in range(100):
        with pytest.raises(ZeroDivisionError):
            questions.ask("key", lambda _: 1 / 0, "it")


def test_wait_ends_by_its_deadline_and_the_next_who_asks_gets_the_answer(clock: Clock, announce: Announce) -> None:
    announce("it: the deadline passed")
    answer: Future[int] = Future()
    begun = threading.Event()
    second_asks = threading.Event()

    def polled() -> bool:
        if second_asks.is_set() and not answer.done():
            answer.set_result(7)
        return False

    def work(_: Deadline) -> int:
        begun.set()
        return answer.result(60)

    pool = ThreadPool(4, 4, polled, clock)
    pool.start()
    questions: SingleFlight[str, int] = SingleFlight(pool, str)
    with ThreadPoolExecutor(1) as asker:
        first = asker.submit(questions.ask, "key", work, "it")
        assert begun.wait(60)
        clock.advance(WAIT_S)
        with pytest.raises(DeadlineError, match="it: the deadline passed"):
            first.result(60)
    second_asks.set()
    assert questions.ask("key", lambda _: 0, "it") == 7
    pool.stop()


def test_request_ends_before_those_who_wait_for_it(pool: ThreadPool) -> None:
    questions: SingleFlight[str, float] = SingleFlight(pool, str)
    assert questions.ask("key", lambda deadline: deadline.remaining_s, "it") == REQUEST_S < WAIT_S


def test_signal_ends_the_wait(clock: Clock) -> None:
    signalled = threading.Event()
    pool = ThreadPool(4, 4, signalled.is_set, clock)
    pool.start()
    questions: SingleFlight[str, int] = SingleFlight(pool, str)
    answer: Future[int] = Future()
    with ThreadPoolExecutor(1) as asker:
        asked = asker.submit(questions.ask, "key", lambda _: answer.result(60), "it")
        signalled.set()
        with pytest.raises(InterruptedCallError):
            asked.result(60)
    answer.set_result(0)
    pool.stop()


def test_end_of_the_mount_calls_back_a_request_at_once_and_waits_for_its_thread(clock: Clock) -> None:
    before = set(threading.enumerate())
    pool = ThreadPool(4, 4, never, clock)
    questions: SingleFlight[str, int] = SingleFlight(pool, str)

    def work(deadline: Deadline) -> int:
        begun.set()
        wait_until(deadline.cancelled, "it is called back", 60)
        raise InterruptedCallError("nobody waits")

    begun = threading.Event()
    with ThreadPoolExecutor(1) as asker:
        asked = asker.submit(questions.ask, "key", work, "it")
        assert begun.wait(60)
        pool.stop()
        with pytest.raises(InterruptedCallError):
            asked.result(60)
    pool.join(time.monotonic() + 60)
    assert set(threading.enumerate()) <= before


def test_end_of_the_mount_ends_every_wait_and_the_threads(clock: Clock) -> None:
    before = set(threading.enumerate())
    pool = ThreadPool(4, 4, never, clock)
    pool.start()
    threads = set(threading.enumerate()) - before
    questions: SingleFlight[str, int] = SingleFlight(pool, str)
    answer: Future[int] = Future()
    with ThreadPoolExecutor(1) as asker:
        asked = asker.submit(questions.ask, "key", lambda _: answer.result(60), "it")
        pool.stop()
        pool.stop()
        with pytest.raises(InterruptedCallError):
            asked.result(60)
    answer.set_result(0)
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)


def test_request_that_nobody_waits_for_is_over_and_the_next_who_asks_begins_anew(clock: Clock) -> None:
    signalled, begun, seen = threading.Event(), threading.Event(), threading.Event()
    pool = ThreadPool(4, 4, signalled.is_set, clock)
    pool.start()
    questions: SingleFlight[str, int] = SingleFlight(pool, str)

    def work(deadline: Deadline) -> int:
        begun.set()
        while not deadline.cancelled():
            seen.wait(0.01)
        seen.set()
        raise InterruptedCallError("nobody waits")

    with ThreadPoolExecutor(1) as asker:
        asked = asker.submit(questions.ask, "key", work, "it")
        assert begun.wait(60)
        signalled.set()
        with pytest.raises(InterruptedCallError):
            asked.result(60)
    assert not seen.wait(0.05)
    clock.advance(ABANDONED_S)
    assert seen.wait(60)
    signalled.clear()
    assert questions.ask("key", lambda _: 7, "it") == 7
    pool.stop()


def test_request_is_wanted_while_anybody_waits_for_it(clock: Clock) -> None:
    pool = ThreadPool(4, 4, never, clock)
    pool.start()
    questions: SingleFlight[str, bool] = SingleFlight(pool, str)

    def work(deadline: Deadline) -> bool:
        clock.advance(10 * ABANDONED_S)
        return deadline.cancelled()

    assert not questions.ask("key", work, "it")
    pool.stop()
