"""Ranges of outputs, over a socket that sends exactly what it was told to."""

import hashlib
import random
from collections.abc import Callable, Iterable
from itertools import count
from types import SimpleNamespace

import pytest

from casfs.api.client import Client
from casfs.errors import (
    CasfsError,
    CorruptDataError,
    DeadlineError,
    GoneError,
    InterruptedCallError,
    NotReadyError,
    ProtocolError,
    RefusedError,
    SizeChangedError,
    ThrottledError,
    TransferError,
)
from casfs.models import Output, RangeResponse
from casfs.stats import Stats
from casfs.waiting import Deadline
from tests.api.conftest import Into, new_client
from tests.api.scripted import Act, ScriptedServer, answer, chunked, part
from tests.certificate import CERTIFICATE
from tests.conftest import Announce

MIB = 1 << 20
BODY = random.Random(1).randbytes(3 * MIB + 7)
SIZE = len(BODY)
OUTPUT = Output("v", "-j", SIZE, None, is_inventory=False)
HASH = hashlib.sha256(b"x").hexdigest()
UNAVAILABLE = answer("503 Service Unavailable", b"<html>busy</html>")


@pytest.fixture(params=["plain_server", "tls_server"])
def server(request: pytest.FixtureRequest) -> ScriptedServer:
    """Speak both ways: other code receives the bytes of each."""
    server: ScriptedServer = request.getfixturevalue(request.param)
    return server


class Fetched:
    """Fetches a range into blocks, and keeps what it was told on the way."""

    def __init__(self, client: Client, start: int, stop: int, size: int = SIZE) -> None:
        self.client, self.span, self.size = client, range(start, stop), size
        self.blocks = [memoryview(bytearray(min(MIB, stop - at))) for at in range(start, stop, MIB)]
        self.filled: list[int] = []
        self.right = True
        self.accept: Callable[[RangeResponse], None] = lambda _answer: None

    def note(self, index: int) -> None:
        self.filled.append(index)
        first = self.span.start + index * MIB
        self.right = self.right and self.blocks[index] == BODY[first : first + len(self.blocks[index])]

    def __call__(self, patience_s: float = 4, cancelled: Callable[[], bool] = lambda: False) -> RangeResponse:
        sink = Into(*self.blocks, filled=self.note, accept=self.accept, cancelled=cancelled)
        return self.client.fetch(OUTPUT, self.size, self.span, sink, Deadline.after(patience_s))

    @property
    def bytes(self) -> bytes:
        return b"".join(self.blocks)


def whole_in_chunks(*chunks: bytes) -> bytes:
    return chunked(*chunks, status="206 Partial Content", Content_Range=f"bytes 0-{SIZE - 1}/{SIZE}")


def error(code: str, message: str = "", status: str = "400 Bad Request", **headers: str) -> bytes:
    body = f'{{\n  "code" : "{code}",\n  "message" : "{message}",\n  "type" : "Client"\n}}\n'.encode()
    return answer(status, body, x_cas_requestId="Rid", **headers)


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
        pytest.param((part(BODY, 0, SIZE)[:2000], Act.STALL), id="stall in the body"),
        pytest.param((part(BODY, 0, SIZE)[:2000], Act.DRIP), id="drip in the body"),
        pytest.param((part(BODY, 0, SIZE)[:50], Act.DRIP), id="drip in the head"),
        pytest.param((Act.STALL,), id="stall before the answer"),
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


def test_an_answer_that_takes_its_time_is_waited_for(client: Client, server: ScriptedServer) -> None:
    whole = part(BODY, 0, SIZE)
    longer = [Act.PAUSE, Act.PAUSE]  # than a wait of ours
    server.add((*longer, whole[:2000], *longer, whole[2000:100_000], *longer, whole[100_000:]))
    fetched = Fetched(client, 0, SIZE)
    fetched(patience_s=16)
    assert fetched.bytes == BODY
    assert len(server.seen) == 1


@pytest.mark.parametrize("dripping", [Act.STALL, Act.DRIP])
@pytest.mark.parametrize("first", [b"", part(BODY, 0, SIZE)[:40], part(BODY, 0, SIZE)[:5000]], ids=["", "head", "body"])
def test_a_service_that_stalls_for_ever_ends_by_the_deadline(
    server: ScriptedServer, stats: Stats, first: bytes, dripping: Act, announce: Announce
) -> None:
    announce("the deadline passed")
    server.always = (first, dripping)
    deadline = Deadline.after(1.2)
    with pytest.raises(DeadlineError):
        Fetched(new_client(server.url, stats, ca_bundle=str(CERTIFICATE)), 0, SIZE)(1.2)
    assert Deadline(deadline.at_s + 20).remaining_s > 0, "it ended long after the deadline"
    assert len(server.seen) <= 2, "there was no time for another attempt"


def test_a_process_that_was_stopped_for_long_takes_what_is_there(
    client: Client, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between any two looks at the clock more time may go by than a wait may take: that is no end of the body."""
    monkeypatch.setattr("casfs.api.http.incoming.time", SimpleNamespace(monotonic=count(0, 10).__next__))
    server.add(part(BODY, 0, SIZE))
    fetched = Fetched(client, 0, SIZE)
    fetched()
    assert fetched.bytes == BODY
    assert len(server.seen) == 1


def test_a_slow_service_is_not_taken_for_one_that_stalls(client: Client, server: ScriptedServer) -> None:
    whole = part(BODY, 0, MIB)
    server.add(
        (
            whole[:300_000],
            Act.PAUSE,
            whole[300_000:600_000],
            Act.PAUSE,
            whole[600_000:900_000],
            Act.PAUSE,
            whole[900_000:],
        )
    )
    fetched = Fetched(client, 0, MIB)
    fetched()
    assert fetched.bytes == BODY[:MIB]
    assert len(server.seen) == 1


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


OTHER_SIZE = {
    "206": part(BODY[:MIB], 0, 10),
    "206 cut": part(BODY[:5], 0, 5),
    "200": answer("200 OK", BODY[:MIB]),
    "416": answer("416 Range Not Satisfiable", Content_Range="bytes */5"),
}


@pytest.mark.parametrize("reply", OTHER_SIZE.values(), ids=OTHER_SIZE)
def test_another_size_that_is_told_once_was_a_mistake(client: Client, server: ScriptedServer, reply: bytes) -> None:
    server.add(reply, part(BODY, 0, 10))
    assert Fetched(client, 0, 10)().size == SIZE


@pytest.mark.parametrize(
    ("reply", "size"), list(zip(OTHER_SIZE.values(), (MIB, 5, MIB, 5), strict=True)), ids=OTHER_SIZE
)
def test_another_size_that_is_told_twice_is_believed(
    client: Client, server: ScriptedServer, reply: bytes, size: int, announce: Announce
) -> None:
    announce(f"has {size} bytes, not {SIZE}")
    server.add(reply, UNAVAILABLE, reply)
    with pytest.raises(SizeChangedError) as caught:
        Fetched(client, 0, 10)()
    assert caught.value.size == size
    assert len(server.seen) == 3


@pytest.mark.parametrize("size", [10**18 - 1, 10**30])
def test_a_size_that_no_output_has_is_not_believed_however_often_it_is_told(
    client: Client, server: ScriptedServer, size: int, announce: Announce
) -> None:
    announce(f"has {size} bytes: no output can")
    absurd = part(BODY, 0, 10, Content_Range=f"bytes 0-9/{size}")
    server.add(absurd, absurd)
    with pytest.raises(ProtocolError):
        Fetched(client, 0, 10)()
    server.add(absurd, part(BODY, 0, 10))
    assert Fetched(client, 0, 10)().size == SIZE


def test_a_range_that_begins_past_the_end_tells_the_size_by_the_first_byte(
    client: Client, server: ScriptedServer, announce: Announce
) -> None:
    announce("has 1000 bytes")
    beyond = error("InvalidParameterValueException", "The start of the range is larger than size of retrieved data: x")
    server.add(*[beyond, part(BODY[:1000], 0, 1)] * 2)
    with pytest.raises(SizeChangedError) as caught:
        Fetched(client, MIB, MIB + 5)()
    assert caught.value.size == 1000
    assert [request.headers["Range"] for request in server.seen[1::2]] == ["bytes=0-0", "bytes=0-0"]


def test_a_range_that_is_refused_though_it_is_within_the_output_is_a_refusal(
    client: Client, server: ScriptedServer, announce: Announce
) -> None:
    announce("range begins past the end")
    server.add(answer("416 Range Not Satisfiable"), part(BODY, 0, 1))
    with pytest.raises(RefusedError):
        Fetched(client, 0, 10)()


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


def test_a_fetch_that_nobody_wants_ends_between_buffers(client: Client, server: ScriptedServer) -> None:
    server.add(part(BODY, 0, SIZE))
    fetched = Fetched(client, 0, SIZE)
    with pytest.raises(InterruptedCallError):
        fetched(cancelled=lambda: len(fetched.filled) >= 2)
    assert fetched.filled == [0, 1]


def test_a_fetch_that_nobody_wants_does_not_wait_for_a_stalled_service(client: Client, server: ScriptedServer) -> None:
    server.add((part(BODY, 0, SIZE)[:5000], Act.STALL))
    deadline = Deadline.after(60)
    with pytest.raises(InterruptedCallError):
        Fetched(client, 0, SIZE)(60, cancelled=lambda: deadline.remaining_s < 59.9)
    assert deadline.remaining_s > 20


@pytest.mark.parametrize(
    "reply",
    [(Act.STALL,), (part(BODY, 0, SIZE)[:10], Act.STALL), (chunked(BODY[:10]), Act.STALL)],
    ids=["no head", "half a head", "a chunk"],
)
def test_nobody_waits_for_a_head_or_a_chunk_that_nobody_wants(
    client: Client, server: ScriptedServer, reply: Iterable[bytes | Act]
) -> None:
    server.add(reply, part(BODY, 0, MIB))
    asked = iter((False, False, True))
    with pytest.raises(InterruptedCallError):
        client.probe(OUTPUT, Into(memoryview(bytearray(MIB)), cancelled=lambda: next(asked)), Deadline.after(3600))
    assert Fetched(client, 0, MIB)().size == SIZE, "the next call has a connection of its own"


def test_a_fetch_tells_what_comes_while_it_comes(client: Client, server: ScriptedServer) -> None:
    server.add((part(BODY, 0, SIZE)[: MIB // 2], Act.PAUSE, part(BODY, 0, SIZE)[MIB // 2 :]))
    received: list[int] = []
    fetched = Fetched(client, 0, SIZE)
    client.fetch(OUTPUT, SIZE, range(SIZE), Into(*fetched.blocks, received=received.append), Deadline.after(60))
    assert fetched.bytes == BODY
    assert len(received) > 1
    assert 0 < sum(received) <= SIZE


def test_a_wait_that_the_service_asks_for_beyond_the_deadline_ends_the_call(
    client: Client, server: ScriptedServer, announce: Announce
) -> None:
    announce("fewer requests")
    server.add(error("ThrottlingException", Retry_After="1000"))
    deadline = Deadline.after(60)
    with pytest.raises(ThrottledError):
        Fetched(client, 0, 10)(60)
    assert deadline.remaining_s > 20
