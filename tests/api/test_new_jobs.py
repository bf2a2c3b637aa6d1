"""Jobs that are begun once, whatever becomes of the answer: over real sockets, at each service."""

import time
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import pytest

from casfs.api.client import Client
from casfs.api.providers.provider import Access, Service
from casfs.api.providers.table import PROVIDERS
from casfs.asked_jobs import ArchiveRetrieval, InventoryRetrieval
from casfs.emulator.content import InMemory
from casfs.emulator.faults import Fault, Kind
from casfs.emulator.initiation import part
from casfs.emulator.jobs import ARCHIVE_RETRIEVAL, StoredJob, StoredOutput
from casfs.emulator.server import Server
from casfs.emulator.state import State
from casfs.errors import AccessDeniedError, CasfsError, NotFoundError, RefusedError
from casfs.models import Credentials
from casfs.stats import Stats
from casfs.waiting import Deadline
from tests.conftest import Announce
from tests.providers import DIALECTS, EVERY_PROVIDER
from tests.settings import client_settings

MIB = 1 << 20
ARCHIVE = "the-archive"
WHOLE = ArchiveRetrieval(ARCHIVE)
LOST_AFTER = Fault(kind=Kind.DROP, operation="initiate_job")
LOST_BEFORE = Fault(kind=Kind.DROP, operation="initiate_job", done=False)
FAILED_AFTER = Fault(kind=Kind.STATUS, operation="initiate_job", status=500, done=True)
FAILED_BEFORE = Fault(kind=Kind.STATUS, operation="initiate_job", status=503)
TOO_LATE = Fault(kind=Kind.DELAY, operation="initiate_job", seconds=20.0)
RESET_AFTER = Fault(kind=Kind.RESET, operation="initiate_job")
LOST = {
    "after": LOST_AFTER,
    "before": LOST_BEFORE,
    "failed-after": FAILED_AFTER,
    "failed-before": FAILED_BEFORE,
    "too-late": TOO_LATE,
    "reset": RESET_AFTER,
}

pytestmark = EVERY_PROVIDER


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys for whoever looks for them in the environment."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "key")


@pytest.fixture
def off_s() -> float:
    """By how much the service's clock is ahead of this machine's."""
    return 0.0


@pytest.fixture
def server(provider: str, off_s: float) -> Iterator[Server]:
    dialect = DIALECTS[provider]
    state = State(clock=lambda: time.time() + off_s, region=dialect.region, account=dialect.account, job_takes_s=3600.0)
    state.add_vault("vault")
    state.add_archive("vault", InMemory(bytes(3 * MIB + 5)), archive_id=ARCHIVE)
    with Server(state, credentials={"id": "key"}, dialect=dialect) as server:
        yield server


@pytest.fixture
def client(provider: str, server: Server) -> Iterator[Client]:
    service = replace(service_of(provider), endpoint_url=server.url)
    client = Client(service, client_settings(read_timeout_s=6.0), Stats())
    client._retry._share = lambda: 0.0
    yield client
    client.close()


@cache
def service_of(provider: str) -> Service:
    """Return a service that is somewhere else: botocore takes its time to make one."""
    access = Access(endpoint_url="http://127.0.0.1:1", credentials=Credentials("id", "key"), region="us-west-2")
    return PROVIDERS[provider].connect(access)


def soon() -> Deadline:
    return Deadline.after(60)


def jobs(server: Server) -> list[StoredJob]:
    return list(server.state.vaults()[0].jobs.values())


def asked(server: Server, operation: str) -> int:
    return sum(record.operation == operation for record in server.requests)


def test_a_job_is_begun_and_its_id_is_returned(server: Server, client: Client) -> None:
    job = client.initiate_job("vault", WHOLE, soon())
    assert [job] == [made.id for made in jobs(server)]
    assert client.job("vault", job, soon()).action == ARCHIVE_RETRIEVAL
    assert asked(server, "list_jobs") == 0


PARAMETERS: dict[str, ArchiveRetrieval | InventoryRetrieval] = {
    "archive": WHOLE,
    "part": ArchiveRetrieval(ARCHIVE, "Bulk", (MIB, 2 * MIB - 1), "a part"),
    "list": InventoryRetrieval("CSV", "2020-01-01T00:00:00Z", "2030-01-01T00:00:00Z", 7, None, "a list"),
    "inventory": InventoryRetrieval(),
}
CASES = [("archive", lost) for lost in LOST] + [(name, lost) for name in PARAMETERS for lost in ("after", "before")][2:]


@pytest.mark.parametrize(("name", "lost"), CASES)
def test_one_job_is_begun_though_the_answer_is_lost(server: Server, client: Client, name: str, lost: str) -> None:
    server.faults.add(LOST[lost])
    job = client.initiate_job("vault", PARAMETERS[name], soon())
    assert [job] == [made.id for made in jobs(server)]
    assert asked(server, "initiate_job") == (2 if "before" in lost else 1)
    assert asked(server, "list_jobs") == 1


def test_a_job_is_found_however_often_answers_are_lost(server: Server, client: Client) -> None:
    server.faults.add(LOST_BEFORE, FAILED_BEFORE, LOST_AFTER, Fault(kind=Kind.DROP, operation="list_jobs", after=2))
    job = client.initiate_job("vault", WHOLE, soon())
    assert [job] == [made.id for made in jobs(server)]
    assert asked(server, "initiate_job") == 3


@pytest.mark.parametrize("off_s", [-200.0, 200.0])
def test_a_job_is_found_though_the_clocks_differ(server: Server, client: Client, off_s: float) -> None:
    server.state.add_job(
        "vault", ARCHIVE_RETRIEVAL, whole(server), job_id="before", created_s=time.time() + off_s - 30, takes_s=3600.0
    )
    server.faults.add(LOST_AFTER, LOST_BEFORE)
    first, second = (client.initiate_job("vault", WHOLE, soon()) for _ in range(2))
    assert sorted(made.id for made in jobs(server)) == sorted(["before", first, second])


def whole(server: Server) -> StoredOutput:
    return part(server.state.vaults()[0].archives[ARCHIVE])


@pytest.mark.parametrize("lost", [LOST_AFTER, LOST_BEFORE], ids=["after", "before"])
def test_the_same_again_is_another_job(server: Server, client: Client, lost: Fault) -> None:
    ids = [client.initiate_job("vault", WHOLE, soon())]
    for _ in range(2):
        server.faults.add(lost)
        ids.append(client.initiate_job("vault", WHOLE, soon()))
    assert sorted(ids) == sorted(made.id for made in jobs(server))
    assert len(set(ids)) == 3


def test_a_job_that_was_begun_before_the_request_is_not_taken_for_it(server: Server, client: Client) -> None:
    server.state.add_job("vault", ARCHIVE_RETRIEVAL, whole(server), job_id="old", created_s=time.time() - 10)
    server.faults.add(LOST_BEFORE)
    assert client.initiate_job("vault", WHOLE, soon()) != "old"
    assert len(jobs(server)) == 2


@pytest.mark.parametrize(
    "other",
    [
        ArchiveRetrieval(ARCHIVE, "Bulk"),
        ArchiveRetrieval(ARCHIVE, None, (0, MIB - 1)),
        ArchiveRetrieval(ARCHIVE, None, None, "of another"),
        InventoryRetrieval(),
        InventoryRetrieval(limit=7),
        InventoryRetrieval("CSV"),
        InventoryRetrieval(start_date="2020-01-01T00:00:00Z"),
        InventoryRetrieval(end_date="2030-01-01T00:00:00Z"),
    ],
    ids=str,
)
def test_a_job_of_other_parameters_is_not_taken_for_it(
    server: Server, client: Client, other: ArchiveRetrieval | InventoryRetrieval
) -> None:
    """Another program begins them at the same moment: this client has not seen their ids."""
    server.faults.add(LOST_BEFORE)
    client.initiate_job("vault", other, soon())
    client._new_jobs._given.clear()
    mine = InventoryRetrieval("JSON", limit=8) if isinstance(other, InventoryRetrieval) else WHOLE
    server.faults.add(LOST_BEFORE)
    client.initiate_job("vault", mine, soon())
    assert len(jobs(server)) == 2


@pytest.mark.parametrize("code", [None, "ThrottlingException"])
def test_throttling_is_waited_out_and_nothing_is_looked_for(server: Server, client: Client, code: str | None) -> None:
    """A service that throttles did nothing."""
    kind = Fault(kind=Kind.THROTTLE, operation="initiate_job", times=2)
    page = Fault(kind=Kind.STATUS, operation="initiate_job", times=2, status=429, body="slow down")
    server.faults.add(kind if code else page)
    job = client.initiate_job("vault", WHOLE, soon())
    assert [job] == [made.id for made in jobs(server)]
    assert (asked(server, "initiate_job"), asked(server, "list_jobs")) == (3, 0)


@pytest.mark.parametrize(
    ("parameters", "error", "words"),
    [
        (ArchiveRetrieval("no-such"), NotFoundError, "archive ID was not found"),
        (ArchiveRetrieval(ARCHIVE, None, (5, 9)), RefusedError, "range is not valid"),
        (ArchiveRetrieval(ARCHIVE, "Soon"), RefusedError, "tier"),
        (InventoryRetrieval("XML"), RefusedError, "format"),
        (InventoryRetrieval(start_date="yesterday"), RefusedError, "StartDate"),
    ],
)
def test_a_refusal_is_final(  # noqa: PLR0917 - three fixtures and a case
    server: Server,
    client: Client,
    announce: Announce,
    parameters: ArchiveRetrieval | InventoryRetrieval,
    error: type[CasfsError],
    words: str,
) -> None:
    announce("^(initiate|list)_job")
    with pytest.raises(error, match=words) as caught:
        client.initiate_job("vault", parameters, soon())
    assert "may have been begun" not in str(caught.value)
    assert (asked(server, "initiate_job"), asked(server, "list_jobs"), jobs(server)) == (1, 0, [])


@pytest.mark.parametrize(
    ("refusal", "error"),
    [
        (Fault(kind=Kind.STATUS, operation="list_jobs", code="AccessDeniedException"), AccessDeniedError),
        (Fault(kind=Kind.STATUS, operation="list_jobs", status=404, body="<html>none</html>"), RefusedError),
    ],
    ids=["the service", "anybody"],
)
def test_an_error_says_that_the_job_may_have_been_begun_where_the_list_of_jobs_is_refused(
    server: Server, client: Client, announce: Announce, refusal: Fault, error: type[CasfsError]
) -> None:
    announce("^(initiate|list)_job")
    server.faults.add(LOST_AFTER, refusal)
    with pytest.raises(error, match="may have been begun") as caught:
        client.initiate_job("vault", WHOLE, soon())
    assert caught.value.is_for_now == (error is RefusedError)
    assert asked(server, "initiate_job") == 1


def test_an_error_says_that_the_job_may_have_been_begun_where_the_time_is_over(
    server: Server, client: Client, announce: Announce
) -> None:
    announce("^(initiate|list)_job")
    server.faults.add(TOO_LATE)
    with pytest.raises(CasfsError, match="may have been begun"):
        client.initiate_job("vault", WHOLE, Deadline.after(1.0))
    assert len(jobs(server)) == 1


def test_what_is_asked_for_arrives(server: Server, client: Client) -> None:
    client.initiate_job("vault", ArchiveRetrieval(ARCHIVE, "Bulk", (0, MIB - 1), "some words"), soon())
    client.initiate_job(
        "vault", InventoryRetrieval("CSV", "2020-01-01T00:00:00Z", "2030-01-01T00:00:00Z", 7, "m", "a list"), soon()
    )
    [archive, listed] = sorted(client.jobs("vault", soon()), key=lambda job: job.action)
    fields = archive.fields
    assert [fields[name] for name in ("ArchiveId", "RetrievalByteRange", "Tier", "JobDescription")] == [
        ARCHIVE, f"0-{MIB - 1}", "Bulk", "some words",
    ]  # fmt: skip
    asked_for = listed.fields["InventoryRetrievalParameters"]
    assert [asked_for[name] for name in ("Format", "StartDate", "EndDate", "Limit")] == [
        "CSV", "2020-01-01T00:00:00Z", "2030-01-01T00:00:00Z", "7",
    ]  # fmt: skip


@pytest.mark.parametrize("description", ["größer", "two\nlines", "日本"])
def test_a_description_beyond_ascii_is_escaped_or_refused(
    server: Server, client: Client, provider: str, description: str
) -> None:
    wanted = ArchiveRetrieval(ARCHIVE, description=description)
    if provider == "glacier":
        with pytest.raises(ValueError, match="glacier takes no description"):
            client.initiate_job("vault", wanted, soon())
        assert server.requests == []
        return
    server.faults.add(LOST_AFTER)
    client.initiate_job("vault", wanted, soon())
    assert [job.description for job in jobs(server)] == [description]


def test_a_description_that_is_no_text_is_refused(client: Client, server: Server) -> None:
    with pytest.raises(ValueError, match="takes no description"):
        client.initiate_job("vault", ArchiveRetrieval(ARCHIVE, description="\udc80"), soon())
    assert server.requests == []
