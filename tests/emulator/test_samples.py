"""The sample vaults, as a client sees them."""

from typing import Any

import pytest

from casfs.emulator.samples import sample_state
from casfs.emulator.server import Server
from tests.emulator.client import Client, tree_hash


@pytest.fixture(scope="module")
def jobs() -> dict[str, dict[str, Any]]:
    """The sample jobs by their description, those that have an output with its bytes."""
    found = {}
    with Server(sample_state()) as server, Client(server.url) as client:
        for vault in client.get("/-/vaults").json["VaultList"]:
            path = f"/-/vaults/{vault['VaultName']}/jobs"
            for job in client.get(path).json["JobList"]:
                reply = client.get(f"{path}/{job['JobId']}/output")
                found[job["JobDescription"]] = job | {"status": reply.status, "bytes": reply.body}
    return found


def test_every_kind_of_job_is_there(jobs: dict[str, dict[str, Any]]) -> None:
    kinds = {(job["Action"], job["StatusCode"]) for job in jobs.values()}
    assert kinds == {
        ("ArchiveRetrieval", "Succeeded"),
        ("ArchiveRetrieval", "InProgress"),
        ("ArchiveRetrieval", "Failed"),
        ("InventoryRetrieval", "Succeeded"),
        ("PushToCOS", "Succeeded"),
        ("PullFromCOS", "Succeeded"),
    }


def test_outputs_are_what_their_documents_say(jobs: dict[str, dict[str, Any]]) -> None:
    for job in jobs.values():
        retrieval = job["Action"].endswith("Retrieval") and job["StatusCode"] == "Succeeded"
        assert job["status"] == (200 if retrieval else 400)
        if retrieval and job["Action"] == "ArchiveRetrieval":
            first, last = map(int, job["RetrievalByteRange"].split("-"))
            assert len(job["bytes"]) == last + 1 - first
            assert job["SHA256TreeHash"] in (None, tree_hash(job["bytes"]))
        elif retrieval:
            assert job["InventorySizeInBytes"] == len(job["bytes"])


def test_what_makes_clients_stumble_is_there(jobs: dict[str, dict[str, Any]]) -> None:
    assert any(job["JobId"].startswith("-") for job in jobs.values())
    assert jobs["album, no node of the tree"]["SHA256TreeHash"] is None
    assert jobs["inventory as CSV"]["bytes"].startswith(b"ArchiveId,")
    assert sample_state().vault("empty") is not None


def test_samples_are_the_same_every_time() -> None:
    first, second = (
        {vault.name: (vault.job_ids, list(vault.archives)) for vault in sample_state().vaults()} for _ in range(2)
    )
    assert first == second
