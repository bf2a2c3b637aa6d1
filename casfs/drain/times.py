"""Times as a drain takes and writes them."""

import time
from collections.abc import Callable
from datetime import UTC, datetime


def steady(wall_ns: Callable[[], int] = time.time_ns, boot_ns: Callable[[], int] | None = None) -> Callable[[], int]:
    """Return a clock that begins with the time of day and goes on evenly, though somebody sets that.

    Args:
        wall_ns: the time of day.
        boot_ns: what goes on evenly, while the host sleeps too; None for that of the system.
    """
    passed_ns = boot_ns or (lambda: time.clock_gettime_ns(time.CLOCK_BOOTTIME))
    ahead_ns = wall_ns() - passed_ns()
    return lambda: ahead_ns + passed_ns()


def exact(at_ns: int) -> str:
    """Return a time of UTC to the nanosecond; as text it is less than what ``iso`` returns of its second.

    >>> exact(1_000_000_005), exact(1_000_000_005) < iso(1_000_000_005) < exact(2_000_000_000)
    ('1970-01-01T00:00:01.000000005Z', True, True)
    """
    return f"{iso(at_ns)[:-1]}.{at_ns % 10**9:09}Z"


def iso(at_ns: int) -> str:
    """Return a time in whole seconds of UTC, as the services write theirs."""
    return datetime.fromtimestamp(at_ns // 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
