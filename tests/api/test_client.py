"""The service's operations, over a socket."""

import json
import logging
import os
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casfs.api.client import Client
from casfs.api.operations import AccountRequests
from casfs.api.providers.signing import authorization
from casfs.errors import (
    AccessDeniedError,
    CasfsError,
    CredentialsError,
    NotFoundError,
    ProtocolError,
    RefusedError,
    TransferError,
)
from casfs.models import Credentials, JobState, Output
from casfs.stats import Stats
from casfs.waiting import Deadline
from tests.api.conftest import KEYS, Into
from tests.api.scripted import Act, Reply, ScriptedServer, Seen, answer, chunked
from tests.conftest import Announce
from tests.providers import cas
from tests.settings import client_settings

NOW_S = 1500000000
NOW = "Fri, 14 Jul 2017 02:40:00 GMT"


def soon() -> Deadline:
    return Deadline.after(4)


def page(**fields: object) -> bytes:
    return answer("200 OK", json.dumps(fields).encode(), Content_Type="application/json")


def vaults(*names: str) -> list[dict[str, object]]:
    return [{"VaultName": name, "CreationDate": "2017-07-14T02:40:00.000Z"} for name in names]


def signature_of(request: Seen, keys: Credentials = KEYS) -> str:
    """Return what the signature of *request* must be, by what came over the socket."""
    url = urlsplit(request.target)
    window = dict(pair.split("=", 1) for pair in request.headers["Authorization"].split("&"))["q-sign-time"].split(";")
    signed = {"host": request.headers["Host"]}
    query = dict(parse_qsl(url.query, keep_blank_values=True))
    return authorization(keys, "GET", url.path, query, signed, window=(int(window[0]), int(window[1])))


def test_vaults_are_listed_over_pages_with_markers_as_they_came(
    client: Client, server: ScriptedServer, stats: Stats
) -> None:
    marker = "qcs:id/0:cas:ap-chengdu:uid/1250000000:vaults/Vault_A +&=%2F~\u2603"
    server.add(page(VaultList=vaults("a", "b"), Marker=marker), page(VaultList=vaults("b", "c"), Marker=None))
    assert [vault.name for vault in client.vaults(soon())] == ["a", "b", "c"]
    assert [urlsplit(request.target).path for request in server.seen] == ["/-/vaults"] * 2
    assert parse_qsl(urlsplit(server.seen[1].target).query) == [("limit", "1000"), ("marker", marker)]
    assert [signature_of(request) for request in server.seen] == [
        request.headers["Authorization"] for request in server.seen
    ]
    assert stats.snapshot()["requests_by_operation"] == {"list_vaults": 2}
    assert server.connections == 1


def test_a_vault_is_described(client: Client, server: ScriptedServer) -> None:
    server.add(page(VaultName="v", CreationDate="1970-01-01T00:00:00.5Z", Sizes=None))
    vault = client.vault("v", soon())
    assert (vault.name, vault.created_ns) == ("v", 500_000_000)
    assert vault.document == '{"VaultName":"v","CreationDate":"1970-01-01T00:00:00.5Z","Sizes":null}'
    assert server.seen[0].target == "/-/vaults/v"


def test_jobs_are_listed_and_described_by_the_same_documents(
    client: Client, server: ScriptedServer, announce: Announce
) -> None:
    job = {"JobId": "--j", "Action": "ArchiveRetrieval", "StatusCode": "Succeeded", "RetrievalByteRange": "0-9"}
    server.add(page(JobList=[job, {"JobId": None}, job], Marker=""), page(**job))
    announce("left out of JobList")
    [listed] = client.jobs("v", soon())
    assert listed == client.job("v", "--j", soon())
    assert (listed.vault, listed.state, listed.size) == ("v", JobState.SUCCEEDED, 10)
    assert [request.target for request in server.seen] == ["/-/vaults/v/jobs?limit=1000", "/-/vaults/v/jobs/--j"]


@given(st.text(min_size=1).filter(lambda name: name not in (".", "..")))
def test_every_name_arrives_as_it_is(name: str) -> None:
    path = AccountRequests("-").list_jobs(name, 1).path
    assert path.isascii()
    assert [unquote(segment) for segment in path.split("/")] == ["", "-", "vaults", name, "jobs"]


@pytest.mark.parametrize("name", ["a b", "%2e%2E", "a%2Fb", "ä/☃?#&=+~", "...", "-", "\x01\n"])
def test_a_path_is_sent_as_it_is_signed(client: Client, server: ScriptedServer, name: str) -> None:
    server.add(page(JobId=name))
    assert client.job("v", name, soon()).id == name
    [request] = server.seen
    assert unquote(request.target) == f"/-/vaults/v/jobs/{name}"
    assert request.headers["Authorization"] == signature_of(request)


@pytest.mark.parametrize("name", ["", ".", "..", "\udcff"])
def test_a_name_that_would_lead_elsewhere_is_not_there(client: Client, server: ScriptedServer, name: str) -> None:
    for ask in (lambda: client.vault(name, soon()), lambda: client.job("v", name, soon())):
        with pytest.raises(NotFoundError):
            ask()
    assert server.seen == []


def test_the_account_is_in_every_path_and_the_token_in_its_header(server: ScriptedServer, stats: Stats) -> None:
    service = cas(server.url, Credentials("id", "key", "tok/+="), token_header="x-cos-security-token")
    client = Client(service, client_settings(account="1250000000"), stats)
    server.add(page(VaultName="v"))
    client.vault("v", soon())
    [request] = server.seen
    assert request.target == "/1250000000/vaults/v"
    assert request.headers["x-cos-security-token"] == "tok/+="
    assert request.headers["Host"] == f"127.0.0.1:{server.port}"


@pytest.fixture
def announced(announce: Announce) -> None:
    announce("list_vaults: ")


def refused(status: str, code: str, message: str = "m", **headers: str) -> bytes:
    return answer(status, json.dumps({"code": code, "message": message}).encode(), x_cas_requestId="Rid", **headers)


@pytest.mark.parametrize(
    ("reply", "kind", "words"),
    [
        (refused("403 Forbidden", "AccessDeniedException"), AccessDeniedError, "no permission"),
        (refused("400 Bad Request", "InvalidSignatureException"), CredentialsError, "signature"),
        (refused("403 Forbidden", "InvalidSignatureException"), CredentialsError, "signature"),
        (refused("400 Bad Request", "UnrecognizedClientException"), CredentialsError, "does not know the key"),
        (refused("403 Forbidden", "ExpiredTokenException"), CredentialsError, "token has expired"),
        (refused("400 Bad Request", "MissingAuthenticationTokenException"), CredentialsError, "saw none"),
        (refused("400 Bad Request", "NoLongerSupportedException", "closed"), RefusedError, "closed"),
        (answer("403 Forbidden", b"<html>"), AccessDeniedError, "HTTP 403"),
        (answer("401 Unauthorized"), AccessDeniedError, "HTTP 401"),
        (answer("301 Moved", Location="https://elsewhere/-/vaults"), RefusedError, "HTTP 301"),
        (answer("204 No Content", Content_Length=""), RefusedError, "HTTP 204"),
        (answer("206 Partial Content", b"{}"), RefusedError, "HTTP 206"),
        (answer("200 OK", b"<html>log in here"), ProtocolError, "no JSON"),
        (answer("200 OK", b'{"VaultList": {}}'), ProtocolError, "VaultList"),
        (answer("200 OK", b'{"VaultList": [], "Marker": 5}'), ProtocolError, "Marker"),
    ],
)
@pytest.mark.usefixtures("announced")
def test_what_lasts_is_asked_once_and_is_one_line(
    client: Client, server: ScriptedServer, reply: bytes, kind: type[CasfsError], words: str
) -> None:
    server.add(reply)
    with pytest.raises(kind, match=words) as caught:
        list(client.vaults(soon()))
    assert "\n" not in str(caught.value)
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    "fault",
    [
        (Act.RESET,),
        (page(VaultName="v")[:-1], Act.CLOSE),
        (chunked(b'{"Vau'), Act.CLOSE),
        (answer("200 OK", b"x", Content_Encoding="br"),),
        (refused("400 Bad Request", "ThrottlingException"),),
        (answer("504 Gateway Timeout", b"<html>"),),
    ],
    ids=["reset", "short", "chunks without an end", "encoded", "throttled", "a proxy's page"],
)
def test_a_fault_that_passes_is_survived(client: Client, server: ScriptedServer, fault: Reply) -> None:
    server.add(fault, page(VaultName="v"))
    assert client.vault("v", soon()).name == "v"
    assert len(server.seen) == 2


def test_a_refusal_gives_its_connection_back(client: Client, server: ScriptedServer) -> None:
    server.add(answer("503 Busy", b"<html>"), answer("503 Busy"), page(VaultName="v"))
    client.vault("v", soon())
    assert server.connections == 1


@pytest.mark.parametrize("off_s", [-86400, 7200])
@pytest.mark.parametrize("refusal", ["InvalidSignatureException", "AccessDeniedException", "NobodyKnowsWhichException"])
def test_a_clock_that_is_off_is_corrected_from_the_refusal_once(
    client: Client, server: ScriptedServer, off_s: int, refusal: str, announce: Announce
) -> None:
    announce("signing by the service's")
    client._attempts._clock._clock = lambda: NOW_S + off_s
    server.add(refused("403 Forbidden", refusal, Date=NOW), page(VaultName="v"), page(VaultName="v"))
    client.vault("v", soon())
    client.vault("v", soon())
    begins = [request.headers["Authorization"].partition("q-sign-time=")[2][:10] for request in server.seen]
    assert begins == [str(NOW_S + off_s - 300), str(NOW_S - 300), str(NOW_S - 300)]


def test_a_wrong_key_is_not_tried_for_ever_by_a_service_with_a_wild_clock(
    client: Client, server: ScriptedServer, announce: Announce
) -> None:
    announce("signing by the service's")
    announce("the signature is refused")
    client._attempts._clock._clock = lambda: NOW_S + 7200
    server.always = (refused("400 Bad Request", "InvalidSignatureException", Date=NOW),)
    with pytest.raises(CredentialsError):
        client.vault("v", soon())
    assert len(server.seen) == 2


@pytest.mark.parametrize(
    ("refusal", "kind"), [("InvalidSignatureException", CredentialsError), ("AccessDeniedException", AccessDeniedError)]
)
@pytest.mark.parametrize(("off_s", "way"), [(-345_600_000, "4,000.0 days behind"), (86461, "1.0 days ahead of")])
def test_no_signature_is_made_for_a_date_that_is_over_a_day_away(  # noqa: PLR0917 - a table
    client: Client,
    server: ScriptedServer,
    off_s: int,
    way: str,
    refusal: str,
    kind: type[CasfsError],
    announce: Announce,
) -> None:
    announce(f"clock is {way} the service's")
    client._attempts._clock._clock = lambda: NOW_S + off_s
    server.always = (refused("403 Forbidden", refusal, Date=NOW),)
    with pytest.raises(kind, match=f"clock is {way} the service's, and no more than a day is corrected: set it"):
        client.vault("v", soon())
    assert len(server.seen) == 1


def test_what_a_failure_is_logged_with_is_that_of_its_last_attempt(
    client: Client, server: ScriptedServer, caplog: pytest.LogCaptureFixture, announce: Announce
) -> None:
    announce("describe_vault")
    server.always = (Act.CLOSE,)
    server.add(refused("503 Busy", "ServiceUnavailableException"))
    shares = iter([0.0, 1000.0])  # the second wait would be longer than there is time
    client._retry._share = lambda: next(shares)
    with pytest.raises(TransferError):
        client.vault("v", Deadline.after(60))
    assert "[tries 2, status -, code -, request id -]" in caplog.text


def test_a_failure_is_logged_once_with_status_code_and_request_id(
    client: Client, server: ScriptedServer, caplog: pytest.LogCaptureFixture, announce: Announce
) -> None:
    announce("describe_vault")
    server.add(answer("503 Busy"), refused("400 Bad Request", "PolicyEnforcedException", "not now"))
    with pytest.raises(RefusedError):
        client.vault("v", soon())
    [record] = [record for record in caplog.records if record.name.startswith("casfs")]
    assert record.getMessage() == (
        "describe_vault, vault 'v': not now (HTTP 400, PolicyEnforcedException, request id Rid)"
        " [tries 2, status 400, code PolicyEnforcedException, request id Rid]"
    )


def test_what_the_service_echoes_of_a_secret_is_in_no_message_and_no_log(
    client: Client, server: ScriptedServer, caplog: pytest.LogCaptureFixture, announce: Announce
) -> None:
    announce("describe_vault")
    echo = "x" * 290 + KEYS.secret_key + "you signed with"
    server.add(refused("400 Bad Request", "SomeException", echo))
    with caplog.at_level(logging.DEBUG), pytest.raises(RefusedError, match=r"xxx\*\*\*you sig \(HTTP") as caught:
        client.vault("v", soon())
    assert KEYS.secret_key[:5] not in caplog.text + str(caught.value)
    assert "q-signature" not in caplog.text


def test_a_token_that_cannot_be_sent_is_in_no_traceback(server: ScriptedServer, announce: Announce) -> None:
    announce("characters that cannot be sent")
    client = Client(cas(server.url, Credentials("id", "key", "bad\nTOKEN")), client_settings(), Stats())
    with pytest.raises(CasfsError) as caught:
        client.vault("v", soon())
    assert caught.value.__suppress_context__
    assert "TOKEN" not in str(caught.value)


@pytest.mark.parametrize(
    "reply",
    [
        (answer("200 OK", b"x", Content_Length=str((64 << 20) + 1)), Act.STALL),
        (answer("200 OK", Content_Length=""), b" " * ((64 << 20) + (1 << 20)), Act.CLOSE),
    ],
    ids=["announced", "not announced"],
)
def test_an_answer_over_64_mib_is_refused(
    client: Client, server: ScriptedServer, reply: Reply, announce: Announce
) -> None:
    announce("an answer of")
    server.add(reply)
    with pytest.raises(ProtocolError, match="67108864"):
        client.vault("v", Deadline.after(20))


def test_an_endless_page_of_an_error_is_read_no_further_than_it_matters(
    client: Client, server: ScriptedServer, announce: Announce
) -> None:
    announce("HTTP 400")
    server.add((answer("400 Bad Request", Content_Length=str(1 << 40)), b"x" * (1 << 20), Act.STALL))
    deadline = soon()
    with pytest.raises(RefusedError):
        client.vault("v", deadline)
    assert deadline.remaining_s > 3


def test_a_list_that_stalls_leaves_room_for_another_attempt(client: Client, server: ScriptedServer) -> None:
    server.add((page(VaultList=[])[:-1], Act.STALL), page(VaultList=vaults("a")))
    deadline = soon()
    assert [vault.name for vault in client.vaults(deadline)] == ["a"]
    assert deadline.remaining_s > 2


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_client_that_asked_before_a_fork_asks_over_its_own_connections_after_it(
    client: Client, server: ScriptedServer
) -> None:
    server.always = (page(VaultName="v"),)
    client.vault("v", soon())
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = int(client.vault("v", soon()).name != "v")
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    client.vault("v", soon())
    assert [request.connection for request in server.seen] == [1, 2, 1]


def test_a_client_that_was_closed_opens_a_connection_when_it_is_asked_again(
    client: Client, server: ScriptedServer
) -> None:
    server.always = (page(VaultName="v"),)
    client.vault("v", soon())
    client.close()
    client.close()
    client.vault("v", soon())
    assert [request.connection for request in server.seen] == [1, 2]


def test_a_client_is_what_the_stages_above_need(client: Client) -> None:
    from casfs.data.source import RangeSource  # noqa: PLC0415 - the only test that looks across
    from casfs.tree.lister import Lister  # noqa: PLC0415 - the only test that looks across

    lister: Lister = client
    source: RangeSource = client
    assert (lister, source) == (client, client)


def test_an_unfinished_list_holds_no_connection(client: Client, server: ScriptedServer) -> None:
    server.add(page(VaultList=vaults("a", "b"), Marker="m"), page(VaultName="v"))
    next(client.vaults(soon()))
    client.vault("v", soon())
    assert server.connections == 1


def test_gone_and_stalled_outputs_need_no_more_than_their_names(client: Client, server: ScriptedServer) -> None:
    server.add((Act.CLOSE,), (Act.CLOSE,), answer("200 OK"))
    told = client.probe(Output("v", "j", None, None, is_inventory=True), Into(memoryview(bytearray(10))), soon())
    assert told.size == 0
    assert {request.target for request in server.seen} == {"/-/vaults/v/jobs/j/output"}


def test_a_transfer_that_fails_for_ever_is_told_as_what_it_was(
    client: Client, server: ScriptedServer, announce: Announce
) -> None:
    announce("the connection broke")
    server.always = (Act.RESET,)
    client._retry._share = lambda: 1.0
    client._retry._sleep = lambda _: None  # the sixth wait would be 8 s
    with pytest.raises(TransferError, match=r"Connection reset by peer|RemoteDisconnected"):
        client.vault("v", Deadline.after(7))
