"""Every kind of job shows every field of its document, in the order in which the service's documents have them."""

import dataclasses

import pytest

from casfs.emulator.content import Generated
from casfs.emulator.dialect import CAS
from casfs.emulator.documents import job_document, vault_document
from casfs.emulator.initiation import part
from casfs.emulator.inventories import inventory
from casfs.emulator.jobs import ARCHIVE_RETRIEVAL, INVENTORY_RETRIEVAL, PULL_FROM_COS, PUSH_TO_COS, Archive
from casfs.emulator.state import State
from tests.emulator.client import MIB
from tests.emulator.conftest import Clock

KEYS = (
    "Action JobId JobDescription CallBackUrl CreationDate CompletionDate Completed StatusCode StatusMessage VaultQCS "
    "ArchiveId ArchiveSizeInBytes ArchiveSHA256TreeHash RetrievalByteRange SHA256TreeHash "
    "InventorySizeInBytes InventoryRetrievalParameters Bucket Object Range Condition ArchiveDescription Tier"
)
OWN = {
    ARCHIVE_RETRIEVAL: "ArchiveId ArchiveSizeInBytes ArchiveSHA256TreeHash RetrievalByteRange SHA256TreeHash Tier",
    INVENTORY_RETRIEVAL: "InventorySizeInBytes InventoryRetrievalParameters",
    PUSH_TO_COS: "ArchiveId ArchiveSizeInBytes RetrievalByteRange Bucket Object Tier",
    PULL_FROM_COS: "ArchiveId ArchiveSizeInBytes Bucket Object Range Condition ArchiveDescription",
}
"""Those that are not null; besides them, only what is told of every job."""
TOLD = {name: name for name in ("Tier", "Bucket", "Object", "Range", "Condition", "ArchiveDescription")}


@pytest.fixture
def archive(state: State) -> Archive:
    return state.add_archive("vault", Generated(3 * MIB))


def described(state: State, job_id: str) -> dict[str, object]:
    vault, job = state.vault("vault"), state.job("vault", job_id)
    assert vault is not None
    assert job is not None
    return dict(job_document(job, vault, state, CAS))


@pytest.mark.parametrize("action", OWN)
def test_every_key_is_there_in_its_order_and_null_where_it_does_not_apply(
    state: State, archive: Archive, action: str
) -> None:
    listed, fields = inventory(state.add_vault("vault"), state, CAS)
    retrieves = listed if action == INVENTORY_RETRIEVAL else part(archive)
    job = state.add_job("vault", action, retrieves, fields=fields | TOLD, call_back_url="http://me")
    document = described(state, job.id)
    assert " ".join(document) == KEYS
    told = {name for name, value in document.items() if value is not None}
    assert told == {*KEYS.split()[:10], *OWN[action].split()}


def test_a_job_goes_from_in_progress_to_succeeded_and_expires_after_a_day(
    state: State, archive: Archive, clock: Clock
) -> None:
    job = state.add_job("vault", ARCHIVE_RETRIEVAL, part(archive), takes_s=60)
    running = described(state, job.id)
    assert (running["StatusCode"], running["Completed"], running["CompletionDate"]) == ("InProgress", False, None)
    clock.now_s += 60
    done = described(state, job.id)
    assert (done["StatusCode"], done["Completed"]) == ("Succeeded", True)
    assert (done["CreationDate"], done["CompletionDate"]) == ("2017-07-14T02:40:00.250Z", "2017-07-14T02:41:00.250Z")
    clock.now_s += 86399
    assert state.job("vault", job.id) is not None
    clock.now_s += 1
    assert state.job("vault", job.id) is None


def test_a_failed_job_is_completed_and_says_why(state: State, archive: Archive) -> None:
    job = state.add_job("vault", ARCHIVE_RETRIEVAL, part(archive), failure="The archive cannot be read.")
    document = described(state, job.id)
    assert (document["StatusCode"], document["Completed"]) == ("Failed", True)
    assert document["StatusMessage"] == "The archive cannot be read."


@pytest.mark.parametrize(
    ("byte_range", "while_running", "when_done"),
    [(None, True, True), (f"0-{2 * MIB - 1}", False, True), (f"{MIB}-{3 * MIB - 1}", False, False)],
    ids=["whole", "node", "no node"],
)
def test_the_hash_of_a_part_comes_with_completion_if_it_is_a_node(
    state: State, archive: Archive, clock: Clock, *, byte_range: str | None, while_running: bool, when_done: bool
) -> None:
    job = state.add_job("vault", ARCHIVE_RETRIEVAL, part(archive, byte_range), takes_s=60)
    assert (described(state, job.id)["SHA256TreeHash"] is not None) == while_running
    clock.now_s += 60
    assert (described(state, job.id)["SHA256TreeHash"] is not None) == when_done
    assert described(state, job.id)["ArchiveSHA256TreeHash"] == archive.tree.root


def test_the_size_of_an_inventory_is_a_number_or_as_a_variant_a_string(state: State, clock: Clock) -> None:
    vault = state.add_vault("vault")
    listed, fields = inventory(vault, state, CAS)
    job = state.add_job("vault", INVENTORY_RETRIEVAL, listed, fields=fields, takes_s=60)
    assert described(state, job.id)["InventorySizeInBytes"] == 0
    clock.now_s += 60
    assert described(state, job.id)["InventorySizeInBytes"] == listed.size
    text = dataclasses.replace(CAS, inventories=dataclasses.replace(CAS.inventories, size=str))
    assert job_document(job, vault, state, text)["InventorySizeInBytes"] == str(listed.size)


def test_any_field_can_be_made_to_lie(state: State, archive: Archive) -> None:
    job = state.add_job("vault", ARCHIVE_RETRIEVAL, part(archive), overrides={"SHA256TreeHash": "f" * 64, "New": [1]})
    document = described(state, job.id)
    assert (document["SHA256TreeHash"], document["New"]) == ("f" * 64, [1])


def test_a_vault_counts_its_archives_once_it_has_an_inventory(state: State, archive: Archive, clock: Clock) -> None:
    vault = state.add_vault("vault")
    assert vault_document(vault, state, CAS) == {
        "CreationDate": "2017-07-14T02:40:00.250Z",
        "LastInventoryDate": None,
        "NumberOfArchives": None,
        "SizeInBytes": None,
        "VaultQCS": "qcs:id/0:cas:ap-chengdu:uid/1250000000:vaults/vault",
        "VaultName": "vault",
    }
    vault.inventory_s = clock()
    counted = vault_document(vault, state, CAS)
    assert (counted["NumberOfArchives"], counted["SizeInBytes"]) == (1, 3 * MIB)
