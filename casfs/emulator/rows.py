"""One archive as a line of an inventory, in JSON or CSV."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from casfs.emulator.jobs import Archive, Json

Row = Mapping[str, Json]
"""The fields of an archive, by name, in their order."""

COLUMNS = ("ArchiveId", "ArchiveDescription", "CreationDate", "Size", "SHA256TreeHash")
"""What JSON tells of an archive. Source: Get Job Output."""


def date(at_s: float) -> str:
    """Return a moment as the service writes it: ISO 8601 in UTC, with milliseconds."""
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def row(archive: Archive) -> Row:
    """Return what an inventory tells of *archive*: what it overrides stands as it is."""
    values = archive.id, archive.description, date(archive.created_s), archive.content.size
    told: dict[str, Json] = dict(zip(COLUMNS, values, strict=False))
    if "SHA256TreeHash" not in archive.overrides:
        told["SHA256TreeHash"] = archive.tree.root
    return told | dict(archive.overrides)


def in_json(fields: Row) -> bytes:
    """Return a row as an object; a surrogate that stands alone, which is no text of UTF-8, is the escape of it."""
    return json.dumps(fields, ensure_ascii=False).encode("utf-8", "backslashreplace")


@dataclass(frozen=True, slots=True)
class CsvForm:
    """How a service writes CSV.

    Attributes:
        columns: which it has, in order.
        cell: writes the text of one.
    """

    columns: Sequence[str]
    cell: Callable[[str], str]

    def line(self, fields: Row) -> bytes:
        """Return a row as a line; a surrogate that stands alone becomes bytes that are no UTF-8."""
        texts = ("" if value is None else str(value) for value in map(fields.get, self.columns))
        return (",".join(map(self.cell, texts)) + "\n").encode("utf-8", "surrogatepass")

    @property
    def header(self) -> bytes:
        """The line that names the columns."""
        return (",".join(self.columns) + "\n").encode()


def quoted_by_glacier(text: str) -> str:
    r"""Return *text* within quotes if it has a comma, a quote or a backslash, a quote in it being ``\"``.

    Not RFC 4180: a backslash is not escaped. Source: Glacier's Get Job Output.
    """
    return '"' + text.replace('"', '\\"') + '"' if set(text) & set(',"\\') else text


def quoted_by_rfc_4180(text: str) -> str:
    """Return *text* within quotes if it has a comma, a quote or an end of a line, a quote in it being doubled."""
    return '"' + text.replace('"', '""') + '"' if set(text) & set(',"\r\n') else text
