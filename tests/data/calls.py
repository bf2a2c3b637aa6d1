"""Reads on threads of their own, and a time for them that passes when a test says so."""

import threading
from concurrent.futures import Future

from casfs.data.outputs import Outputs
from casfs.data.reader import Reader
from tests.data.service import read, until


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def wait_until_joined(outputs: Outputs, readers: int) -> None:
    """Wait until *readers* calls want what is in flight."""
    until(lambda: sum(flight.readers for flight in set(outputs._monitor._flights._flying.copy().values())) >= readers)


def in_thread(reader: Reader, offset: int, length: int) -> "Future[bytes]":
    done: Future[bytes] = Future()

    def run() -> None:
        try:
            done.set_result(read(reader, offset, length))
        except BaseException as error:  # noqa: BLE001 - handed to the test
            done.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return done
