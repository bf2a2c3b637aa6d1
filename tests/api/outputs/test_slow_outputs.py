"""Ranges that come slowly or not at all: who is waited for, and for how long."""

from collections.abc import Iterable
from itertools import count
from types import SimpleNamespace

import pytest

from casfs.api.client import Client
from casfs.errors import (
    DeadlineError,
    InterruptedCallError,
    ThrottledError,
)
from casfs.stats import Stats
from casfs.waiting import Deadline
from tests.api.conftest import Into, new_client
from tests.api.outputs.fetching import BODY, MIB, OUTPUT, SIZE, Fetched, error
from tests.api.scripted import Act, ScriptedServer, chunked, part
from tests.certificate import CERTIFICATE
from tests.conftest import Announce


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


def test_a_slow_service_is_not_taken_for_one_that_stalls(server: ScriptedServer, stats: Stats) -> None:
    """It takes 2.4 s in all, and a stall is one after 2 s; no pause comes near that on a busy machine either."""
    client = new_client(server.url, stats, read_timeout_s=8.0, ca_bundle=str(CERTIFICATE))
    whole = part(BODY, 0, MIB)
    pieces = [whole[at : at + 150_000] for at in range(0, len(whole), 150_000)]
    assert len(pieces) == 7
    server.add([act for piece in pieces for act in (piece, Act.PAUSE)][:-1])
    fetched = Fetched(client, 0, MIB)
    fetched()
    assert fetched.bytes == BODY[:MIB]
    assert len(server.seen) == 1
    client.close()


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
