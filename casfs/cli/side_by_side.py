"""Work that is done side by side while the main thread waits for it, since that is where signals are taken.

The threads are daemons: what hangs in one ends with the process.
"""

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

LAST_WORDS_S = 5.0
"""How long a call that costs money is waited for after a signal: less than what ``session`` gives the process."""


def each(work: Callable[[T], R], items: Sequence[T], most: int) -> Iterator[tuple[T, Future[R]]]:
    """Yield each item with what its work came to, as it comes.

    Args:
        work: called on a thread of ours.
        items: what it is called with.
        most: how many at once.
    """
    left: queue.SimpleQueue[T] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[T, Future[R]]] = queue.SimpleQueue()
    for item in items:
        left.put(item)

    def work_off() -> None:
        with suppress(queue.Empty):
            while True:
                item = left.get_nowait()
                done.put((item, _settled(lambda: work(item))))  # noqa: B023 - called before the next turn

    for _ in range(min(most, len(items))):
        threading.Thread(target=work_off, name="casfs-work", daemon=True).start()
    for _ in items:
        yield done.get()


def to_its_end(call: Callable[[], R], told: Callable[[R], object]) -> None:
    """Call, and tell what comes of it, though a signal ends the wait: it may have been paid for.

    Args:
        call: made on a thread of ours.
        told: called there with what it returned: no handler of a signal breaks into it.

    Raises:
        BaseException: what the call or the telling raised, or the signal did.
    """
    done: queue.SimpleQueue[tuple[Future[R], Future[object]]] = queue.SimpleQueue()

    def work() -> None:
        answer = _settled(call)
        telling = _settled(lambda: told(answer.result()))
        for _ in range(2):  # a signal may come when the first one has just been taken
            done.put((answer, telling))

    try:
        threading.Thread(target=work, name="casfs-work", daemon=True).start()
        _, telling = done.get()
    except RuntimeError:  # the system gives no more threads
        raise
    except BaseException:
        with suppress(queue.Empty):
            answer, telling = done.get(timeout=LAST_WORDS_S)
            if answer.exception() is None:
                telling.result()
        raise
    telling.result()


def _settled(call: Callable[[], R]) -> Future[R]:
    future: Future[R] = Future()
    try:
        future.set_result(call())
    except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
        future.set_exception(error)
    return future
