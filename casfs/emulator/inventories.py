"""The inventory of a vault, as JSON or CSV."""

import json
from collections.abc import Sequence

from casfs.emulator.dialect import Dialect
from casfs.emulator.documents import date, resource
from casfs.emulator.jobs import Archive
from casfs.emulator.state import State, Vault

COLUMNS = ("ArchiveId", "ArchiveDescription", "CreationDate", "Size", "SHA256TreeHash")
"""Of a CSV inventory. Source: Glacier's Get Job Output; CAS says "five columns" and names the first four."""


def as_json(vault: Vault, archives: Sequence[Archive], state: State, dialect: Dialect) -> bytes:
    """Return the inventory of *vault* that lists *archives*, as a JSON object."""
    document = {
        dialect.resource_key: resource(dialect, state, vault.name),
        "InventoryDate": date(state.clock() if vault.inventory_s is None else vault.inventory_s),
        "ArchiveList": [dict(zip(COLUMNS, _row(archive), strict=True)) for archive in archives],
    }
    return json.dumps(document, ensure_ascii=False).encode()


def as_csv(archives: Sequence[Archive]) -> bytes:
    r"""Return the inventory that lists *archives*, as lines under a header.

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
