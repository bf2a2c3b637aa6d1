"""Sizes of outputs, learnt from their first bytes."""

import hashlib
import random

import pytest

from casfs.api.client import Client
from casfs.api.refusals import PastTheEndError
from casfs.errors import ProtocolError
from casfs.models import Output, RangeResponse
from casfs.waiting import Deadline
from tests.api.conftest import Into
from tests.api.scripted import Act, ScriptedServer, answer, chunked, part
from tests.conftest import Announce

MIB = 1 << 20
BODY = random.Random(1).randbytes(3 * MIB + 7)
SIZE = len(BODY)
OUTPUT = Output("v", "-j", None, None, is_inventory=True)
HASH = hashlib.sha256(b"x").hexdigest()


def probe(client: Client, room: int = MIB) -> tuple[RangeResponse, bytes]:
    block = memoryview(bytearray(room))
    told = client.probe(OUTPUT, Into(block), Deadline.after(60))
    return told, bytes(block[: told.length])


def test_a_probe_brings_the_size_and_the_first_block(client: Client, server: ScriptedServer) -> None:
    server.add(part(BODY, 0, MIB, x_cas_sha256_tree_hash=HASH))
    assert probe(client) == (RangeResponse(SIZE, MIB, HASH, None), BODY[:MIB])
    assert server.seen[0].headers["Range"] == f"bytes=0-{MIB - 1}"


@pytest.mark.parametrize(
    "reply",
    [part(BODY[:100], 0, 100), answer("200 OK", BODY[:100]), chunked(BODY[:60], BODY[60:100]) + b"0\r\n\r\n"],
    ids=["206", "200", "chunks"],
)
def test_a_probe_brings_a_small_output_whole(client: Client, server: ScriptedServer, reply: bytes) -> None:
    server.add(reply)
    assert probe(client) == (RangeResponse(100, 100, None, None), BODY[:100])


def test_a_probe_takes_the_first_block_of_a_200(client: Client, server: ScriptedServer) -> None:
    server.add(answer("200 OK", BODY, x_cas_sha256_tree_hash=HASH))
    assert probe(client) == (RangeResponse(SIZE, MIB, None, None, is_cut=True), BODY[:MIB])


@pytest.mark.parametrize(
    "reply",
    [answer(), chunked() + b"0\r\n\r\n", answer("416 Range Not Satisfiable", Content_Range="bytes */0")],
    ids=["200", "chunks", "416"],
)
def test_an_output_may_be_empty(client: Client, server: ScriptedServer, reply: bytes) -> None:
    server.add(reply)
    assert probe(client) == (RangeResponse(0, 0, None, None), b"")


REFUSALS = [
    answer("416 Range Not Satisfiable"),
    answer(
        "400 Bad Request",
        b'{"code":"InvalidParameterValueException","message":"The start of the range is larger than size of"}',
    ),
]


@pytest.mark.parametrize("refusal", REFUSALS, ids=["416", "400"])
def test_an_output_that_has_no_first_byte_is_asked_for_whole(
    client: Client, server: ScriptedServer, refusal: bytes
) -> None:
    server.add(refusal, answer())
    assert probe(client) == (RangeResponse(0, 0, None, None), b"")
    assert ["Range" in request.headers for request in server.seen] == [True, False]


@pytest.mark.parametrize("refusal", REFUSALS, ids=["416", "400"])
def test_an_output_that_has_no_first_byte_and_is_not_empty_is_none(
    client: Client, server: ScriptedServer, refusal: bytes, announce: Announce
) -> None:
    announce("get_job_output")
    server.add(refusal, answer("200 OK", BODY))
    with pytest.raises(PastTheEndError):
        probe(client)


def test_an_output_that_begins_past_its_end_is_none(client: Client, server: ScriptedServer, announce: Announce) -> None:
    announce("get_job_output")
    server.add(answer("416 Range Not Satisfiable", Content_Range="bytes */10"))
    with pytest.raises(PastTheEndError):
        probe(client)


@pytest.mark.parametrize(
    "reply",
    [
        (answer("200 OK", BODY[:100], Content_Length=""), Act.CLOSE),
        (chunked(BODY) + b"0\r\n\r\n",),
        (part(BODY, 0, MIB, Content_Range=f"bytes 0-{MIB - 1}/*"),),
        (part(BODY, 1, MIB + 1),),
        (answer("206 Partial Content", BODY[:MIB]),),
    ],
    ids=["its end is that of the connection", "too long to tell", "no size", "another range", "no range"],
)
def test_a_size_that_is_not_told_is_asked_for_again(
    client: Client, server: ScriptedServer, reply: tuple[bytes | Act, ...]
) -> None:
    server.add(reply, part(BODY, 0, MIB))
    assert probe(client) == (RangeResponse(SIZE, MIB, None, None), BODY[:MIB])
    assert len(server.seen) == 2


@pytest.mark.parametrize("size", [(40 << 40) + 1, 10**18 - 1, 2**63 - 1, 10**30])
def test_a_size_that_no_output_has_is_refused_by_name_and_at_once(
    client: Client, server: ScriptedServer, size: int, announce: Announce
) -> None:
    announce(f"has {size} bytes: no output can")
    server.add(part(BODY, 0, MIB, Content_Range=f"bytes 0-{MIB - 1}/{size}"))
    with pytest.raises(ProtocolError, match=f"{size} bytes"):
        probe(client)
    assert len(server.seen) == 1


def test_the_largest_output_that_there_can_be_is_taken(client: Client, server: ScriptedServer) -> None:
    server.add(part(BODY, 0, MIB, Content_Range=f"bytes 0-{MIB - 1}/{40 << 40}"))
    assert probe(client)[0].size == 40 << 40
