"""What the service says of a vault or a job, as user.cas.* extended attributes: of a mount, or of a copy.

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
What is listed fits a file system that it is copied to; what is not listed has its value all the same. Nothing here
makes a request.
"""

import json
import re
from collections.abc import Mapping
from functools import lru_cache

from casfs.iso_time import iso_utc
from casfs.models import Job, Vault, Verification

NAMESPACE = "user."
PREFIX = NAMESPACE + "cas."
MEDIA_TYPE = NAMESPACE + "mime_type"
DESCRIBE = PREFIX + "describe"
VERIFIED = PREFIX + "verified"
CACHED = PREFIX + "cached"
OWN = frozenset(
    PREFIX + name for name in ("describe", "tree_hash", "expires", "verified", "cached", "expired", "stats", "options")
)
"""What a field of a document must not be taken for. What of it is listed is always listed, all but ``describe``."""

NAME_MAX_BYTES = 255
"""Source: Linux, XATTR_NAME_MAX in include/uapi/linux/limits.h."""

VALUE_MAX_BYTES = 65536
"""Source: Linux, XATTR_SIZE_MAX. A name whose value cannot be read would fail every ``cp --preserve=xattr``."""

LISTED_BYTES = 3500
"""What the listed attributes of one file may take. ext4 has one block of 4 KiB for those of a file, and ``cp`` and
``rsync -X`` fail with ENOSPC where they do not fit; a label of SELinux and ACLs want room there too."""

ENTRY_BYTES = 20
"""What each takes beside name and value. Source: Linux, fs/ext4/xattr.h: 16 bytes, and both rounded up to 4."""

RESERVED_BYTES = dict.fromkeys((VERIFIED, CACHED), len("41943040/41943040")) | {
    MEDIA_TYPE: len("application/octet-stream")
}
"""Room for what changes while an output is read: else a field might be listed before and not after."""

DOCUMENTS_KEPT = 64
"""Documents whose fields are remembered: ``getfattr -d`` asks twice for each of 25 names of one node, and as many
programs as there are FUSE threads may do so at once."""


def of_vault(vault: Vault) -> dict[str, bytes]:
    """Return every attribute of a vault by its name."""
    return dict(_of_document(vault.document)) if vault.document else {}


def of_job(job: Job) -> dict[str, bytes]:
    """Return every attribute of a job by its name, those of its output aside."""
    found = dict(_of_document(job.document))
    if job.tree_hash is not None:
        found[PREFIX + "tree_hash"] = job.tree_hash.encode()
    if job.is_expired:
        found[PREFIX + "expired"] = b"true"
    return found


def of_output(job: Job, verification: Verification) -> dict[str, bytes]:
    """Return every attribute of the output of a job by its name, as far as the job tells them."""
    found = of_job(job)
    expires = None if job.expires_ns is None else iso_utc(job.expires_ns)
    if expires is not None:
        found[PREFIX + "expires"] = expires.encode()
    found[VERIFIED] = str(verification).encode()
    return found


def listed(attributes: dict[str, bytes]) -> list[str]:
    """Return the names that are listed: what they stand for takes at most LISTED_BYTES.

    ``describe`` repeats the fields: of these the longest are left out. What does not fit even without any field goes
    first: ``describe``, and the media type.
    """
    taken = {name: _taken(name, value) for name, value in attributes.items()}
    reserved = _taken(MEDIA_TYPE, b"") if VERIFIED in taken and MEDIA_TYPE not in taken else 0
    total = sum(taken.values()) + reserved
    for name in _dispensable(taken):
        if total <= LISTED_BYTES:
            break
        total -= taken.pop(name)
    return list(taken)


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


def field_value(text: str) -> str:
    """Return the text of a field as its attribute has it: ``é`` and the six characters of its escape must differ."""
    return printable(text.replace("\\", r"\\"))


def _taken(name: str, value: bytes) -> int:
    return len(name) + max(len(value), RESERVED_BYTES.get(name, 0)) + ENTRY_BYTES


def _dispensable(taken: Mapping[str, int]) -> list[str]:
    """Return what need not be listed, by how much each takes; what is to be left out first comes first."""
    fields = sorted(taken.keys() - OWN - {MEDIA_TYPE}, key=lambda name: (-taken[name], name))
    room = LISTED_BYTES - sum(taken[name] for name in taken.keys() & OWN)
    too_large = []
    if room < 0:
        too_large.append(DESCRIBE)
        room += taken[DESCRIBE]
    if taken.get(MEDIA_TYPE, 0) > room:
        too_large.append(MEDIA_TYPE)
    return too_large + fields


@lru_cache(maxsize=DOCUMENTS_KEPT)
def _of_document(document: str) -> tuple[tuple[str, bytes], ...]:
    """Return ``describe`` and the fields; parsed once, since a document is asked for attribute by attribute."""
    # Numbers stay as they were sent: 1e400 is no float, and 1.0 is not 1.
    fields = json.loads(document, parse_int=str, parse_float=str).items()
    scalars = ((snake_case(name), _text_of(value)) for name, value in fields)
    found = [(PREFIX + name, text.encode()) for name, text in scalars if name and text is not None]
    whole = [(DESCRIBE, document.encode()), *(field for field in found if field[0] not in OWN)]
    return tuple((name, value) for name, value in whole if _fits(name, value))


def _text_of(value: object) -> str | None:
    """Return a scalar as text, None for what is no scalar or null."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return field_value(value) if isinstance(value, str) else None


def _fits(name: str, value: bytes) -> bool:
    return len(name) <= NAME_MAX_BYTES and len(value) <= VALUE_MAX_BYTES
