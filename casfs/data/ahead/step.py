"""One open output as a step of a walk: its own blocks are asked for first, then those of the outputs that come next."""

from casfs.data.ahead.prefetch import Prefetch
from casfs.data.ahead.walks import Course, Walks
from casfs.data.content import Content
from casfs.data.fetch.window import Window
from casfs.data.fetch.windows import Windows
from casfs.data.hashing.blocks import BLOCK_SIZE


class Step:
    """What its reader will want next, and its program after it: a ``Lookahead``.

    Args:
        content: what is read.
        prefetch: asks for the rest of it.
        walks: told when it is read from its beginning; opening it, or reading elsewhere, is no step.

    Threads: ``prepare``, ``read_s`` and ``position`` any, without the lock; the others within the steps of the monitor.
    """

    def __init__(self, content: Content, prefetch: Prefetch, walks: Walks) -> None:
        self._content = content
        self._prefetch = prefetch
        self._walks = walks
        self._course: Course | None = None
        self._guess: Window | None = None
        self._is_turned = False
        self._is_done = False

    @property
    def read_s(self) -> float:
        """When its reader read last."""
        return self._prefetch.read_s

    @property
    def position(self) -> int:
        """One past the furthest byte of the sequence that was read last; 0 before the first read."""
        return self._prefetch.position

    def prepare(self, start: int) -> None:
        """Take the step, if a read from *start* on is the first one of the first block."""
        if self._course is None and start < BLOCK_SIZE:
            self._course = self._walks.step(self._content.output)

    def observe(self, windows: Windows, start: int, stop: int, now_s: float, *, waited: bool) -> None:
        """Take note of a read, and ask for what it makes likely: what comes next once all of this is asked for."""
        self._prefetch.observe(windows, start, stop, now_s, waited=waited)
        course = self._course
        if course is None or self._is_done:
            return
        if not self._is_turned:
            self._is_turned = True
            self._guess = course.guesses.take(windows, self._content, waited=waited)
            course.guesses.turn(windows, course.number, course.ahead)
        if self._prefetch.reaches_end:
            if self._content.count > 1:
                course.guesses.are_heads = False
            self._is_done = course.guesses.ask(windows, course.number, course.ahead, now_s)

    def release(self, windows: Windows) -> None:
        """Call back what only this reader wanted; what its walk is believed to read next stays."""
        if self._is_turned and self._course is not None and not self._prefetch.reaches_end:
            self._course.guesses.are_heads = True
        self._prefetch.release(windows)
        if self._guess is not None:
            windows.close(self._guess)
            self._guess = None
