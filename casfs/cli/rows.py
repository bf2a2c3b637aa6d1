"""Vaults and jobs as results of a command."""

import time
from collections.abc import Mapping
from typing import Any

from casfs.cli.results import Row, duration, size
from casfs.iso_time import iso_utc
from casfs.models import Job, Vault

JOBS = ("state", "action", ">size", "expires in", "tier", "description", "id")
VAULTS = ("vault", "created")
NOTHING = "-"


def of_vault(vault: Vault) -> Row:
    """Return a vault."""
    created = _moment(vault.created_ns)
    fields = dict.fromkeys(KEYS) | {"vault": vault.name, "created": created, "document": vault.fields}
    return Row(fields, (vault.name, created or NOTHING), (vault.name, created or NOTHING))


def of_job(job: Job) -> Row:
    """Return a job."""
    fields = fields_of(job)
    said = tuple(str(fields[name] or NOTHING) for name in ("state", "action"))
    rest = tuple(str(fields[name] or NOTHING) for name in ("tier", "description", "job"))
    exact = (NOTHING if job.size is None else str(job.size), str(fields["expires"] or NOTHING))
    rounded = (NOTHING if job.size is None else size(job.size), _left(job))
    return Row(fields, (*said, *exact, *rest), (*said, *rounded, *rest))


KEYS = (
    "vault", "job", "state", "action", "size", "tree_hash", "created", "completed", "expires", "tier", "description",
    "archive", "document",
)  # fmt: skip
"""What an object of a vault or a job has; null where there is no such thing, or nobody says."""


def fields_of(job: Job) -> dict[str, object]:
    """Return what is told of a job in JSON."""
    document = job.fields
    found = (
        job.vault, job.id, job.state, job.action, job.size, job.tree_hash, _moment(job.created_ns),
        _moment(job.completed_ns), _moment(job.expires_ns), _text(document, "Tier"), _text(document, "JobDescription"),
        _text(document, "ArchiveId"), document,
    )  # fmt: skip
    return dict(zip(KEYS, found, strict=True))


def _left(job: Job) -> str:
    if job.expires_ns is None:
        return NOTHING
    left_s = job.expires_ns / 10**9 - time.time()
    return duration(left_s) if left_s > 0 else "expired"


def _moment(moment_ns: int | None) -> str | None:
    return None if moment_ns is None else iso_utc(moment_ns)


def _text(document: Mapping[str, Any], field: str) -> str | None:
    found = document.get(field)
    return found if isinstance(found, str) else None
