"""Operations, page by page and error by error, asked over a socket."""

import dataclasses

import pytest

from casfs.emulator.content import Generated
from casfs.emulator.dialect import CAS
from casfs.emulator.initiation import part
from casfs.emulator.jobs import ARCHIVE_RETRIEVAL, PUSH_TO_COS
from casfs.emulator.server import Server
from casfs.emulator.state import State
from tests.emulator.client import Client
from tests.emulator.conftest import Clock

JOBS = "/-/vaults/vault/jobs"


def pages(client: Client, path: str, kind: str, limit: int) -> list[list[str]]:
    """Follow markers, and return the names page by page."""
    key = {"VaultList": "VaultName", "JobList": "JobId"}[kind]
    found, marker = [], ""
    while True:
        answer = client.get(path, {"limit": str(limit)} | ({"marker": marker} if marker else {})).json
        found.append([item[key] for item in answer[kind]])
        marker = answer["Marker"]
        if not marker:
            return found


@pytest.mark.parametrize("inclusive", [True, False])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 7])
def test_pages_hold_every_item_once_and_in_order(state: State, clock: Clock, *, count: int, inclusive: bool) -> None:
    names = sorted(f"{number * 7919 % 1000:03}" for number in range(count))
    state.remove_vault("vault")
    for name in reversed(names):
        state.add_vault(name)
    state.add_vault("vault")
    for name in reversed(names):
        state.add_job("vault", PUSH_TO_COS, job_id=name)
    dialect = dataclasses.replace(CAS, marker_inclusive=inclusive)
    with Server(state, dialect=dialect) as server, Client(server.url, now_s=clock.now_s) as client:
        for found, expected in (
            (pages(client, JOBS, "JobList", 2), names),
            (pages(client, "/-/vaults", "VaultList", 2), [*names, "vault"]),
        ):
            assert [name for page in found for name in page] == expected
            assert len(found) == max(1, -(-len(expected) // 2))


def test_a_page_is_a_thousand_items_unless_fewer_are_asked_for(state: State, client: Client) -> None:
    for number in range(1001):
        state.add_job("vault", PUSH_TO_COS, job_id=f"{number:04}")
    answer = client.get(JOBS).json
    assert (len(answer["JobList"]), answer["Marker"]) == (1000, "1000")


@pytest.mark.parametrize("limit", ["0", "-1", "1001", "many"])
def test_a_limit_that_is_none_is_refused(client: Client, limit: str) -> None:
    reply = client.get("/-/vaults", {"limit": limit})
    assert (reply.status, reply.code) == (400, "InvalidParameterValueException")


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, ["done", "failed", "running"]),
        ({"completed": "true"}, ["done", "failed"]),
        ({"completed": "True"}, ["done", "failed"]),
        ({"completed": "false"}, ["running"]),
        ({"statuscode": "Succeeded"}, ["done"]),
        ({"statuscode": "Failed"}, ["failed"]),
        ({"statuscode": "InProgress"}, ["running"]),
        ({"statuscode": "InProgress", "completed": "true"}, []),
    ],
)
def test_filters_select_jobs(state: State, client: Client, filters: dict[str, str], expected: list[str]) -> None:
    state.add_job("vault", PUSH_TO_COS, job_id="running", takes_s=60)
    state.add_job("vault", PUSH_TO_COS, job_id="failed", failure="why")
    state.add_job("vault", PUSH_TO_COS, job_id="done")
    assert [job["JobId"] for job in client.get(JOBS, filters).json["JobList"]] == expected


@pytest.mark.parametrize("filters", [{"statuscode": "Lost"}, {"completed": "maybe"}])
def test_filters_that_select_nothing_possible_are_refused(client: Client, filters: dict[str, str]) -> None:
    assert client.get(JOBS, filters).code == "InvalidParameterValueException"


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/-/vaults/none", 404, "ResourceNotFoundException"),
        ("/-/vaults/none/jobs", 404, "ResourceNotFoundException"),
        ("/-/vaults/vault/jobs/none", 404, "ResourceNotFoundException"),
        ("/-/vaults/vault/jobs/none/output", 404, "ResourceNotFoundException"),
        ("/-/vaults/vault/jobs/none/input", 404, "ResourceNotFoundException"),
        ("/", 404, "ResourceNotFoundException"),
        ("/42/vaults", 403, "AccessDeniedException"),
    ],
)
def test_what_is_not_there_is_an_error_by_its_code(client: Client, path: str, status: int, code: str) -> None:
    reply = client.get(path)
    assert (reply.status, reply.code, reply.json["type"]) == (status, code, "Client")
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["x-cas-requestid"]


def test_the_account_may_be_named_by_its_uid(client: Client) -> None:
    assert client.get("/1250000000/vaults/vault").json["VaultName"] == "vault"


def test_names_of_any_characters_are_found_by_their_encoded_path(state: State, client: Client) -> None:
    state.add_vault("a b/ü%")
    assert client.get("/-/vaults/a%20b%2F%C3%BC%25").json["VaultName"] == "a b/ü%"


@pytest.mark.parametrize("kind", ["running", "failed", "moved"])
def test_a_job_without_an_output_says_that_it_is_not_available(state: State, client: Client, kind: str) -> None:
    bytes_of = part(state.add_archive("vault", Generated(10)))
    state.add_job("vault", ARCHIVE_RETRIEVAL, bytes_of, job_id="running", takes_s=60)
    state.add_job("vault", ARCHIVE_RETRIEVAL, bytes_of, job_id="failed", failure="why")
    state.add_job("vault", PUSH_TO_COS, bytes_of, job_id="moved")
    reply = client.get(f"{JOBS}/{kind}/output")
    assert (reply.status, reply.code) == (400, "InvalidParameterValueException")
    assert reply.json["message"] == f"The job is not currently available for download: {kind}"


def test_an_expired_job_is_gone_from_everywhere(state: State, client: Client, clock: Clock) -> None:
    job = state.add_job("vault", ARCHIVE_RETRIEVAL, part(state.add_archive("vault", Generated(10))), lives_s=100)
    assert client.get(f"{JOBS}/{job.id}/output").status == 200
    clock.now_s += 100
    assert client.get(JOBS).json["JobList"] == []
    assert client.get(f"{JOBS}/{job.id}").status == 404
    assert client.get(f"{JOBS}/{job.id}/output").status == 404


def test_a_range_past_the_end_is_400_and_one_across_it_is_cut(state: State, client: Client) -> None:
    job = state.add_job("vault", ARCHIVE_RETRIEVAL, part(state.add_archive("vault", Generated(10))))
    assert client.get(f"{JOBS}/{job.id}/output", span="bytes=10-").code == "InvalidParameterValueException"
    reply = client.get(f"{JOBS}/{job.id}/output", span="bytes=8-100")
    assert (reply.status, reply.headers["content-range"], len(reply.body)) == (206, "bytes 8-9/10", 2)
