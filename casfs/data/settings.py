"""What the bytes stage can be told: one frozen value, made once at the mount."""

from dataclasses import dataclass
from enum import StrEnum


class Verify(StrEnum):
    """How much checking a read asks for."""

    AUTO = "auto"
    """Check whatever the service gives a hash for."""
    REQUIRE = "require"
    """Serve nothing that cannot be checked."""
    OFF = "off"
    """Hash nothing."""


@dataclass(frozen=True, slots=True)
class DataSettings:
    """Bounds of the bytes stage.

    Attributes:
        block_cache_bytes: memory for blocks held, in flight and prefetched together; at least one block is had.
        connections: requests in flight at once, reads and prefetch together; 1 or more.
        read_ahead_bytes: the most one open file may run ahead of its reader; 0 turns that off, and asking for outputs
            that are not open yet.
        verify: how much checking a read asks for.
        read_timeout_s: deadline of one read in all its retries.
    """

    block_cache_bytes: int
    connections: int
    read_ahead_bytes: int
    verify: Verify
    read_timeout_s: float
