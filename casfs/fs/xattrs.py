"""A node's service metadata as user.cas.* extended attributes.

Each scalar field of a document is ``user.cas.`` and its name in snake case. Those that are documented::

    Action                 action                    InventorySizeInBytes   inventory_size_in_bytes
    ArchiveDescription     archive_description       JobDescription         job_description
    ArchiveId              archive_id                JobId                  job_id
    ArchiveSHA256TreeHash  archive_sha256_tree_hash  LastInventoryDate      last_inventory_date
    ArchiveSizeInBytes     archive_size_in_bytes     NumberOfArchives       number_of_archives
    Bucket                 bucket                    Object                 object
    CallBackUrl            call_back_url             Range                  range
    Completed              completed                 RetrievalByteRange     retrieval_byte_range
    CompletionDate         completion_date           SHA256TreeHash         sha256_tree_hash
    CreationDate           creation_date             SizeInBytes            size_in_bytes
    StatusCode             status_code               StatusMessage          status_message
    SNSTopic               sns_topic                 Tier                   tier
    VaultARN               vault_arn                 VaultName              vault_name
    VaultQCS               vault_qcs                 JobOutputPath          job_output_path

Null fields are absent; objects and lists (InventoryRetrievalParameters, Condition, …) are in ``describe`` only.
Nothing here makes a request.
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import assert_never

from casfs.fs.needs import Outputs
from casfs.models import Job
from casfs.tree.nodes import JobDir, Node, OutputFile, Root, VaultDir

NAMESPACE = "user."
PREFIX = NAMESPACE + "cas."
STATS = PREFIX + "stats"
MEDIA_TYPE = NAMESPACE + "mime_type"
OWN_NAMES = frozenset({"describe", "tree_hash", "expires", "verified", "stats"})
"""What a field of a document must not be taken for."""

NAME_MAX_BYTES = 255
"""Source: Linux, XATTR_NAME_MAX in include/uapi/linux/limits.h."""

VALUE_MAX_BYTES = 65536
"""Source: Linux, XATTR_SIZE_MAX. A name whose value cannot be read would fail every ``cp --preserve=xattr``."""

LIST_MAX_BYTES = 65536
"""Source: Linux, XATTR_LIST_MAX, each name with its NUL."""

LINE_BYTES = 1024
"""What a line of figures is filled up to a multiple of: twice what it takes, so that it hardly ever changes."""

OUTPUT_LIFE = timedelta(hours=24)
"""How long the service keeps an output. Source: reference of the service, Initiate Job."""

DOCUMENTS_KEPT = 64
"""Documents whose fields are remembered: ``getfattr -d`` asks twice for each of 25 names of one node, and as many
programs as there are FUSE threads may do so at once."""


def attributes_of(node: Node, outputs: Outputs) -> dict[str, bytes]:
    """Return every attribute of *node* by its name, in the order in which they are listed."""
    match node:
        case Root():
            found: dict[str, bytes] = {}
        case VaultDir(vault):
            found = dict(_of_document(vault.document))
        case JobDir(job):
            found = _of_job(job)
        case OutputFile(job):
            found = _of_job(job) | dict(_of_output(node, outputs))
        case _:
            assert_never(node)
    return found


def listed(attributes: dict[str, bytes]) -> list[str]:
    """Return the names that fit the kernel's list; the ones past its end are left out."""
    names = []
    room = LIST_MAX_BYTES
    for name in attributes:
        room -= len(name) + 1
        if room < 0:
            break
        names.append(name)
    return names


def filled_up(line: bytes) -> bytes:
    """Return *line* with spaces behind it, so that it does not change its length while it is asked for.

    ``rsync -X`` gives up (status 23) where a value has not the length that it was told a moment ago.
    """
    return line.ljust(-(-len(line) // LINE_BYTES) * LINE_BYTES)


def snake_case(field: str) -> str:
    """Return a field's name as it stands in an attribute's; ``""`` where nothing of it can.

    >>> snake_case("ArchiveSHA256TreeHash")
    'archive_sha256_tree_hash'
    """
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", field)
    return re.sub(r"[^A-Za-z0-9]+", "_", words).strip("_").lower()


def printable(text: str) -> str:
    """Return *text* with what is not printable ASCII escaped as in JSON, so that getfattr shows it as text."""
    return re.sub(r"[^ -~]+", lambda match: json.dumps(match.group())[1:-1].replace("\x7f", "\\u007f"), text)


def iso_utc(moment_ns: int) -> str | None:
    """Return a time as ISO 8601 in UTC, in milliseconds like the service or else to the nanosecond.

    Returns:
        None for a time past the year 9999.
    """
    seconds, fraction_ns = divmod(moment_ns, 10**9)
    try:
        whole = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    except OverflowError:
        return None
    milliseconds, rest_ns = divmod(fraction_ns, 10**6)
    fraction = f"{fraction_ns:09d}" if rest_ns else f"{milliseconds:03d}"
    return f"{whole.replace(tzinfo=None).isoformat()}.{fraction}Z"


def _of_job(job: Job) -> dict[str, bytes]:
    found = dict(_of_document(job.document))
    if job.tree_hash is not None:
        found[PREFIX + "tree_hash"] = job.tree_hash.encode()
    return found


def _of_output(node: OutputFile, outputs: Outputs) -> Iterator[tuple[str, bytes]]:
    if node.job.completed_ns is not None:
        expires = iso_utc(node.job.completed_ns + OUTPUT_LIFE // timedelta(microseconds=1) * 1000)
        if expires is not None:
            yield PREFIX + "expires", expires.encode()
    yield PREFIX + "verified", outputs.verified(node.output).encode()
    media_type = outputs.media_type(node.output)
    if media_type is not None:
        yield MEDIA_TYPE, printable(media_type).encode()


@lru_cache(maxsize=DOCUMENTS_KEPT)
def _of_document(document: str) -> tuple[tuple[str, bytes], ...]:
    """Return ``describe`` and the fields; parsed once, since a document is asked for attribute by attribute."""
    whole = [("describe", document.encode())]
    # Numbers stay as they were sent: 1e400 is no float, and 1.0 is not 1.
    fields = json.loads(document, parse_int=str, parse_float=str).items()
    scalars = ((snake_case(name), _text_of(value)) for name, value in fields)
    own = [(name, text.encode()) for name, text in scalars if name and text is not None and name not in OWN_NAMES]
    found = ((PREFIX + name, value) for name, value in whole + own)
    return tuple((name, value) for name, value in found if _fits(name, value))


def _text_of(value: object) -> str | None:
    """Return a scalar as text, None for what is no scalar or null."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return printable(value) if isinstance(value, str) else None


def _fits(name: str, value: bytes) -> bool:
    return len(name) <= NAME_MAX_BYTES and len(value) <= VALUE_MAX_BYTES
