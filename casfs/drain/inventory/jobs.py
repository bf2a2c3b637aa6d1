"""Jobs that list a vault, as their documents tell of them. Pure.

A service lists 10,000 archives a job (CAS), or all (Glacier); the Marker in the document of a finished job is where the
next one is to begin. Nothing in the document tells where the job itself began: so ours say it in their descriptions.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping

from casfs.models import INVENTORY_RETRIEVAL, Job, JobState

MOST_ARCHIVES = 10_000
"""Limit of a job for which none was asked, where the service tells one. Source: CAS, Initiate Job."""
OURS = "casfs drain: inventory, part "


def description(number: int, marker: str) -> str:
    """Return how a job is described that lists a part.

    Args:
        number: which one, from 1 on.
        marker: where it begins; "" for the first one.
    """
    return f"{OURS}{number}" + (f" from {hashlib.sha256(marker.encode()).hexdigest()[:32]}" if marker else "")


def following(job: Job) -> str | None:
    """Return where the part behind the one of *job* begins, None where there is none."""
    marker = _asked(job).get("Marker")
    return marker if isinstance(marker, str) and marker else None


def is_whole(job: Job) -> bool:
    """Say whether *job* lists archives whenever they were made, and as many as the service does."""
    asked = _asked(job)
    limit = str(asked.get("Limit") or 0)
    return (
        job.action == INVENTORY_RETRIEVAL
        and not asked.get("StartDate")
        and not asked.get("EndDate")
        and limit in ("0", str(MOST_ARCHIVES))
    )


def described(job: Job) -> str:
    """Return the description of *job*, "" where it has none."""
    said = job.fields.get("JobDescription")
    return said if isinstance(said, str) else ""


def is_ours(job: Job) -> bool:
    """Say whether a drain began *job*."""
    return described(job).startswith(OURS)


def find(jobs: Iterable[Job], number: int, marker: str, but: Collection[str] = ()) -> Job | None:
    """Return the job that lists a part: the newest that succeeded, else the newest in progress; None for none.

    Args:
        jobs: of the vault.
        number: which part.
        marker: where it begins.
        but: jobs that will not do.
    """
    wanted = description(number, marker)
    found = [job for job in jobs if job.id not in but and is_whole(job) and _begins(job, wanted, number)]
    for state in (JobState.SUCCEEDED, JobState.IN_PROGRESS):
        of_state = [job for job in found if job.state is state]
        if of_state:
            return max(of_state, key=lambda job: job.created_ns or 0)
    return None


def _begins(job: Job, wanted: str, number: int) -> bool:
    """Whether *job* begins where a part does: the first one may be anybody's."""
    return described(job) == wanted or (number == 1 and not is_ours(job))


def _asked(job: Job) -> Mapping[str, object]:
    asked = job.fields.get("InventoryRetrievalParameters")
    return asked if isinstance(asked, dict) else {}
