"""New jobs: what Initiate Job is asked for becomes a job, or a refusal."""

import json
from collections.abc import Mapping

from casfs.emulator import inventories, ranges
from casfs.emulator.content import InMemory
from casfs.emulator.dialect import Dialect
from casfs.emulator.jobs import (
    ARCHIVE_RETRIEVAL,
    INVENTORY_RETRIEVAL,
    PULL_FROM_COS,
    PUSH_TO_COS,
    Archive,
    Job,
    Json,
    Output,
)
from casfs.emulator.refusal import Refusal
from casfs.emulator.state import State, Vault

Wish = Mapping[str, Json]
"""The body of Initiate Job."""

ACTIONS = {
    "archive-retrieval": ARCHIVE_RETRIEVAL,
    "inventory-retrieval": INVENTORY_RETRIEVAL,
    "push-to-cos": PUSH_TO_COS,
    "pull-from-cos": PULL_FROM_COS,
}
TIERS = ("Expedited", "Standard", "Bulk")
ARCHIVES_LISTED = 10_000
"""Archives in one inventory, if the client does not ask for fewer. Source: CAS Initiate Job, Limit."""


def initiate(body: bytes, vault: Vault, state: State, dialect: Dialect) -> Job:
    """Put the job that *body* asks for into *vault* and return it.

    Raises:
        Refusal: the body is no JSON object, or asks for what there is not.
    """
    wish = _wish(body)
    action = ACTIONS.get(_text(wish, "Type"))
    if action is None:
        raise Refusal("InvalidParameterValueException", f"Invalid job type: {wish['Type']}")
    return state.add_job(
        vault.name,
        action,
        _retrieves(action, wish, vault, state, dialect),
        takes_s=state.job_takes_s,
        fields=_fields(action, wish),
        description=_text(wish, "Description", ""),
        call_back_url=_text(wish, "CallBackUrl", "") or None,
    )


def _wish(body: bytes) -> Wish:
    try:
        wish = json.loads(body)
    except ValueError as error:
        raise Refusal("SerializationException", "The body is no JSON.") from error
    if not isinstance(wish, dict):
        raise Refusal("SerializationException", "The body is no JSON object.")
    return wish


def _text(wish: Wish, name: str, default: str | None = None) -> str:
    value = wish.get(name)
    if value is None and default is None:
        raise Refusal("MissingParameterValueException", f"Required parameter missing: {name}")
    return default or "" if value is None else str(value)


def _retrieves(action: str, wish: Wish, vault: Vault, state: State, dialect: Dialect) -> Output | None:
    if action == PULL_FROM_COS:
        return None
    if action == INVENTORY_RETRIEVAL:
        return inventory(vault, _parameters(wish), state, dialect)
    archive = vault.archives.get(_text(wish, "ArchiveId"))
    if archive is None:
        raise Refusal("ResourceNotFoundException", f"The archive ID was not found: {wish['ArchiveId']}")
    return part(archive, _text(wish, "RetrievalByteRange", "") or None)


def part(archive: Archive, byte_range: str | None = None) -> Output:
    """Return the part of *archive* that a RetrievalByteRange names, all of it for None.

    Raises:
        Refusal: it is no range that the service retrieves.
    """
    start, stop = ranges.retrieval(byte_range, archive.content.size)
    return Output(archive.content, start, stop, "application/octet-stream", archive)


def inventory(vault: Vault, parameters: Wish, state: State, dialect: Dialect) -> Output:
    """Return the inventory of *vault* that InventoryRetrievalParameters describe, as it is now."""
    marker, limit = _text(parameters, "Marker", ""), int(_text(parameters, "Limit", "0")) or ARCHIVES_LISTED
    listed = sorted((found for found in vault.archives.values() if found.id >= marker), key=lambda found: found.id)
    is_csv = _text(parameters, "Format", "JSON") == "CSV"
    archives = listed[:limit]
    data = inventories.as_csv(archives) if is_csv else inventories.as_json(vault, archives, state, dialect)
    return Output(InMemory(data), 0, len(data), "text/csv" if is_csv else "application/json")


def inventory_parameters(form: str = "JSON", **asked: Json) -> Wish:
    """Return all five InventoryRetrievalParameters: null if not asked for, the number 0 for a limit not asked for."""
    names = ("StartDate", "EndDate", "Limit", "Marker")
    return {"Format": form, **{name: asked.get(name) for name in names}, "Limit": asked.get("Limit") or 0}


def _parameters(wish: Wish) -> Wish:
    given = wish.get("InventoryRetrievalParameters")
    asked = given if isinstance(given, Mapping) else {}
    chosen = str(wish.get("Format") or "JSON")
    if chosen not in ("CSV", "JSON"):
        raise Refusal("InvalidParameterValueException", f"Invalid format: {chosen}")
    return inventory_parameters(chosen, **asked)


def _fields(action: str, wish: Wish) -> Wish:
    if action == INVENTORY_RETRIEVAL:
        return {"InventoryRetrievalParameters": _parameters(wish)}
    tier = _text(wish, "Tier", "Standard")
    if tier not in TIERS:
        raise Refusal("InvalidParameterValueException", f"Invalid tier: {tier}")
    if action == ARCHIVE_RETRIEVAL:
        return {"Tier": tier}
    moved = {name: _text(wish, name) for name in ("Bucket", "Object")}
    return {**moved, "Tier": tier, **{name: wish.get(name) for name in ("Range", "Condition", "ArchiveDescription")}}
