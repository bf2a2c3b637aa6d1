"""Times as a drain writes them."""

from datetime import UTC, datetime


def iso(at_ns: int) -> str:
    """Return a time in whole seconds of UTC, as the services write theirs."""
    return datetime.fromtimestamp(at_ns // 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
