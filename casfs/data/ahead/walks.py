"""The walks through all vaults, and what each of them is believed to read next."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from cachetools import LRUCache

from casfs.data.ahead.guesses import Guesses
from casfs.data.ahead.walk import Following, Walk
from casfs.data.content import Content
from casfs.models import LARGEST_OUTPUT, Output
from casfs.stats import Stats
from casfs.waiting import Clock

MAX_WALKS = 8
"""Vaults that are walked through at once; of more, those that were read longest ago begin anew."""


@dataclass(frozen=True, slots=True)
class Course:
    """What one walk is believed to read next.

    Attributes:
        guesses: what is asked for ahead of it.
        number: as ``Upcoming`` has it.
        ahead: what it is believed to read next, in order.
    """

    guesses: Guesses
    number: int
    ahead: tuple[Content, ...]


class Walks:
    """The walks of one mount, by vault.

    Args:
        following: tells which outputs come after another.
        believe: returns what is believed of an output, and waits for nothing.
        limit: blocks that may be asked for ahead of one open output.
        stats: counters of the mount.
        clock: monotonic seconds.

    Threads: any.
    """

    def __init__(
        self, following: Following, believe: Callable[[Output], Content], limit: int, stats: Stats, clock: Clock
    ) -> None:
        self._following = following
        self._believe = believe
        self._limit = limit
        self._stats = stats
        self._clock = clock
        self._lock = threading.Lock()
        self._walks: LRUCache[str, tuple[Walk, Guesses]] = LRUCache(MAX_WALKS)

    def step(self, output: Output) -> Course:
        """Take note that *output* is read from its beginning; return what comes next. No request."""
        with self._lock:
            found = self._walks.get(output.vault)
            if found is None:
                found = self._walks[output.vault] = Walk(self._following), Guesses(self._limit, self._stats)
        walk, guesses = found
        upcoming = walk.step(output, self._clock())
        possible = (each for each in upcoming.outputs if each.size is None or each.size <= LARGEST_OUTPUT)
        return Course(guesses, upcoming.number, tuple(map(self._believe, possible)))
