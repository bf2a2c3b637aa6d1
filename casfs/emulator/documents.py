"""Vaults and jobs as the JSON documents of the service: every field, in its order, null where it says so."""

from collections.abc import Mapping

from casfs.emulator.dialect import Dialect
from casfs.emulator.jobs import ARCHIVE_RETRIEVAL, Json, StoredJob, StoredOutput
from casfs.emulator.rows import date
from casfs.emulator.state import State, StoredVault

Document = dict[str, Json]


def resource(dialect: Dialect, state: State, vault: str) -> str:
    """Return the resource name of a vault."""
    return dialect.resource.format(region=state.region, account=state.account, vault=vault)


def vault_document(vault: StoredVault, state: State, dialect: Dialect) -> Document:
    """Return what Describe Vault answers; counts are null before the first inventory."""
    return {
        "CreationDate": date(vault.created_s),
        "LastInventoryDate": None if vault.inventory_s is None else date(vault.inventory_s),
        "NumberOfArchives": None if vault.inventory_s is None else vault.count,
        "SizeInBytes": None if vault.inventory_s is None else vault.size,
        dialect.resource_key: resource(dialect, state, vault.name),
        "VaultName": vault.name,
        **vault.overrides,
    }


def job_document(job: StoredJob, vault: StoredVault, state: State, dialect: Dialect) -> Document:
    """Return what Describe Job answers now; where a next inventory starts is known once one has been made."""
    status = job.status(state.clock())
    own = {dialect.resource_key: resource(dialect, state, vault.name), dialect.call_back_key: job.call_back_url}
    known = _common(job, status, dialect) | own | dict(job.fields)
    if job.retrieves and job.retrieves.archive:
        known |= _archive(job.retrieves, status)
    elif job.retrieves:
        rules = dialect.inventories
        known["InventorySizeInBytes"] = rules.size(job.retrieves.size) if status == "Succeeded" else rules.size_to_come
    asked = known.get("InventoryRetrievalParameters")
    if status == "InProgress" and isinstance(asked, Mapping):
        known["InventoryRetrievalParameters"] = {**asked, "Marker": None}
    told = dialect.job_fields.get(job.action, dialect.job_fields[ARCHIVE_RETRIEVAL])
    names = dialect.job_keys or told
    return {name: known.get(name) if name in told else None for name in names} | dict(job.overrides)


def _common(job: StoredJob, status: str, dialect: Dialect) -> Document:
    completed = status != "InProgress"
    message = (job.failure or status) if completed else dialect.running
    return {
        "Action": job.action,
        "JobId": job.id,
        "JobDescription": job.description or dialect.no_description,
        "CreationDate": date(job.created_s),
        "CompletionDate": date(job.completes_s) if completed else None,
        "Completed": completed,
        "StatusCode": status,
        "StatusMessage": message,
    }


def _archive(retrieves: StoredOutput, status: str) -> Document:
    """Fields of a job about an archive.

    The hash of a part is null while the job runs, and for good where the part is no node of the tree.
    Source: Describe Job, SHA256TreeHash.
    """
    archive = retrieves.archive
    if archive is None:
        return {}
    part_runs = status == "InProgress" and retrieves.size != archive.content.size
    return {
        "ArchiveId": archive.id,
        "ArchiveSizeInBytes": archive.content.size,
        "ArchiveSHA256TreeHash": archive.tree.root,
        "RetrievalByteRange": f"{retrieves.start}-{retrieves.stop - 1}" if retrieves.size else None,
        "SHA256TreeHash": None if part_runs else retrieves.tree_hash(0, retrieves.size),
    }
