"""What goes wrong between client and service: what is asked again, and what is said of it."""

import json
import logging

import pytest

from casfs.api.client import Client
from casfs.errors import (
    AccessDeniedError,
    CasfsError,
    CredentialsError,
    ProtocolError,
    RefusedError,
    TransferError,
)
from casfs.models import Credentials
from casfs.stats import Stats
from casfs.waiting import Deadline
from tests.api.conftest import KEYS, STALLING_S, new_client
from tests.api.scripted import Act, Reply, ScriptedServer, answer, chunked
from tests.api.test_client import page, soon, vaults
from tests.certificate import CERTIFICATE
from tests.conftest import Announce
from tests.providers import cas
from tests.settings import client_settings

NOW_S = 1500000000
NOW = "Fri, 14 Jul 2017 02:40:00 GMT"


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
    assert deadline.remaining_s > 48, "a stall would take 15 s"


def test_a_list_that_stalls_is_asked_for_again(server: ScriptedServer, stats: Stats) -> None:
    client = new_client(server.url, stats, read_timeout_s=STALLING_S, ca_bundle=str(CERTIFICATE))
    server.add((page(VaultList=[])[:-1], Act.STALL))
    server.always = (page(VaultList=vaults("a")),)
    assert [vault.name for vault in client.vaults(soon())] == ["a"]
    client.close()


def test_a_transfer_that_fails_for_ever_is_told_as_what_it_was(
    client: Client, server: ScriptedServer, announce: Announce
) -> None:
    announce("the connection broke")
    server.always = (Act.RESET,)
    client._retry._share = lambda: 1.0
    client._retry._sleep = lambda _: None  # the sixth wait would be 8 s
    with pytest.raises(TransferError, match=r"Connection reset by peer|RemoteDisconnected"):
        client.vault("v", Deadline.after(7))
