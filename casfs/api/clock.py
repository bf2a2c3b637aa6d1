"""The service's clock: this machine's, corrected once a refused signature shows that it is off."""

import logging
import time
from collections.abc import Callable
from datetime import UTC
from email.utils import parsedate_to_datetime

logger = logging.getLogger(__name__)

TOLERANCE_S = 60
"""A difference below this is no reason for a refusal: signatures begin minutes in the past, and Date has whole
seconds and may be a slow response old."""

LARGEST_S = 86400
"""A difference above this is not corrected: a Date of 2037, which anybody on the way can write, would have a signature
made that is good until then. A clock that is a time zone off, or was set across midnight, is within it."""


def seconds_of(date: str | None) -> float | None:
    """Return the Unix time that an HTTP date names, or None for what is none."""
    try:
        moment = parsedate_to_datetime(date or "")
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


class ServiceClock:
    """What time it is where signatures are checked.

    Threads: any. Each that was refused for the old time is told to try again, whoever has corrected it meanwhile.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._offset_s = 0.0
        self._heard: tuple[str | None, float] = (None, 0.0)

    def here_s(self) -> float:
        """Return the Unix time of this machine."""
        return self._clock()

    def hear(self, date: str | None) -> None:
        """Take note of the Date of a response that came now."""
        self._heard = (date, self._clock())

    def off_s(self) -> float | None:
        """Return by how much the service's clock is ahead of this machine's, by the last Date heard; None without."""
        date, came_s = self._heard
        service_s = seconds_of(date)
        return None if service_s is None else service_s - came_s

    def by_the_service(self, here_s: float) -> float:
        """Return what time it was for the service at *here_s* of this machine, by the last Date heard; never later."""
        date, came_s = self._heard
        service_s = seconds_of(date)
        return here_s + (self._offset_s if service_s is None else service_s - came_s)

    def now_s(self) -> float:
        """Return the Unix time as the service has it, as far as it is known."""
        return self._clock() + self._offset_s

    def correct(self, date: str | None, signed_s: float) -> bool:
        """Go by *date*, the Date of a response that refused a signature made for *signed_s*, from now on.

        Returns:
            Whether another signature would be for another time: if not, the clock was not what was refused, or it
            is off by more than is corrected.
        """
        service_s = seconds_of(date)
        if service_s is None or abs(service_s - signed_s) <= TOLERANCE_S or self.too_far(date):
            return False
        if abs(service_s - self.now_s()) > TOLERANCE_S:
            self._go_by(service_s)
        return True

    def too_far(self, date: str | None) -> str:
        """Say that this machine's clock is off *date*, the Date of a response, by more than is corrected; else ""."""
        service_s = seconds_of(date)
        off_s = 0.0 if service_s is None else service_s - self._clock()
        if abs(off_s) <= LARGEST_S:
            return ""
        days = f"{abs(off_s) / 86400:,.1f} days {_way(off_s)}"
        return f"this machine's clock is {days} the service's, and no more than a day is corrected: set it"

    def _go_by(self, service_s: float) -> None:
        self._offset_s = service_s - self._clock()
        off_s, way = abs(self._offset_s), _way(self._offset_s)
        logger.warning("this clock is %.0f s %s the service's: signing by the service's", off_s, way)


def _way(off_s: float) -> str:
    return "behind" if off_s > 0 else "ahead of"
