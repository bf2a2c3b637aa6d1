"""Times as text, for who reads them and for programs."""

from datetime import UTC, datetime, timedelta


def iso_utc(moment_ns: int) -> str | None:
    """Return a time as ISO 8601 in UTC, in milliseconds like the service or else to the nanosecond.

    Returns:
        None for a time past the year 9999.
    """
    seconds, fraction_ns = divmod(moment_ns, 10**9)
    try:
        whole = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    except OverflowError:
        return None
    milliseconds, rest_ns = divmod(fraction_ns, 10**6)
    fraction = f"{fraction_ns:09d}" if rest_ns else f"{milliseconds:03d}"
    return f"{whole.replace(tzinfo=None).isoformat()}.{fraction}Z"
