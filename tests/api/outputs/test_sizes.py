"""Another size than was asked by, told with a range: when it is believed."""

import pytest

from casfs.api.client import Client
from casfs.errors import (
    ProtocolError,
    RefusedError,
    SizeChangedError,
)
from tests.api.outputs.fetching import BODY, MIB, SIZE, UNAVAILABLE, Fetched, error
from tests.api.scripted import ScriptedServer, answer, part
from tests.conftest import Announce

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
