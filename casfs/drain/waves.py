"""How much may be asked for now: as much as is downloaded before it expires, and as a quota allows. Pure."""

from dataclasses import dataclass

LIFE_S = 24 * 3600.0
"""How long an output can be downloaded. Source: CAS and Glacier, Initiate Job."""
MARGIN_S = 4 * 3600.0
"""Of which so much is kept for links that get slower, and for jobs that are finished together."""
MOST_UNDER_WAY = 100_000
"""Jobs at once: they are listed at each poll, which Glacier does 50 at a time, in some minutes then."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a user allows.

    Attributes:
        ahead: bytes that are retrieved and not downloaded.
        daily: bytes that are retrieved within 24 hours; None for no limit.
    """

    ahead: int
    daily: int | None


@dataclass(frozen=True, slots=True)
class Room:
    """What may be asked for.

    Attributes:
        ahead: as above, or what the measured speed allows.
        daily: as above.
        waiting: bytes that are retrieved and not downloaded.
        today: bytes that were retrieved within the last 24 hours.
        under_way: archives that are retrieved and not downloaded.
    """

    ahead: int
    daily: int | None
    waiting: int = 0
    today: int = 0
    under_way: int = 0

    def after(self, size: int) -> "Room":
        """Return the room that is left once an archive was asked for."""
        return Room(self.ahead, self.daily, self.waiting + size, self.today + size, self.under_way + 1)

    def fits(self, size: int) -> bool:
        """Say whether an archive of *size* may be asked for: one always may, however large."""
        return self.fits_ahead(size) and self.fits_today(size)

    def fits_ahead(self, size: int) -> bool:
        """Say whether it would be downloaded in time."""
        return self.under_way < MOST_UNDER_WAY and (not self.under_way or self.waiting + size <= self.ahead)

    def fits_today(self, size: int) -> bool:
        """Say whether the quota of a day allows it."""
        return self.daily is None or not self.today or self.today + size <= self.daily


def ahead_of(bounds: Bounds, speed: float | None) -> int:
    """Return the bytes that may be retrieved and not downloaded.

    Args:
        bounds: what the user allows.
        speed: bytes a second that were measured, None where none were.
    """
    return bounds.ahead if speed is None else min(bounds.ahead, int(speed * (LIFE_S - MARGIN_S)))
