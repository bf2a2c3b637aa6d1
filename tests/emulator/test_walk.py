"""An independent client, written from the documents, goes the whole way: list, describe, initiate, ranges, hashes."""

import csv
import io

import pytest

from casfs.emulator.content import Generated, read
from casfs.emulator.server import Server
from casfs.emulator.state import State
from tests.emulator.client import MIB, Client, tree_hash
from tests.emulator.conftest import Clock

CONTENT = Generated(6 * MIB + MIB // 2, seed=7)


def initiate(client: Client, clock: Clock, wish: bytes) -> str:
    """Have a job done: POST it, pass the minute it takes."""
    reply = client.ask("POST", "/-/vaults/vault/jobs", body=wish)
    assert reply.status == 202
    assert reply.body == b""
    job = reply.headers["x-cas-job-id"]
    assert reply.headers["location"] == f"/-/vaults/vault/jobs/{job}"
    clock.now_s += 60
    client.now_s = clock.now_s
    return f"/-/vaults/vault/jobs/{job}"


@pytest.mark.parametrize(
    ("byte_range", "start", "stop"),
    [
        ("", 0, CONTENT.size),
        (f"{2 * MIB}-{4 * MIB - 1}", 2 * MIB, 4 * MIB),
        (f"{MIB}-{4 * MIB - 1}", MIB, 4 * MIB),
        (f"{4 * MIB}-{CONTENT.size - 1}", 4 * MIB, CONTENT.size),
    ],
    ids=["whole", "aligned", "no node", "tail"],
)
def test_an_archive_is_listed_described_and_read_by_ranges_whose_hashes_are_right(
    state: State, client: Client, clock: Clock, *, byte_range: str, start: int, stop: int
) -> None:
    archive = state.add_archive("vault", CONTENT, "an archive")
    asked = f', "RetrievalByteRange": "{byte_range}"' if byte_range else ""
    path = initiate(client, clock, f'{{"Type": "archive-retrieval", "ArchiveId": "{archive.id}"{asked}}}'.encode())
    assert [vault["VaultName"] for vault in client.get("/-/vaults").json["VaultList"]] == ["vault"]
    described = client.get(path).json
    assert client.get("/-/vaults/vault/jobs").json["JobList"] == [described]
    assert described["StatusCode"] == "Succeeded"
    first, last = map(int, described["RetrievalByteRange"].split("-"))
    assert (first, last + 1) == (start, stop)
    expected = read(CONTENT, start, stop)
    assert described["SHA256TreeHash"] in (None, tree_hash(expected))

    checked = 0
    arrived = b""
    for at in range(0, stop - start, 2 * MIB):
        until = min(at + 2 * MIB, stop - start)
        reply = client.get(f"{path}/output", span=f"bytes={at}-{until - 1}")
        assert reply.status == 206
        assert reply.headers["content-range"] == f"bytes {at}-{until - 1}/{stop - start}"
        assert reply.headers["content-type"] == "application/octet-stream"
        if "x-cas-sha256-tree-hash" in reply.headers:
            assert reply.headers["x-cas-sha256-tree-hash"] == tree_hash(reply.body)
            checked += 1
        arrived += reply.body
    assert arrived == expected
    assert checked == (0 if byte_range == f"{MIB}-{4 * MIB - 1}" else -(-(stop - start) // (2 * MIB)))
    whole = client.get(f"{path}/output")
    assert (whole.status, whole.body == expected) == (200, True)
    assert whole.headers.get("x-cas-sha256-tree-hash") == described["SHA256TreeHash"]


def test_an_inventory_as_json_lists_the_archives(state: State, client: Client, clock: Clock) -> None:
    archive = state.add_archive("vault", CONTENT, 'ünïcode "and" more')
    path = initiate(client, clock, b'{"Type": "inventory-retrieval"}')
    described, reply = client.get(path).json, client.get(f"{path}/output")
    assert described["InventorySizeInBytes"] == len(reply.body)
    assert reply.headers["content-type"] == "application/json"
    assert "x-cas-sha256-tree-hash" not in reply.headers
    assert reply.json == {
        "VaultQCS": "qcs:id/0:cas:ap-chengdu:uid/1250000000:vaults/vault",
        "InventoryDate": "2017-07-14T02:40:00.250Z",
        "ArchiveList": [
            {
                "ArchiveId": archive.id,
                "ArchiveDescription": 'ünïcode "and" more',
                "CreationDate": "2017-07-14T02:40:00.250Z",
                "Size": CONTENT.size,
                "SHA256TreeHash": tree_hash(read(CONTENT)),
            }
        ],
    }
    part = client.get(f"{path}/output", span="bytes=0-9")
    assert (part.status, part.body) == (206, reply.body[:10])
    assert "x-cas-sha256-tree-hash" not in part.headers


def test_an_inventory_as_csv_has_a_line_for_each_archive(state: State, client: Client, clock: Clock) -> None:
    archive = state.add_archive("vault", CONTENT, "a, b")
    path = initiate(client, clock, b'{"Type": "inventory-retrieval", "Format": "CSV"}')
    reply = client.get(f"{path}/output")
    assert reply.headers["content-type"] == "text/csv"
    rows = list(csv.DictReader(io.StringIO(reply.body.decode())))
    assert [(row["ArchiveId"], row["ArchiveDescription"]) for row in rows] == [(archive.id, "a, b")]


def test_an_upload_is_an_archive(client: Client, clock: Clock) -> None:
    assert client.ask("PUT", "/-/vaults/other").status == 201
    data = read(CONTENT, 0, MIB + 1)
    reply = client.ask(
        "POST",
        "/-/vaults/vault/archives",
        headers={"x-cas-archive-description": "text", "x-cas-sha256-tree-hash": tree_hash(data)},
        body=data,
    )
    assert reply.status == 201
    archive = reply.headers["x-cas-archive-id"]
    path = initiate(client, clock, f'{{"Type": "archive-retrieval", "ArchiveId": "{archive}"}}'.encode())
    assert client.get(f"{path}/output").body == data


def test_an_upload_with_another_tree_hash_than_its_own_is_refused(client: Client) -> None:
    reply = client.ask("POST", "/-/vaults/vault/archives", headers={"x-cas-sha256-tree-hash": "0" * 64}, body=b"x")
    assert (reply.status, reply.code) == (400, "InvalidParameterValueException")


def test_a_client_with_another_key_gets_nothing(server: Server, clock: Clock) -> None:
    with Client(server.url, secret_key="another", now_s=clock.now_s) as stranger:
        reply = stranger.get("/-/vaults")
    assert (reply.status, reply.code) == (400, "InvalidSignatureException")
