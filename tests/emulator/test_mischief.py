"""Each fault, as a client sees it on the wire."""

import http.client
from collections.abc import Iterator
from email.utils import parsedate_to_datetime

import pytest

from casfs.emulator.content import Generated, read
from casfs.emulator.faults import Fault, Kind
from casfs.emulator.initiation import part
from casfs.emulator.jobs import ARCHIVE_RETRIEVAL
from casfs.emulator.server import Server
from casfs.emulator.state import State
from tests.emulator.client import MIB, Client, Reply, tree_hash
from tests.emulator.conftest import Clock

CONTENT = Generated(4 * MIB, seed=11)
OUTPUT = "/-/vaults/vault/jobs/job/output"
SPAN = f"bytes={2 * MIB}-{4 * MIB - 1}"
AT = 3 * MIB + 5
RIGHT = read(CONTENT, 2 * MIB, 4 * MIB)


@pytest.fixture(autouse=True)
def job(state: State) -> None:
    state.add_job("vault", ARCHIVE_RETRIEVAL, part(state.add_archive("vault", CONTENT)), job_id="job")


def meet(server: Server, client: Client, fault: Fault, span: str | None = SPAN) -> Reply:
    """Ask for a range of the output with *fault* in the way."""
    server.faults.add(fault)
    reply = client.get(OUTPUT, span=span)
    assert server.requests[-1].fault == fault.kind.value
    return reply


def broken(server: Server, client: Client, fault: Fault) -> bytes:
    """Ask for the range where *fault* breaks the body off, and return what arrived of it."""
    with pytest.raises(http.client.IncompleteRead) as error:
        meet(server, client, fault)
    return error.value.partial


@pytest.fixture(autouse=True)
def well_again(server: Server, clock: Clock) -> Iterator[None]:
    """After every fault that was to happen once, the service is well."""
    yield
    server.faults.clear()
    with Client(server.url, now_s=clock.now_s) as client:
        reply = client.get("/-/vaults/vault/jobs")
        assert reply.status == 200
        if reply.json["JobList"]:
            assert client.get(OUTPUT, span=SPAN).body == RIGHT


def test_a_status_comes_with_the_documented_code(server: Server, client: Client) -> None:
    reply = meet(server, client, Fault(kind=Kind.STATUS))
    assert (reply.status, reply.code, reply.json["type"]) == (500, "ServiceUnavailableException", "Server")
    reply = meet(server, client, Fault(kind=Kind.STATUS, code="ExpiredTokenException", message="old"))
    assert (reply.status, reply.code, reply.json["message"]) == (403, "ExpiredTokenException", "old")


def test_a_status_may_come_with_a_page_of_html(server: Server, client: Client) -> None:
    reply = meet(server, client, Fault(kind=Kind.STATUS, status=502, body="<html>Bad Gateway</html>"))
    assert (reply.status, reply.headers["content-type"], reply.body) == (502, "text/html", b"<html>Bad Gateway</html>")


@pytest.mark.parametrize("retry_after", [None, "7"])
def test_throttling_is_400_with_or_without_a_time_to_wait(
    server: Server, client: Client, retry_after: str | None
) -> None:
    reply = meet(server, client, Fault(kind=Kind.THROTTLE, retry_after=retry_after))
    assert (reply.status, reply.code, reply.headers.get("retry-after")) == (400, "ThrottlingException", retry_after)


def test_drop_closes_without_an_answer(server: Server, client: Client) -> None:
    with pytest.raises(http.client.RemoteDisconnected):
        meet(server, client, Fault(kind=Kind.DROP))
    assert server.requests[-1].status == 0


def test_reset_is_a_reset_before_the_answer_or_within_it(server: Server, client: Client) -> None:
    for at in (None, AT):
        with pytest.raises(ConnectionResetError):
            meet(server, client, Fault(kind=Kind.RESET, at=at))
        client.connection.close()


def test_cut_ends_the_body_at_a_byte_of_the_output(server: Server, client: Client) -> None:
    assert broken(server, client, Fault(kind=Kind.CUT, at=AT)) == RIGHT[: MIB + 5]


def test_cut_looks_like_the_end_where_no_length_was_announced(server: Server, client: Client) -> None:
    reply = meet(server, client, Fault(kind=Kind.CUT, at=AT, announced=False))
    assert (reply.status, reply.body) == (206, RIGHT[: MIB + 5])
    assert "content-length" not in reply.headers
    assert reply.headers["connection"] == "close"


def test_cut_ends_the_body_in_the_middle_if_no_byte_is_named(server: Server, client: Client) -> None:
    assert broken(server, client, Fault(kind=Kind.CUT)) == RIGHT[:MIB]


def test_stall_sends_nothing_more_from_a_byte_on(server: Server, client: Client) -> None:
    server.faults.add(Fault(kind=Kind.STALL, at=AT))
    headers = {"Host": client.host, "Range": SPAN}
    headers["Authorization"] = client.authorization("GET", OUTPUT, {}, headers)
    client.connection.request("GET", OUTPUT, headers=headers)
    response = client.connection.getresponse()
    assert response.read(MIB + 5) == RIGHT[: MIB + 5]
    client.connection.sock.settimeout(0.2)
    with pytest.raises(TimeoutError):
        response.read(1)
    response.close()


def test_drip_sends_byte_after_byte_from_a_byte_on(server: Server, client: Client) -> None:
    reply = meet(server, client, Fault(kind=Kind.DRIP, at=4 * MIB - 10, seconds=0.001))
    assert reply.body == RIGHT


def test_delay_holds_the_answer_back(server: Server, client: Client) -> None:
    client.connection.timeout = 0.2
    with pytest.raises(TimeoutError):
        meet(server, client, Fault(kind=Kind.DELAY, seconds=30))


def test_flip_changes_one_bit_and_not_the_hash(server: Server, client: Client) -> None:
    reply = meet(server, client, Fault(kind=Kind.FLIP, at=AT))
    differing = [at for at in range(len(RIGHT)) if reply.body[at] != RIGHT[at]]
    assert differing == [MIB + 5]
    assert (reply.body[MIB + 5] ^ RIGHT[MIB + 5]).bit_count() == 1
    assert reply.headers["x-cas-sha256-tree-hash"] == tree_hash(RIGHT)


@pytest.mark.parametrize(
    ("asked", "shift", "answered"),
    [
        ((0, MIB), MIB, (MIB, 2 * MIB)),
        ((3 * MIB, 4 * MIB), MIB, (2 * MIB, 3 * MIB)),
        ((0, 4 * MIB), 1, (1, 4 * MIB)),
        ((10, 20), 1, (11, 21)),
    ],
    ids=["later", "earlier", "shorter", "by a byte"],
)
def test_wrong_range_answers_another_range_and_says_so(
    server: Server, client: Client, asked: tuple[int, int], shift: int, answered: tuple[int, int]
) -> None:
    reply = meet(server, client, Fault(kind=Kind.WRONG_RANGE, shift=shift), f"bytes={asked[0]}-{asked[1] - 1}")
    assert reply.status == 206
    assert reply.headers["content-range"] == f"bytes {answered[0]}-{answered[1] - 1}/{4 * MIB}"
    assert reply.body == read(CONTENT, *answered)


def test_wrong_total_says_that_the_output_has_another_size(server: Server, client: Client) -> None:
    reply = meet(server, client, Fault(kind=Kind.WRONG_TOTAL, shift=-MIB))
    assert reply.headers["content-range"] == f"bytes {2 * MIB}-{4 * MIB - 1}/{3 * MIB}"
    assert reply.body == RIGHT


@pytest.mark.parametrize("shift", [1, -1, MIB])
def test_wrong_length_is_not_that_of_the_range(server: Server, client: Client, shift: int) -> None:
    reply = meet(server, client, Fault(kind=Kind.WRONG_LENGTH, shift=shift))
    assert reply.headers["content-range"] == f"bytes {2 * MIB}-{4 * MIB - 1}/{4 * MIB}"
    assert int(reply.headers["content-length"]) == len(reply.body) == 2 * MIB - shift


def test_whole_answers_200_with_everything(server: Server, client: Client) -> None:
    reply = meet(server, client, Fault(kind=Kind.WHOLE))
    assert (reply.status, reply.body == read(CONTENT)) == (200, True)
    assert "content-range" not in reply.headers


def test_wrong_hash_and_no_hash(server: Server, client: Client) -> None:
    wrong = meet(server, client, Fault(kind=Kind.WRONG_HASH))
    assert len(wrong.headers["x-cas-sha256-tree-hash"]) == 64
    assert wrong.headers["x-cas-sha256-tree-hash"] != tree_hash(RIGHT)
    quoted = meet(server, client, Fault(kind=Kind.BAD_HASH))
    assert quoted.headers["x-cas-sha256-tree-hash"] == f'"{tree_hash(RIGHT)}"'
    doubled = meet(server, client, Fault(kind=Kind.DELAY, seconds=0, hash_header="{}, {}"))
    assert doubled.headers["x-cas-sha256-tree-hash"] == f"{tree_hash(RIGHT)}, {tree_hash(RIGHT)}"
    none = meet(server, client, Fault(kind=Kind.NO_HASH))
    assert "x-cas-sha256-tree-hash" not in none.headers
    assert wrong.body == none.body == RIGHT


def test_a_wrong_hash_does_not_come_where_the_service_gives_none(server: Server, client: Client) -> None:
    reply = meet(server, client, Fault(kind=Kind.WRONG_HASH), "bytes=1-5")
    assert "x-cas-sha256-tree-hash" not in reply.headers


def test_expire_takes_the_job_away_for_good(server: Server, client: Client) -> None:
    reply = meet(server, client, Fault(kind=Kind.EXPIRE, at=AT))
    assert (reply.status, reply.code) == (404, "ResourceNotFoundException")
    assert client.get(OUTPUT).status == 404
    assert client.get("/-/vaults/vault/jobs").json["JobList"] == []


def test_garbage_is_no_json_though_it_says_so(server: Server, client: Client) -> None:
    server.faults.add(Fault(kind=Kind.GARBAGE, operation="list_jobs"))
    reply = client.get("/-/vaults/vault/jobs")
    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
    with pytest.raises(ValueError, match="Unterminated string"):
        _ = reply.json


def test_huge_is_json_of_any_size(server: Server, client: Client) -> None:
    server.faults.add(Fault(kind=Kind.HUGE, operation="list_jobs", size=3 * MIB))
    reply = client.get("/-/vaults/vault/jobs")
    assert len(reply.body) > 3 * MIB
    assert len(reply.json["JobList"]) == 1


def test_huge_may_come_without_a_length(server: Server, client: Client) -> None:
    server.faults.add(Fault(kind=Kind.HUGE, operation="list_jobs", size=3 * MIB, announced=False))
    reply = client.get("/-/vaults/vault/jobs")
    assert "content-length" not in reply.headers
    assert len(reply.json["JobList"]) == 1


def test_skew_refuses_a_good_signature_and_tells_the_time_it_believes(
    server: Server, client: Client, clock: Clock
) -> None:
    server.faults.add(Fault(kind=Kind.SKEW, seconds=7200, times=None))
    reply = client.get("/-/vaults")
    assert (reply.status, reply.code) == (400, "InvalidSignatureException")
    believed = parsedate_to_datetime(reply.headers["date"]).timestamp()
    assert believed == int(clock.now_s) + 7200
    client.now_s = believed
    assert client.get("/-/vaults").status == 200
