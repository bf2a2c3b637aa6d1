"""What differs between services of one shape: names, numbers and signatures, as one value.

Everything else in the emulator is the same for each of them. A behaviour that the documents leave open is a field
here too, so that a client can be tried against either reading: ``dataclasses.replace(CAS, marker_inclusive=False)``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from casfs.emulator import signature
from casfs.emulator.jobs import ARCHIVE_RETRIEVAL, INVENTORY_RETRIEVAL, PULL_FROM_COS, PUSH_TO_COS
from casfs.emulator.messages import Request
from casfs.emulator.signature import Keyring


@dataclass(frozen=True, slots=True)
class Page:
    """How long one page of a listing is.

    Attributes:
        default: items, if the client does not say.
        most: items that a client may ask for; more is an error.
    """

    default: int
    most: int


class SignatureCheck(Protocol):
    """Says whether a request is signed; raises Refusal if it is not."""

    def __call__(self, request: Request, keyring: Keyring, now_s: float) -> None:
        """Do nothing if *request* is signed by a key of *keyring* for a time that includes *now_s*."""
        ...


@dataclass(frozen=True, slots=True)
class Dialect:
    """One service.

    Attributes:
        name: of the service.
        region: where it is, if nobody says.
        account: whose it is, if nobody says.
        header_prefix: of its own headers.
        request_id_header: under which each answer is named.
        archive_description_header: with the description of the archive that an output is of; None sends none.
        resource_key: key of a vault's resource name in documents.
        call_back_key: of Initiate Job and of a job's document, for who is told of the end.
        resource: resource name of a vault, with ``{region}``, ``{account}`` and ``{vault}``.
        vaults_page: of List Vaults.
        jobs_page: of List Jobs.
        marker_inclusive: whether a listing starts with its marker, or after it.
        job_fields: keys of a job's document in order, by action; there are no others.
        inventory_size: how a size in bytes is written as InventorySizeInBytes.
        statuses: HTTP status by error code; codes that are not here are 400.
        check: of signatures.
        claimed: the signature that a request carries, for the journal.
    """

    name: str
    region: str
    account: str
    header_prefix: str
    request_id_header: str
    archive_description_header: str | None
    call_back_key: str
    resource_key: str
    resource: str
    vaults_page: Page
    jobs_page: Page
    marker_inclusive: bool
    job_fields: Mapping[str, Sequence[str]]
    inventory_size: Callable[[int], int | str]
    statuses: Mapping[str, int]
    check: SignatureCheck
    claimed: Callable[[Request], str]

    def status(self, code: str) -> int:
        """Return the HTTP status that goes with an error code."""
        return self.statuses.get(code, 400)


_COMMON = (
    "Action",
    "JobId",
    "JobDescription",
    "CallBackUrl",
    "CreationDate",
    "CompletionDate",
    "Completed",
    "StatusCode",
    "StatusMessage",
    "VaultQCS",
)
_ARCHIVE = ("ArchiveId", "ArchiveSizeInBytes")
_HASHES = ("ArchiveSHA256TreeHash", "RetrievalByteRange", "SHA256TreeHash")
_OBJECT = ("Bucket", "Object")

CAS = Dialect(
    name="cas",
    region="ap-chengdu",
    account="1250000000",
    header_prefix="x-cas-",
    request_id_header="x-cas-requestId",
    archive_description_header=None,
    call_back_key="CallBackUrl",
    resource_key="VaultQCS",
    resource="qcs:id/0:cas:{region}:uid/{account}:vaults/{vault}",
    vaults_page=Page(1000, 1000),
    jobs_page=Page(1000, 1000),
    marker_inclusive=True,
    job_fields=MappingProxyType(
        {
            ARCHIVE_RETRIEVAL: (*_COMMON, *_ARCHIVE, *_HASHES, "Tier"),
            INVENTORY_RETRIEVAL: (*_COMMON, "InventorySizeInBytes", "InventoryRetrievalParameters"),
            PUSH_TO_COS: (*_COMMON, *_ARCHIVE, "RetrievalByteRange", *_OBJECT, "Tier"),
            PULL_FROM_COS: (*_COMMON, *_ARCHIVE, *_OBJECT, "Range", "Condition", "ArchiveDescription"),
        }
    ),
    inventory_size=str,
    statuses=MappingProxyType(
        {
            "AccessDeniedException": 403,
            "ExpiredTokenException": 403,
            "ResourceNotFoundException": 404,
            "RequestTimeoutException": 408,
            "ServiceUnavailableException": 500,
        }
    ),
    check=signature.check,
    claimed=signature.claimed,
)
"""Tencent CAS. Source: error table 572/8745, where throttling and a wrong signature are 400; InventorySizeInBytes as
the JSON sample of Describe Job has it, a string, though its table says Number; no most is stated for List Jobs."""
