"""Glacier's entry through the client, against the emulator's Glacier and its own check of signatures."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("botocore", reason="the extra glacier is not installed")

from casfs.api.client import Client
from casfs.api.providers.aws import AwsCredentials
from casfs.api.providers.glacier import GLACIER
from casfs.api.providers.provider import Service
from casfs.api.providers.sigv4 import GlacierSigner
from casfs.emulator.content import InMemory
from casfs.emulator.faults import Fault, Kind
from casfs.emulator.glacier import glacier
from casfs.emulator.initiation import part
from casfs.emulator.server import Server
from casfs.emulator.state import State
from casfs.errors import (
    AccessDeniedError,
    CasfsError,
    CredentialsError,
    NotFoundError,
    NotReadyError,
    RefusedError,
    SizeChangedError,
)
from casfs.models import Output
from casfs.stats import Stats
from casfs.waiting import Deadline
from tests.api.conftest import Into, use_aws_file
from tests.conftest import Announce
from tests.settings import client_settings

MIB = 1 << 20
BYTES = (bytes(range(251)) * (1 << 14))[: 2 * MIB + 7]


@pytest.fixture
def server() -> Iterator[Server]:
    state = State(region="us-west-2", account="012345678901")
    with Server(state, credentials={"id": "key"}, dialect=glacier()) as server:
        yield server


@pytest.fixture
def aws_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file where the keys stand."""
    path = tmp_path / "config"
    path.write_text("[default]\naws_access_key_id = id\naws_secret_access_key = key\n")
    use_aws_file(monkeypatch, path)
    return path


@pytest.fixture
def stats() -> Stats:
    return Stats()


@pytest.fixture
def client(server: Server, stats: Stats, aws_config: Path) -> Iterator[Client]:
    client = client_of(server, stats)
    yield client
    client.close()


def client_of(server: Server, stats: Stats, region: str = "us-west-2") -> Client:
    service = Service(GLACIER, server.url, GlacierSigner(AwsCredentials(), region))
    return Client(service, client_settings(), stats)


def soon() -> Deadline:
    return Deadline.after(60)


def output_of(server: Server) -> Output:
    """Put a job into the service whose output is BYTES."""
    server.state.add_vault("vault")
    archive = server.state.add_archive("vault", InMemory(BYTES))
    job = server.state.add_job("vault", "ArchiveRetrieval", part(archive))
    return Output("vault", job.id, len(BYTES), archive.tree.root, is_inventory=False)


def fetched(client: Client, output: Output, start: int, length: int) -> bytes:
    into = bytearray(length)
    span = range(start, start + length)
    client.fetch(output, output.size or 0, span, Into(memoryview(into)), soon())
    return bytes(into)


@pytest.mark.parametrize("marker", ["inclusive", "exclusive"])
def test_pages_of_ten_and_fifty_are_asked_for_and_nothing_is_missed_or_twice(
    marker: str, stats: Stats, aws_config: Path
) -> None:
    state = State(region="us-west-2", account="012345678901")
    for number in range(25):
        state.add_vault(f"vault-{number:02}")
    for _ in range(120):
        state.add_job("vault-00", "ArchiveRetrieval")
    dialect = replace(glacier(), marker_inclusive=marker == "inclusive")
    with Server(state, credentials={"id": "key"}, dialect=dialect) as server:
        client = client_of(server, stats)
        assert [vault.name for vault in client.vaults(soon())] == [vault.name for vault in state.vaults()]
        assert [job.id for job in client.jobs("vault-00", soon())] == state.vaults()[0].job_ids
        client.close()
    assert stats.snapshot()["requests_by_operation"] == {"list_vaults": 3, "list_jobs": 3}


def test_a_range_comes_with_the_hash_under_glaciers_name(server: Server, client: Client) -> None:
    output = output_of(server)
    into = bytearray(MIB)
    answer = client.probe(output, Into(memoryview(into)), soon())
    assert (answer.size, answer.tree_hash is not None) == (len(BYTES), True)
    assert fetched(client, output, MIB, MIB) == BYTES[MIB : 2 * MIB]


def test_a_range_past_the_end_tells_that_the_size_is_another(
    server: Server, client: Client, announce: Announce
) -> None:
    announce("get_job_output")
    output = replace(output_of(server), size=9 * MIB)
    with pytest.raises(SizeChangedError) as caught:
        fetched(client, output, 8 * MIB, MIB)
    assert caught.value.size == len(BYTES)


def test_a_server_that_ignores_ranges_is_read_right(server: Server, client: Client) -> None:
    output = output_of(server)
    server.faults.add(Fault(kind=Kind.WHOLE, times=None))
    into = bytearray(MIB)
    assert client.probe(output, Into(memoryview(into)), soon()).size == len(BYTES)
    assert bytes(into) == BYTES[:MIB]
    assert fetched(client, output, 2 * MIB, 7) == BYTES[2 * MIB :]


def test_an_output_that_is_not_there_yet_is_not_ready(server: Server, client: Client, announce: Announce) -> None:
    announce("get_job_output")
    output = output_of(server)
    job = server.state.add_job("vault", "ArchiveRetrieval", takes_s=3600)
    with pytest.raises(NotReadyError):
        fetched(client, replace(output, job=job.id), 0, 1)


def said(kind: type[CasfsError], client: Client) -> str:
    """Return the one line of what List Vaults comes to."""
    with pytest.raises(kind) as caught:
        list(client.vaults(soon()))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_wrong_region_is_named(server: Server, stats: Stats, aws_config: Path, announce: Announce) -> None:
    announce("list_vaults")
    line = said(CredentialsError, client_of(server, stats, region="eu-west-1"))
    assert "not in the region" in line
    assert "'eu-west-1'" in line


CLOSED = "This service is no longer available to new customers."
REFUSALS = [
    ("NoLongerSupportedException", RefusedError, f"closed to this account: {CLOSED}"),
    ("ExpiredTokenException", CredentialsError, "the token has expired"),
    ("UnrecognizedClientException", CredentialsError, "does not know the key"),
    ("InvalidClientTokenId", CredentialsError, "does not know the key"),
    ("SignatureDoesNotMatch", CredentialsError, "the signature is refused"),
    ("AccessDeniedException", AccessDeniedError, "no permission"),
    ("LimitExceededException", RefusedError, CLOSED),
    ("VaultNotFound", NotFoundError, CLOSED),
]


@pytest.mark.parametrize("refusal", REFUSALS, ids=[row[0] for row in REFUSALS])
def test_a_refusal_says_what_it_is_in_one_line(
    refusal: tuple[str, type[CasfsError], str], server: Server, client: Client, announce: Announce
) -> None:
    announce("list_vaults")
    code, kind, words = refusal
    server.faults.add(Fault(kind=Kind.STATUS, code=code, message=CLOSED, times=None))
    line = said(kind, client)
    assert words in line
    assert code in line


def test_missing_permission_is_told_from_refused_keys(server: Server, client: Client, announce: Announce) -> None:
    announce("list_vaults")
    server.faults.add(Fault(kind=Kind.STATUS, code="AccessDeniedException"))
    with pytest.raises(AccessDeniedError) as caught:
        list(client.vaults(soon()))
    assert not isinstance(caught.value, CredentialsError)


@pytest.mark.parametrize("code", ["ThrottlingException", "Throttling", "TooManyRequestsException", "SlowDown"])
def test_throttling_is_waited_for_and_counted(code: str, server: Server, client: Client, stats: Stats) -> None:
    server.faults.add(Fault(kind=Kind.STATUS, status=400, code=code, retry_after="0", times=2))
    assert list(client.vaults(soon())) == []
    assert stats.snapshot()["throttled"] == 2


KEYS = "[default]\naws_access_key_id = id\naws_secret_access_key = key\naws_session_token = {}\n"


def test_keys_that_expired_are_replaced_by_the_newer_ones_of_their_file(stats: Stats, aws_config: Path) -> None:
    aws_config.write_text(KEYS.format("old"))
    credentials = AwsCredentials()
    assert credentials.current().token == "old"
    aws_config.write_text(KEYS.format("new"))
    with Server(State(), credentials={"id": "key"}, token="new", dialect=glacier()) as server:
        server.faults.add(Fault(kind=Kind.STATUS, code="ExpiredTokenException"))
        service = Service(GLACIER, server.url, GlacierSigner(credentials, "us-west-2"))
        client = Client(service, client_settings(), stats)
        assert list(client.vaults(soon())) == []
        client.close()
    assert [record.status for record in server.requests] == [403, 200]


def test_keys_that_expired_for_good_are_tried_once(server: Server, client: Client, announce: Announce) -> None:
    announce("the token has expired")
    server.faults.add(Fault(kind=Kind.STATUS, code="ExpiredTokenException", times=None))
    said(CredentialsError, client)
    assert len(server.requests) == 1


def test_a_clock_that_is_off_is_corrected_once(server: Server, client: Client, announce: Announce) -> None:
    announce("clock is")
    server.faults.add(Fault(kind=Kind.SKEW, seconds=3600, times=None))
    assert list(client.vaults(soon())) == []
    assert list(client.vaults(soon())) == []
    assert [record.status for record in server.requests] == [403, 200, 200]


def test_an_error_that_is_no_document_is_known_by_its_status(
    server: Server, client: Client, announce: Announce
) -> None:
    announce("describe_job")
    server.faults.add(Fault(kind=Kind.STATUS, status=403, body="403 Forbidden"))
    with pytest.raises(AccessDeniedError):
        client.job("vault", "job", soon())
