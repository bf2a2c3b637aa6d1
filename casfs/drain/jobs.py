"""Jobs of a vault as a drain looks at them: which of them brings which archive. Pure."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from casfs.drain.archive import Entry, State
from casfs.models import ARCHIVE_RETRIEVAL, Job, JobState

UNLIMITED_NS = 1 << 62
"""Later than any time: for outputs of which nobody says when they are gone."""


@dataclass(frozen=True, slots=True)
class Retrieval:
    """A job that retrieves all of one archive.

    Attributes:
        archive: id of the archive.
        job: its own.
        state: where it stands.
        created_ns: when it was begun, None where nobody says.
        expires_ns: when its output may be gone, None where nobody says.
        said: what the service says about its state.
        path: where in the destination the service itself puts it; None where it is to be downloaded.
    """

    archive: str
    job: str
    state: JobState
    created_ns: int | None
    expires_ns: int | None
    said: str = ""
    path: str | None = None


def retrieval_of(job: Job) -> Retrieval | None:
    """Return what *job* retrieves, None unless it is all of one archive."""
    return whole_archive(job) if job.action == ARCHIVE_RETRIEVAL else None


def whole_archive(job: Job, path: str | None = None) -> Retrieval | None:
    """Return what *job* does with all of one archive, None if it is about something else.

    Args:
        job: one that retrieves archives, or puts them elsewhere.
        path: as ``Retrieval.path``.
    """
    fields = job.fields
    archive, said = fields.get("ArchiveId"), fields.get("StatusMessage")
    if not isinstance(archive, str) or not archive or not _is_whole(fields):
        return None
    said = said if isinstance(said, str) else ""
    return Retrieval(archive, job.id, job.state, job.created_ns, job.expires_ns, said, path)


def _is_whole(fields: Mapping[str, object]) -> bool:
    """Whether a document tells of a whole archive; a service that tells no range was asked for none."""
    told, size = fields.get("RetrievalByteRange"), str(fields.get("ArchiveSizeInBytes"))
    found = re.fullmatch(r"\s*0+\s*-\s*(\d{1,19})\s*", told) if isinstance(told, str) else None
    if told is None:
        return True
    return found is not None and re.fullmatch(r"\d{1,19}", size) is not None and int(found[1]) == int(size) - 1


def by_archive(retrievals: Iterable[Retrieval]) -> dict[str, list[Retrieval]]:
    """Return retrievals by the archive that they bring."""
    found: dict[str, list[Retrieval]] = {}
    for retrieval in retrievals:
        found.setdefault(retrieval.archive, []).append(retrieval)
    return found


def best(retrievals: Iterable[Retrieval], over: Collection[str]) -> Retrieval | None:
    """Return the retrieval that is to be used: one whose output lives longest, else one in progress.

    Args:
        retrievals: of one archive.
        over: jobs that bring nothing, whatever the service says.
    """
    usable = [one for one in retrievals if one.job not in over]
    ready = [one for one in usable if one.state is JobState.SUCCEEDED]
    if ready:
        return max(ready, key=lambda one: UNLIMITED_NS if one.expires_ns is None else one.expires_ns)
    return next((one for one in usable if one.state in (JobState.IN_PROGRESS, JobState.UNKNOWN)), None)


@dataclass(frozen=True, slots=True)
class Change:
    """Where an archive stands, seen from the list of jobs.

    Attributes:
        state: where.
        retrieval: the job that brings it, None where none does.
        ended: a job of it that brings nothing any more, and why.
    """

    state: State
    retrieval: Retrieval | None = None
    ended: tuple[str, str] | None = None


def seen(entry: Entry, retrievals: Iterable[Retrieval], over: Collection[str]) -> Change | None:
    """Return where an archive stands as the list of jobs has it, None where the ledger is right.

    Args:
        entry: as the ledger has it: new, asking, asked or ready. Nobody is asking for it now.
        retrievals: all jobs of it that the service lists.
        over: those that bring nothing, whatever the service says.
    """
    found = [one for one in retrievals if one.path in (None, entry.path) or one.job == entry.job]
    used = best(found, over)
    own = next((one for one in found if one.job == entry.job), None)
    ended = _ended(entry, own) if entry.job is not None and entry.job not in over else None
    if used is not None:
        is_there = State.READY if used.path is None else State.DONE
        state = is_there if used.state is JobState.SUCCEEDED else State.ASKED
        if own is not None and ended is None and (entry.state is state) and own.state is used.state:
            return None if own.expires_ns == entry.expires_ns else Change(state, own)
        return Change(state, used, ended)
    return None if entry.state is State.NEW else Change(State.NEW, None, ended)


def _ended(entry: Entry, own: Retrieval | None) -> tuple[str, str] | None:
    """Return what became of an archive's own job, if that is no use any more."""
    if entry.job is None:
        return None
    if own is None:
        waited = entry.state is State.READY
        return entry.job, "the output expired before it was downloaded" if waited else "the job is gone"
    if own.state is JobState.FAILED:
        return entry.job, f"the job failed: {own.said}"
    return None
