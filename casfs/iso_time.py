"""Times as text, for who reads them and for programs."""

import re
from datetime import UTC, datetime, timedelta

_DATE = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(?:[Zz]|([+-]\d\d):?(\d\d))?", re.ASCII)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def iso_utc(moment_ns: int) -> str | None:
    """Return a time as ISO 8601 in UTC, in milliseconds like the service or else to the nanosecond.

    Returns:
        None for a time past the year 9999.
    """
    seconds, fraction_ns = divmod(moment_ns, 10**9)
    try:
        whole = EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        return None
    milliseconds, rest_ns = divmod(fraction_ns, 10**6)
    fraction = f"{fraction_ns:09d}" if rest_ns else f"{milliseconds:03d}"
    return f"{whole.replace(tzinfo=None).isoformat()}.{fraction}Z"


def ns_of(text: str) -> int | None:
    """Return the nanoseconds since 1970 that an ISO 8601 date names; None where it is none.

    UTC is meant where no offset is given. A tenth digit of the second and those behind it are dropped.
    """
    found = _DATE.fullmatch(text.strip())
    if not found:
        return None
    day, time, fraction, hours, minutes = found.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{time}{hours or '+00'}:{minutes or '00'}")
        seconds = (moment - EPOCH) // timedelta(seconds=1)
    except (ValueError, OverflowError):
        return None
    return seconds * 10**9 + int((fraction or "0").ljust(9, "0"))
