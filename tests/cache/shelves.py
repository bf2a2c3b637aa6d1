"""Targets, and a shelf that does as a test says."""

from collections.abc import Callable
from dataclasses import dataclass, field

from casfs.cache.target import NOTHING, WHOLE, Advance, Cache, Holding, Target

ABSENT, DONE = Holding(NOTHING, NOTHING), Holding(WHOLE, WHOLE)
S = 10**9
MIB = 1 << 20


@dataclass
class Time:
    """A time that passes when a test says so."""

    now_s: float = 0.0

    def wall(self) -> float:
        return self.now_s


@dataclass
class StandInShelf:
    """A shelf whose fetches do what *behaviour* does; it keeps the names in the order in which they were asked for."""

    behaviour: Callable[[Target, Advance], Holding] = lambda _target, _advance: DONE
    asked: list[str] = field(default_factory=list)

    def survey(self, name: str) -> list[Target]:
        raise NotImplementedError

    def look(self, target: Target) -> Holding:
        raise NotImplementedError

    def fetch(self, target: Target, advance: Advance) -> Holding:
        self.asked.append(target.name)
        return self.behaviour(target, advance)

    def close(self) -> None:
        raise NotImplementedError


def target(
    name: str,
    size: int = MIB,
    expires_s: float | None = None,
    *,
    holding: Holding = ABSENT,
    shelf: StandInShelf | None = None,
    cache: Cache | None = None,
) -> Target:
    expires_ns = None if expires_s is None else int(expires_s * S)
    cache = cache or Cache("/cache", 1 << 40)
    return Target(name, "vault", name, size, expires_ns, holding, cache, shelf or StandInShelf())
