"""Which outputs of a vault will be read next, from those that were read before. Pure.

A *walk* is a program that reads output after output, in one of the orders in which programs go through a directory, as
``cp -r`` does. Which of them it follows is seen by what it reads.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from casfs.models import Output

Following = Callable[[Output], Sequence[Iterator[Output]]]
"""Gives the outputs that come after one of its vault, in each order in which programs may go; always as many orders, or
none where that cannot be told, as of one that is in no order."""

RIGHT_STEPS = 2
"""Steps that one order must have told before the next is believed: in a vault of n outputs random reads do so in three
cases of n²."""

MAX_OVERTAKEN = 8
"""Outputs that may be read before the one whose turn it is: programs that ``xargs -P8`` runs overtake each other. Then
it is expected no more: it may be one that cannot be opened, or that the kernel holds."""

MAX_OUTPUTS = 32
"""Outputs that are told at most: enough for every connection."""

IDLE_S = 30.0
"""After how long without a step a walk is over: who takes longer with an output gains little, and may be a person who
looks at one after the other."""


@dataclass(frozen=True, slots=True)
class Upcoming:
    """What is believed to be read next.

    Attributes:
        number: grows with each step: what has a larger one is newer.
        outputs: in order; none where no order is followed.
    """

    number: int
    outputs: tuple[Output, ...]


class Walk:
    """The outputs of one vault, as they are read.

    Threads: any. The lock is held while *following* is called, which asks nobody but this process.
    """

    def __init__(self, following: Following) -> None:
        self._following = following
        self._lock = threading.Lock()
        self._number = 0
        self._last: Output | None = None
        self._read_s = 0.0
        self._recent: deque[str] = deque(maxlen=MAX_OVERTAKEN + 1)
        self._rights: list[int] = []
        self._ahead: deque[Output] = deque()
        self._rest: Iterator[Output] = iter(())
        self._overtakes = 0

    def step(self, output: Output, now_s: float) -> Upcoming:
        """Take note that *output* is read from its beginning; one that was read just before tells nothing."""
        with self._lock:
            if now_s - self._read_s > IDLE_S:
                self._end()
            self._read_s = now_s
            if output.job not in self._recent and (self._goes_on(output) or self._begins(output)):
                self._last = output
                self._recent.append(output.job)
            self._number += 1
            return Upcoming(self._number, tuple(self._ahead))

    def _goes_on(self, output: Output) -> bool:
        """Say whether *output* was expected; then it is no more, and one more is."""
        soon = islice(self._ahead, MAX_OVERTAKEN + 1)
        place = next((place for place, expected in enumerate(soon) if expected.job == output.job), None)
        if place is None:
            return False
        del self._ahead[place]
        self._ahead.extend(islice(self._rest, 1))
        self._overtakes = self._overtakes + 1 if place else 0
        if self._overtakes > MAX_OVERTAKEN:
            self._overtakes = 0
            self._ahead.popleft()
            self._ahead.extend(islice(self._rest, 1))
        return True

    def _begins(self, output: Output) -> bool:
        """Expect nothing until the last steps were all told by one order; say whether *output* is in any.

        One that is in none, since it is kept while the service has dropped it, changes nothing.
        """
        coming = self._following(output)
        if not coming:
            return False
        self._ahead.clear()
        self._overtakes = 0
        orders = [] if self._last is None else self._following(self._last)
        told = [next(order, None) for order in orders]
        before = self._rights if len(self._rights) == len(told) else [0] * len(told)
        self._rights = [
            rights + 1 if expected is not None and expected.job == output.job else 0
            for rights, expected in zip(before, told, strict=True)
        ]
        if max(self._rights, default=0) >= RIGHT_STEPS:
            self._rest = coming[self._rights.index(max(self._rights))]
            self._rights = []
            self._ahead.extend(islice(self._rest, MAX_OUTPUTS))
        return True

    def _end(self) -> None:
        self._last = None
        self._recent.clear()
        self._rights = []
        self._ahead.clear()
