"""Questions about names: those without an answer hold nobody else up."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from functools import partial

import pytest

from casfs.errors import ShortageError
from casfs.tree.threads import (
    MAX_IDLE_LISTING_THREADS,
    MAX_IDLE_LOOK_UP_THREADS,
    MAX_LISTINGS,
    MAX_LOOK_UPS,
    MAX_SHARE_OF_ONE_VAULT,
    ThreadPool,
)
from casfs.waiting import never
from tests.conftest import no_more_threads
from tests.mounting import wait_until
from tests.new_threads import new_threads
from tests.tree.service import Clock

LIMIT_S = 60.0
"""Far more than anything here takes."""


class Silence:
    """Questions that have no answer until the test is over.

    Attributes:
        asked: vaults that were asked about, in order.
        left: how many questions have ended.
    """

    def __init__(self, pool: ThreadPool) -> None:
        self._pool = pool
        self._over = threading.Event()
        self.asked: list[str] = []
        self.answers: list[Future[None]] = []

    def ask(self, *vaults: str) -> None:
        for vault in vaults:
            self.answers.append(Future())
            self._pool.submit(vault, self._work(vault), self.answers[-1])

    def _work(self, vault: str) -> Callable[[], None]:
        def work() -> None:
            self.asked.append(vault)
            assert self._over.wait(LIMIT_S)

        return work

    def ask_until_at_work(self, *vaults: str) -> None:
        count = len(self.asked) + len(vaults)
        self.ask(*vaults)
        wait_until(lambda: len(self.asked) == count, "all are at work", LIMIT_S)

    def end(self) -> None:
        self._over.set()
        wait(self.answers, LIMIT_S)


@contextmanager
def silent(max_threads: int, max_idle: int) -> Iterator[tuple[ThreadPool, Silence]]:
    pool = ThreadPool(max_threads, max_idle, never, Clock())
    silence = Silence(pool)
    before = set(threading.enumerate())
    pool.start()
    try:
        yield pool, silence
    finally:
        silence.end()
        pool.stop()
        wait_until(lambda: set(threading.enumerate()) <= before, "the threads end", LIMIT_S)


def answered(pool: ThreadPool, vault: str) -> bool:
    """Return whether a question about *vault* is answered, while others wait."""
    answer: Future[bool] = Future()
    pool.submit(vault, lambda: True, answer)
    return answer.result(LIMIT_S)


@pytest.mark.parametrize("idle", [MAX_IDLE_LISTING_THREADS, MAX_IDLE_LOOK_UP_THREADS])
def test_any_number_of_silent_vaults_holds_up_no_other(idle: int) -> None:
    with silent(MAX_LISTINGS, idle) as (pool, silence):
        silence.ask_until_at_work(*(f"silent-{number}" for number in range(100)))
        assert answered(pool, "healthy")
        assert not any(answer.done() for answer in silence.answers)


def test_one_vault_never_has_all_places() -> None:
    most = int(MAX_LOOK_UPS * MAX_SHARE_OF_ONE_VAULT)
    with silent(MAX_LOOK_UPS, MAX_IDLE_LOOK_UP_THREADS) as (pool, silence):
        silence.ask_until_at_work(*["silent"] * most)
        silence.ask(*["silent"] * MAX_LOOK_UPS)
        assert answered(pool, "healthy")
        assert silence.asked == ["silent"] * most


def test_questions_without_a_place_are_asked_in_their_order_once_there_is_one() -> None:
    with silent(1, 1) as (pool, silence):
        silence.ask_until_at_work("silent")
        asked: list[int] = []
        answers: list[Future[None]] = [Future() for _ in range(5)]
        for number, answer in enumerate(answers):
            pool.submit(f"vault-{number % 2}", partial(asked.append, number), answer)
        assert asked == []
        silence.end()
        wait(answers, LIMIT_S)
        assert asked == [0, 1, 2, 3, 4]


def test_question_that_waited_for_the_share_of_its_vault_is_asked_when_one_of_it_ends() -> None:
    with silent(4, 1) as (pool, silence):
        silence.ask_until_at_work("vault", "vault", "vault")
        answer: Future[int] = Future()
        pool.submit("vault", lambda: 7, answer)
        assert answered(pool, "another")
        assert not answer.done()
        silence.end()
        assert answer.result(LIMIT_S) == 7


def test_threads_end_when_there_is_nothing_to_ask_but_for_some() -> None:
    threads = new_threads()
    with silent(MAX_LOOK_UPS, 2) as (pool, silence):
        wait_until(lambda: pool._idle == 1, "the first one waits", LIMIT_S)
        silence.ask_until_at_work(*map(str, range(50)))
        assert len(threads()) == 50
        silence.end()
        wait_until(lambda: len(threads()) == 2, "the others end", LIMIT_S)


def test_questions_that_come_one_by_one_have_the_same_thread() -> None:
    with silent(MAX_LISTINGS, MAX_IDLE_LISTING_THREADS) as (pool, _):
        threads = set()
        wait_until(lambda: pool._idle == 1, "the first one waits", LIMIT_S)
        others = new_threads()
        for number in range(20):
            answer: Future[int] = Future()
            pool.submit(f"vault-{number}", threading.get_ident, answer)
            threads.add(answer.result(LIMIT_S))
            wait_until(lambda: pool._idle == 1, "it has put the answer down", LIMIT_S)
        assert len(threads) == 1
        assert others() == set()


def test_where_the_system_gives_no_more_threads_those_that_are_there_ask() -> None:
    with silent(MAX_LISTINGS, MAX_IDLE_LISTING_THREADS) as (pool, silence):
        wait_until(lambda: pool._idle == 1, "the first one waits", LIMIT_S)  # else a second one is begun beside it
        silence.ask_until_at_work("silent")
        answer: Future[int] = Future()
        with no_more_threads():
            pool.submit("healthy", lambda: 7, answer)
        assert not answer.done()
        silence.end()
        assert answer.result(LIMIT_S) == 7


def test_a_question_before_the_start_starts_the_threads() -> None:
    before = set(threading.enumerate())
    pool = ThreadPool(1, 1, never, Clock())
    assert set(threading.enumerate()) <= before, "none has begun; one of a test before may end"
    answer: Future[int] = Future()
    pool.submit("vault", lambda: 7, answer)
    assert answer.result(LIMIT_S) == 7
    pool.stop()
    pool.join(time.monotonic() + LIMIT_S)
    assert set(threading.enumerate()) <= before


def test_a_question_for_which_the_system_gives_no_thread_fails_and_is_not_asked_later() -> None:
    pool = ThreadPool(1, 1, never, Clock())
    asked: list[int] = []
    with no_more_threads(), pytest.raises(ShortageError, match="no more threads"):
        pool.submit("vault", partial(asked.append, 1), Future())
    assert answered(pool, "vault")
    assert asked == []
    pool.stop()
