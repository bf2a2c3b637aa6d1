"""The service's JSON as models: tolerant of values, never of shapes.

Sizes come as numbers, as text and as null; actions, states and fields will come that nobody knows yet. All of them are
kept for the document, and a value that cannot be used is as good as none. What is no document is a ProtocolError.

Source: reference api.md sections 3.1, 3.4, 6 and 8.
"""

import json
import math
import re
import sys
from datetime import UTC, datetime

from casfs.errors import ProtocolError
from casfs.models import ARCHIVE_RETRIEVAL, INVENTORY_RETRIEVAL, Job, JobState, Vault

LARGEST = (1 << 63) - 1
"""The kernel's largest file size, and the last nanosecond (of 2262) that its 64 bits hold."""

_DATE = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(?:[Zz]|([+-]\d\d):?(\d\d))?", re.ASCII)
_SPAN = re.compile(r"\s*([0-9]{1,600})\s*-\s*([0-9]{1,600})\s*")

Fields = dict[str, object]


def parsed(body: bytes | bytearray) -> Fields:
    """Return the JSON object that *body* is.

    Text that is not UTF-8 is kept as replacement characters: one broken description does not hide a vault.

    Raises:
        ProtocolError: it is none, or one that no JSON can hold (NaN) or no stack.
    """
    try:
        value = json.loads(body.decode("utf-8-sig", "replace"), parse_constant=_refused, parse_float=_finite)
    except (ValueError, RecursionError) as error:
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
        ProtocolError: they are nested too deeply.
    """
    try:
        return json.dumps(fields, separators=(",", ":"))
    except RecursionError as error:
        raise ProtocolError("a document that is nested too deeply") from error


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
    """Return the nanoseconds since 1970 that the ISO 8601 date *value* names; None where it is none.

    UTC is meant where no offset is given. A tenth digit of the second and those behind it are dropped.
    """
    found = _DATE.fullmatch(value.strip()) if isinstance(value, str) else None
    if not found:
        return None
    day, time, fraction, hours, minutes = found.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{time}{hours or '+00'}:{minutes or '00'}")
        seconds = int((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())
    except (ValueError, OverflowError):
        return None
    nanoseconds = seconds * 10**9 + int((fraction or "0").ljust(9, "0"))
    return nanoseconds if abs(nanoseconds) <= LARGEST else None


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
        raise ProtocolError(f"a document whose {field} is {str(value)[:80]!a}")
    if asked not in (None, value):
        raise ProtocolError(f"the document of {value[:80]!a} in answer to {asked!a}")
    return value


def as_object(value: object) -> Fields:
    """Return *value* if it is a JSON object.

    Raises:
        ProtocolError: it is not.
    """
    if not isinstance(value, dict):
        raise ProtocolError(f"a {type(value).__name__} where an object belongs")
    return value


def _refused(name: str) -> None:
    raise ValueError(name)


def _finite(digits: str) -> float:
    """Return a number, or refuse one that could not be written again."""
    value = float(digits)
    if math.isinf(value):
        raise ValueError(digits)
    return value
