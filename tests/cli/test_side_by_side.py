"""A call that costs money, and signals that come while it is made or told of."""

import os
import signal
from collections.abc import Iterator
from types import FrameType

import pytest

from casfs.cli.side_by_side import to_its_end


class EndedError(BaseException):
    """As the handler of a signal raises it."""


def end(_number: int, _frame: FrameType | None) -> None:
    raise EndedError


@pytest.fixture(autouse=True)
def handled() -> Iterator[None]:
    """Have a signal end what the main thread is at."""
    before = signal.signal(signal.SIGUSR1, end)
    yield
    signal.signal(signal.SIGUSR1, before)


def press() -> None:
    os.kill(os.getpid(), signal.SIGUSR1)


def test_a_signal_that_comes_while_it_is_told_does_not_break_into_that() -> None:
    said: list[str] = []

    def tell(answer: str) -> None:
        press()
        said.append(answer)

    with pytest.raises(EndedError):
        to_its_end(lambda: "job", tell)
    assert said == ["job"]


def test_what_cannot_be_told_is_raised_though_a_signal_came() -> None:
    def tell(_answer: object) -> None:
        raise ValueError("nobody reads it")

    with pytest.raises(ValueError, match="nobody reads it"):
        to_its_end(press, tell)


def test_a_call_that_fails_while_a_signal_ends_it_is_no_matter() -> None:
    def fail() -> str:
        press()
        raise ValueError("no answer")

    with pytest.raises(EndedError):
        to_its_end(fail, print)
