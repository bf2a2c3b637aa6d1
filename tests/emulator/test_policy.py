"""How much may be retrieved, how soon, and what becomes of archives that vanish."""

import json
from dataclasses import replace

import pytest

from casfs.emulator.content import Generated
from casfs.emulator.dialect import CAS
from casfs.emulator.faults import Fault, Kind
from casfs.emulator.glacier import GLACIER
from casfs.emulator.policy import Policy
from casfs.emulator.server import Server
from casfs.emulator.state import State
from tests.emulator.client import MIB, Client, Reply
from tests.emulator.conftest import Clock


@pytest.fixture(autouse=True)
def archives(state: State) -> None:
    for number in range(3):
        state.add_archive("vault", Generated(MIB, seed=number), archive_id=f"a{number}")


def retrieve(client: Client, archive: str, **more: str) -> Reply:
    wish = {"Type": "archive-retrieval", "ArchiveId": archive, **more}
    return client.ask("POST", "/-/vaults/vault/jobs", body=json.dumps(wish).encode())


def job_of(client: Client, archive: str, **more: str) -> str:
    reply = retrieve(client, archive, **more)
    assert reply.status == 202
    return f"/-/vaults/vault/jobs/{reply.headers['x-cas-job-id']}"


def later(clock: Clock, client: Client, seconds: float) -> None:
    clock.now_s += seconds
    client.now_s = clock.now_s


@pytest.mark.parametrize("policy", [Policy(most_bytes=2 * MIB + 1), Policy(most_jobs=2)], ids=["bytes", "jobs"])
def test_a_policy_refuses_what_is_too_much_for_its_window(
    state: State, client: Client, clock: Clock, policy: Policy
) -> None:
    state.policy = policy
    job_of(client, "a0")
    later(clock, client, 3600)
    job_of(client, "a1")
    refused = retrieve(client, "a2")
    assert (refused.status, refused.code) == (400, "PolicyEnforcedException")
    later(clock, client, 86399 - 3600)
    assert retrieve(client, "a2").code == "PolicyEnforcedException"
    later(clock, client, 1)
    job_of(client, "a2")


def test_a_policy_counts_parts_by_their_own_size_and_no_inventories(state: State, client: Client) -> None:
    state.policy = Policy(most_bytes=MIB)
    wish = json.dumps({"Type": "inventory-retrieval"}).encode()
    assert [client.ask("POST", "/-/vaults/vault/jobs", body=wish).status for _ in range(3)] == [202] * 3
    state.add_archive("vault", Generated(2 * MIB), archive_id="large")
    assert retrieve(client, "large").code == "PolicyEnforcedException"
    job_of(client, "large", RetrievalByteRange=f"0-{MIB - 1}")


def test_each_tier_takes_its_own_time(state: State, client: Client, clock: Clock) -> None:
    state.tier_takes_s |= {"Expedited": 1.0, "Bulk": 100.0}
    jobs = [job_of(client, "a0", Tier=tier) for tier in ("Expedited", "Standard", "Bulk")]
    seen = []
    for seconds in (0, 1, 59, 40):
        later(clock, client, seconds)
        seen.append([client.get(job).json["Completed"] for job in jobs])
    assert seen == [[False] * 3, [True, False, False], [True, True, False], [True] * 3]


def test_expedited_is_for_small_archives_of_cas(state: State, client: Client) -> None:
    state.add_archive("vault", Generated((256 << 20) + 1), archive_id="large")
    assert retrieve(client, "large", Tier="Expedited").code == "InvalidParameterValueException"


def test_every_request_makes_a_job_of_its_own(client: Client) -> None:
    assert len({job_of(client, "a0", Description="one") for _ in range(3)}) == 3


def test_an_archive_that_vanished_is_not_found_and_fails_what_is_under_way(
    state: State, client: Client, clock: Clock
) -> None:
    ready = job_of(client, "a0")
    later(clock, client, 60)
    running, other = job_of(client, "a0"), job_of(client, "a1")
    state.remove_archive("vault", "a0")
    refused = retrieve(client, "a0")
    assert (refused.status, refused.code) == (404, "ResourceNotFoundException")
    later(clock, client, 60)
    document = client.get(running).json
    assert (document["StatusCode"], document["StatusMessage"]) == ("Failed", "The archive ID was not found: a0")
    assert client.get(f"{running}/output").status == 400
    assert [client.get(f"{job}/output").status for job in (ready, other)] == [200, 200]


def test_a_fault_may_let_the_jobs_of_one_archive_fail(server: Server, client: Client, clock: Clock) -> None:
    server.faults.add(Fault(kind=Kind.FAIL, operation="initiate_job", archive="a1", message="The tape is torn."))
    jobs = [job_of(client, archive) for archive in ("a0", "a1", "a1")]
    assert {client.get(job).json["StatusCode"] for job in jobs} == {"InProgress"}
    later(clock, client, 60)
    assert [client.get(job).json["StatusMessage"] for job in jobs] == ["Succeeded", "The tape is torn.", "Succeeded"]


def test_a_fault_may_meet_whatever_is_about_one_archive(server: Server, client: Client, clock: Clock) -> None:
    server.faults.add(Fault(kind=Kind.FLIP, operation="get_job_output", archive="a1", times=None))
    server.faults.add(Fault(kind=Kind.STATUS, archive="a2", times=None, code="ResourceNotFoundException"))
    jobs = [job_of(client, archive) for archive in ("a0", "a1")]
    later(clock, client, 60)
    for job in jobs:
        client.get(f"{job}/output")
    assert retrieve(client, "a2").status == 404
    met = [(record.operation, record.archive, record.fault) for record in server.requests]
    assert met == [
        ("initiate_job", "a0", None),
        ("initiate_job", "a1", None),
        ("get_job_output", "a0", None),
        ("get_job_output", "a1", "flip"),
        ("initiate_job", "a2", "status"),
    ]


@pytest.mark.parametrize("body", [b"{", b"[]", b"{}", b'{"ArchiveId": 1}'])
def test_a_body_that_names_no_archive_is_about_none(server: Server, client: Client, body: bytes) -> None:
    assert client.ask("POST", "/-/vaults/vault/jobs", body=body).status == 400
    assert server.requests[-1].archive is None


def test_glacier_describes_jobs_in_ascii_alone() -> None:
    state = State()
    state.add_vault("vault")
    state.add_archive("vault", Generated(MIB), archive_id="a")
    dialect = replace(CAS, job_description=GLACIER.job_description)
    with Server(state, dialect=dialect) as server, Client(server.url) as client:
        assert retrieve(client, "a", Description="é").code == "InvalidParameterValueException"
        assert retrieve(client, "a", Description="x" * 1025).code == "InvalidParameterValueException"
        assert retrieve(client, "a", Description="x" * 1024).status == 202
