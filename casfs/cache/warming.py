"""Several outputs brought into caches at once, the soonest to expire first, until all are there or the time is over."""

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from casfs.cache.plan import planned
from casfs.cache.target import Holding, Outcome, Target
from casfs.errors import CasfsError
from casfs.waiting import Clock

POLL_S = 0.2
"""How often whoever waits looks at the time, and at signals."""
MEASURED_S, MEASURED_BYTES = 3.0, 8 << 20
"""After how long, and how much, a rate tells anything: the first requests wait for connections."""
PLAN_S = 5.0
"""How long an order is kept: the rate that it was made with changes."""


@dataclass(frozen=True, slots=True)
class Listener:
    """Who is told while it goes on.

    Attributes:
        advance: how many bytes more have come; on any thread.
        late: which targets will be too late, those that were told before left out; on any thread.
    """

    advance: Callable[[int], None]
    late: Callable[[Sequence[Target], float], None]


class Warming:
    """The targets of one run.

    Threads: ``outcomes`` on one; its workers are its own, and hold up no end of the process.

    Args:
        targets: what is to be fetched.
        listener: is told.
        side_by_side: how many at once.
        ends_s: when to give up, by *wall*; None for never.
        wall: seconds since 1970.
    """

    def __init__(
        self,
        targets: Iterable[Target],
        listener: Listener,
        side_by_side: int,
        ends_s: float | None = None,
        wall: Clock = time.time,
    ) -> None:
        self._waiting = {target.name: target for target in targets}
        self._running: dict[str, Target] = {}
        self._listener = listener
        self._side_by_side = side_by_side
        self._ends_s = ends_s
        self._wall = wall
        self._lock = threading.Lock()
        self._outcomes: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        self._began_s = self._planned_s = wall()
        self._order: list[Target] | None = None
        self._told: set[str] = set()
        self._fetched = 0

    def outcomes(self) -> Iterator[Outcome]:
        """Fetch all targets, and yield what came of each, as it is known.

        Once the time is over, what is not there yet is told to be late; calls that are under way are left to end.
        """
        left = len(self._waiting)
        for _ in range(min(self._side_by_side, left)):
            threading.Thread(target=self._work, daemon=True, name="casfs-warm").start()
        while left and not self._is_over():
            try:
                yield self._outcomes.get(timeout=POLL_S)
            except queue.Empty:
                continue
            left -= 1
        if left:
            yield from self._given_up()

    @property
    def rate(self) -> float | None:
        """Bytes a second so far, None while they tell nothing."""
        seconds = self._wall() - self._began_s
        return self._fetched / seconds if seconds >= MEASURED_S and self._fetched >= MEASURED_BYTES else None

    def _is_over(self) -> bool:
        return self._ends_s is not None and self._wall() >= self._ends_s

    def _given_up(self) -> Iterator[Outcome]:
        with self._lock:
            waiting, running = list(self._waiting.values()), list(self._running.values())
            self._waiting.clear()
            self._running.clear()
        while not self._outcomes.empty():
            yield self._outcomes.get()
        for target in waiting:
            yield Outcome(target.name, target, target.holding, "the deadline passed before its turn")
        for target in running:
            yield Outcome(target.name, target, target.holding, "the deadline passed")

    def _work(self) -> None:
        while (target := self._next()) is not None:
            outcome = self._fetched_one(target)
            with self._lock:
                is_awaited = self._running.pop(target.name, None) is not None
                if is_awaited:
                    self._outcomes.put(outcome)

    def _fetched_one(self, target: Target) -> Outcome:
        try:
            holding = target.shelf.fetch(target, self._advance)
        except CasfsError as error:
            return Outcome(target.name, target, target.holding, str(error))
        return Outcome(target.name, target, holding, why_not(holding))

    def _advance(self, count: int) -> None:
        with self._lock:
            self._fetched += count
        self._listener.advance(count)

    def _next(self) -> Target | None:
        late: list[Target] = []
        with self._lock:
            if not self._waiting or self._is_over():
                return None
            if self._order is None or self._wall() >= self._planned_s + PLAN_S:
                late = self._plan()
            order = self._order or []
            target = order.pop()
            self._running[target.name] = self._waiting.pop(target.name)
            rate = self.rate
        if late:
            self._listener.late(late, rate or 0.0)
        return target

    def _plan(self) -> list[Target]:
        """Make the order anew, the first last, and return what is late and was not told."""
        self._planned_s = self._wall()
        deadline_ns = None if self._ends_s is None else int(self._ends_s * 1e9)
        plan = planned(self._waiting.values(), int(self._planned_s * 1e9), self.rate, deadline_ns)
        self._order = list(reversed(plan.order))
        new = [target for target in plan.late if target.name not in self._told]
        self._told.update(target.name for target in new)
        return new


def why_not(holding: Holding) -> str | None:
    """Return why an output that was fetched is not whole and checked, None where it is."""
    if holding.is_done:
        return None
    if holding.verification == "mismatch":
        return "its bytes are not what the service's hash says"
    if holding.share_missing:
        why = "; its disk is full, or fails" if holding.is_failing else ""
        return f"the cache did not keep all of it: {holding.cached}{why}"
    return f"not all of it could be checked: {holding.verification}"
