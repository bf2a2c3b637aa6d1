"""The emulator's Glacier as boto3 sees it: every request of these tests is made, signed and understood by boto3."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

pytest.importorskip("boto3", reason="boto3 is not installed")

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from casfs.emulator.faults import Fault, Kind
from casfs.emulator.glacier import glacier
from casfs.emulator.samples import sample_state
from casfs.emulator.server import Server
from casfs.emulator.state import State
from tests.emulator.client import tree_hash

MIB = 1 << 20
BYTES = (bytes(range(251)) * (1 << 14))[: 3 * MIB + 7]
ARCHIVE = {"Type": "archive-retrieval", "Tier": "Expedited"}
NO_RETRIES = Config(retries={"total_max_attempts": 1})


def client_of(server: Server, region: str = "us-west-2", token: str | None = None, config: Config = NO_RETRIES) -> Any:
    """Return boto3's client of *server*."""
    return boto3.client(
        "glacier",
        region_name=region,
        endpoint_url=server.url,
        aws_access_key_id="id",
        aws_secret_access_key="key",
        aws_session_token=token,
        config=config,
    )


@pytest.fixture
def server() -> Iterator[Server]:
    state = State(region="us-west-2", account="012345678901", job_takes_s=0.0)
    with Server(state, credentials={"id": "key"}, dialect=glacier()) as server:
        yield server


@pytest.fixture
def client(server: Server) -> Any:
    return client_of(server)


@pytest.fixture
def archive_id(client: Any) -> str:
    """Return an archive of BYTES in the vault ``vault``."""
    client.create_vault(vaultName="vault")
    uploaded = client.upload_archive(vaultName="vault", archiveDescription='the "long" cut, 2', body=BYTES)
    assert uploaded["checksum"] == tree_hash(BYTES)
    return str(uploaded["archiveId"])


def initiated(client: Any, **parameters: Any) -> str:
    """Return the id of a new job in the vault ``vault``."""
    answer = client.initiate_job(vaultName="vault", jobParameters=parameters)
    assert answer["location"].endswith(f"/vaults/vault/jobs/{answer['jobId']}")
    return str(answer["jobId"])


def refusal_of(call: Any, **arguments: Any) -> tuple[int, str, str]:
    """Return status, code and message of what *call* is refused with."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    response = caught.value.response
    error = response["Error"]
    return response["ResponseMetadata"]["HTTPStatusCode"], error["Code"], error["Message"]


def test_a_job_is_described_with_every_field_of_the_documents(client: Any, archive_id: str) -> None:
    job = client.describe_job(vaultName="vault", jobId=initiated(client, **ARCHIVE, ArchiveId=archive_id, SNSTopic="t"))
    assert job["Action"] == "ArchiveRetrieval"
    assert (job["Completed"], job["StatusCode"], job["Tier"], job["SNSTopic"]) == (True, "Succeeded", "Expedited", "t")
    assert job["VaultARN"] == "arn:aws:glacier:us-west-2:012345678901:vaults/vault"
    assert (job["ArchiveSizeInBytes"], job["RetrievalByteRange"]) == (len(BYTES), f"0-{len(BYTES) - 1}")
    assert job["SHA256TreeHash"] == job["ArchiveSHA256TreeHash"] == tree_hash(BYTES)


def test_a_whole_output_comes_with_the_checksum_of_the_archive(client: Any, archive_id: str) -> None:
    output = client.get_job_output(vaultName="vault", jobId=initiated(client, **ARCHIVE, ArchiveId=archive_id))
    assert (output["status"], output["acceptRanges"], output["contentType"]) == (
        200,
        "bytes",
        "application/octet-stream",
    )
    assert output["archiveDescription"] == 'the "long" cut, 2'
    assert "contentRange" not in output
    assert output["checksum"] == tree_hash(BYTES)
    assert output["body"].read() == BYTES


RANGES = {
    "a node of the tree": (0, 2 * MIB - 1, "its own"),
    "the tail, a node": (2 * MIB, len(BYTES) - 1, "its own"),
    "megabytes that are no node": (MIB, 3 * MIB - 1, None),
    "no megabytes": (1, 100, None),
}


@pytest.mark.parametrize(("first", "last", "checksum"), RANGES.values(), ids=RANGES)
def test_a_range_comes_with_a_checksum_where_it_is_a_node_of_the_tree(
    first: int, last: int, checksum: str | None, client: Any, archive_id: str
) -> None:
    job_id = initiated(client, **ARCHIVE, ArchiveId=archive_id)
    output = client.get_job_output(vaultName="vault", jobId=job_id, range=f"bytes={first}-{last}")
    assert (output["status"], output["contentRange"]) == (206, f"bytes {first}-{last}/{len(BYTES)}")
    wanted = BYTES[first : last + 1]
    assert output["body"].read() == wanted
    assert output.get("checksum") == (checksum and tree_hash(wanted))


def test_ranges_count_from_the_start_of_what_was_retrieved(client: Any, archive_id: str) -> None:
    job_id = initiated(client, **ARCHIVE, ArchiveId=archive_id, RetrievalByteRange=f"{2 * MIB}-{3 * MIB - 1}")
    output = client.get_job_output(vaultName="vault", jobId=job_id, range="bytes=0-9")
    assert output["contentRange"] == f"bytes 0-9/{MIB}"
    assert output["body"].read() == BYTES[2 * MIB : 2 * MIB + 10]


def test_the_documents_own_procedure_ends_in_the_hash_that_describe_job_gives(client: Any, archive_id: str) -> None:
    """Each range's checksum compared, the ranges' checksums combined, the sum compared. Source: Get Job Output."""
    job_id = initiated(client, **ARCHIVE, ArchiveId=archive_id)
    body = b""
    for first in range(0, len(BYTES), 2 * MIB):
        last = min(first + 2 * MIB, len(BYTES)) - 1
        output = client.get_job_output(vaultName="vault", jobId=job_id, range=f"bytes={first}-{last}")
        part = output["body"].read()
        assert output["checksum"] == tree_hash(part)
        body += part
    job = client.describe_job(vaultName="vault", jobId=job_id)
    assert job["SHA256TreeHash"] == tree_hash(body)


@pytest.mark.parametrize(("form", "kind"), [("JSON", "application/json"), ("CSV", "text/csv")])
def test_an_inventory_has_its_size_and_no_checksum(form: str, kind: str, client: Any, archive_id: str) -> None:
    job_id = initiated(client, Type="inventory-retrieval", Format=form)
    job = client.describe_job(vaultName="vault", jobId=job_id)
    output = client.get_job_output(vaultName="vault", jobId=job_id)
    body = output["body"].read()
    assert (job["Action"], job["InventorySizeInBytes"]) == ("InventoryRetrieval", len(body))
    assert "checksum" not in output
    assert "archiveDescription" not in output
    assert output["contentType"] == kind
    if form == "JSON":
        inventory = json.loads(body)
        assert inventory["VaultARN"] == job["VaultARN"]
        assert inventory["ArchiveList"][0]["SHA256TreeHash"] == tree_hash(BYTES)


def test_a_job_that_selects_has_no_output(client: Any, archive_id: str) -> None:
    select = {"InputSerialization": {"csv": {}}, "ExpressionType": "SQL", "Expression": "select * from archive"}
    job_id = initiated(client, Type="select", ArchiveId=archive_id, SelectParameters=select)
    job = client.describe_job(vaultName="vault", jobId=job_id)
    assert (job["Action"], job["SelectParameters"]["Expression"]) == ("Select", "select * from archive")
    status, code, _ = refusal_of(client.get_job_output, vaultName="vault", jobId=job_id)
    assert (status, code) == (400, "InvalidParameterValueException")


def test_the_jobs_of_cas_are_no_jobs_of_glacier(client: Any, archive_id: str) -> None:
    wish = {"Type": "push-to-cos", "ArchiveId": archive_id}
    status, code, _ = refusal_of(client.initiate_job, vaultName="vault", jobParameters=wish)
    assert (status, code) == (400, "InvalidParameterValueException")


def test_an_output_that_is_not_there_yet_is_a_400(server: Server, client: Any, archive_id: str) -> None:
    server.state.job_takes_s = 3600.0
    job_id = initiated(client, **ARCHIVE, ArchiveId=archive_id)
    assert client.describe_job(vaultName="vault", jobId=job_id)["StatusCode"] == "InProgress"
    refusal = refusal_of(client.get_job_output, vaultName="vault", jobId=job_id)
    said = f"The job is not currently available for download: {job_id}"
    assert refusal == (400, "InvalidParameterValueException", said)


def test_a_range_that_starts_past_the_end_is_a_400(client: Any, archive_id: str) -> None:
    job_id = initiated(client, **ARCHIVE, ArchiveId=archive_id)
    wanted = f"bytes={len(BYTES)}-{len(BYTES) + 9}"
    status, code, said = refusal_of(client.get_job_output, vaultName="vault", jobId=job_id, range=wanted)
    assert (status, code) == (400, "InvalidParameterValueException")
    assert said.startswith("The start of the range is larger than size of retrieved data")


def test_what_is_not_there_is_a_404(client: Any, archive_id: str) -> None:
    not_found = (404, "ResourceNotFoundException")
    assert refusal_of(client.describe_vault, vaultName="other") == (
        *not_found,
        "Vault not found for ARN: arn:aws:glacier:us-west-2:012345678901:vaults/other",
    )
    assert refusal_of(client.describe_job, vaultName="vault", jobId="j") == (
        *not_found,
        "The job ID was not found: j",
    )


@pytest.mark.parametrize("marker", ["inclusive", "exclusive"])
def test_pages_hold_ten_vaults_and_fifty_jobs_and_none_is_missed(marker: str) -> None:
    dialect = replace(glacier(), marker_inclusive=marker == "inclusive")
    state = State(region="us-west-2", account="012345678901")
    for number in range(25):
        state.add_vault(f"vault-{number:02}")
    for _ in range(120):
        state.add_job("vault-00", "ArchiveRetrieval")
    with Server(state, credentials={"id": "key"}, dialect=dialect) as server:
        client = client_of(server)
        vaults = list(client.get_paginator("list_vaults").paginate())
        jobs = list(client.get_paginator("list_jobs").paginate(vaultName="vault-00"))
    assert [len(page["VaultList"]) for page in vaults] == [10, 10, 5]
    assert [len(page["JobList"]) for page in jobs] == [50, 50, 20]
    assert len({job["JobId"] for page in jobs for job in page["JobList"]}) == 120


def test_a_client_that_asks_for_a_thousand_vaults_gets_ten(server: Server, client: Any) -> None:
    for number in range(11):
        server.state.add_vault(f"vault-{number:02}")
    page = client.list_vaults(limit="1000")
    assert (len(page["VaultList"]), page["Marker"].endswith("vault-09")) == (10, True)
    assert refusal_of(client.list_vaults, limit="0")[:2] == (400, "InvalidParameterValueException")


def test_a_page_of_jobs_that_is_too_long_is_refused(client: Any) -> None:
    client.create_vault(vaultName="vault")
    assert refusal_of(client.list_jobs, vaultName="vault", limit="51")[:2] == (400, "InvalidParameterValueException")


def test_ids_are_as_long_as_those_of_the_service(client: Any, archive_id: str) -> None:
    job_id = initiated(client, **ARCHIVE, ArchiveId=archive_id)
    assert (len(archive_id), len(job_id)) == (138, 92)
    state = sample_state(dialect=glacier())
    lengths = {len(id_) for vault in state.vaults() for id_ in vault.job_ids}
    assert (lengths, {len(id_) for vault in state.vaults() for id_ in vault.archives}) == ({92}, {138})


def test_an_inventory_that_runs_has_no_size_and_no_limit_that_nobody_asked_for(
    server: Server, client: Any, archive_id: str
) -> None:
    server.state.job_takes_s = 3600.0
    job = client.describe_job(vaultName="vault", jobId=initiated(client, Type="inventory-retrieval"))
    assert (job["StatusCode"], job["StatusMessage"]) == ("InProgress", "Operation in progress.")
    del job["ResponseMetadata"]
    absent = {"InventorySizeInBytes", "CompletionDate", "JobDescription", "ArchiveId", "SHA256TreeHash"}
    assert not absent & job.keys(), "boto3 leaves out what is null"
    assert job["InventoryRetrievalParameters"] == {"Format": "JSON"}


def test_an_inventory_may_be_asked_for_more_archives_than_any_vault_has(client: Any, archive_id: str) -> None:
    wanted = {"Limit": "1000000"}
    job_id = initiated(client, Type="inventory-retrieval", InventoryRetrievalParameters=wanted)
    job = client.describe_job(vaultName="vault", jobId=job_id)
    assert job["InventoryRetrievalParameters"] == {"Format": "JSON", "Limit": "1000000"}
    body = json.loads(client.get_job_output(vaultName="vault", jobId=job_id)["body"].read())
    assert [archive["ArchiveId"] for archive in body["ArchiveList"]] == [archive_id]


def test_another_region_another_key_and_another_token_are_refused(server: Server) -> None:
    status, code, said = refusal_of(client_of(server, region="eu-west-1").list_vaults)
    assert (status, code) == (403, "InvalidSignatureException")
    assert "'eu-west-1'" in said
    assert refusal_of(client_of(server, token="t").list_vaults)[:2] == (400, "UnrecognizedClientException")


def test_throttling_is_what_boto3_takes_for_it(server: Server) -> None:
    server.faults.add(Fault(kind=Kind.THROTTLE, times=2, retry_after="0"))
    client = client_of(server, config=Config(retries={"mode": "standard", "total_max_attempts": 3}))
    answer = client.list_vaults()
    assert answer["ResponseMetadata"]["RetryAttempts"] == 2
    assert len(server.requests) == 3


def test_the_samples_show_every_kind_of_job() -> None:
    state = sample_state(dialect=glacier())
    with Server(state, credentials={"id": "key"}, dialect=glacier()) as server:
        jobs = client_of(server).list_jobs(vaultName="ledger")["JobList"]
    assert {job["Action"] for job in jobs} == {"ArchiveRetrieval", "InventoryRetrieval", "Select"}
