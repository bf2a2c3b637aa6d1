"""What a user decides about a drain."""

from dataclasses import dataclass

from casfs.drain.waves import Bounds


@dataclass(frozen=True, slots=True)
class DrainSettings:
    """What a user decides about a drain, once it is known of which archives.

    Attributes:
        vault: its name.
        tier: of the retrievals.
        bounds: bytes that may be retrieved.
        attempts: retrievals of one archive, over all runs, after which it is given up.
        jobs: archives that are downloaded side by side.
        poll_s: seconds between two looks at the jobs.
    """

    vault: str
    tier: str
    bounds: Bounds
    attempts: int
    jobs: int
    poll_s: float
