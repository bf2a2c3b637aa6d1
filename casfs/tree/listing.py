"""The jobs of one vault as they were listed, and until when that is believed."""

import math
from dataclasses import dataclass

from casfs.models import Job

ListedJob = tuple[str, bytes]
"""A job of a listing: its id, and the rest of it."""


@dataclass(slots=True)
class Listing:
    """The jobs of one vault.

    Attributes:
        jobs: by id, compressed, in the service's order; single answers that came later are entered.
        finished_until_s: until when its finished jobs are believed.
        current_until_s: until when all of it is believed, that is, its unfinished jobs too.
        absent_until_s: until when a job that it does not hold is believed not to exist.
    """

    jobs: dict[str, bytes]
    finished_until_s: float
    current_until_s: float
    absent_until_s: float

    def believed_until_s(self, listed: Job | None) -> float:
        """Return until when *listed* is believed, a job of it; None is one that it does not hold."""
        if listed is None:
            return self.absent_until_s
        return self.finished_until_s if listed.is_finished else self.current_until_s

    def disbelieved(self) -> "Listing":
        """Return the same jobs, of which nothing is believed but that they were shown."""
        return Listing(self.jobs, -math.inf, -math.inf, -math.inf)
