"""The inventory of a vault, as JSON or CSV: which archives it lists, and how."""

import math
import operator
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from casfs.emulator.content import InMemory, Repeated, StoredContent
from casfs.emulator.dialect import Dialect, InventoryRules
from casfs.emulator.documents import resource
from casfs.emulator.jobs import Archive, Json, StoredOutput
from casfs.emulator.refusal import Refusal
from casfs.emulator.rows import CsvForm, date, in_json, row
from casfs.emulator.state import State, StoredVault


@dataclass(frozen=True, slots=True)
class Listed:
    """What an inventory lists, and where the next one starts.

    Attributes:
        archives: those that somebody put into the vault.
        numbers: of those that are generated, after them.
        following: id of the first archive that is left for a next one, None if none is.
    """

    archives: Sequence[Archive]
    numbers: range
    following: str | None


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
    rules = dialect.inventories
    listed = _listed(vault, wanted, rules)
    content = _as_csv(vault, listed, rules.csv) if form == "CSV" else _as_json(vault, listed, state, dialect)
    parameters = {
        "Format": form,
        "StartDate": wanted.get("StartDate"),
        "EndDate": wanted.get("EndDate"),
        "Limit": wanted.get("Limit") or rules.no_limit,
        "Marker": listed.following,
    }
    media_type = "text/csv" if form == "CSV" else "application/json"
    return StoredOutput(content, 0, content.size, media_type), {"InventoryRetrievalParameters": parameters}


def _listed(vault: StoredVault, wanted: Mapping[str, Json], rules: InventoryRules) -> Listed:
    """Return the archives that the parameters select, in the order of their ids, the generated ones last."""
    limit, marker = _limit(str(wanted.get("Limit") or ""), rules), str(wanted.get("Marker") or "")
    first_s, end_s = _moment(wanted, "StartDate", 0.0), _moment(wanted, "EndDate", math.inf)
    within = operator.le if rules.end_included else operator.lt
    dated = (one for one in vault.archives.values() if first_s <= one.created_s and within(one.created_s, end_s))
    numbers = vault.generated.between(first_s, end_s, end_included=rules.end_included)
    number = vault.generated.number(marker)
    if number is not None:
        return _cut([], numbers[bisect_left(numbers, number) :], limit, vault)
    return _cut(sorted((one for one in dated if one.id >= marker), key=lambda one: one.id), numbers, limit, vault)


def _cut(archives: Sequence[Archive], numbers: range, limit: int | None, vault: StoredVault) -> Listed:
    """Cut one inventory of at most *limit* archives off those that are left."""
    if limit is None or len(archives) + len(numbers) <= limit:
        return Listed(archives, numbers, None)
    if len(archives) > limit:
        return Listed(archives[:limit], numbers[:0], archives[limit].id)
    rest = limit - len(archives)
    return Listed(archives, numbers[:rest], vault.generated.id(numbers[rest]))


def _limit(text: str, rules: InventoryRules) -> int | None:
    if not text:
        return rules.page
    if not text.isdecimal() or int(text) < 1 or (rules.most and int(text) > rules.most):
        raise Refusal("InvalidParameterValueException", f"Invalid limit: {text}")
    return int(text)


def _moment(wanted: Mapping[str, Json], name: str, default: float) -> float:
    text = wanted.get(name)
    try:
        return datetime.strptime(str(text), "%Y-%m-%dT%H:%M:%S%z").timestamp() if text else default
    except ValueError as error:
        raise Refusal("InvalidParameterValueException", f"Invalid {name}: {text}") from error


def _as_json(vault: StoredVault, listed: Listed, state: State, dialect: Dialect) -> StoredContent:
    told = {
        dialect.resource_key: resource(dialect, state, vault.name),
        "InventoryDate": date(state.clock() if vault.inventory_s is None else vault.inventory_s),
        "ArchiveList": [],
    }
    head = in_json(told).removesuffix(b"]}") + b", ".join(in_json(row(archive)) for archive in listed.archives)
    if not listed.numbers:
        return InMemory(head + b"]}")
    between = b", " if listed.archives else b""
    return Repeated(head + between, vault.generated.rows(in_json), listed.numbers, ", ", b"]}")


def _as_csv(vault: StoredVault, listed: Listed, form: CsvForm) -> StoredContent:
    head = form.header + b"".join(form.line(row(archive)) for archive in listed.archives)
    if not listed.numbers:
        return InMemory(head)
    return Repeated(head, vault.generated.rows(form.line), listed.numbers, "", b"")
