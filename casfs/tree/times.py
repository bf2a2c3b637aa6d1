"""The newest of some times, of which any may be unknown."""


def newest_ns(*times_ns: int | None) -> int | None:
    """Return the newest of *times_ns*, None where none is known."""
    return max((time_ns for time_ns in times_ns if time_ns is not None), default=None)
