"""A socket whose waits the kernel bounds."""

import socket
import struct
import time
from collections.abc import Iterator

import pytest

from casfs.api.http.sockets import SLICE_S, PatientSocket, is_possible

pytestmark = pytest.mark.skipif(not is_possible(), reason="a struct timeval of another layout")


@pytest.fixture
def pair() -> Iterator[tuple[PatientSocket, socket.socket]]:
    here, there = socket.socketpair()
    here.settimeout(7)
    with PatientSocket(here) as patient, there:
        yield patient, there


def seconds_of_a_receive(patient: PatientSocket) -> float:
    began_s = time.monotonic()
    with pytest.raises(BlockingIOError):
        patient.recv(1)
    return time.monotonic() - began_s


def kept_by_the_kernel(patient: PatientSocket) -> float:
    """Return how many seconds the kernel lets a receive wait."""
    seconds, microseconds = struct.unpack("ll", patient.getsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, 16))
    return float(seconds + microseconds / 1e6)


def test_a_receive_ends_after_a_slice_however_long_the_timeout_is(pair: tuple[PatientSocket, socket.socket]) -> None:
    patient, _ = pair
    patient.settimeout(60)
    assert SLICE_S * 0.9 <= seconds_of_a_receive(patient) < 60


def test_a_receive_ends_sooner_if_told(pair: tuple[PatientSocket, socket.socket]) -> None:
    patient, _ = pair
    patient.wait_at_most(0.05)
    assert seconds_of_a_receive(patient) >= 0.04
    assert kept_by_the_kernel(patient) < SLICE_S
    patient.wait_at_most(60)
    assert seconds_of_a_receive(patient) >= SLICE_S * 0.9


def test_what_came_until_then_is_not_lost(pair: tuple[PatientSocket, socket.socket]) -> None:
    patient, there = pair
    there.sendall(b"abc")
    assert patient.recv(10, socket.MSG_WAITALL) == b"abc"


def test_timeouts_are_noted_and_cost_no_system_call(pair: tuple[PatientSocket, socket.socket]) -> None:
    patient, _ = pair
    assert patient.gettimeout() == 7
    for seconds in (3.0, None, 0.0):
        patient.settimeout(seconds)
        assert patient.gettimeout() == seconds
        assert patient.getblocking(), "the descriptor itself still blocks"
