"""What stands at a path of an account: ``VAULT/JOB/output``, and the directories on the way.

fsspec's own walk takes a directory that cannot be read for an empty one. Here it is read whole or fails, and a vault
costs its listing: what is below a job is known from there.
"""

import errno
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from casfs.fsspec import entries
from casfs.fsspec.entries import Entry
from casfs.fsspec.errors import as_python
from casfs.library import Account
from casfs.models import Job

Level = tuple[str, Any, Any]
"""A directory, and the directories and files in it: names, or entries by name."""
Listed = list[tuple[Entry, Job | None]]
"""Entries; those of jobs with the job."""
OnError = str | Callable[[OSError], object]


def raise_unless_missing(error: OSError) -> None:
    """Raise *error* unless it is that there is nothing."""
    if not isinstance(error, FileNotFoundError):
        raise error


def job_of(account: Account, path: str) -> Job:
    """Return the job whose output is at *path*.

    Raises:
        IsADirectoryError: a vault or a job is.
        FileNotFoundError: nothing is.
        OSError: it cannot be asked for.
    """
    match path.split("/"):
        case [vault, job, "output"]:
            with as_python(path):
                found = account.job(vault, job)
            if found.output is None:
                raise FileNotFoundError(errno.ENOENT, f"the job is {found.state} and has no output", path)
            return found
        case [_, _, *deeper] if deeper:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
    directory(account, path)
    raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)


def directory(account: Account, path: str) -> Entry | None:
    """Return the entry of the directory at *path*; None for a path that none can be at.

    Raises:
        OSError: there is none, or it cannot be asked for.
    """
    with as_python(path):
        match path.split("/"):
            case [""]:
                return entries.of_root()
            case [vault]:
                return entries.of_vault(account.vault(vault))
            case [vault, job]:
                return entries.of_job(account.job(vault, job))
    return None


def listed(account: Account, path: str, known: Job | None = None) -> Listed:
    """Return what is in the directory at *path*, or the file itself.

    Args:
        account: whose.
        path: without the protocol.
        known: the job whose directory it is, where a listing had it.

    Raises:
        OSError: there is nothing, or it cannot be read whole.
    """
    with as_python(path):
        match path.split("/"):
            case [""]:
                return [(entries.of_vault(vault), None) for vault in account.vaults()]
            case [vault]:
                return [(entries.of_job(job), job) for job in account.jobs(vault)]
            case [vault, name]:
                job = known or account.job(vault, name)
                return [] if job.output is None else [(entries.of_output(job, job.size), None)]
    job = job_of(account, path)
    return [(entries.of_output(job, job.size), None)]


@dataclass(frozen=True)
class Walk:
    """One walk.

    Attributes:
        account: whose.
        topdown: whether a directory comes before what is in it; then names may be taken out of its list.
        on_error: ``raise``, ``omit``, or what is called with the OSError of a directory that cannot be read, which is
            left out if that returns.
        detail: whether entries by name are yielded, and not names.
    """

    account: Account
    topdown: bool
    on_error: OnError
    detail: bool

    def levels(self, path: str, depth: int | None, known: Job | None = None) -> Iterator[Level]:
        """Yield the directory at *path* and those below it.

        Args:
            path: where to begin; for a file its name is "".
            depth: levels to go down, at least 1; None for all.
            known: as for ``listed``.
        """
        found = self._listed(path, known)
        if found is None:
            return
        jobs = {entry["name"]: job for entry, job in found}
        folders, files = (self._named(path, found, kind) for kind in ("directory", "file"))
        level = (path, folders, files) if self.detail else (path, list(folders), list(files))
        if self.topdown:
            yield level
        if depth is None or depth > 1:
            for name in level[1]:
                below = f"{path}/{name}" if path else name
                yield from self.levels(below, depth and depth - 1, jobs.get(below))
        if not self.topdown:
            yield level

    def _listed(self, path: str, known: Job | None) -> Listed | None:
        try:
            return listed(self.account, path, known)
        except OSError as error:
            if self.on_error == "raise":
                raise
            if callable(self.on_error):
                self.on_error(error)
            return None

    @staticmethod
    def _named(path: str, found: Listed, kind: str) -> dict[str, Entry]:
        these = [entry for entry, _ in found if entry["type"] == kind]
        return {"" if entry["name"] == path else entry["name"].rsplit("/", 1)[-1]: entry for entry in these}
