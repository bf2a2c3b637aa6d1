"""The service's JSON as models: tolerant of values, never of shapes.

Sizes come as numbers, as text and as null; actions, states and fields will come that nobody knows yet. All of them are
kept for the document, and a value that cannot be used is as good as none. What is no document is a ProtocolError.

Source: docs/wire.md sections 3, 5 and 6.
"""

import re
import sys

from casfs.api import hostile_json
from casfs.errors import ProtocolError
from casfs.iso_time import ns_of
from casfs.models import ARCHIVE_RETRIEVAL, INVENTORY_RETRIEVAL, Job, JobState, Vault

LARGEST = (1 << 63) - 1
"""The kernel's largest file size, and the last nanosecond (of 2262) that its 64 bits hold."""

SHOWN = 80
"""Characters of a name that are shown in a line: ids have 92 and differ in the first few, and what a service calls a
name may be a page long."""

_SPAN = re.compile(r"\s*([0-9]{1,600})\s*-\s*([0-9]{1,600})\s*")

Fields = dict[str, object]


def parsed(body: bytes | bytearray) -> Fields:
    """Return the document that *body* is.

    Raises:
        ProtocolError: it is none, or a value in it cannot be used.
    """
    fields = parsed_page(body)
    line(fields)
    return fields


def parsed_page(body: bytes | bytearray) -> Fields:
    """Return the JSON object that *body* is, of which parts may be of no use.

    Text that is not UTF-8 is kept as replacement characters: one broken description does not hide a vault. Nor does a
    value that cannot be used: ``line`` refuses the item that holds it, and no other.

    Raises:
        ProtocolError: it is none.
    """
    try:
        value = hostile_json.loads(body.decode("utf-8-sig", "replace"))
    except ValueError as error:
        raise ProtocolError(f"an answer that is no JSON: {type(error).__name__}") from error
    return as_object(value)


def vault_from(fields: Fields, name: str | None = None) -> Vault:
    """Return the vault that a Describe Vault document, or an item of List Vaults, tells of.

    Args:
        fields: the document.
        name: which vault was asked for; None in a list.

    Raises:
        ProtocolError: it has no usable name, or not the one that was asked for.
    """
    return Vault(_name(fields, "VaultName", name), time_ns(fields.get("CreationDate")), line(fields))


def job_from(vault: str, fields: Fields, id_: str | None = None) -> Job:
    """Return the job of *vault* that a Describe Job document, or an item of List Jobs, tells of.

    Args:
        vault: name of the vault.
        fields: the document.
        id_: which job was asked for; None in a list.

    Raises:
        ProtocolError: it has no usable id, or not the one that was asked for.
    """
    action = fields.get("Action")
    action = sys.intern(action) if isinstance(action, str) else ""
    return Job(
        vault=vault,
        id=_name(fields, "JobId", id_),
        action=action,
        state=_state(fields.get("StatusCode")),
        created_ns=time_ns(fields.get("CreationDate")),
        completed_ns=time_ns(fields.get("CompletionDate")),
        size=_size(action, fields),
        tree_hash=tree_hash(fields.get("SHA256TreeHash")),
        document=line(fields),
    )


def line(fields: Fields) -> str:
    """Return *fields* as one line of ASCII JSON, in their order.

    Raises:
        ProtocolError: a value in them cannot be used, or they are nested too deeply.
    """
    try:
        return hostile_json.dumps(fields)
    except ValueError as error:
        raise ProtocolError(f"the document of {_shown(fields)}: {error}") from error


def number(value: object) -> int | None:
    """Return the count that *value* is, as a number or as its digits; None for what is no count of bytes.

    What is more than LARGEST counts as LARGEST: whoever bounds sizes is to see that there was one, and that it is none.
    """
    if isinstance(value, str):
        value = int(value) if re.fullmatch(r"\s*[0-9]{1,600}\s*", value, re.ASCII) else None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return min(value, LARGEST) if value >= 0 else None


def span(value: object) -> int | None:
    """Return how many bytes the RetrievalByteRange *value*, ``first-last``, has; None where it is none.

    More than LARGEST count as LARGEST, as with ``number``.
    """
    found = _SPAN.fullmatch(value) if isinstance(value, str) else None
    length = int(found[2]) - int(found[1]) + 1 if found else 0
    return min(length, LARGEST) if length > 0 else None


def time_ns(value: object) -> int | None:
    """Return the nanoseconds since 1970 that the ISO 8601 date *value* names; None where it is none, or too far off."""
    nanoseconds = ns_of(value) if isinstance(value, str) else None
    return nanoseconds if nanoseconds is not None and abs(nanoseconds) <= LARGEST else None


def tree_hash(value: object) -> str | None:
    """Return the SHA-256 *value* in lower case; None where it is no 64 hex digits."""
    return value.lower() if isinstance(value, str) and re.fullmatch("[0-9a-fA-F]{64}", value) else None


def _size(action: str, fields: Fields) -> int | None:
    """Return how long the output is, as the document says.

    An inventory of 0 bytes is one that is not done, or a server that does not know.
    """
    if action == ARCHIVE_RETRIEVAL:
        return span(fields.get("RetrievalByteRange"))
    if action == INVENTORY_RETRIEVAL:
        return number(fields.get("InventorySizeInBytes")) or None
    return None


def _state(value: object) -> JobState:
    return next((state for state in JobState if state == value), JobState.UNKNOWN)


def _name(fields: Fields, field: str, asked: str | None) -> str:
    """Return the name in *field*: one that can be asked for, and the one that was *asked* for."""
    value = fields.get(field, asked)
    if not isinstance(value, str) or not value or re.search("[\ud800-\udfff]", value):
        # of what is no text, the kind alone: a list may have 64 MiB of text, or more levels than the stack
        said = cut(value) if isinstance(value, str) else f"a {type(value).__name__}"
        raise ProtocolError(f"a document whose {field} is {said}")
    if asked not in (None, value):
        raise ProtocolError(f"the document of {cut(value)} in answer to {cut(asked or '')}")
    return value


def cut(name: str) -> str:
    """Return *name* as it is shown in a line: quoted ASCII, of at most 80 of its characters."""
    return ascii(name) if len(name) <= SHOWN else f"{name[:SHOWN]!a}..."


def _shown(fields: Fields) -> str:
    """Return what a document is called, for a line about it."""
    names = (fields.get(field) for field in ("JobId", "VaultName"))
    return next((cut(name) for name in names if isinstance(name, str)), "nobody")


def as_object(value: object) -> Fields:
    """Return *value* if it is a JSON object.

    Raises:
        ProtocolError: it is not.
    """
    if not isinstance(value, dict):
        raise ProtocolError(f"a {type(value).__name__} where an object belongs")
    return value
