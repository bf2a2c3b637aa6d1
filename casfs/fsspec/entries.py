"""What fsspec is told of each path, as its dicts."""

from datetime import UTC, datetime, timedelta
from typing import Any

from casfs.models import Job, Vault

Entry = dict[str, Any]
"""``name`` (the path without its protocol), ``size`` in bytes, ``type`` (``file`` or ``directory``), and where they are
known ``created``, ``mtime``, ``expires`` (aware datetimes), ``tree_hash`` and ``describe`` (the service's document)."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def of_root() -> Entry:
    """Return the entry of the directory of all vaults."""
    return {"name": "", "size": 0, "type": "directory"}


def of_vault(vault: Vault) -> Entry:
    """Return the entry of a vault."""
    created = _time(vault.created_ns)
    about = {"created": created, "mtime": created, "describe": vault.fields}
    return {"name": vault.name, "size": 0, "type": "directory", **about}


def of_job(job: Job) -> Entry:
    """Return the entry of a job's directory."""
    return {"name": f"{job.vault}/{job.id}", "size": 0, "type": "directory", **_about(job)}


def of_output(job: Job, size: int | None) -> Entry:
    """Return the entry of a job's output.

    Args:
        job: whose.
        size: in bytes, None where it is not known without asking for the output.
    """
    return {"name": f"{job.vault}/{job.id}/output", "size": size, "type": "file", **_about(job)}


def _about(job: Job) -> Entry:
    return {
        "created": _time(job.created_ns),
        "mtime": _time(job.changed_ns),
        "expires": _time(job.expires_ns),
        "tree_hash": job.tree_hash,
        "describe": job.fields,
    }


def _time(ns: int | None) -> datetime | None:
    return None if ns is None else _EPOCH + timedelta(microseconds=ns // 1000)
