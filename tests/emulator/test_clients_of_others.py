"""What programs of others do with the answers: Tencent's SDK and cascmd, mtglacier, boto 2. Each did stumble once.

Written from what they were seen to need; those that can be installed run in tests/long.
"""

import json
import re

import pytest

from casfs.emulator.content import Generated, InMemory, read
from casfs.emulator.dialect import CAS
from casfs.emulator.documents import job_document
from casfs.emulator.glacier import glacier
from casfs.emulator.initiation import part
from casfs.emulator.inventories import inventory
from casfs.emulator.jobs import ARCHIVE_RETRIEVAL, INVENTORY_RETRIEVAL, PUSH_TO_COS
from casfs.emulator.state import State
from tests.emulator.client import MIB, Client, tree_hash
from tests.emulator.conftest import Clock

SHOWN_BY_CASCMD = (
    "JobId Action StatusCode StatusMessage ArchiveId ArchiveSizeInBytes SHA256TreeHash ArchiveSHA256TreeHash "
    "RetrievalByteRange Completed CompletionDate CreationDate InventorySizeInBytes JobDescription Tier VaultQCS"
)
"""It looks each of them up in the document of whatever job there is."""
CONTENT = Generated(5 * MIB + 1, seed=3)


def begun(client: Client, clock: Clock, **wish: object) -> str:
    """Return the path of a new job, once it is done."""
    reply = client.ask("POST", "/-/vaults/vault/jobs", body=json.dumps(wish).encode())
    clock.now_s += 60
    client.now_s = clock.now_s
    return f"/-/vaults/vault/jobs/{reply.headers['x-cas-job-id']}"


def test_cascmd_lists_jobs_of_every_kind(state: State, client: Client) -> None:
    archive = state.add_archive("vault", CONTENT)
    listed, fields = inventory(state.add_vault("vault"), state, CAS)
    state.add_job("vault", INVENTORY_RETRIEVAL, listed, fields=fields, takes_s=60.0)
    for action in (ARCHIVE_RETRIEVAL, PUSH_TO_COS):
        state.add_job("vault", action, part(archive))
    jobs = client.get("/-/vaults/vault/jobs").json["JobList"]
    assert len(jobs) == 3
    assert all(set(SHOWN_BY_CASCMD.split()) <= job.keys() for job in jobs)


def test_cascmd_retrieves_the_rest_of_an_archive_from_a_start(state: State, client: Client, clock: Clock) -> None:
    archive = state.add_archive("vault", CONTENT)
    wish = {"Type": "archive-retrieval", "ArchiveId": archive.id, "RetrievalByteRange": f"{4 * MIB}-"}
    job = begun(client, clock, **wish)
    first, last = map(int, client.get(job).json["RetrievalByteRange"].split("-"))
    assert (first, last) == (4 * MIB, 5 * MIB)
    assert client.get(f"{job}/output").body == read(CONTENT, first, last + 1)


def test_the_sdk_of_tencent_fetches_an_inventory_by_the_size_that_it_calculates_with(
    state: State, client: Client, clock: Clock
) -> None:
    state.add_archive("vault", CONTENT)
    job = begun(client, clock, Type="inventory-retrieval", InventoryRetrievalParameters={})
    document = client.get(job).json
    assert document["InventoryRetrievalParameters"]["Limit"] == 0
    last = document["InventorySizeInBytes"] - 1
    reply = client.get(f"{job}/output", span=f"bytes=0-{last}")
    assert reply.headers["content-range"] == f"bytes 0-{last}/{last + 1}"
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["x-cas-requestid"]
    assert len(reply.json["ArchiveList"]) == 1


def test_the_sdk_of_tencent_finds_a_hash_with_each_part_of_a_job_that_has_one(
    state: State, client: Client, clock: Clock
) -> None:
    archive = state.add_archive("vault", CONTENT)
    job = begun(client, clock, Type="archive-retrieval", ArchiveId=archive.id)
    assert client.get(job).json["SHA256TreeHash"] is not None
    for first, last in ((0, 4 * MIB - 1), (4 * MIB, 5 * MIB)):
        reply = client.get(f"{job}/output", span=f"bytes={first}-{last}")
        assert reply.headers["x-cas-sha256-tree-hash"] == tree_hash(reply.body)


@pytest.mark.parametrize("description", ["\\", "C:\\letters", 'say "\\"', "plain"])
def test_mtglacier_reads_the_lines_of_an_inventory(clock: Clock, description: str) -> None:
    """A field with a comma, a quote or a backslash stands in quotes; others do not."""
    state = State(clock=clock)
    vault = state.add_vault("vault")
    state.add_archive("vault", InMemory(b"x"), description)
    header, line = read(inventory(vault, state, glacier(), form="CSV")[0].content).decode().splitlines()
    assert header == "ArchiveId,ArchiveDescription,CreationDate,Size,SHA256TreeHash"
    fields = re.fullmatch(r'([^,"\\]+),(?:"(.*)"|([^,"\\]*)),([^,"\\]+),(\d+),([0-9a-f]{64})', line)
    assert fields is not None
    assert (fields[2] or fields[3]).replace('\\"', '"') == description


def test_boto_2_reads_null_for_what_nobody_gave_and_a_limit_of_any_size(clock: Clock) -> None:
    state = State(clock=clock)
    vault, asked = state.add_vault("vault"), {"Limit": "20000"}
    for parameters, limit in ((None, None), (asked, "20000")):
        listed, fields = inventory(vault, state, glacier(), asked=parameters)
        job = state.add_job("vault", INVENTORY_RETRIEVAL, listed, fields=fields, takes_s=60.0)
        document = json.loads(json.dumps(job_document(job, vault, state, glacier())))
        assert document["InventoryRetrievalParameters"]["Limit"] == limit
        absent = (document["InventorySizeInBytes"], document["JobDescription"], document["CompletionDate"])
        assert absent == (None, None, None)
        assert document["StatusMessage"] == "Operation in progress."
