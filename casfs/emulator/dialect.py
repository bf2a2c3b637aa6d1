"""What differs between services of one shape: names, numbers and signatures, as one value.

Everything else in the emulator is the same for each of them. A behaviour that the documents leave open is a field
here too, so that a client can be tried against either reading: ``dataclasses.replace(CAS, marker_inclusive=False)``.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from casfs.emulator import signature
from casfs.emulator.jobs import ARCHIVE_RETRIEVAL, INVENTORY_RETRIEVAL, PULL_FROM_COS, PUSH_TO_COS, Json
from casfs.emulator.messages import ReceivedRequest
from casfs.emulator.rows import COLUMNS, CsvForm, quoted_by_rfc_4180
from casfs.emulator.signature import KnownKeys


@dataclass(frozen=True, slots=True)
class Page:
    """How long one page of a listing is.

    Attributes:
        default: items, if the client does not say.
        most: items that it has.
        clamps: whether a client that asks for more gets the most, or an error.
    """

    default: int
    most: int
    clamps: bool = False


@dataclass(frozen=True, slots=True)
class InventoryRules:
    """What is a service's own about inventories.

    Attributes:
        most: archives that a client may ask for in one; None takes any number.
        page: archives in one, if the client does not say; None lists all.
        end_included: whether EndDate itself is among the dates that it selects.
        no_limit: Limit in the document of a job for which none was asked.
        size: how a size in bytes is written as InventorySizeInBytes.
        size_to_come: InventorySizeInBytes while the job runs.
        csv: how it writes CSV.
    """

    most: int | None
    page: int | None
    end_included: bool
    no_limit: Json
    size: Callable[[int], int | str]
    size_to_come: Json
    csv: CsvForm


class SignatureCheck(Protocol):
    """Says whether a request is signed; raises Refusal if it is not."""

    def __call__(self, request: ReceivedRequest, known_keys: KnownKeys, now_s: float) -> None:
        """Raise Refusal unless *request* is signed by a key of *known_keys* for a time that includes *now_s*."""
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
        job_fields: fields of a job that its document may tell, in order, by action.
        job_keys: keys that every job's document has, in order, null where they are no fields of the action; None
            leaves out what is none.
        running: StatusMessage of a job in progress.
        no_description: JobDescription of a job that was given none.
        inventories: what is its own about them.
        job_id_length: characters of a job's id.
        archive_id_length: characters of an archive's id.
        job_description: what a job may be described by.
        expedited_most: bytes that the Tier Expedited retrieves at most; None sets no bound.
        statuses: HTTP status by error code; codes that are not here are 400.
        check: of signatures.
        claimed: the signature that a request carries, for the journal.
        sample_key: id and secret of a key that opens made-up vaults on loopback, as long as those of the service.
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
    job_keys: Sequence[str] | None
    running: str
    no_description: str | None
    inventories: InventoryRules
    job_id_length: int
    archive_id_length: int
    job_description: re.Pattern[str]
    expedited_most: int | None
    statuses: Mapping[str, int]
    check: SignatureCheck
    claimed: Callable[[ReceivedRequest], str]
    sample_key: tuple[str, str]

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
_INVENTORY = ("InventorySizeInBytes", "InventoryRetrievalParameters")
_OBJECT = ("Bucket", "Object")
_SOURCE = ("Range", "Condition", "ArchiveDescription")

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
            INVENTORY_RETRIEVAL: (*_COMMON, *_INVENTORY),
            PUSH_TO_COS: (*_COMMON, *_ARCHIVE, "RetrievalByteRange", *_OBJECT, "Tier"),
            PULL_FROM_COS: (*_COMMON, *_ARCHIVE, *_OBJECT, *_SOURCE),
        }
    ),
    job_keys=(*_COMMON, *_ARCHIVE, *_HASHES, *_INVENTORY, *_OBJECT, *_SOURCE, "Tier"),
    running="InProgress",
    no_description="",
    inventories=InventoryRules(
        most=10_000,
        page=10_000,
        end_included=True,
        no_limit=0,
        size=int,
        size_to_come=0,
        csv=CsvForm(COLUMNS[:4], quoted_by_rfc_4180),
    ),
    job_id_length=64,
    archive_id_length=128,
    job_description=re.compile(".*", re.DOTALL),
    expedited_most=256 << 20,
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
    sample_key=("AKIDcasfsEmulator", "casfsEmulatorKey"),
)
"""Tencent CAS. Source: error table 572/8745, where throttling and a wrong signature are 400; no most is stated for List
Jobs; Initiate Job: Expedited is for at most 256 MB. Documents have every key, null where it is for another kind of job,
as in the job that the page of the vendor's command line shows, which reads them all. InventorySizeInBytes is a number,
as in the table of Describe Job, since the vendor's SDK calculates with it; the JSON sample has a string, which is
``replace(CAS, inventories=replace(CAS.inventories, size=str))``. CSV has the four
columns that Get Job Output names of its five, in the usual form since no other is told."""
