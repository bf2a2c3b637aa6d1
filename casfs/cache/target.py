"""What is to be in a cache, and who brings it there."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

WHOLE, UNAVAILABLE, NOTHING = "whole", "unavailable", "none"

Advance = Callable[[int], None]
"""Told how many bytes more have come."""


@dataclass(frozen=True, slots=True)
class Holding:
    """How much of an output a cache holds.

    Attributes:
        cached: ``whole``, ``K/N`` blocks or ``none``.
        verification: ``whole``, ``K/N`` blocks, ``none``, ``unavailable`` or ``mismatch``.
        is_failing: whether the disk of the cache fails now, so that no more comes there for a while.
    """

    cached: str
    verification: str
    is_failing: bool = False

    @property
    def is_done(self) -> bool:
        """Whether all of it is there, and met every hash that the service gives."""
        return self.cached == WHOLE and self.verification in (WHOLE, UNAVAILABLE)

    @property
    def share_missing(self) -> float:
        """How much of it is not there, from 0 to 1."""
        held, slash, count = self.cached.partition("/")
        if slash:
            return 1 - int(held) / int(count)
        return 0.0 if self.cached == WHOLE else 1.0


@dataclass(frozen=True, slots=True)
class Cache:
    """A cache that is filled.

    Attributes:
        path: its folder.
        capacity_bytes: what it may hold.
    """

    path: str
    capacity_bytes: int


@dataclass(frozen=True, slots=True)
class Target:
    """An output that is to be in a cache.

    Attributes:
        name: as it was named: a path, or a PLACE.
        vault: name of its vault; "" where the root of a mount is a vault.
        job: id of its job.
        size: length in bytes; 0 while nobody knows it.
        expires_ns: when the service may drop it, None where nobody says.
        holding: what the cache had of it when it was looked at.
        cache: where it is to be.
        shelf: who brings it there.
    """

    name: str
    vault: str
    job: str
    size: int
    expires_ns: int | None
    holding: Holding
    cache: Cache
    shelf: "Shelf"

    @property
    def missing_bytes(self) -> int:
        """How much has to come."""
        return round(self.size * self.holding.share_missing)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one target, or of one name that leads to none.

    Attributes:
        name: as it was named.
        target: None where the name leads to none.
        holding: what the cache has of it now.
        error: why it is not whole and checked, in one line; None where it is.
    """

    name: str
    target: Target | None
    holding: Holding
    error: str | None = None


class Shelf(Protocol):
    """Who brings outputs into a cache.

    Threads: any, many at once. Every call ends by a deadline of its own, or soon after ``close``.
    """

    def survey(self, name: str) -> list[Target]:
        """Return the outputs that *name* leads to, without a request for bytes.

        Raises:
            CasfsError: it leads nowhere, or to where no cache is.
        """
        ...

    def look(self, target: Target) -> Holding:
        """Return what the cache has of it now.

        Raises:
            CasfsError: that could not be told.
        """
        ...

    def fetch(self, target: Target, advance: Advance) -> Holding:
        """Bring what is missing, and return what the cache has then.

        Raises:
            CasfsError: bytes could not be had.
        """
        ...

    def close(self) -> None:
        """End every call, with an error."""
        ...
