"""TLS over a socket whose waits the kernel bounds, with an OpenSSL at the other end that says what a test wants."""

import os
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import pytest

from casfs.api.http import certificates
from casfs.api.http.sockets import SLICE_S, is_possible
from casfs.api.http.tls import HELD_BYTES, RECEIVE_BYTES, SMALL_BYTES, TlsSocket
from tests.certificate import CERTIFICATE, OTHERS, certified

pytestmark = pytest.mark.skipif(not is_possible(), reason="a struct timeval of another layout")

MIB = 1 << 20
ALL = socket.MSG_WAITALL


@dataclass
class Peer:
    """The other end: TLS in memory, so that a test decides which of its bytes go over, and when."""

    sock: socket.socket
    context: ssl.SSLContext = field(default_factory=certified)

    def __post_init__(self) -> None:
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = self.context.wrap_bio(self.incoming, self.outgoing, server_side=True)
        self.sock.settimeout(60)

    def shake_hands(self) -> None:
        while True:
            with suppress(ssl.SSLWantReadError):
                self.tls.do_handshake()
                break
            self.sock.sendall(self.outgoing.read())
            self.incoming.write(self.sock.recv(65536))
        self.sock.sendall(self.outgoing.read())

    def encrypted(self, data: bytes) -> bytes:
        assert self.tls.write(data) == len(data)
        return self.outgoing.read()

    def says_the_end(self) -> None:
        with suppress(ssl.SSLWantReadError):
            self.tls.unwrap()
        self.sock.sendall(self.outgoing.read())


Pair = tuple[TlsSocket, Peer]


@pytest.fixture(params=[ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    here, there = socket.socketpair()
    here.settimeout(60)
    peer = Peer(there)
    peer.context.maximum_version = request.param
    hand = threading.Thread(target=peer.shake_hands)
    hand.start()
    patient = TlsSocket(here, certificates.trust(str(CERTIFICATE)), "127.0.0.1")
    hand.join(60)
    yield patient, peer
    patient.close()
    there.close()


def received(patient: TlsSocket, count: int) -> bytes:
    """Return the next *count* bytes, however often nothing came."""
    buffer, done = memoryview(bytearray(count)), 0
    while done < count:
        with suppress(BlockingIOError):
            came = patient.recv_into(buffer[done:], flags=ALL)
            assert came
            done += came
    return bytes(buffer)


def test_records_that_are_cut_anywhere_come_whole(pair: Pair) -> None:
    patient, peer = pair
    patient.wait_at_most(0.001)
    cut, length = 0, 1
    while cut < length:
        records = peer.encrypted(b"ab") + peer.encrypted(b"c" * 30)
        length = len(records)
        peer.sock.sendall(records[:cut])
        early = bytearray(32)
        count = 0
        with suppress(BlockingIOError):
            count = patient.recv_into(early, flags=ALL)
        peer.sock.sendall(records[cut:])
        assert bytes(early[:count]) + received(patient, 32 - count) == b"ab" + b"c" * 30
        assert not patient.has_more
        cut += 1


@pytest.mark.parametrize(
    "size", [1, SMALL_BYTES, SMALL_BYTES + HELD_BYTES + 1, RECEIVE_BYTES, RECEIVE_BYTES + HELD_BYTES + 1, 3 * MIB + 5]
)
def test_bodies_of_every_size_fill_what_they_are_wanted_for_and_nothing_else(pair: Pair, size: int) -> None:
    patient, peer = pair
    body = os.urandom(size)
    sender = threading.Thread(target=lambda: peer.sock.sendall(peer.encrypted(body) + peer.encrypted(b"next")))
    sender.start()
    assert received(patient, size) == body
    assert received(patient, 4) == b"next"
    sender.join(60)


def test_a_receive_ends_after_a_slice_in_which_nothing_came(pair: Pair) -> None:
    patient, peer = pair
    patient.wait_at_most(0.05)
    with pytest.raises(BlockingIOError):
        patient.recv_into(bytearray(MIB), flags=ALL)
    peer.sock.sendall(peer.encrypted(b"abc"))
    assert patient.recv_into(bytearray(MIB), flags=ALL) == 3


@pytest.mark.parametrize("wanted", [100, MIB])
def test_a_record_that_drips_in_does_not_outlast_the_slice(pair: Pair, wanted: int) -> None:
    patient, peer = pair
    patient.wait_at_most(0.05)
    body, late = os.urandom(16000), threading.Event()
    record = peer.encrypted(body)

    def drip() -> None:
        for at in range(len(record)):
            if late.wait(0.005):
                peer.sock.sendall(record[at:])
                break
            peer.sock.sendall(record[at : at + 1])

    dripping = threading.Thread(target=drip)
    dripping.start()
    with pytest.raises(BlockingIOError):
        patient.recv_into(bytearray(wanted), flags=ALL)
    late.set()
    assert received(patient, len(body)) == body
    dripping.join(60)


def test_a_small_receive_waits_for_nothing_more(pair: Pair) -> None:
    patient, peer = pair
    peer.sock.sendall(peer.encrypted(b"head") + peer.encrypted(b"body"))
    assert received(patient, 2) == b"he"
    assert patient.has_more
    buffer = bytearray(100)
    assert patient.recv_into(buffer, 50) >= 2
    assert patient.gettimeout() == 60


def test_what_is_sent_arrives(pair: Pair) -> None:
    patient, peer = pair
    body = os.urandom(100_000)
    patient.sendall(body)
    came = b""
    while len(came) < len(body):
        peer.incoming.write(peer.sock.recv(65536))
        with suppress(ssl.SSLWantReadError):
            while True:
                came += peer.tls.read(65536)
    assert came == body


def test_an_end_that_is_said_is_told_from_one_that_is_not(pair: Pair) -> None:
    patient, peer = pair
    peer.sock.sendall(peer.encrypted(b"x" * 20_000))
    peer.says_the_end()
    assert received(patient, 20_000) == b"x" * 20_000
    assert patient.recv_into(bytearray(MIB), flags=ALL) == 0


@pytest.mark.parametrize("kept", [0, 3, 20_000, 40_000], ids=lambda count: f"after {count}")
def test_a_body_that_somebody_cuts_on_the_way_is_broken(pair: Pair, kept: int) -> None:
    patient, peer = pair
    peer.sock.sendall(peer.encrypted(b"x" * 80_000)[:kept])
    peer.sock.close()
    with pytest.raises(ssl.SSLEOFError):
        received(patient, MIB)


def test_bytes_that_were_changed_on_the_way_are_given_to_nobody(pair: Pair) -> None:
    patient, peer = pair
    records = bytearray(peer.encrypted(b"x" * 1000))
    records[500] ^= 1
    peer.sock.sendall(records)
    buffer = bytearray(1000)
    with pytest.raises(ssl.SSLError, match=r"(?i)bad.record.mac|decryption failed"):
        patient.recv_into(buffer, flags=ALL)


def test_a_handshake_that_never_comes_ends_in_its_time() -> None:
    here, there = socket.socketpair()
    here.settimeout(SLICE_S / 2)
    with there, pytest.raises(TimeoutError, match="handshake"):
        TlsSocket(here, certificates.trust(str(CERTIFICATE)), "127.0.0.1")


@pytest.mark.parametrize(("trusted", "host"), [(OTHERS / "cas.example.pem", "127.0.0.1"), (CERTIFICATE, "localhost")])
def test_who_is_not_trusted_hears_why_and_nothing_else(trusted: os.PathLike[str], host: str) -> None:
    here, there = socket.socketpair()
    here.settimeout(60)
    heard: list[str] = []

    def listen() -> None:
        try:
            peer = Peer(there)
            peer.shake_hands()
            peer.incoming.write(there.recv(65536))  # in TLS 1.3 the server has ended its handshake by then
            peer.tls.read(1)
        except ssl.SSLError as error:
            heard.append(error.reason)

    listener = threading.Thread(target=listen)
    listener.start()
    with pytest.raises(ssl.SSLCertVerificationError):
        TlsSocket(here, certificates.trust(str(trusted)), host)
    listener.join(60)
    assert heard
    assert "ALERT" in heard[0]
    there.close()
