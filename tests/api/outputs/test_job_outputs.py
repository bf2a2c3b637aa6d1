"""Ranges of outputs, over a socket that sends exactly what it was told to."""

import pytest

from casfs.api.client import Client
from casfs.errors import (
    CasfsError,
    CorruptDataError,
    GoneError,
    NotReadyError,
    RefusedError,
    TransferError,
)
from casfs.models import RangeResponse
from casfs.stats import Stats
from tests.api.conftest import STALLING_S, new_client
from tests.api.outputs.fetching import BODY, HASH, MIB, SIZE, UNAVAILABLE, Fetched, error, whole_in_chunks
from tests.api.scripted import Act, ScriptedServer, answer, chunked, part
from tests.certificate import CERTIFICATE
from tests.conftest import Announce


def test_a_range_comes_block_by_block_with_what_the_service_says_of_it(client: Client, server: ScriptedServer) -> None:
    server.add(part(BODY, MIB, SIZE, x_cas_sha256_tree_hash=HASH.upper(), Content_Type="text/csv"))
    fetched = Fetched(client, MIB, SIZE)
    assert fetched() == RangeResponse(SIZE, SIZE - MIB, HASH, "text/csv")
    assert fetched.bytes == BODY[MIB:]
    assert (fetched.filled, fetched.right) == ([0, 1, 2], True)
    [request] = server.seen
    assert (request.method, request.target) == ("GET", "/-/vaults/v/jobs/-j/output")
    assert request.headers["Range"] == f"bytes={MIB}-{SIZE - 1}"
    assert request.headers["Accept-Encoding"] == "identity"


def test_two_refusals_and_an_answer_are_three_requests_each_signed_anew(
    client: Client, server: ScriptedServer, stats: Stats
) -> None:
    ticks = iter(range(1500000000, 1600000000, 7))
    client._attempts._clock._clock = lambda: next(ticks)
    server.add(UNAVAILABLE, UNAVAILABLE, part(BODY, 0, 10))
    fetched = Fetched(client, 0, 10)
    assert fetched().length == 10
    assert fetched.bytes == BODY[:10]
    assert len({request.headers["Authorization"] for request in server.seen}) == len(server.seen) == 3
    assert server.connections == 1
    figures = stats.snapshot()
    assert (figures["requests"], figures["requests_by_operation"]) == (3, {"get_job_output": 3})
    assert (figures["retries"], figures["errors"], figures["bytes_fetched"]) == (2, 0, 10)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param((Act.RESET,), id="reset before the answer"),
        pytest.param((Act.CLOSE,), id="end before the answer"),
        pytest.param((part(BODY, 0, SIZE)[:2000], Act.RESET), id="reset in the body"),
        pytest.param((part(BODY, 0, SIZE)[:-1], Act.CLOSE), id="end before the last byte"),
        pytest.param((part(BODY, 0, SIZE)[:50], Act.CLOSE), id="end in the head"),
        pytest.param((b"SSH-2.0-OpenSSH_9.2\r\n",), id="another protocol"),
        pytest.param((b"\r\n\r\n\r\n", Act.CLOSE), id="empty lines"),
        pytest.param((b"HTTP/1.1 2x6 Partial\r\n\r\n", Act.CLOSE), id="a status that is none"),
        pytest.param((b"HTTP/1.1 206 OK\r\n" + b"X: y\r\n" * 101 + b"\r\n",), id="too many headers"),
        pytest.param((b"HTTP/1.1 206 OK\r\nX: " + b"y" * 70000 + b"\r\n\r\n",), id="a huge header"),
        pytest.param((part(BODY, 1, SIZE + 1),), id="another range"),
        pytest.param((part(BODY[:-1], 0, SIZE - 1, Content_Range=f"bytes 0-{SIZE - 2}/{SIZE}"),), id="a shorter range"),
        pytest.param((answer("206 Partial Content", BODY),), id="no range"),
        pytest.param((part(BODY, 0, SIZE, Content_Length="5"),), id="another length"),
        pytest.param((part(BODY, 0, SIZE, Content_Length=f"{SIZE}, {SIZE}"),), id="two lengths"),
        pytest.param((part(BODY, 0, SIZE, Content_Encoding="gzip"),), id="an encoded body"),
        pytest.param((part(BODY, 0, SIZE, Transfer_Encoding="gzip, chunked"),), id="an encoded transfer"),
        pytest.param((chunked(BODY) + b"0\r\n\r\n",), id="a 200 of unknown length"),
        pytest.param((answer("200 OK", BODY, Content_Length=""), Act.CLOSE), id="a 200 that ends with its connection"),
        pytest.param((whole_in_chunks(BODY) + b"zz\r\n",), id="a chunk that is none"),
        pytest.param((whole_in_chunks(BODY, b"x") + b"0\r\n\r\n",), id="a byte too many"),
        pytest.param((whole_in_chunks(BODY[:-1]) + b"0\r\n\r\n",), id="a byte too few"),
        pytest.param((whole_in_chunks(BODY[:-1]), Act.CLOSE), id="chunks without an end"),
        pytest.param((error("ThrottlingException"),), id="throttling, which is a 400"),
        pytest.param((error("RequestTimeoutException", status="408 Request Timeout"),), id="408"),
        pytest.param((answer("429 Too Many Requests"),), id="a bare 429"),
        pytest.param((answer("502 Bad Gateway", b"<html>"),), id="a proxy's page"),
        pytest.param((answer("500 Oops", b"x" * 10, Content_Length="100"), Act.CLOSE), id="a refusal that breaks off"),
    ],
)  # fmt: skip
def test_a_fault_that_passes_is_survived_and_no_wrong_byte_is_told_of(
    client: Client, server: ScriptedServer, fault: tuple[bytes | Act, ...]
) -> None:
    server.add(fault, part(BODY, 0, SIZE))
    fetched = Fetched(client, 0, SIZE)
    assert fetched() == RangeResponse(SIZE, SIZE, None, None)
    assert fetched.bytes == BODY
    assert fetched.right
    assert fetched.filled[-4:] == [0, 1, 2, 3]
    assert len(server.seen) == 2


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param((part(BODY, 0, SIZE)[:2000], Act.STALL), id="stall in the body"),
        pytest.param((part(BODY, 0, SIZE)[:2000], Act.DRIP), id="drip in the body"),
        pytest.param((part(BODY, 0, SIZE)[:50], Act.DRIP), id="drip in the head"),
        pytest.param((Act.STALL,), id="stall before the answer"),
    ],
)
def test_a_stall_is_survived_too(server: ScriptedServer, stats: Stats, fault: tuple[bytes | Act, ...]) -> None:
    client = new_client(server.url, stats, read_timeout_s=STALLING_S, ca_bundle=str(CERTIFICATE))
    server.add(fault)
    server.always = (part(BODY, 0, SIZE),)
    fetched = Fetched(client, 0, SIZE)
    assert fetched() == RangeResponse(SIZE, SIZE, None, None)
    assert fetched.bytes == BODY
    assert fetched.right
    assert len(server.seen) > 1
    client.close()


def test_an_answer_in_chunks_is_as_good_when_it_says_its_range(client: Client, server: ScriptedServer) -> None:
    server.add(whole_in_chunks(BODY[:5], BODY[5 : 2 * MIB], BODY[2 * MIB :]) + b"0\r\nTrailer: x\r\n\r\n")
    server.add(part(BODY, 0, 10))
    fetched = Fetched(client, 0, SIZE)
    assert fetched().length == SIZE
    assert fetched.bytes == BODY
    Fetched(client, 0, 10)()
    assert server.connections == 1


def test_a_connection_is_used_again_when_a_body_ended_exactly(client: Client, server: ScriptedServer) -> None:
    for size in (1, 100, 8192, MIB, SIZE):
        server.add(part(BODY, 0, size))
        assert Fetched(client, 0, size).__call__().length == size
    assert server.connections == 1


def test_a_connection_with_bytes_after_the_body_is_not_used_again(client: Client, server: ScriptedServer) -> None:
    server.add(part(BODY, 0, 10) + b"HTTP/1.1 206 Partial Content\r\n", part(BODY, 0, 10))
    for _ in range(2):
        fetched = Fetched(client, 0, 10)
        fetched()
        assert fetched.bytes == BODY[:10]
    assert server.connections == 2


def test_a_service_that_closes_after_each_answer_is_asked_over_new_connections(
    client: Client, server: ScriptedServer
) -> None:
    server.add(*[(part(BODY, 0, SIZE, Connection="close"), Act.CLOSE)] * 2)
    for _ in range(2):
        fetched = Fetched(client, 0, SIZE)
        fetched()
        assert fetched.bytes == BODY
    assert server.connections == 2


@pytest.mark.parametrize(("start", "stop"), [(0, MIB), (MIB, 2 * MIB), (2 * MIB, SIZE), (SIZE - 1, SIZE)])
def test_the_range_is_cut_out_of_a_200_that_is_the_whole_output(
    client: Client, server: ScriptedServer, start: int, stop: int, stats: Stats
) -> None:
    server.add(*[answer("200 OK", BODY, x_cas_sha256_tree_hash=HASH)] * 2)
    for _ in range(2):
        fetched = Fetched(client, start, stop)
        assert fetched() == RangeResponse(SIZE, stop - start, None, None, is_cut=stop - start < SIZE), (
            "the hash is that of the whole"
        )
        assert fetched.bytes == BODY[start:stop]
        assert fetched.right
    assert server.connections == (1 if stop == SIZE else 2), "what follows the range is not waited for"
    assert stats.snapshot()["bytes_fetched"] == 2 * stop


def test_a_200_with_the_whole_output_for_the_whole_range_brings_its_hash(
    client: Client, server: ScriptedServer
) -> None:
    server.add(answer("200 OK", BODY, x_cas_sha256_tree_hash=HASH))
    assert Fetched(client, 0, SIZE)() == RangeResponse(SIZE, SIZE, HASH, None)


@pytest.mark.parametrize("header", ["", "abc", HASH[:-1], HASH + "0", "g" * 64, f"{HASH}, {HASH}", f'"{HASH}"'])
def test_a_hash_that_is_none_is_told_as_what_it_is(client: Client, server: ScriptedServer, header: str) -> None:
    server.add(part(BODY, 0, 10, x_cas_sha256_tree_hash=header))
    answer = Fetched(client, 0, 10)()
    assert (answer.tree_hash, answer.not_a_hash) == (None, header)


def test_an_answer_that_is_not_accepted_is_a_failed_attempt(
    client: Client, server: ScriptedServer, stats: Stats
) -> None:
    server.add(part(BODY, 0, 10, Content_Type="text/csv"), part(BODY, 0, 10))
    fetched = Fetched(client, 0, 10)

    def accept(answer: RangeResponse) -> None:
        if answer.content_type:
            raise TransferError("not that one")

    fetched.accept = accept
    assert fetched().content_type is None
    assert (len(server.seen), stats.snapshot()["retries"], stats.snapshot()["errors"]) == (2, 1, 0)


def test_an_answer_that_will_never_be_accepted_is_told_once_with_its_range_and_request_id(
    client: Client, server: ScriptedServer, stats: Stats, announce: Announce, caplog: pytest.LogCaptureFixture
) -> None:
    announce("is that of others")
    server.add(*[part(BODY, 0, 10, x_cas_requestId="R7")] * 2)
    fetched = Fetched(client, 0, 10)

    def accept(_answer: RangeResponse) -> None:
        error = CorruptDataError("the hash is that of others")
        error.is_told = len(server.seen) > 1
        raise error

    fetched.accept = accept
    for _ in range(2):
        with pytest.raises(CorruptDataError):
            fetched()
    [line] = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert line == (
        "get_job_output, vault 'v', job '-j', bytes=0-9: the hash is that of others"
        " [tries 1, status 206, code -, request id R7]"
    )
    assert stats.snapshot()["errors"] == 2


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (error("ResourceNotFoundException", "The job ID was not found: j", "404 Not Found"), GoneError),
        (answer("404 Not Found"), RefusedError),
        (answer("410 Gone", b"<html>no</html>", x_cas_requestId="id"), RefusedError),
        (error("InvalidParameterValueException", "The job is not currently available for download: j"), NotReadyError),
        (error("InvalidParameterValueException", "what?"), RefusedError),
        (answer("302 Found", Location="http://elsewhere/"), RefusedError),
    ],
)
def test_what_lasts_is_asked_once(
    client: Client, server: ScriptedServer, reply: bytes, kind: type[CasfsError], announce: Announce
) -> None:
    announce("get_job_output, vault 'v', job '-j'")
    server.add(reply)
    with pytest.raises(kind):
        Fetched(client, 0, 10)()
    assert len(server.seen) == 1
