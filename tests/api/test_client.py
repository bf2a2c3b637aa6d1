"""The service's operations, over a socket."""

import json
import os
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casfs.api.client import Client
from casfs.api.operations import AccountRequests
from casfs.api.providers.signing import authorization
from casfs.errors import NotFoundError, RefusedError
from casfs.models import Credentials, JobState, Output
from casfs.stats import Stats
from casfs.waiting import Deadline
from tests.api.conftest import KEYS, Into
from tests.api.scripted import Act, ScriptedServer, Seen, answer
from tests.conftest import Announce
from tests.providers import cas
from tests.settings import client_settings


def soon() -> Deadline:
    return Deadline.after(60)


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


@pytest.mark.parametrize("body", [b"<html>no such page</html>", b'{"code": "InvalidParameterValueException"}'])
def test_a_page_that_is_always_refused_may_be_had_later_unless_the_service_itself_says_no(
    client: Client, server: ScriptedServer, announce: Announce, body: bytes
) -> None:
    announce("the marker is refused")
    first, refusal = page(VaultList=vaults("a"), Marker="m"), answer("404 Not Found", body)
    server.add(*[first, refusal] * 3)
    with pytest.raises(RefusedError) as caught:
        list(client.vaults(soon()))
    assert caught.value.is_for_now == body.startswith(b"<html>")


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
