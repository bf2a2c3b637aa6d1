"""Asks for the first blocks of outputs before they are opened."""

from dataclasses import dataclass

from casfs.data.content import Content
from casfs.data.fetch.window import Window
from casfs.data.fetch.windows import Windows
from casfs.stats import Stats

FIRST_BLOCKS = 8
"""Blocks to have ahead of a walk at first, over all outputs that come next: so much is lost where it ends early."""

MAX_BLOCKS = 64
"""The same at most. At 30 ms, and 3 ms of processor for each output of one block, 16 are enough."""


@dataclass(slots=True)
class Guess:
    """One output that is asked for before it is opened.

    Attributes:
        window: wants its parts.
        ahead: one past the last block that is there or on its way.
        is_ours: whether any of it was asked for by this guess, and not by a reader.
    """

    window: Window
    ahead: int = 0
    is_ours: bool = False


class Guesses:
    """What is asked for ahead of the walk through one vault: a ``Holder``.

    Args:
        limit: blocks that it may have together.
        stats: counts the outputs.

    Attributes:
        read_s: when the walk took its last step.
        are_heads: whether of the last output of several blocks only some were read, as ``file`` and ``head`` do.

    Invariants: what is asked for is what the walk is believed to read next; the rest is called back, or evicted first.

    Threads: none of its own; called within the steps of the monitor.
    """

    def __init__(self, limit: int, stats: Stats) -> None:
        self.read_s = 0.0
        self.are_heads = False
        self._limit = max(1, min(MAX_BLOCKS, limit // 2))
        self._size = min(FIRST_BLOCKS, self._limit)
        self._stats = stats
        self._number = 0
        self._guesses: dict[Content, Guess] = {}

    def take(self, windows: Windows, content: Content, *, waited: bool) -> Window | None:
        """Return what was asked for of *content*, to be let go by who reads it; None where nothing was.

        Args:
            windows: where that was.
            content: what is read now.
            waited: whether its reader has to wait all the same: then it was asked for too late.
        """
        guess = self._guesses.pop(content, None)
        if guess is None:
            return None
        if waited:
            self._size = min(self._limit, self._size * 2)
        self._leave_if_done(windows)
        return guess.window

    def turn(self, windows: Windows, number: int, ahead: tuple[Content, ...]) -> None:
        """Give up what is not in *ahead*, unless a step was taken since that one of this *number*."""
        if number <= self._number:
            return
        self._number = number
        for content in [content for content in self._guesses if content not in ahead]:
            self._drop(windows, content)
        if not ahead:
            self._size = min(FIRST_BLOCKS, self._limit)
        self._leave_if_done(windows)

    def ask(self, windows: Windows, number: int, ahead: tuple[Content, ...], now_s: float) -> bool:
        """Ask for the first blocks of *ahead*, in order, as far as there is room.

        Returns:
            Whether nothing is left to be asked for; as after a newer step, which does so itself.
        """
        if number < self._number:
            return True
        self.read_s = now_s
        distance = 0
        for content in ahead:
            if distance >= self._size:
                break
            count = min(content.count, 1) if self.are_heads else content.count
            if not self._ask(windows, content, min(count, self._size - distance), distance):
                return False
            distance += max(1, count)
        return True

    def release(self, windows: Windows) -> None:
        """Give everything up."""
        for content in list(self._guesses):
            self._drop(windows, content)
        self._leave_if_done(windows)

    def _ask(self, windows: Windows, content: Content, stop: int, distance: int) -> bool:
        """Ask for the blocks of *content* before *stop*, none where its size is not known; return whether that is done.

        What failed is done with: who opens it asks anew.
        """
        if content.gone is not None or content.failure is not None or content.is_mismatch:
            return True
        guess = self._guesses.get(content) or Guess(Window(content))
        reached: int | None = guess.ahead
        while reached is not None and reached < stop:
            guess.ahead = reached
            reached = windows.claim(guess.window, reached) or self._send(windows, guess, stop, distance)
        guess.ahead = reached or guess.ahead
        if windows.is_open(guess.window):
            self._guesses[content] = guess
            windows.join(self)
        return reached is not None

    def _send(self, windows: Windows, guess: Guess, stop: int, distance: int) -> int | None:
        """Ask for the next part, which ends before *stop*; return where it ends, None where there is no room yet."""
        width = windows.width(guess.window.content, self._size, distance + guess.ahead)
        part = windows.next_part(guess.window, range(guess.ahead, min(guess.ahead + width, stop)), width)
        if not (windows.is_soon_enough(part) and windows.ask(guess.window, part, self.read_s)):
            return None
        if not guess.is_ours:
            guess.is_ours = True
            self._stats.count("prefetched_outputs")
        return part.stop

    def _drop(self, windows: Windows, content: Content) -> None:
        guess = self._guesses.pop(content)
        windows.close(guess.window)
        if guess.is_ours:
            self._stats.count("prefetch_unused_outputs")

    def _leave_if_done(self, windows: Windows) -> None:
        if not self._guesses:
            windows.leave(self)
