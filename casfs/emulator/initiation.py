"""New jobs: what Initiate Job is asked for becomes a job, or a refusal."""

import json
from collections.abc import Mapping

from casfs.emulator import ranges
from casfs.emulator.dialect import Dialect
from casfs.emulator.inventories import inventory
from casfs.emulator.jobs import (
    ARCHIVE_RETRIEVAL,
    INVENTORY_RETRIEVAL,
    PULL_FROM_COS,
    PUSH_TO_COS,
    SELECT,
    Archive,
    Json,
    StoredJob,
    StoredOutput,
)
from casfs.emulator.refusal import Refusal
from casfs.emulator.state import State, StoredVault

Wish = Mapping[str, Json]
"""The body of Initiate Job."""
Found = tuple[StoredOutput | None, Wish]
"""The bytes a new job is about, and the fields that its document has for them."""

ACTIONS = {
    "archive-retrieval": ARCHIVE_RETRIEVAL,
    "inventory-retrieval": INVENTORY_RETRIEVAL,
    "push-to-cos": PUSH_TO_COS,
    "pull-from-cos": PULL_FROM_COS,
    "select": SELECT,
}
TIERS = ("Expedited", "Standard", "Bulk")


def initiate(body: bytes, vault: StoredVault, state: State, dialect: Dialect) -> StoredJob:
    """Put the job that *body* asks for into *vault* and return it.

    Raises:
        Refusal: the body is no JSON object, or asks for what there is not.
    """
    wish = _wish(body)
    action, description = ACTIONS.get(_text(wish, "Type"), ""), _text(wish, "Description", "")
    if action not in dialect.job_fields:
        raise Refusal("InvalidParameterValueException", f"Invalid job type: {wish['Type']}")
    if not dialect.job_description.fullmatch(description):
        raise Refusal("InvalidParameterValueException", "Invalid description")
    retrieves, fields = _found(action, wish, vault, state, dialect)
    tier = fields.get("Tier")
    if retrieves and retrieves.archive:
        _admit(retrieves.size, tier, state, dialect)
    return state.add_job(
        vault.name,
        action,
        retrieves,
        job_id=state.fresh_id(dialect.job_id_length),
        takes_s=state.takes_s(tier),
        fields=fields,
        description=description,
        call_back_url=_text(wish, dialect.call_back_key, "") or None,
    )


def asked_archive(body: bytes) -> str | None:
    """Return the id of the archive that the body of Initiate Job names; None where it names none."""
    try:
        named = _wish(body).get("ArchiveId")
    except Refusal:
        return None
    return named if isinstance(named, str) else None


def part(archive: Archive, byte_range: str | None = None) -> StoredOutput:
    """Return the part of *archive* that a RetrievalByteRange names, all of it for None.

    Raises:
        Refusal: it is no range that the service retrieves.
    """
    start, stop = ranges.retrieval(byte_range, archive.content.size)
    return StoredOutput(archive.content, start, stop, "application/octet-stream", archive)


def _admit(size: int, tier: Json, state: State, dialect: Dialect) -> None:
    """Raise Refusal unless *size* bytes of an archive may be retrieved now."""
    if tier == "Expedited" and dialect.expedited_most is not None and size > dialect.expedited_most:
        raise Refusal("InvalidParameterValueException", f"Expedited retrieves {dialect.expedited_most} bytes at most.")
    if not state.policy.admits(size, state.clock()):
        raise Refusal("PolicyEnforcedException", "InitiateJob request denied by current data retrieval policy.")


def _wish(body: bytes) -> Wish:
    try:
        wish = json.loads(body)
    except ValueError as error:
        raise Refusal("SerializationException", "The body is no JSON.") from error
    if not isinstance(wish, dict):
        raise Refusal("SerializationException", "The body is no JSON object.")
    return wish


def _found(action: str, wish: Wish, vault: StoredVault, state: State, dialect: Dialect) -> Found:
    if action == INVENTORY_RETRIEVAL:
        asked = wish.get("InventoryRetrievalParameters")
        form, selected = _text(wish, "Format", "JSON"), asked if isinstance(asked, Mapping) else None
        return inventory(vault, state, dialect, form=form, asked=selected)
    if action == PULL_FROM_COS:
        optional = {name: wish.get(name) for name in ("Condition", "ArchiveDescription")}
        return None, _required(wish, "Bucket", "Object", "Range") | optional
    needed = _required(wish, "Bucket", "Object") if action == PUSH_TO_COS else {}
    selected = {name: wish.get(name) for name in ("OutputLocation", "SelectParameters")} if action == SELECT else {}
    return _part(wish, vault), {**needed, **selected, **_tier(wish)}


def _part(wish: Wish, vault: StoredVault) -> StoredOutput:
    archive = vault.archive(_text(wish, "ArchiveId"))
    if archive is None:
        raise Refusal("ResourceNotFoundException", f"The archive ID was not found: {wish['ArchiveId']}")
    return part(archive, _text(wish, "RetrievalByteRange", "") or None)


def _tier(wish: Wish) -> dict[str, Json]:
    tier = _text(wish, "Tier", "Standard")
    if tier not in TIERS:
        raise Refusal("InvalidParameterValueException", f"Invalid tier: {tier}")
    return {"Tier": tier}


def _required(wish: Wish, *names: str) -> dict[str, Json]:
    return {name: _text(wish, name) for name in names}


def _text(wish: Wish, name: str, default: str | None = None) -> str:
    value = wish.get(name)
    if value is not None:
        return str(value)
    if default is None:
        raise Refusal("MissingParameterValueException", f"Required parameter missing: {name}")
    return default
