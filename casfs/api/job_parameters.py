"""What a new job is to do: as the body of Initiate Job, and as the document of the job that does it.

Source: docs/wire.md section 3.
"""

import json
import re
from collections.abc import Mapping

from casfs.api.documents import number, time_ns
from casfs.asked_jobs import ArchiveRetrieval, CosPush, InventoryRetrieval
from casfs.models import ARCHIVE_RETRIEVAL, INVENTORY_RETRIEVAL, PUSH_TO_COS, Job

Parameters = ArchiveRetrieval | InventoryRetrieval | CosPush

DEFAULT_TIER = "Standard"
MOST_ARCHIVES = 10_000
"""Limit of an inventory for which none was asked, where a service tells one. Source: CAS, Initiate Job."""


def body(parameters: Parameters) -> bytes:
    """Return the body that asks for a job, in ASCII: other characters are escaped, as JSON has it."""
    told = _fields_of(parameters) | {"Description": parameters.description}
    return json.dumps({name: value for name, value in told.items() if value}).encode()


def describes(job: Job, parameters: Parameters) -> bool:
    """Return whether *job* does what *parameters* ask for, as far as its document tells.

    What the document leaves out speaks against nothing; what it tells otherwise does. The Marker of an inventory is not
    compared: once the job is finished, it is where the next one begins.
    """
    fields = job.fields
    if not _says(fields.get("JobDescription"), parameters.description):
        return False
    if isinstance(parameters, InventoryRetrieval):
        asked = fields.get("InventoryRetrievalParameters")
        return job.action == INVENTORY_RETRIEVAL and (not isinstance(asked, dict) or _selects(asked, parameters))
    of_archive = fields.get("ArchiveId") == parameters.archive and _is_of_tier(fields, parameters.tier)
    if isinstance(parameters, CosPush):
        return job.action == PUSH_TO_COS and of_archive and _puts(fields, parameters) and _has_range(fields, None)
    return job.action == ARCHIVE_RETRIEVAL and of_archive and _has_range(fields, parameters.byte_range)


def _fields_of(parameters: Parameters) -> dict[str, object]:
    match parameters:
        case ArchiveRetrieval():
            return _of_archive(parameters)
        case CosPush():
            return _of_push(parameters)
    return _of_inventory(parameters)


def _of_push(parameters: CosPush) -> dict[str, object]:
    return {
        "Type": "push-to-cos",
        "ArchiveId": parameters.archive,
        "Bucket": parameters.bucket,
        "Object": parameters.key,
        "Tier": parameters.tier,
    }


def _of_archive(parameters: ArchiveRetrieval) -> dict[str, object]:
    span = parameters.byte_range
    return {
        "Type": "archive-retrieval",
        "ArchiveId": parameters.archive,
        "RetrievalByteRange": f"{span[0]}-{span[1]}" if span else None,
        "Tier": parameters.tier,
    }


def _of_inventory(parameters: InventoryRetrieval) -> dict[str, object]:
    selected = {
        "StartDate": parameters.start_date,
        "EndDate": parameters.end_date,
        "Limit": None if parameters.limit is None else str(parameters.limit),
        "Marker": parameters.marker,
    }
    return {
        "Type": "inventory-retrieval",
        "Format": parameters.format,
        "InventoryRetrievalParameters": {name: value for name, value in selected.items() if value},
    }


def _says(told: object, description: str | None) -> bool:
    """Return whether a job was given *description*; what becomes of characters beyond ASCII is not known."""
    return not re.fullmatch("[ -~]*", description or "") or (told or "") == (description or "")


def _puts(told: Mapping[str, object], asked: CosPush) -> bool:
    """Return whether a job puts an archive where it was asked to; a bucket may be told by its name or its domain."""
    bucket, key = str(told.get("Bucket")), str(told.get("Object"))
    return bucket.partition(".")[0] == asked.bucket.partition(".")[0] and key.lstrip("/") == asked.key.lstrip("/")


def _is_of_tier(told: Mapping[str, object], tier: str | None) -> bool:
    """Return whether a job is of the tier that was asked for, as far as its document tells."""
    return (told.get("Tier") or tier) in (tier, *[DEFAULT_TIER] * (not tier))


def _has_range(fields: Mapping[str, object], asked: tuple[int, int] | None) -> bool:
    """Return whether a job has the range *asked*, inclusive, or all of its archive for None."""
    size = number(fields.get("ArchiveSizeInBytes"))
    whole = (0, size - 1) if size else None
    told = fields.get("RetrievalByteRange")
    found = re.fullmatch(r"([0-9]{1,20})-([0-9]{1,20})", told) if isinstance(told, str) else None
    return (asked or whole) == ((int(found[1]), int(found[2])) if found else whole)


def _selects(told: Mapping[str, object], asked: InventoryRetrieval) -> bool:
    """Return whether an inventory is of the form and the archives that are *asked* for."""
    dates = ((told.get("StartDate"), asked.start_date), (told.get("EndDate"), asked.end_date))
    limit = number(told.get("Limit"))
    return (
        (told.get("Format") or asked.format) == asked.format
        and all(time_ns(one) == time_ns(other) for one, other in dates)
        and (limit == asked.limit or (limit or MOST_ARCHIVES) == (asked.limit or MOST_ARCHIVES))
    )
