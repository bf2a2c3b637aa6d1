"""Times of vaults and jobs: how long it is believed that there is none, and when the newest of some was."""

NEGATIVE_TTL_S = 5.0
"""How long "there is none" is believed. Shells and editors probe many names many times."""


def newest_ns(*times_ns: int | None) -> int | None:
    """Return the newest of *times_ns*, of which any may be unknown; None where all are."""
    return max((time_ns for time_ns in times_ns if time_ns is not None), default=None)
