"""Where the answer to Initiate Job tells the id, and what becomes of one that tells none."""

import json
from datetime import UTC, datetime
from email.utils import formatdate

import pytest

from casfs.api.client import Client
from casfs.api.clock import ServiceClock
from casfs.asked_jobs import ArchiveRetrieval
from casfs.errors import ProtocolError
from casfs.waiting import Deadline
from tests.api.scripted import Act, ScriptedServer, answer
from tests.conftest import Announce

WANTED = ArchiveRetrieval("a")


def begun(**headers: str) -> bytes:
    return answer("202 Accepted", b"", **headers)


def listed(**fields: object) -> bytes:
    return answer("200 OK", json.dumps({"JobList": [fields] if fields else [], "Marker": None}).encode())


def job(**fields: object) -> dict[str, object]:
    told = {"JobId": "found", "Action": "ArchiveRetrieval", "ArchiveId": "a", "ArchiveSizeInBytes": 9}
    return told | {"CreationDate": datetime.now(UTC).isoformat(), "RetrievalByteRange": "0-8"} | fields


def begin(client: Client) -> str:
    return client.initiate_job("v", WANTED, Deadline.after(20))


@pytest.mark.parametrize(
    ("headers", "id_"),
    [
        ({"x_cas_job_id": "one"}, "one"),
        ({"X_Cas_Job_Id": "-a_b", "Location": "/-/vaults/v/jobs/other"}, "-a_b"),
        ({"Location": "/-/vaults/v/jobs/two"}, "two"),
        ({"Location": "//vaults/v/jobs/t%3Do"}, "t=o"),
    ],
)
def test_the_id_is_in_a_header_of_its_own_or_in_the_location(
    client: Client, server: ScriptedServer, headers: dict[str, str], id_: str
) -> None:
    server.add(begun(**headers))
    assert begin(client) == id_
    assert [(seen.method, seen.target) for seen in server.seen] == [("POST", "/-/vaults/v/jobs")]


@pytest.mark.parametrize("location", ["", "/-/vaults/v", "/-/vaults/v/jobs/", "/-/vaults/v/jobs/a%2Fb"])
def test_a_job_whose_id_nobody_told_is_looked_for(client: Client, server: ScriptedServer, location: str) -> None:
    server.add(begun(Location=location), listed(**job()))
    assert begin(client) == "found"


def test_a_job_whose_id_cannot_be_had_is_not_asked_for_again(
    client: Client, server: ScriptedServer, announce: Announce
) -> None:
    announce("^initiate_job")
    server.add(begun(), Act.RESET, Act.RESET, listed())
    with pytest.raises(ProtocolError, match="the job was begun, and neither"):
        begin(client)
    assert [seen.method for seen in server.seen].count("POST") == 1


@pytest.mark.parametrize(
    "told",
    [
        {"RetrievalByteRange": None},
        {"Tier": "Standard"},
        {"Tier": None, "JobDescription": None},
    ],
    ids=str,
)
def test_what_a_document_leaves_out_speaks_against_nothing(
    client: Client, server: ScriptedServer, told: dict[str, object]
) -> None:
    server.add(Act.RESET, listed(**job(**told)))
    assert begin(client) == "found"


@pytest.mark.parametrize(
    "told",
    [
        {"RetrievalByteRange": "0-3"},
        {"RetrievalByteRange": "0-8", "ArchiveSizeInBytes": None},
        {"Tier": "Bulk"},
        {"ArchiveId": "b"},
        {"Action": "PushToCOS"},
        {"CreationDate": None},
        {"CreationDate": "2017-07-14T02:40:00.000Z"},
        {"JobDescription": "of another"},
    ],
    ids=str,
)
def test_a_job_that_may_be_another_is_not_taken(
    client: Client, server: ScriptedServer, told: dict[str, object]
) -> None:
    server.add(Act.RESET, listed(**job(**told)), begun(x_cas_job_id="new"))
    assert begin(client) == "new"


def test_a_time_here_is_told_by_the_last_date_that_was_heard() -> None:
    clock = ServiceClock(lambda: 1000.0)
    assert clock.by_the_service(990.0) == 990.0
    clock.hear(formatdate(1500, usegmt=True))
    assert clock.by_the_service(990.0) == 1490.0
    clock.hear("no date")
    assert clock.by_the_service(990.0) == 990.0
