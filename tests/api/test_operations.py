"""What each operation asks, and that a request with a body is signed as its service checks it."""

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from casfs.api.attempts import Attempts
from casfs.api.clock import ServiceClock
from casfs.api.http.pools import Outgoing
from casfs.api.http.transport import Transport
from casfs.api.operations import AccountRequests, Request
from casfs.api.providers.provider import Access
from casfs.api.providers.table import PROVIDERS
from casfs.api.retry import Call
from casfs.emulator.server import Server
from casfs.errors import NotFoundError
from casfs.models import Credentials
from casfs.stats import Stats
from casfs.waiting import Deadline
from tests.providers import DIALECTS, EVERY_PROVIDER, state_of

JOB = b'{"Type": "inventory-retrieval", "Description": "asked for by a test"}'
REQUESTS = AccountRequests("-")
KEYS = Credentials("id", "key")


@pytest.mark.parametrize(
    ("request_", "target", "successes"),
    [
        (REQUESTS.list_vaults(10), "/-/vaults?limit=10", (200,)),
        (REQUESTS.list_vaults(10, "a/b +"), "/-/vaults?limit=10&marker=a%2Fb%20%2B", (200,)),
        (REQUESTS.describe_vault("v.1"), "/-/vaults/v.1", (200,)),
        (REQUESTS.list_jobs("v", 50, "m"), "/-/vaults/v/jobs?limit=50&marker=m", (200,)),
        (REQUESTS.describe_job("v", "j/k"), "/-/vaults/v/jobs/j%2Fk", (200,)),
        (REQUESTS.get_job_output("v", "j", range(2)), "/-/vaults/v/jobs/j/output", (200, 206)),
        (AccountRequests("12/5").describe_vault("v"), "/12%2F5/vaults/v", (200,)),
    ],
)
def test_each_operation_is_a_get_of_its_own_path(request_: Request, target: str, successes: tuple[int, ...]) -> None:
    assert (request_.method, request_.target, request_.body) == ("GET", target, b"")
    assert request_.successes == successes


@pytest.mark.parametrize(("span", "header"), [(range(1 << 20), "bytes=0-1048575"), (range(5, 6), "bytes=5-5")])
def test_a_range_is_asked_for_with_its_last_byte(span: range, header: str) -> None:
    assert REQUESTS.get_job_output("v", "j", span).range == header


@pytest.mark.parametrize("name", ["", ".", "..", "\udc80"])
def test_a_name_that_leads_elsewhere_is_asked_for_by_nobody(name: str) -> None:
    for ask in (REQUESTS.describe_vault, lambda job: REQUESTS.describe_job("v", job)):
        with pytest.raises(NotFoundError, match="nothing can be named"):
            ask(name)


@pytest.fixture
def server(provider: str) -> Iterator[Server]:
    state = state_of(provider)
    state.add_vault("vault")
    with Server(state, credentials={"id": "key"}, dialect=DIALECTS[provider]) as server:
        yield server


def ask(server: Server, provider: str, request: Request) -> int:
    service = PROVIDERS[provider].connect(Access(endpoint_url=server.url, credentials=KEYS, region="us-west-2"))
    attempts = Attempts(service, Transport(server.url, 5, 1, None), Stats(), ServiceClock())
    with attempts.ask(Call(request.operation, Deadline.after(20), 5), request) as answer:
        return answer.status


INITIATE = Request("initiate_job", "/-/vaults/vault/jobs", method="POST", body=JOB, successes=(202,))


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys for whoever looks for them in the environment."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEYS.secret_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", KEYS.secret_key)


@EVERY_PROVIDER
def test_a_post_with_a_body_arrives_whole_and_signed(provider: str, server: Server) -> None:
    assert ask(server, provider, INITIATE) == 202
    [job] = server.state.vaults()[0].job_ids
    made = server.state.job("vault", job)
    assert made is not None
    assert made.description == "asked for by a test"


@EVERY_PROVIDER
def test_a_post_whose_method_and_body_are_others_than_were_signed_is_refused(provider: str, server: Server) -> None:
    service = PROVIDERS[provider].connect(Access(endpoint_url=server.url, credentials=KEYS, region="us-west-2"))
    headers = service.signer.headers(replace(INITIATE, method="GET", body=b""), server.url[7:], time.time())
    outgoing = Outgoing(INITIATE.target, headers, "POST", JOB)
    with Transport(server.url, 5, 1, None).send(outgoing, 5, Deadline.after(20)) as answer:
        assert b"InvalidSignatureException" in answer.read(1000)
    assert server.state.vaults()[0].job_ids == []


def test_glacier_is_told_under_the_signature_what_a_body_is() -> None:
    access = Access(endpoint_url="https://glacier.us-west-2.amazonaws.com", region="us-west-2")
    signer = PROVIDERS["glacier"].connect(access).signer
    headers = signer.headers(INITIATE, "glacier.us-west-2.amazonaws.com", time.time())
    assert headers["Content-Type"] == "application/json"
    assert ";content-type;" in headers["Authorization"].replace("SignedHeaders=", ";")
    assert "Content-Type" not in signer.headers(REQUESTS.list_vaults(10), "host", time.time())
