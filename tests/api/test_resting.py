"""Which connections are used again."""

import threading
from collections.abc import Iterator

import pytest

from casfs.api.http.pools import Outgoing
from casfs.api.http.response import Response
from casfs.api.http.resting import LONGEST_REST_S
from casfs.api.http.transport import Transport
from casfs.errors import TransferError
from casfs.waiting import Deadline
from tests.api.scripted import Act, ScriptedServer, answer
from tests.certificate import CERTIFICATE
from tests.mounting import wait_until

FINE = answer("200 OK", b"fine")


@pytest.fixture(params=["plain", "tls"])
def server(request: pytest.FixtureRequest) -> ScriptedServer:
    server: ScriptedServer = request.getfixturevalue(f"{request.param}_server")
    server.always = (FINE,)
    return server


@pytest.fixture
def transport(server: ScriptedServer) -> Iterator[Transport]:
    transport = Transport(server.url, 60, 4, str(CERTIFICATE))
    yield transport
    transport.close()


def begin(transport: Transport) -> Response:
    return transport.send(Outgoing("/", {}), 60, Deadline.after(60))


def end(*answers: Response) -> None:
    for one in answers:
        with one:
            one.read(100)
            one.finish()


def test_a_connection_is_used_again_for_a_while_and_then_no_more(server: ScriptedServer, transport: Transport) -> None:
    now_s = 1000.0
    end(begin(transport))
    transport._usable_pool().route.pool.clock = lambda: now_s  # type: ignore[attr-defined]
    end(begin(transport))
    now_s += LONGEST_REST_S - 1
    end(begin(transport))
    now_s += LONGEST_REST_S
    end(begin(transport))
    end(begin(transport))
    assert [request.connection for request in server.seen] == [1, 1, 1, 2, 2]


def test_what_rested_when_a_connection_turned_out_to_be_broken_is_not_used_again(
    server: ScriptedServer, transport: Transport
) -> None:
    end(*[begin(transport) for _ in range(3)])
    server.add(Act.RESET)
    with pytest.raises(TransferError):
        begin(transport)
    end(begin(transport), begin(transport))
    assert sorted(request.connection for request in server.seen[-2:]) == [4, 5]


def test_a_new_connection_that_breaks_casts_no_doubt_on_others(server: ScriptedServer, transport: Transport) -> None:
    first = begin(transport)
    server.add((Act.PAUSE, Act.RESET))
    failed = threading.Event()

    def ask() -> None:
        with pytest.raises(TransferError):
            begin(transport)
        failed.set()

    threading.Thread(target=ask).start()
    wait_until(lambda: len(server.seen) == 2, "the second is asked")
    end(first)
    assert failed.wait(60)
    end(begin(transport), begin(transport))
    assert sorted(request.connection for request in server.seen) == [1, 1, 2, 3]
