"""Nouns shared by every stage: what the service has, and what is known of it, as plain frozen values.

Sizes are bytes. Times are integer nanoseconds since 1970-01-01T00:00:00Z, since a datetime stops at microseconds
and the promise is the nanosecond that the service gives.
"""

import json
import re
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any


class JobState(StrEnum):
    """Where a job stands."""

    IN_PROGRESS = "InProgress"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    UNKNOWN = "Unknown"


PROBE_NAME = ".casfs-probe"
"""The file in the root of a mount that can be looked up and is never listed; nothing else has this name."""

OPTIONS_ATTRIBUTE = "user.cas.options"
"""Extended attribute of a mount's root, never listed: every option and its value, as one line of JSON."""

ACTIVITY_ATTRIBUTE = "user.cas.activity"
"""The same, never listed either: what the mount is at, as one line of JSON."""

STATS_ATTRIBUTE = "user.cas.stats"
"""The same, and listed: the counters, as one line of JSON."""

ARCHIVE_RETRIEVAL = "ArchiveRetrieval"
INVENTORY_RETRIEVAL = "InventoryRetrieval"
PUSH_TO_COS = "PushToCOS"

LARGEST_OUTPUT = 40 << 40
"""Bytes of the largest output that there can be. Source: CAS, glossary: an archive has 40 TB at most (10,000 parts of
4 GiB, in its own client); Glacier, Quotas: about 40,000 GB. Taken as 40 TiB, the largest reading of these."""


_ARCHIVE_SIZE = re.compile(r'"ArchiveSizeInBytes":\s*"?([0-9]{1,18})\b')

OUTPUT_LIFE_NS = 24 * 3600 * 10**9
"""How long the service keeps an output, from the completion of its job on. Source: CAS, Initiate Job; Glacier, Initiate
Job: at least 24 hours."""


@dataclass(frozen=True, slots=True)
class Vault:
    """A vault as the service describes it.

    Attributes:
        name: the vault's name, as sent.
        created_ns: CreationDate, or None where the service gives none that can be read.
        document: the Describe Vault object as one line of ASCII JSON, every field in the service's order; "" where the
            account may not have it. Text, not a dict: 100,000 jobs as dicts take 300 MB.
    """

    name: str
    created_ns: int | None
    document: str

    @property
    def fields(self) -> dict[str, Any]:
        """The document as a dict; empty where there is none."""
        return _fields_of(self.document)


@dataclass(frozen=True, slots=True)
class Output:
    """What a job that succeeded lets one download.

    Attributes:
        vault: name of the vault.
        job: id of the job.
        size: length in bytes as the job's document says, None where it does not.
        tree_hash: SHA256TreeHash as 64 lower-case hex digits, None where the service has none.
        is_inventory: whether the size must be learnt from the service at open.
        has_hash_of_more: whether the tree hash is that of an archive of which the output is only a range.
        document: that of its job; "" where it is left out, since it is no part of what the output is.
        expires_ns: when the service may drop it; None where nobody says.
    """

    vault: str
    job: str
    size: int | None
    tree_hash: str | None
    is_inventory: bool
    has_hash_of_more: bool = False
    document: str = field(default="", compare=False, repr=False)
    expires_ns: int | None = field(default=None, compare=False)

    @property
    def bare(self) -> "Output":
        """The same without its document: for who remembers many."""
        return replace(self, document="") if self.document else self

    def __str__(self) -> str:
        """Return ``VAULT/JOB`` as a message has it: what does not print is escaped, so that it stays one line."""
        text = f"{self.vault}/{self.job}"
        return text if text.isprintable() else ascii(text)[1:-1]


@dataclass(frozen=True, slots=True)
class Job:
    """A job as the service describes it.

    Attributes:
        vault: name of the vault that it was found in.
        id: the job's id, as sent; may begin with ``-``.
        action: Action as sent; ``""`` where the service gave none.
        state: where it stands; UNKNOWN for a StatusCode of the future.
        created_ns: CreationDate, or None.
        completed_ns: CompletionDate, or None.
        size: bytes of its output as the document says: the span of RetrievalByteRange, or InventorySizeInBytes.
        tree_hash: SHA256TreeHash, lower-case, or None.
        document: the Describe Job object as one line of ASCII JSON, every field in the service's order.
        is_expired: whether the service has dropped it, and it is known and kept by the cache on disk alone.
    """

    vault: str
    id: str
    action: str
    state: JobState
    created_ns: int | None
    completed_ns: int | None
    size: int | None
    tree_hash: str | None
    document: str
    is_expired: bool = False

    @property
    def is_finished(self) -> bool:
        """Whether the service will never change the document again."""
        return self.state in (JobState.SUCCEEDED, JobState.FAILED)

    @property
    def fields(self) -> dict[str, Any]:
        """The document as a dict, every field that the service sent, in its order."""
        return _fields_of(self.document)

    @property
    def changed_ns(self) -> int | None:
        """When it was finished, and before that, or where no document says so, when it was begun."""
        return self.completed_ns if self.is_finished and self.completed_ns is not None else self.created_ns

    @property
    def expires_ns(self) -> int | None:
        """When the service may forget it, output and all: None until it is finished, or where nobody says when."""
        return self.completed_ns + OUTPUT_LIFE_NS if self.is_finished and self.completed_ns is not None else None

    @property
    def output(self) -> Output | None:
        """What can be downloaded: None unless the job Succeeded and is of a kind that has an output."""
        if self.state is not JobState.SUCCEEDED or self.action not in (ARCHIVE_RETRIEVAL, INVENTORY_RETRIEVAL):
            return None
        # What is kept has the size that was learnt.
        is_inventory = self.action == INVENTORY_RETRIEVAL and not self.is_expired
        told = (self.document, self.expires_ns)
        return Output(self.vault, self.id, self.size, self.tree_hash, is_inventory, self._has_hash_of_more(), *told)

    def _has_hash_of_more(self) -> bool:
        """Say whether its hash is that of the archive, of which it retrieved a range: a service may say so."""
        archive = _ARCHIVE_SIZE.search(self.document) if self.tree_hash is not None else None
        if archive is None or int(archive[1]) == self.size:
            return False
        return f'"ArchiveSHA256TreeHash":"{self.tree_hash}"'.lower() in self.document.replace(" ", "").lower()


@dataclass(frozen=True, slots=True)
class RangeResponse:
    """What came with the bytes of a range.

    Attributes:
        size: length of the whole output in bytes, as the service says.
        length: bytes that were written into the buffers.
        tree_hash: the service's hash of exactly these bytes, 64 lower-case hex digits, or None where it gave none.
        content_type: Content-Type of the output, or None.
        not_a_hash: what stood where the hash should, where that is none; or "".
        is_cut: whether the bytes were cut out of a longer answer, which can have no hash of theirs.
    """

    size: int
    length: int
    tree_hash: str | None
    content_type: str | None
    not_a_hash: str = ""
    is_cut: bool = False


class VerificationState(StrEnum):
    """What was found out about the bytes of an output."""

    WHOLE = "whole"
    """Every block is what a hash of the service says."""
    PARTIAL = "partial"
    """Some are, and nothing is known against the others."""
    NONE = "none"
    """There are hashes, and no block was held to one yet."""
    UNAVAILABLE = "unavailable"
    """The service gives no hash."""
    MISMATCH = "mismatch"
    """Bytes and hash do not belong together."""


@dataclass(frozen=True, slots=True)
class Verification:
    """How much of an output was checked.

    Attributes:
        state: what was found out.
        proven: blocks of 1 MiB that a hash has proved.
        total: blocks of the output, 0 until its size is known.
    """

    state: VerificationState
    proven: int
    total: int

    def __str__(self) -> str:
        """Return the state in a word; of a part, ``K/N`` blocks."""
        return f"{self.proven}/{self.total}" if self.state is VerificationState.PARTIAL else self.state.value


@dataclass(frozen=True, slots=True)
class Cached:
    """How much of an output is kept on disk.

    Attributes:
        held: blocks of 1 MiB.
        total: blocks of the output, None while its size is not known.
    """

    held: int
    total: int | None

    def __str__(self) -> str:
        """Return ``whole``, ``none``, or ``K/N`` blocks."""
        if self.held == self.total:
            return "whole"
        return f"{self.held}/{self.total}" if self.held else "none"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who signs the requests. The repr shows no secret, so that no log line or traceback can.

    Attributes:
        secret_id: which key; sent with every request.
        secret_key: what requests are signed with; never sent.
        token: of a temporary key, None where the key is a permanent one.
    """

    secret_id: str
    secret_key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


def _fields_of(document: str) -> dict[str, Any]:
    fields = json.loads(document or "{}")
    return fields if isinstance(fields, dict) else {}
