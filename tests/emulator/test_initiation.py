"""Jobs that clients ask for."""

import json

import pytest

from casfs.emulator.content import Generated
from casfs.emulator.state import State
from tests.emulator.client import MIB, Client
from tests.emulator.conftest import Clock

COS = {"Bucket": "bucket.cos.ap-chengdu.myqcloud.com", "Object": "key"}


def initiate(client: Client, wish: object) -> tuple[int, str]:
    """Return the status, and the error code or the new job's id."""
    reply = client.ask("POST", "/-/vaults/vault/jobs", body=json.dumps(wish).encode())
    return reply.status, reply.headers.get("x-cas-job-id") or reply.code


@pytest.mark.parametrize(
    ("more", "shown"),
    [
        ({"Type": "push-to-cos", **COS}, {"Action": "PushToCOS", "Tier": "Standard", **COS}),
        (
            {"Type": "pull-from-cos", "Range": "0-9", "Condition": {"If-Match": "x"}, **COS},
            {"Action": "PullFromCOS", "ArchiveId": None, "Condition": {"If-Match": "x"}, **COS},
        ),
        (
            {"Type": "archive-retrieval", "Tier": "Bulk", "Description": "why", "CallBackUrl": "http://me"},
            {"JobDescription": "why", "CallBackUrl": "http://me", "Tier": "Bulk"},
        ),
    ],
    ids=["push", "pull", "retrieve"],
)
def test_a_new_job_shows_what_was_asked_for(
    state: State, client: Client, more: dict[str, object], shown: dict[str, object]
) -> None:
    archive = state.add_archive("vault", Generated(MIB))
    status, job = initiate(client, {"ArchiveId": archive.id, **more})
    assert status == 202
    document = client.get(f"/-/vaults/vault/jobs/{job}").json
    assert document["StatusCode"] == "InProgress"
    assert document | shown == document


def test_an_archive_is_pushed_to_cos_by_a_job_that_a_listing_tells_from_others(
    state: State, client: Client, clock: Clock
) -> None:
    archive = state.add_archive("vault", Generated(2 * MIB), "letters")
    wish = {"Type": "push-to-cos", "ArchiveId": archive.id, "Tier": "Bulk", "Description": "why", **COS}
    status, job = initiate(client, wish)
    assert (status, len(job)) == (202, 64)
    clock.now_s += 60
    client.now_s = clock.now_s
    [document] = client.get("/-/vaults/vault/jobs", {"statuscode": "Succeeded"}).json["JobList"]
    assert document == client.get(f"/-/vaults/vault/jobs/{job}").json
    told = {"Action": "PushToCOS", "Completed": True, "ArchiveId": archive.id, "ArchiveSizeInBytes": 2 * MIB, **COS}
    more = {"Tier": "Bulk", "JobDescription": "why", "RetrievalByteRange": f"0-{2 * MIB - 1}", "SHA256TreeHash": None}
    assert document | told | more == document
    assert client.get(f"/-/vaults/vault/jobs/{job}/output").status == 400


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        ({}, "MissingParameterValueException"),
        ([], "SerializationException"),
        ({"Type": "steal"}, "InvalidParameterValueException"),
        ({"Type": "archive-retrieval"}, "MissingParameterValueException"),
        ({"Type": "archive-retrieval", "ArchiveId": "none"}, "ResourceNotFoundException"),
        ({"Type": "archive-retrieval", "ArchiveId": "a", "Tier": "Soon"}, "InvalidParameterValueException"),
        (
            {"Type": "archive-retrieval", "ArchiveId": "a", "RetrievalByteRange": "1-2"},
            "InvalidParameterValueException",
        ),
        ({"Type": "inventory-retrieval", "Format": "XML"}, "InvalidParameterValueException"),
        ({"Type": "push-to-cos", "ArchiveId": "a"}, "MissingParameterValueException"),
        ({"Type": "pull-from-cos", **COS}, "MissingParameterValueException"),
    ],
)
def test_a_job_that_cannot_be_is_refused_by_its_code(state: State, client: Client, wish: object, expected: str) -> None:
    state.add_archive("vault", Generated(MIB), archive_id="a")
    assert initiate(client, wish)[1] == expected
    assert client.get("/-/vaults/vault/jobs").json["JobList"] == []


def test_a_body_that_is_no_json_is_a_serialization_error(client: Client) -> None:
    assert client.ask("POST", "/-/vaults/vault/jobs", body=b"{").code == "SerializationException"
