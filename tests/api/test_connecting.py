"""Opening a connection to a name of several addresses."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from casfs.api.http.connecting import LookUp, connect, expect_to_be_heard
from casfs.api.http.idle_timeout import LONGEST_IDLE_S

Places = list[tuple[str, int]]


@pytest.fixture
def live() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


@pytest.fixture
def dead() -> Iterator[Callable[[int], Places]]:
    """Make addresses where a connection attempt gets no answer: their queues are full."""
    with contextlib.ExitStack() as stack:

        def made(count: int) -> Places:
            return [_dead(stack) for _ in range(count)]

        yield made


def _dead(stack: contextlib.ExitStack) -> tuple[str, int]:
    full = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
    for _ in range(4):
        waiting = stack.enter_context(socket.socket())
        waiting.setblocking(False)
        waiting.connect_ex(full.getsockname())
    host, port = full.getsockname()
    return host, port


def descriptors() -> list[str]:
    return sorted(entry.name for entry in Path("/proc/self/fd").iterdir())


def name_of(*places: tuple[str, int]) -> LookUp:
    """Return a look-up in which every name has these addresses, in this order."""
    return lambda *_: [(socket.AF_INET, socket.SOCK_STREAM, 0, "", place) for place in places]


def test_eight_dead_addresses_have_one_timeout_together(dead: Callable[[int], Places]) -> None:
    began_s = time.monotonic()
    with pytest.raises(TimeoutError):
        connect("name", 80, 1, name_of(*dead(8)))
    assert time.monotonic() - began_s < 6, "eight timeouts are 8 s"


def test_a_live_address_behind_dead_ones_is_reached(live: socket.socket, dead: Callable[[int], Places]) -> None:
    places = dead(7)
    before = descriptors()
    with connect("name", 80, 60, name_of(*places, live.getsockname())) as connected:
        assert connected.getpeername() == live.getsockname()
        assert 0 < (connected.gettimeout() or 0) < 60, "what follows has what is left of the time"
    assert descriptors() == before, "those that lost are closed"


def test_an_address_that_refuses_costs_no_wait(live: socket.socket) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        refusing = [nobody.getsockname()] * 100
        with connect("name", 80, 20, name_of(*refusing, live.getsockname())) as connected:
            assert (connected.gettimeout() or 0) > 2, "a hundred waits would take 20 s"


def test_a_family_that_this_machine_does_not_have_is_passed_over(live: socket.socket) -> None:
    unknown = (socket.AF_APPLETALK, socket.SOCK_STREAM, 0, "", ("nowhere", 80))
    own = (socket.AF_INET, socket.SOCK_STREAM, 0, "", live.getsockname())
    with connect("name", 80, 60, lambda *_: [unknown, own]) as connected:
        assert connected.getpeername() == live.getsockname()


def test_why_the_last_address_refused_is_told() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        with pytest.raises(ConnectionRefusedError):
            connect("name", 80, 60, name_of(nobody.getsockname(), nobody.getsockname()))


def test_a_look_up_that_does_not_end_is_left_in_time() -> None:
    ended = threading.Event()

    def look_up(*_: object) -> list[tuple[object, ...]]:
        ended.wait(30)
        return []

    began_s = time.monotonic()
    with pytest.raises(TimeoutError):
        connect("name", 80, 0.2, look_up)
    ended.set()
    assert time.monotonic() - began_s < 15


def test_the_kernel_asks_a_silent_connection_whether_it_is_there(live: socket.socket) -> None:
    with connect("127.0.0.1", live.getsockname()[1], 60) as connected:
        assert connected.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        asked = [socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT]
        idle_s, each_s, times = (connected.getsockopt(socket.IPPROTO_TCP, option) for option in asked)
        assert idle_s + each_s * times < LONGEST_IDLE_S


def test_only_a_connection_that_was_used_must_be_heard_soon(live: socket.socket) -> None:
    with connect("127.0.0.1", live.getsockname()[1], 60) as connected:
        assert connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 0
        expect_to_be_heard(connected)
        assert connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 1500
