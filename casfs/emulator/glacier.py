"""Amazon Glacier as a dialect of the emulator."""

import re
from dataclasses import replace
from types import MappingProxyType

from casfs.emulator import sigv4
from casfs.emulator.dialect import CAS, Dialect, InventoryRules, Page
from casfs.emulator.jobs import ARCHIVE_RETRIEVAL, INVENTORY_RETRIEVAL, SELECT
from casfs.emulator.rows import COLUMNS, CsvForm, quoted_by_glacier

_FIELDS = (
    "Action",
    "ArchiveId",
    "ArchiveSHA256TreeHash",
    "ArchiveSizeInBytes",
    "Completed",
    "CompletionDate",
    "CreationDate",
    "InventorySizeInBytes",
    "JobDescription",
    "JobId",
    "RetrievalByteRange",
    "SHA256TreeHash",
    "SNSTopic",
    "StatusCode",
    "StatusMessage",
    "Tier",
    "VaultARN",
)
_SELECT_FIELDS = ("JobOutputPath", "OutputLocation", "SelectParameters")


def glacier(region: str = "us-west-2", account: str = "012345678901") -> Dialect:
    """Return the service as it is in *region*, for *account*.

    Source: Amazon Glacier developer guide: "Describe Job", whose examples have every field, null where it is for
    another kind of job; "List Vaults", "List Jobs", "Error responses"; "Initiate Job", where Limit has no most,
    archives are created before EndDate and descriptions are ASCII. Ids are as long as those of its examples. That
    List Vaults gives ten to a client that asks for a thousand: aws-sdk-net#895.
    """
    return replace(
        CAS,
        name="glacier",
        region=region,
        account=account,
        header_prefix="x-amz-",
        request_id_header="x-amzn-RequestId",
        archive_description_header="x-amz-archive-description",
        resource_key="VaultARN",
        resource="arn:aws:glacier:{region}:{account}:vaults/{vault}",
        call_back_key="SNSTopic",
        vaults_page=Page(10, 10, clamps=True),
        jobs_page=Page(50, 50),
        marker_inclusive=False,
        job_fields=MappingProxyType(
            {
                ARCHIVE_RETRIEVAL: _FIELDS,
                INVENTORY_RETRIEVAL: (*_FIELDS, "InventoryRetrievalParameters"),
                SELECT: (*_FIELDS, *_SELECT_FIELDS),
            }
        ),
        job_keys=None,
        running="Operation in progress.",
        no_description=None,
        inventories=InventoryRules(
            most=None,
            page=None,
            end_included=False,
            no_limit=None,
            size=int,
            size_to_come=None,
            csv=CsvForm(COLUMNS, quoted_by_glacier),
        ),
        job_id_length=92,
        archive_id_length=138,
        job_description=re.compile("[ -~]{0,1024}"),
        expedited_most=None,
        statuses=MappingProxyType(
            {**CAS.statuses, "InsufficientCapacityException": 503, "InvalidSignatureException": 403}
        ),
        check=sigv4.Check(region),
        claimed=sigv4.claimed,
        sample_key=("AKIACASFSEMULATORKEY", "casfsEmulatorKey/that+opens+madeUpVaults"),
    )


GLACIER = glacier()
"""The service as it is in its usual region."""
