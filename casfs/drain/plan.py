"""What is to be done, and what it takes: archives, bytes, waves, days. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from casfs.drain.waves import LIFE_S, Bounds, Room, ahead_of

TIERS: Mapping[str, float] = {"Expedited": 5 * 60.0, "Standard": 5 * 3600.0, "Bulk": 12 * 3600.0}
"""Seconds that a retrieval takes at most, usually. Source: CAS and Glacier, Initiate Job."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be retrieved.

    Attributes:
        archives: how many.
        size: their bytes.
        waves: how often retrievals are begun and waited for.
        days: how many days that takes at least: of retrievals, of a quota, and of downloads at the measured speed.
    """

    archives: int = 0
    size: int = 0
    waves: int = 0
    days: float = 0.0


def plan(sizes: Iterable[int], bounds: Bounds, tier: str, speed: float | None) -> Plan:
    """Return what it takes to retrieve archives of these *sizes*, in their order.

    Args:
        sizes: in bytes.
        bounds: what the user allows.
        tier: of the retrievals.
        speed: bytes a second that were measured before, None where nobody has.
    """
    empty = Room(ahead_of(bounds, speed), None)
    room, archives, size, waves = empty, 0, 0, 0
    days, today = 0, 0
    for each in sizes:
        if not archives or not room.fits(each):
            waves += 1
            room = empty
        if bounds.daily is not None and (not archives or (today and today + each > bounds.daily)):
            days, today = days + 1, 0
        room = room.after(each)
        archives, size, today = archives + 1, size + each, today + each
    takes_s = waves * TIERS.get(tier, TIERS["Standard"]) + (size / speed if speed else 0.0)
    return Plan(archives, size, waves, max(takes_s / LIFE_S, float(days - 1 if days else 0)))
