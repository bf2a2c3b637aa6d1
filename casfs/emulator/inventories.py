"""The inventory of a vault, as JSON or CSV: which archives it lists, and how."""

import json
import math
import operator
from collections.abc import Mapping, Sequence
from datetime import datetime

from casfs.emulator.content import InMemory
from casfs.emulator.dialect import Dialect, InventoryRules
from casfs.emulator.documents import date, resource
from casfs.emulator.jobs import Archive, Json, StoredOutput
from casfs.emulator.refusal import Refusal
from casfs.emulator.state import State, StoredVault

COLUMNS = ("ArchiveId", "ArchiveDescription", "CreationDate", "Size", "SHA256TreeHash")
"""Of a CSV inventory. Source: Glacier's Get Job Output; CAS says "five columns" and names the first four."""


def inventory(
    vault: StoredVault, state: State, dialect: Dialect, *, form: str = "JSON", asked: Mapping[str, Json] | None = None
) -> tuple[StoredOutput, dict[str, Json]]:
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
    archives, following = _listed(vault, wanted, dialect.inventories)
    data = _as_csv(archives) if form == "CSV" else _as_json(vault, archives, state, dialect)
    parameters = {
        "Format": form,
        "StartDate": wanted.get("StartDate"),
        "EndDate": wanted.get("EndDate"),
        "Limit": wanted.get("Limit") or dialect.inventories.no_limit,
        "Marker": following,
    }
    media_type = "text/csv" if form == "CSV" else "application/json"
    return StoredOutput(InMemory(data), 0, len(data), media_type), {"InventoryRetrievalParameters": parameters}


def _listed(vault: StoredVault, wanted: Mapping[str, Json], rules: InventoryRules) -> tuple[list[Archive], str | None]:
    """Return the archives that the parameters select, by id, and the id that a next inventory starts from."""
    limit, marker = _limit(str(wanted.get("Limit") or ""), rules.most), str(wanted.get("Marker") or "")
    first_s, end_s = _moment(wanted, "StartDate", 0.0), _moment(wanted, "EndDate", math.inf)
    within = operator.le if rules.end_included else operator.lt
    dated = (one for one in vault.archives.values() if first_s <= one.created_s and within(one.created_s, end_s))
    found = sorted((one for one in dated if one.id >= marker), key=lambda one: one.id)
    return found[:limit], found[limit].id if limit is not None and len(found) > limit else None


def _limit(text: str, most: int | None) -> int | None:
    if not text:
        return most
    if not text.isdecimal() or int(text) < 1 or (most and int(text) > most):
        raise Refusal("InvalidParameterValueException", f"Invalid limit: {text}")
    return int(text)


def _moment(wanted: Mapping[str, Json], name: str, default: float) -> float:
    text = wanted.get(name)
    try:
        return datetime.strptime(str(text), "%Y-%m-%dT%H:%M:%S%z").timestamp() if text else default
    except ValueError as error:
        raise Refusal("InvalidParameterValueException", f"Invalid {name}: {text}") from error


def _as_json(vault: StoredVault, archives: Sequence[Archive], state: State, dialect: Dialect) -> bytes:
    document = {
        dialect.resource_key: resource(dialect, state, vault.name),
        "InventoryDate": date(state.clock() if vault.inventory_s is None else vault.inventory_s),
        "ArchiveList": [dict(zip(COLUMNS, _row(archive), strict=True)) for archive in archives],
    }
    return json.dumps(document, ensure_ascii=False).encode()


def _as_csv(archives: Sequence[Archive]) -> bytes:
    r"""Return lines under a header.

    Not RFC 4180: a field with a comma, a quote or a backslash is within quotes, where a quote is ``\"`` and a
    backslash is not escaped. Source: Glacier's Get Job Output, which the CAS documents transcribe.
    """
    lines = [",".join(COLUMNS), *(",".join(map(_cell, _row(archive))) for archive in archives)]
    return "".join(f"{line}\n" for line in lines).encode()


def _row(archive: Archive) -> tuple[str, str, str, int, str]:
    return archive.id, archive.description, date(archive.created_s), archive.content.size, archive.tree.root


def _cell(value: object) -> str:
    text = str(value)
    return '"' + text.replace('"', '\\"') + '"' if set(text) & set(',"\\') else text
