"""The service's clock: this machine's, corrected once a refused signature shows that it is off."""

import logging
import time
from collections.abc import Callable
from datetime import UTC
from email.utils import parsedate_to_datetime

logger = logging.getLogger(__name__)

TOLERANCE_S = 60
"""A difference below this is no reason for a refusal: signatures begin minutes in the past, and Date has whole
seconds and may be a slow answer old."""


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

    def now_s(self) -> float:
        """Return the Unix time as the service has it, as far as it is known."""
        return self._clock() + self._offset_s

    def correct(self, date: str | None, signed_s: float) -> bool:
        """Go by *date*, the Date of an answer that refused a signature made for *signed_s*, from now on.

        Returns:
            Whether another signature would be for another time: if not, the clock was not what was refused.
        """
        service_s = seconds_of(date)
        if service_s is None or abs(service_s - signed_s) <= TOLERANCE_S:
            return False
        if abs(service_s - self.now_s()) > TOLERANCE_S:
            self._go_by(service_s)
        return True

    def _go_by(self, service_s: float) -> None:
        self._offset_s = service_s - self._clock()
        way = "behind" if self._offset_s > 0 else "ahead of"
        logger.warning("this clock is %.0f s %s the service's: signing by the service's", abs(self._offset_s), way)
