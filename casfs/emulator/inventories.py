"""The inventory of a vault, as JSON or CSV: which archives it lists, and how."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from casfs.emulator.content import InMemory
from casfs.emulator.dialect import Dialect
from casfs.emulator.documents import date, resource
from casfs.emulator.jobs import Archive, Json, Output
from casfs.emulator.refusal import Refusal
from casfs.emulator.state import State, Vault

COLUMNS = ("ArchiveId", "ArchiveDescription", "CreationDate", "Size", "SHA256TreeHash")
"""Of a CSV inventory. Source: Glacier's Get Job Output; CAS says "five columns" and names the first four."""
ARCHIVES_LISTED = 10_000
"""Archives in one inventory, at most and if the client does not say. Source: CAS Initiate Job, Limit."""


def inventory(
    vault: Vault, state: State, dialect: Dialect, *, form: str = "JSON", asked: Mapping[str, Json] | None = None
) -> tuple[Output, dict[str, Json]]:
    """Return the inventory of *vault* as it is now, and the fields that the document of its job has for it.

    Args:
        vault: whose.
        state: that holds it.
        dialect: of the resource name.
        form: ``JSON`` or ``CSV``.
        asked: InventoryRetrievalParameters of the client: StartDate, EndDate, Limit, Marker.

    Raises:
        Refusal: one of them cannot be used.
    """
    if form not in ("JSON", "CSV"):
        raise Refusal("InvalidParameterValueException", f"Invalid format: {form}")
    wanted = asked or {}
    archives, following = _listed(vault, wanted)
    data = _as_csv(archives) if form == "CSV" else _as_json(vault, archives, state, dialect)
    parameters = {
        "Format": form,
        "StartDate": wanted.get("StartDate"),
        "EndDate": wanted.get("EndDate"),
        "Limit": wanted.get("Limit") or 0,  # the number, where none was asked for: what the vendor's SDK looks for
        "Marker": following,
    }
    media_type = "text/csv" if form == "CSV" else "application/json"
    return Output(InMemory(data), 0, len(data), media_type), {"InventoryRetrievalParameters": parameters}


def _listed(vault: Vault, wanted: Mapping[str, Json]) -> tuple[list[Archive], str | None]:
    """Return the archives that the parameters select, by id, and the id that a next inventory starts from."""
    limit, marker = str(wanted.get("Limit") or ARCHIVES_LISTED), str(wanted.get("Marker") or "")
    if not limit.isdecimal() or not 1 <= int(limit) <= ARCHIVES_LISTED:
        raise Refusal("InvalidParameterValueException", f"Invalid limit: {limit}")
    first_s, last_s = _moment(wanted, "StartDate", 0.0), _moment(wanted, "EndDate", float("inf"))
    found = sorted(
        (one for one in vault.archives.values() if one.id >= marker and first_s <= one.created_s <= last_s),
        key=lambda one: one.id,
    )
    return found[: int(limit)], found[int(limit)].id if len(found) > int(limit) else None


def _moment(wanted: Mapping[str, Json], name: str, default: float) -> float:
    text = wanted.get(name)
    try:
        return datetime.strptime(str(text), "%Y-%m-%dT%H:%M:%S%z").timestamp() if text else default
    except ValueError as error:
        raise Refusal("InvalidParameterValueException", f"Invalid {name}: {text}") from error


def _as_json(vault: Vault, archives: Sequence[Archive], state: State, dialect: Dialect) -> bytes:
    document = {
        dialect.resource_key: resource(dialect, state, vault.name),
        "InventoryDate": date(state.clock() if vault.inventory_s is None else vault.inventory_s),
        "ArchiveList": [dict(zip(COLUMNS, _row(archive), strict=True)) for archive in archives],
    }
    return json.dumps(document, ensure_ascii=False).encode()


def _as_csv(archives: Sequence[Archive]) -> bytes:
    r"""Return lines under a header.

    Not RFC 4180: a quote within quotes is ``\"``, and a backslash is not escaped. Source: Glacier's Get Job Output,
    which the CAS documents transcribe.
    """
    lines = [",".join(COLUMNS), *(",".join(map(_cell, _row(archive))) for archive in archives)]
    return "".join(f"{line}\n" for line in lines).encode()


def _row(archive: Archive) -> tuple[str, str, str, int, str]:
    return archive.id, archive.description, date(archive.created_s), archive.content.size, archive.tree.root


def _cell(value: object) -> str:
    text = str(value)
    return '"' + text.replace('"', '\\"') + '"' if "," in text or '"' in text else text
